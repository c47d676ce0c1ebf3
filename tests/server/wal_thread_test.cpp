// SPDX-License-Identifier: Apache-2.0
#include "server/wal_thread.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "wal/memory_file_system.h"

namespace tanist::server {
namespace {

/// Collects what the thread reports, and lets a test wait for it.
struct Reports {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<WalSynced> synced;
    std::vector<Error> failures;

    WalListener listener() {
        return {.synced = [this](const WalSynced& s) { note([&] { synced.push_back(s); }); },
                .recycled = [](Lsn) {},
                .failed = [this](const Error& e) { note([&] { failures.push_back(e); }); }};
    }
    template <class Change>
    void note(Change change) {
        {
            const std::lock_guard lock(mutex);
            change();
        }
        changed.notify_all();
    }
    template <class Condition>
    [[nodiscard]] bool await(Condition condition) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(60), condition);
    }
};

class WalThreadTest : public ::testing::Test {
protected:
    WalThreadTest() {
        auto opened = wal::Log::open(files_, "/wal", {.segment_bytes = 1 << 20, .spare_segments_max = 0}, 1);
        EXPECT_TRUE(opened) << opened.error().message;
        log_ = std::move(*opened);
    }
    core::AppendToWal append(std::size_t entries, std::uint64_t generation = 1) {
        core::AppendToWal append{.generation = generation};
        for (std::size_t i = 0; i < entries; ++i) {
            append.entries.push_back(Entry::make(Epoch{1}, last_, 1, EntryKind::kCommands, "payload"));
            last_ = append.entries.back().id();
        }
        return append;
    }

    wal::MemoryFileSystem files_;
    std::unique_ptr<wal::Log> log_;
    EntryId last_;
    Reports reports_;
};

TEST_F(WalThreadTest, WhatIsAppendedBecomesDurableInOrder) {
    WalThread thread(*log_, reports_.listener());
    for (int i = 0; i < 20; ++i) thread.append(append(3));
    ASSERT_TRUE(reports_.await([&] { return !reports_.synced.empty() && reports_.synced.back().through == Lsn{60}; }));
    std::size_t entries = 0;
    Lsn through;
    for (const WalSynced& synced : reports_.synced) {
        EXPECT_GT(synced.through, through);
        through = synced.through;
        entries += synced.entries;
        EXPECT_EQ(synced.generation, 1u);
    }
    EXPECT_EQ(entries, 60u);
}

TEST_F(WalThreadTest, RunSeesEverythingThatWasAppendedBefore) {
    WalThread thread(*log_, reports_.listener());
    thread.append(append(5));
    Lsn seen;
    ASSERT_TRUE(thread.run([&](wal::Log& log) -> Status {
        seen = log.last().lsn;
        return log.cut(Lsn{3});
    }));
    EXPECT_EQ(seen, Lsn{5});
    EXPECT_EQ(log_->last().lsn, Lsn{3});
    const Status failed = thread.run([](wal::Log&) -> Status { return fail(ErrorCode::kRefused, "no"); });
    EXPECT_EQ(failed.error().message, "no");
}

TEST_F(WalThreadTest, AppendsOfTwoGenerationsAreReportedApart) {  // S5
    WalThread thread(*log_, reports_.listener());
    thread.append(append(2, 1));
    thread.append(append(2, 2));
    ASSERT_TRUE(reports_.await([&] { return !reports_.synced.empty() && reports_.synced.back().generation == 2; }));
    EXPECT_EQ(reports_.synced.back().through, Lsn{4});
}

TEST_F(WalThreadTest, ClosingWritesWhatIsQueued) {
    {
        WalThread thread(*log_, reports_.listener());
        thread.append(append(7));
        ASSERT_TRUE(thread.close());
    }
    log_.reset();
    const auto again = wal::Log::open(files_, "/wal", {.segment_bytes = 1 << 20, .spare_segments_max = 0}, 2);
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->last().lsn, Lsn{7});
    EXPECT_TRUE((*again)->found().clean_stop);
}

TEST_F(WalThreadTest, AFailedSyncIsReportedOnceAndNothingIsWrittenAfterIt) {  // S4
    WalThread thread(*log_, reports_.listener());
    files_.set_hook([](wal::DiskOperation operation, const std::string&) -> Status {
        if (operation == wal::DiskOperation::kSync) return fail(ErrorCode::kIo, "the disk is gone");
        return {};
    });
    thread.append(append(1));
    ASSERT_TRUE(reports_.await([&] { return !reports_.failures.empty(); }));
    files_.set_hook({});
    const std::uint64_t operations = files_.operations();
    thread.append(append(1));
    EXPECT_FALSE(thread.run([](wal::Log&) -> Status { return {}; }));
    EXPECT_EQ(files_.operations(), operations);
    EXPECT_EQ(reports_.failures.size(), 1u);
    EXPECT_TRUE(reports_.synced.empty());
}

}  // namespace
}  // namespace tanist::server

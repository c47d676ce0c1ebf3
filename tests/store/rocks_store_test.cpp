// SPDX-License-Identifier: Apache-2.0
// What only a store with files can meet: locks, leftovers, damage, a crash in the middle of an install.
#if TANIST_WITH_ROCKSDB
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>

#include "store/store.h"
#include "tests/store/stores.h"

namespace tanist::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Position at(std::uint64_t lsn) { return {.applied = {.epoch = Epoch{1}, .lsn = Lsn{lsn}}, .timestamp = 1000 + lsn}; }

class RocksStoreTest : public ::testing::Test {
protected:
    std::unique_ptr<Store> open() {
        auto opened = place.open();
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? std::move(*opened) : nullptr;
    }
    static void put(Store& store, std::uint64_t lsn, std::string_view key, std::string_view value) {
        const std::vector<Change> changes{{key, value}};
        ASSERT_TRUE(store.apply(changes, at(lsn)));
    }
    static void flush(Store& store) {
        ASSERT_TRUE(store.flush());
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (store.stored() != store.position().applied.lsn) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    }
    /// A closed store with "a" = 1 at LSN 1 on disk.
    void make_store() {
        auto store = open();
        put(*store, 1, "a", "1");
        flush(*store);
    }
    std::vector<std::string> files_named(std::string_view part) const {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(place.path())) {
            if (entry.path().string().find(part) != std::string::npos) names.push_back(entry.path().string());
        }
        return names;
    }
    static void flip_bit(const std::string& path, std::uint64_t offset) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(offset));
        const char byte = static_cast<char>(file.get() ^ 1);
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(byte);
    }

    RocksPlace place;
};

TEST_F(RocksStoreTest, ASecondOpenIsToldThatTheStoreIsLocked) {
    const auto store = open();
    const auto second = place.open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kLocked);
    EXPECT_EQ(discard_rocks_store(place.path()).error().code, ErrorCode::kLocked);
}

TEST_F(RocksStoreTest, ADirectoryThatCannotBeMadeIsAnInputOutputError) {
    std::ofstream(place.directory.path() + "/file") << "x";
    EXPECT_EQ(open_rocks_store({.path = place.directory.path() + "/file/store"}).error().code, ErrorCode::kIo);
}

TEST_F(RocksStoreTest, OpeningRemovesWhatACrashLeftOver) {
    make_store();
    for (const char* name : {"db-17", "checkpoint-4"}) {
        fs::create_directory(place.path() + "/" + name);
        std::ofstream(place.path() + "/" + name + "/000001.sst") << "x";
    }
    std::ofstream(place.path() + "/current.new") << "db-17\n";
    std::ofstream(place.path() + "/incoming-3.sst") << "x";
    const auto store = open();
    EXPECT_EQ(store->get("a").value(), "1");
    EXPECT_THAT(files_named("incoming"), IsEmpty());
    EXPECT_THAT(files_named("db-17"), IsEmpty());
    EXPECT_THAT(files_named("checkpoint-4"), IsEmpty());
    EXPECT_THAT(files_named("current.new"), IsEmpty());
}

/// Rows enough for a file of their own: numbers from `first` on in steps, ascending.
class ManyRows {
public:
    ManyRows(int first, int step, std::string value) {
        constexpr int kCount = 12'000;
        for (int i = 0; i < kCount; ++i) keys_.push_back("k" + std::to_string(100'000 + first + step * i));
        value_ = std::move(value);
        for (const std::string& key : keys_)
            changes.push_back({key, value_.empty() ? std::nullopt : std::optional<std::string_view>(value_)});
    }
    std::vector<Change> changes;

private:
    std::vector<std::string> keys_;
    std::string value_;
};

TEST_F(RocksStoreTest, ALargeSortedWriteIsOnDiskWithAllBeforeItWhenItReturns) {
    ManyRows first(0, 1, std::string(100, '1')), second(1, 2, std::string(100, '2'));
    auto store = open();
    put(*store, 1, "before", "1");
    put(*store, 2, "k100001", "small");
    EXPECT_EQ(store->stored(), Lsn{0});
    ASSERT_TRUE(store->apply(first.changes, at(3)));
    EXPECT_EQ(store->stored(), Lsn{3});
    EXPECT_EQ(store->unstored_bytes(), 0U);
    put(*store, 4, "k100002", "small");
    ASSERT_TRUE(store->apply(second.changes, at(5)));
    EXPECT_EQ(store->stored(), Lsn{5});
    EXPECT_THAT(files_named("incoming"), IsEmpty());
    put(*store, 6, "lost", "1");
    const auto check = [&](std::uint64_t lsn) {
        EXPECT_EQ(store->position(), at(lsn));
        EXPECT_EQ(store->get("before").value(), "1");
        EXPECT_EQ(store->get("k100000").value(), std::string(100, '1'));
        EXPECT_EQ(store->get("k100001").value(), std::string(100, '2'));
        EXPECT_EQ(store->get("k100002").value(), "small");
        EXPECT_EQ(store->get("k123999").value(), std::string(100, '2'));
    };
    check(6);
    store.reset();
    store = open();
    check(5);
    EXPECT_EQ(store->get("lost").value(), std::nullopt);
}

TEST_F(RocksStoreTest, ATableIsNotWrittenToUnderANameThatItKept) {  // RocksDB only warns when it cannot remove the name
    ManyRows first(0, 1, std::string(100, '1')), second(0, 2, std::string(100, '2'));
    auto store = open();
    ASSERT_TRUE(store->apply(first.changes, at(1)));
    const auto tables = files_named(".sst");
    ASSERT_EQ(tables.size(), 1U);
    for (const char* name : {"incoming.sst", "incoming-1.sst"}) fs::create_hard_link(tables.front(), place.path() + "/" + name);
    ASSERT_TRUE(store->apply(second.changes, at(2)));
    store.reset();
    store = open();
    EXPECT_EQ(store->get("k100001").value(), std::string(100, '1'));
    EXPECT_EQ(store->get("k100002").value(), std::string(100, '2'));
}

TEST_F(RocksStoreTest, ALargeWriteDeletesAndComesInAnyOrder) {
    ManyRows rows(0, 1, std::string(100, '1'));
    ManyRows gone(0, 1, "");
    auto store = open();
    std::ranges::reverse(rows.changes);
    ASSERT_TRUE(store->apply(rows.changes, at(1)));
    EXPECT_EQ(store->get("k100007").value(), std::string(100, '1'));
    rows.changes.resize(11'990);  // down to 100010
    std::ranges::reverse(rows.changes);
    rows.changes.insert(rows.changes.begin(), gone.changes.begin(), gone.changes.begin() + 10);
    ASSERT_TRUE(store->apply(rows.changes, at(2)));
    EXPECT_EQ(store->stored(), Lsn{2});
    EXPECT_EQ(store->get("k100007").value(), std::nullopt);
    EXPECT_EQ(store->get("k100010").value(), std::string(100, '1'));
    rows.changes.insert(rows.changes.begin(), Change{"k", std::nullopt, "l"});
    rows.changes.resize(5'000);
    ASSERT_TRUE(store->apply(rows.changes, at(3)));
    EXPECT_EQ(store->get("k100010").value(), std::string(100, '1'));
    EXPECT_EQ(store->get("k111999").value(), std::nullopt);
}

TEST_F(RocksStoreTest, ACheckpointsFilesGoWithIt) {
    const auto store = open();
    put(*store, 1, "a", "1");
    auto checkpoint = store->checkpoint().value();
    EXPECT_THAT(files_named("checkpoint-"), Not(IsEmpty()));
    checkpoint.reset();
    EXPECT_THAT(files_named("checkpoint-"), IsEmpty());
}

TEST_F(RocksStoreTest, ACheckpointOutlivesItsStoreAndManyCanExist) {
    auto store = open();
    put(*store, 1, "a", "1");
    auto first = store->checkpoint().value();
    put(*store, 2, "a", "2");
    auto second = store->checkpoint().value();
    store.reset();
    EXPECT_TRUE(first->read(0, 0, 10));
    EXPECT_EQ(first->position(), at(1));
    EXPECT_EQ(second->position(), at(2));
}

/// Rebuilds what an install leaves on disk when it ends at each of its steps, from the directories before and after it.
TEST_F(RocksStoreTest, ACrashInTheMiddleOfAnInstallLeavesTheOldStateOrTheNew) {  // S25
    RocksPlace donor_place;
    auto donor = donor_place.open().value();
    put(*donor, 5, "a", "new");
    const auto checkpoint = donor->checkpoint().value();

    make_store();
    const std::string before = place.directory.path() + "/before", after = place.directory.path() + "/after";
    fs::copy(place.path(), before, fs::copy_options::recursive);
    {
        auto store = open();
        auto receiver = store->receive().value();
        for (std::size_t file = 0; file < checkpoint->files().size(); ++file) {
            ASSERT_TRUE(receiver->write(checkpoint->files()[file].name, as_bytes(checkpoint->read(file, 0, 1 << 20).value())));
        }
        ASSERT_TRUE(receiver->install(checkpoint->position()));
        EXPECT_EQ(store->get("a").value(), "new");
    }
    fs::rename(place.path(), after);
    ASSERT_TRUE(fs::exists(after + "/db-2"));
    ASSERT_FALSE(fs::exists(after + "/db-1"));

    struct Step {
        const char* name;
        const char* value_then;
        std::function<void(const std::string& store)> happened;
    };
    const auto received = [&](const std::string& store) { fs::copy(after + "/db-2", store + "/db-2", fs::copy_options::recursive); };
    const std::vector<Step> steps = {
        {"receiving", "1",
         [&](const std::string& store) {
             received(store);
             for (const auto& entry : fs::directory_iterator(store + "/db-2")) {
                 if (entry.path().extension() == ".sst") fs::resize_file(entry.path(), 10);
             }
         }},
        {"received", "1", received},
        {"pointer half written", "1", [&](const std::string& store) { received(store), std::ofstream(store + "/current.new") << "db"; }},
        {"pointer written", "1", [&](const std::string& store) { received(store), std::ofstream(store + "/current.new") << "db-2\n"; }},
        {"pointer renamed", "new", [&](const std::string& store) { received(store), std::ofstream(store + "/current") << "db-2\n"; }},
        {"old one half removed", "new",
         [&](const std::string& store) {
             received(store), std::ofstream(store + "/current") << "db-2\n";
             fs::remove(store + "/db-1/CURRENT");
         }},
    };
    for (const Step& step : steps) {
        SCOPED_TRACE(step.name);
        fs::remove_all(place.path());
        fs::copy(before, place.path(), fs::copy_options::recursive);
        step.happened(place.path());
        const auto store = open();
        ASSERT_TRUE(store);
        EXPECT_EQ(store->get("a").value(), step.value_then);
        EXPECT_EQ(store->position(), std::string(step.value_then) == "1" ? at(1) : at(5));
        EXPECT_THAT(files_named(std::string(step.value_then) == "1" ? "db-2" : "db-1"), IsEmpty());
    }
}

TEST_F(RocksStoreTest, ALostDatabaseOpensEmptyAtPositionZero) {  // the caller compares with its log (S11)
    make_store();
    fs::remove_all(place.path() + "/db-1");
    const auto store = open();
    EXPECT_EQ(store->position(), Position{});
    EXPECT_EQ(store->get("a").value(), std::nullopt);
}

TEST_F(RocksStoreTest, ACrashWhileTheDatabaseWasFirstMadeIsNoDamage) {
    fs::create_directories(place.path() + "/db-1");
    std::ofstream(place.path() + "/current") << "db-1\n";
    std::ofstream(place.path() + "/db-1/MANIFEST-000001") << "half";
    const auto store = open();
    ASSERT_TRUE(store);
    EXPECT_EQ(store->position(), Position{});
}

TEST_F(RocksStoreTest, DamageIsReportedAsCorruptAndCanBeGivenUp) {
    const auto one = [&](std::string_view part) { return files_named(part).at(0); };
    const std::vector<std::pair<const char*, std::function<void()>>> damages = {
        {"current missing", [&] { fs::remove(place.path() + "/current"); }},
        {"current empty", [&] { fs::resize_file(place.path() + "/current", 0); }},
        {"current nonsense", [&] { std::ofstream(place.path() + "/current") << "../elsewhere\n"; }},
        {"RocksDB's CURRENT missing", [&] { fs::remove(one("/CURRENT")); }},
        {"RocksDB's CURRENT damaged", [&] { flip_bit(one("/CURRENT"), 3); }},
        {"manifest missing", [&] { fs::remove(one("/MANIFEST-")); }},
        {"manifest damaged", [&] { flip_bit(one("/MANIFEST-"), 20); }},
        {"table missing", [&] { fs::remove(one(".sst")); }},
        {"table cut", [&] { fs::resize_file(one(".sst"), 100); }},
    };
    for (const auto& [name, damage] : damages) {
        SCOPED_TRACE(name);
        make_store();
        damage();
        const auto opened = place.open();
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << opened.error().message;
        ASSERT_TRUE(discard_rocks_store(place.path()));
        EXPECT_EQ(open()->position(), Position{});
        fs::remove_all(place.path());
    }
}

TEST_F(RocksStoreTest, ADamagedBlockIsReportedWhenItIsRead) {  // S26
    {
        auto store = open();
        for (std::uint64_t lsn = 1; lsn <= 2000; ++lsn) put(*store, lsn, "key" + std::to_string(lsn), std::string(100, 'v'));
        flush(*store);
    }
    flip_bit(files_named(".sst").at(0), 3000);
    const auto store = open();
    ASSERT_TRUE(store);
    EXPECT_EQ(store->digest().error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(store->scan({.rows_max = 5000, .bytes_max = 1 << 30}).error().code, ErrorCode::kCorrupt);
}

TEST_F(RocksStoreTest, AFailedFlushIsAnErrorFromThenOn) {  // S4: never retried
    auto store = open();
    put(*store, 1, "a", "1");
    fs::remove_all(place.path() + "/db-1");
    ASSERT_TRUE(store->flush());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (store->flush()) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    EXPECT_EQ(store->flush().error().code, ErrorCode::kIo);
    EXPECT_FALSE(store->apply(std::vector<Change>{{"b", "2"}}, at(2)));
    EXPECT_FALSE(store->checkpoint());
    EXPECT_EQ(store->stored(), Lsn{0});
}

TEST_F(RocksStoreTest, WhatRocksDbFlushesUnaskedIsStoredToo) {
    auto store = open_rocks_store({.path = place.path(), .cache_bytes = 1 << 20, .write_buffer_bytes = 1 << 20}).value();
    std::uint64_t lsn = 0;
    while (store->stored().is_zero()) {
        ++lsn;
        put(*store, lsn, "key" + std::to_string(lsn), std::string(10'000, 'v'));
        ASSERT_LT(lsn, 100'000U);
    }
    const Lsn stored = store->stored();
    EXPECT_LT(store->unstored_bytes(), lsn * 11'000);
    store.reset();
    EXPECT_GE(open()->position().applied.lsn, stored);
}

// RocksDB stops writes while all memtables are full: the flush that makes room must not wait for the writer.
TEST(RocksStore, FlushesAskedForAllTheTimeDoNotStopWritesForGood) {
    const TemporaryDirectory directory;
    auto store = open_rocks_store({.path = directory.path() + "/store", .write_buffer_bytes = 64 << 10});
    ASSERT_TRUE(store) << store.error().message;
    EntryId id;
    for (std::uint64_t i = 1; i <= 2000; ++i) {
        id = {{1}, {i}, 0};
        const std::string key = "k" + std::to_string(i % 100), value(40'000, static_cast<char>('a' + i % 26));
        const Change change{key, value};
        ASSERT_TRUE((*store)->apply({&change, 1}, {id, i}));
        ASSERT_TRUE((*store)->flush());
    }
    EXPECT_EQ((*store)->position().applied, id);
}

}  // namespace
}  // namespace tanist::store
#endif

// SPDX-License-Identifier: Apache-2.0
// The power goes at any file operation of a RocksDB store: what opens afterwards is the state at exactly one LSN, the one that it
// says, and not below what was reported as stored.
#if TANIST_WITH_ROCKSDB
#include <gtest/gtest.h>

#include <rocksdb/env.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/random.h"
#include "store/rocks_options.h"
#include "tests/store/recording_file_system.h"
#include "tests/store/stores.h"

namespace tanist::store {
namespace {

namespace fs = std::filesystem;
using Survives = RecordingFileSystem::Survives;

constexpr std::uint64_t kEntries = 240;
constexpr std::uint64_t kFlushEvery = 30, kIngestEvery = 17;
constexpr std::size_t kPointsMax = 100;  // at which the power goes, spread over all operations

Position at(std::uint64_t lsn) { return {.applied = {.epoch = Epoch{1}, .lsn = Lsn{lsn}}, .timestamp = 1000 + lsn}; }

/// Changes of a few keys: most are written again later, some go, at times all that begin with one byte.
OwnedChanges draw_changes(Random& random, std::uint64_t lsn) {
    OwnedChanges changes;
    for (int i = 0; i < 12; ++i) {
        std::string key = std::string(1, static_cast<char>('a' + random.below(4))) + std::to_string(random.below(60));
        if (random.chance(1, 5)) {
            changes.push_back({std::move(key), std::nullopt});
        } else {
            changes.push_back({std::move(key), std::to_string(lsn) + std::string(random.below(300), 'v')});
        }
    }
    if (lsn % 40 == 0) changes.push_back({"b", std::nullopt, "c"});
    return changes;
}

/// So that they can be ingested: ascending, one of each key.
void sort(OwnedChanges& changes) {
    std::map<std::string, std::optional<std::string>, std::less<>> last;
    for (const Change& one : changes.all()) {
        if (!one.is_range()) last[std::string(one.key)] = one.value ? std::optional(std::string(*one.value)) : std::nullopt;
    }
    changes.clear();
    for (auto& [key, value] : last) changes.push_back({key, std::move(value)});
}

/// A store that was written over recorded files, and what is known of it.
class RocksCrash : public ::testing::Test {
protected:
    StoreOptions options() const { return {.path = directory_.path() + "/store", .cache_bytes = 1 << 20, .write_buffer_bytes = 64 << 10}; }

    void write() {
        auto opened = open_rocks_store_over(options(), *environment_, 1);
        ASSERT_TRUE(opened) << opened.error().message;
        Store& store = **opened;
        const auto twin = open_memory_store(std::make_shared<DurableImage>());
        Random random(1);
        digests_.push_back(twin->digest().value());
        for (std::uint64_t lsn = 1; lsn <= kEntries; ++lsn) {
            auto changes = draw_changes(random, lsn);
            if (lsn % kIngestEvery == 0) sort(changes);
            ASSERT_TRUE(store.apply(changes.all(), at(lsn)));
            if (lsn % kIngestEvery == 0) {
                ASSERT_EQ(store.stored(), Lsn{lsn});
            }
            ASSERT_TRUE(twin->apply(changes.all(), at(lsn)));
            digests_.push_back(twin->digest().value());
            if (lsn % kFlushEvery == 0) {
                ASSERT_TRUE(store.flush());
                const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
                while (store.stored().value < lsn) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            }
            const Lsn stored = store.stored();  // before the number of operations: what it speaks of is among them
            reports_.push_back({files_->operations(), stored});
        }
    }

    /// What had been reported as stored before the operation with this number.
    Lsn reported(std::size_t operations) const {
        Lsn stored;
        for (const Report& report : reports_) {
            if (report.operations <= operations) stored = report.stored;
        }
        return stored;
    }

    /// Makes the disk as it may be after so many operations, opens the store, and holds it against what it must be.
    void expect_whole(std::size_t operations, Survives survives, std::uint64_t seed) {
        SCOPED_TRACE(fmt::format("after {} operations, {}", operations,
                                 survives == Survives::kAll      ? "all survives"
                                 : survives == Survives::kSynced ? "what was synced survives"
                                                                 : "some survives"));
        const TemporaryDirectory place;
        const std::string path = place.path() + "/store";
        fs::create_directories(path + "/db-1");
        std::ofstream(path + "/current") << "db-1\n";
        Random random(seed);
        files_->restore(operations, survives, random, options().path, path);
        auto opened = open_rocks_store({.path = path, .cache_bytes = 1 << 20});
        ASSERT_TRUE(opened) << opened.error().message;
        const Lsn stored = (*opened)->stored();
        EXPECT_GE(stored, reported(operations));
        ASSERT_LE(stored.value, kEntries);
        EXPECT_EQ((*opened)->position(), stored.is_zero() ? Position{} : at(stored.value));
        EXPECT_EQ((*opened)->digest().value(), digests_[stored.value]);
        found_.insert(stored);
    }

    struct Report {
        std::size_t operations;
        Lsn stored;
    };
    TemporaryDirectory directory_;
    std::shared_ptr<RecordingFileSystem> files_ = std::make_shared<RecordingFileSystem>();
    std::unique_ptr<rocksdb::Env> environment_ = rocksdb::NewCompositeEnv(files_);
    std::vector<std::uint64_t> digests_;  ///< by LSN
    std::vector<Report> reports_;
    std::set<Lsn> found_;
};

TEST_F(RocksCrash, LeavesTheStateAtTheStoredLsnWhateverWasNotSynced) {  // S4, S11
    write();
    const std::size_t operations = files_->operations();
    const std::size_t step = std::max<std::size_t>(1, operations / kPointsMax);
    for (std::size_t point = 0; point <= operations && !HasFailure(); point += step) {
        for (const Survives survives : {Survives::kAll, Survives::kSynced, Survives::kSome}) expect_whole(point, survives, point);
    }
    for (const Survives survives : {Survives::kAll, Survives::kSynced}) expect_whole(operations, survives, 0);
    EXPECT_GE(found_.size(), kEntries / kFlushEvery + kEntries / kIngestEvery);  // it did stop at many of them
    EXPECT_TRUE(found_.contains(Lsn{kEntries}));
}

}  // namespace
}  // namespace tanist::store
#endif

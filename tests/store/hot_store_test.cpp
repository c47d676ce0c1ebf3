// SPDX-License-Identifier: Apache-2.0
// The hot set and what it has behind it, as one store: nothing may tell the two apart.
#include "store/hot_store.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <thread>

#include "base/random.h"
#include "tests/store/stores.h"

namespace tanist::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Rows = std::map<std::string, std::string>;

constexpr std::chrono::hours kLong{1};

Position at(std::uint64_t lsn) { return {.applied = {.epoch = Epoch{1}, .lsn = Lsn{lsn}}, .timestamp = 1000 + lsn}; }

Rows all_rows(const Store& store) {
    Rows rows;
    for (ScanRequest request{.rows_max = 7};;) {
        const auto page = store.scan(request).value();
        for (const auto& [key, value] : page.rows) EXPECT_TRUE(rows.emplace(key, value).second);
        if (!page.more) return rows;
        request.begin = page.rows.back().first + '\0';
    }
}

void await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        std::this_thread::yield();
    }
}

/// A hot store over a memory store whose writes a test can hold up.
class HotStoreTest : public ::testing::Test {
protected:
    std::unique_ptr<Store> open(const HotStoreOptions& options = {.memory_max = 1 << 20, .gathered_max = 1}) {
        return open_hot_store(std::make_unique<LockedStore>(open_memory_store(image), control), options);
    }
    void apply(Store& store, std::vector<Change> changes) { ASSERT_TRUE(store.apply(changes, at(++lsn))); }

    std::shared_ptr<DurableImage> image = std::make_shared<DurableImage>();
    std::shared_ptr<LockedStoreControl> control = std::make_shared<LockedStoreControl>();
    std::uint64_t lsn = 0;
};

TEST_F(HotStoreTest, ChangesAreSeenBeforeTheColdTierHasThem) {
    const auto store = open();
    const std::unique_lock held(control->writing);
    apply(*store, {{"a", "1"}, {"b", "1"}, {"c", "1"}});
    apply(*store, {{"a", "2"}, {"b", std::nullopt}});  // over frozen entries
    apply(*store, {{"b", std::nullopt}, {"d", "a longer value than the others have"}});
    EXPECT_EQ(control->writes, 0U);
    EXPECT_EQ(store->get("a").value(), "2");
    EXPECT_EQ(store->get("b").value(), std::nullopt);
    EXPECT_EQ(all_rows(*store), (Rows{{"a", "2"}, {"c", "1"}, {"d", "a longer value than the others have"}}));
}

TEST_F(HotStoreTest, ColdRowsStayHiddenUnderARangeThatIsOnItsWay) {
    const auto store = open();
    apply(*store, {{"a", "1"}, {"b", "1"}, {"bb", "1"}, {"c", "1"}});
    ASSERT_TRUE(store->checkpoint());
    const std::unique_lock held(control->writing);
    apply(*store, {{"b", std::nullopt, "c"}, {"ba", "new"}});
    EXPECT_EQ(store->get("bb").value(), std::nullopt);
    EXPECT_EQ(store->get("ba").value(), "new");
    EXPECT_EQ(all_rows(*store), (Rows{{"a", "1"}, {"ba", "new"}, {"c", "1"}}));
    apply(*store, {{"a", std::nullopt, "z"}});
    EXPECT_THAT(all_rows(*store), IsEmpty());
}

TEST_F(HotStoreTest, TellsWhatItHoldsAndHowWellThatAnswers) {
    image->rows = {{"cold", "1"}};
    const auto store = open({.memory_max = 1 << 20, .gathered_max = 1 << 16});
    apply(*store, {{"hot", "1"}});
    EXPECT_EQ(store->cache().entries, 1U);
    EXPECT_EQ(store->cache().bytes_max, 1U << 20);
    EXPECT_GT(store->cache().pinned_bytes, 0U);
    (void)store->get("hot");
    (void)store->get("cold");
    (void)store->get("cold");  // by now it is known
    EXPECT_EQ(store->cache().hits, 2U);
    EXPECT_EQ(store->cache().misses, 1U);
    EXPECT_EQ(store->cache().evictions, 0U);
    for (int i = 0; i < 3000; ++i) apply(*store, {{std::to_string(i), std::string(1000, 'x')}});
    await([&] {
        apply(*store, {{"again", "1"}});  // what has arrived is taken back with the next write
        return store->cache().bytes <= 1U << 20;
    });
    EXPECT_GT(store->cache().evictions, 0U);
}

TEST_F(HotStoreTest, SeveralThreadsReadAtATime) {
    constexpr int kKeys = 300, kThreads = 4;
    Rows rows;
    for (int i = 0; i < kKeys; ++i) rows["key" + std::to_string(i)] = std::to_string(i);
    image->rows.insert(rows.begin(), rows.end());
    const auto store = open({.memory_max = 1 << 20, .gathered_max = 1 << 16});
    for (int i = 0; i < kKeys; i += 3) apply(*store, {{"key" + std::to_string(i), rows["key" + std::to_string(i)] = "new"}});

    const auto read_all = [&] {
        std::vector<std::string_view> keys;
        for (const auto& [key, _] : rows) keys.push_back(key);
        const auto values = store->get_many(keys).value();
        std::size_t i = 0;
        for (const auto& [key, value] : rows) EXPECT_EQ(values[i++], value) << key;
    };
    store->share_reads(true);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) threads.emplace_back(read_all);
    }
    store->share_reads(false);
    const auto cache = store->cache();
    EXPECT_EQ(cache.hits + cache.misses, static_cast<std::uint64_t>(kKeys * kThreads));
    EXPECT_EQ(cache.misses, static_cast<std::uint64_t>(kKeys / 3 * 2 * kThreads)) << "the hot set stands still meanwhile";
    read_all();
    EXPECT_EQ(store->cache().misses, cache.misses) << "what they read is kept";
    apply(*store, {{"key1", "newer"}});
    EXPECT_EQ(store->get("key1").value(), "newer");
}

TEST_F(HotStoreTest, WhatSharedReadsBringIsBounded) {
    constexpr std::size_t kRows = 100, kValueBytes = 100'000, kBound = 4 << 20;
    for (std::size_t i = 0; i < kRows; ++i) image->rows["key" + std::to_string(i)] = std::string(kValueBytes, 'x');
    const auto store = open({.memory_max = 64 << 20});
    store->share_reads(true);
    for (std::size_t i = 0; i < kRows; ++i) EXPECT_EQ(store->get("key" + std::to_string(i)).value()->size(), kValueBytes);
    store->share_reads(false);
    EXPECT_GE(store->cache().entries, kBound / 2 / kValueBytes);
    EXPECT_LE(store->cache().entries, kBound / kValueBytes);
}

TEST_F(HotStoreTest, ManyChangesOfAKeyReachTheColdTierAsOne) {
    const auto store = open({.memory_max = 1 << 20});
    for (int i = 0; i < 1000; ++i) apply(*store, {{"counter", std::to_string(i)}, {"key" + std::to_string(i % 10), "x"}});
    ASSERT_TRUE(store->checkpoint());
    EXPECT_EQ(control->writes, 1U);
    EXPECT_EQ(control->changes, 11U);
    EXPECT_EQ(image->rows.at("counter"), "999");
}

TEST_F(HotStoreTest, GenerationsThatWaitGoInOneWrite) {
    const auto store = open();
    {
        const std::unique_lock held(control->writing);
        for (int i = 0; i < 100; ++i) apply(*store, {{"key", std::to_string(i)}});
    }
    ASSERT_TRUE(store->checkpoint());
    EXPECT_LE(control->writes, 2U);  // the one that was held up, and the rest
    EXPECT_EQ(image->rows.at("key"), "99");
    EXPECT_EQ(image->position, at(100));
}

/// What the cold tier holds at any moment is the state at the position that it names (S11): a crash falls back to it.
TEST_F(HotStoreTest, AWriteHoldsExactlyTheStateAtItsPosition) {
    std::map<std::uint64_t, Rows> history{{0, {}}};
    Random random(7);
    for (int round = 0; round < 20; ++round) {
        auto store = open({.memory_max = 1 << 20, .gathered_max = 1000});
        lsn = store->position().applied.lsn.value;
        ASSERT_EQ(all_rows(*store), history[lsn]);
        for (int i = 0; i < 50; ++i) {
            Rows rows = history[lsn];
            OwnedChanges changes;
            for (int n = 0; n < 3; ++n) {
                const std::string key = "k" + std::to_string(random.below(40));
                changes.push_back({key, std::to_string(random.next())});
                rows[key] = *changes.back().value;
            }
            apply(*store, changes.all());
            history[lsn] = rows;
            if (random.chance(1, 10)) {
                ASSERT_TRUE(store->flush());
            }
        }
        store.reset();
        ASSERT_EQ(Rows(image->rows.begin(), image->rows.end()), history[image->position.applied.lsn.value]) << "round " << round;
    }
}

/// The one who applies is never held up, since it has more to do than that; it is told.
TEST_F(HotStoreTest, AskedForRoomItSaysThatTheColdTierHasFallenBehind) {
    const auto store = open({.memory_max = 1 << 20, .gathered_max = 1 << 16});
    std::unique_lock held(control->writing);
    const auto write = [&] { apply(*store, {{"key" + std::to_string(lsn), std::string(20'000, 'v')}}); };
    while (store->has_room() && lsn < 100) write();
    EXPECT_GT(lsn, 25U);  // half of memory_max
    EXPECT_LT(lsn, 40U);
    write();
    EXPECT_EQ(store->get("key0").value()->size(), 20'000U);
    held.unlock();
    await([&] { return store->has_room(); });
}

TEST_F(HotStoreTest, WithoutRoomAFailureIsStillTold) {  // S4
    const auto store = open({.memory_max = 1 << 20, .gathered_max = 1 << 16});
    {
        const std::unique_lock held(control->writing);
        while (store->has_room() && lsn < 100) apply(*store, {{"key" + std::to_string(lsn), std::string(20'000, 'v')}});
        control->fails = true;
    }
    await([&] { return store->has_room(); });
    EXPECT_EQ(store->apply(std::vector<Change>{{"b", "2"}}, at(lsn + 1)).error().code, ErrorCode::kIo);
}

TEST_F(HotStoreTest, AWriteHasItsKeysInOrder) {
    const auto store = open({.memory_max = 64 << 20, .gathered_max = 8 << 20});
    Random random(1);
    std::vector<std::string> keys{"d", "mcounts", "e", "\xff\xff", "dkey:", std::string("dkey:\0", 6)};
    for (int i = 0; i < 3000; ++i) {
        keys.push_back("dkey:00" + std::to_string(random.below(1'000'000)) + std::string(random.below(12), '7'));
        keys.push_back("e\1\2\3" + std::to_string(random.below(1'000'000)));
    }
    std::vector<Change> changes;
    for (const std::string& key : keys) changes.push_back({key, "v"});
    apply(*store, changes);
    ASSERT_TRUE(store->checkpoint());
    EXPECT_GT(image->rows.size(), 5000U);
    EXPECT_FALSE(control->out_of_order);
}

TEST_F(HotStoreTest, AWriteToTheColdTierHasABound) {
    const auto store = open({.memory_max = 4 << 20, .gathered_max = 1 << 16, .write_max = 1 << 17});
    {
        const std::unique_lock held(control->writing);
        for (int i = 0; i < 60; ++i) apply(*store, {{"key" + std::to_string(i), std::string(20'000, 'v')}});
    }
    ASSERT_TRUE(store->checkpoint());
    EXPECT_GE(control->writes, 7U);  // 1.2 MiB, at most 128 KiB at once
    EXPECT_EQ(image->rows.size(), 60U);
}

TEST_F(HotStoreTest, WarmKeysAreAnsweredWithoutTheColdTier) {
    std::vector<std::string> names;
    for (int i = 0; i < 3000; ++i) {
        names.push_back((i % 5 == 0 ? "j" : "k") + std::to_string(i));
        if (i % 3 != 0) image->rows[names.back()] = std::to_string(i);
    }
    const auto store = open({.memory_max = 4 << 20, .gathered_max = 1 << 16});
    apply(*store, {{"k7", "changed"}, {"j", std::nullopt, "k"}});
    const std::vector<std::string_view> keys(names.begin(), names.end());
    store->warm(keys, kLong);
    const std::uint64_t misses = store->cache().misses;
    EXPECT_GT(misses, 1000U);
    for (int i = 0; i < 3000; ++i) {
        const auto value = store->get(names[i]).value();
        const bool is_erased = i % 5 == 0;
        EXPECT_EQ(value, i == 7 ? "changed" : i % 3 == 0 || is_erased ? std::nullopt : std::optional(std::to_string(i))) << names[i];
    }
    EXPECT_EQ(store->cache().misses, misses);
}

TEST_F(HotStoreTest, WarmingFillsAPartOfTheMemory) {
    std::vector<std::string> names;
    for (int i = 0; i < 8000; ++i) image->rows[names.emplace_back("k" + std::to_string(i))] = std::string(1000, 'v');
    const auto store = open({.memory_max = 4 << 20, .gathered_max = 1 << 16});
    store->warm(std::vector<std::string_view>(names.begin(), names.end()), kLong);
    EXPECT_GT(store->cache().entries, 500U);
    EXPECT_LT(store->cache().bytes, 3U << 20) << "a quarter of it, the table's own share and what was read at once on top";
    EXPECT_EQ(store->cache().evictions, 0U) << "what was read would drive out what was read before it";
}

TEST_F(HotStoreTest, WarmingEndsWhenItsTimeIsOver) {
    std::vector<std::string> names;
    for (int i = 0; i < 10'000; ++i) image->rows[names.emplace_back("k" + std::to_string(i))] = "v";
    const auto store = open({.memory_max = 256 << 20, .gathered_max = 1 << 16});
    store->warm(std::vector<std::string_view>(names.begin(), names.end()), std::chrono::milliseconds(0));
    EXPECT_EQ(store->cache().misses, 0U);
}

TEST_F(HotStoreTest, AFailureOfTheColdTierIsAnErrorFromThenOn) {  // S4: never retried
    const auto store = open({.memory_max = 1 << 20});
    apply(*store, {{"a", "1"}});
    control->fails = true;
    ASSERT_TRUE(store->flush());
    await([&] { return !store->flush(); });
    control->fails = false;
    EXPECT_EQ(store->flush().error().code, ErrorCode::kIo);
    EXPECT_EQ(store->apply(std::vector<Change>{{"b", "2"}}, at(2)).error().code, ErrorCode::kIo);
    EXPECT_EQ(store->get("not in memory").error().code, ErrorCode::kIo);
    EXPECT_FALSE(store->scan({}));
    EXPECT_FALSE(store->checkpoint());
    EXPECT_FALSE(store->digest());
    EXPECT_EQ(store->stored(), Lsn{0});
}

TEST_F(HotStoreTest, UnstoredBytesCountWhatARestartWouldReplay) {
    const auto store = open({.memory_max = 1 << 20});
    for (int i = 0; i < 100; ++i) apply(*store, {{"one key", std::string(1000, 'v')}});
    EXPECT_GT(store->unstored_bytes(), 100'000U);  // one row to write, and a hundred entries to replay
    ASSERT_TRUE(store->flush());
    await([&] { return store->stored() == Lsn{100}; });
    EXPECT_EQ(store->unstored_bytes(), 0U);
    apply(*store, {{"one key", std::string(1000, 'v')}});
    EXPECT_LT(store->unstored_bytes(), 2000U);
    EXPECT_GT(store->unstored_bytes(), 1000U);
}

TEST_F(HotStoreTest, ScansBetweenWritesStayTrue) {
    const auto store = open({.memory_max = 1 << 20, .gathered_max = 3000});
    Rows rows;
    Random random(3);
    for (int i = 0; i < 2000; ++i) {
        const std::string key = std::string(1, static_cast<char>('a' + random.below(4))) + std::to_string(random.below(50));
        if (random.chance(1, 3)) {
            apply(*store, {{key, std::nullopt}});
            rows.erase(key);
        } else {
            const std::string value(random.below(60), 'v');
            apply(*store, {{key, value}});
            rows[key] = value;
        }
        const std::string begin(1, static_cast<char>('a' + random.below(4))), end(1, static_cast<char>(begin[0] + 1));
        const auto found = store->scan({.begin = begin, .end = end}).value().rows;
        ASSERT_EQ(Rows(found.begin(), found.end()), Rows(rows.lower_bound(begin), rows.lower_bound(end))) << "step " << i;
    }
    EXPECT_EQ(all_rows(*store), rows);
}

// -- over each kind of cold tier -------------------------------------------------------------------------------------------------

#if TANIST_WITH_ROCKSDB
using HotPlaces = ::testing::Types<HotPlace<MemoryPlace>, HotPlace<RocksPlace>>;
#else
using HotPlaces = ::testing::Types<HotPlace<MemoryPlace>>;
#endif

template <class Place>
class HotPlaceTest : public ::testing::Test {};
TYPED_TEST_SUITE(HotPlaceTest, HotPlaces);

TYPED_TEST(HotPlaceTest, HoldsFourTimesItsMemory) {
    constexpr std::size_t kMemory = 4 << 20, kKeys = 4 * kMemory / 1100;
    TypeParam place{.options = {.memory_max = kMemory}};
    auto store = place.open().value();
    const auto key = [](std::size_t i) { return "key" + std::to_string(i); };
    // What key i holds behind the round `round` of changes: each takes some keys, deletes others, and leaves the rest.
    const auto value = [](std::size_t i, std::size_t round) -> std::optional<std::string> {
        if (round >= 2 && i % 5 == 0) return std::nullopt;
        const std::size_t last_change = round >= 1 && i % 3 == 0 ? 1 : 0;
        return std::to_string(i) + std::string(1000 + 100 * last_change, static_cast<char>('a' + last_change));
    };
    std::uint64_t lsn = 0;
    const auto change = [&](std::size_t round, std::size_t every) {
        OwnedChanges changes;
        for (std::size_t i = 0; i < kKeys; i += every) {
            changes.push_back({key(i), value(i, round)});
            if (changes.size() < 50 && i + every < kKeys) continue;
            ASSERT_TRUE(store->apply(changes.all(), at(++lsn)));
            changes.clear();
        }
    };
    const auto check = [&](std::size_t round) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < kKeys; ++i) names.push_back(key(i));
        const std::vector<std::string_view> keys(names.begin(), names.end());
        const auto values = store->get_many(keys).value();
        std::size_t present = 0;
        for (std::size_t i = 0; i < kKeys; ++i) {
            ASSERT_EQ(values[i], value(i, round)) << key(i);
            present += values[i] ? 1 : 0;
        }
        EXPECT_EQ(all_rows(*store).size(), present);
    };
    change(0, 1);
    check(0);
    change(1, 3);
    check(1);
    change(2, 5);
    check(2);
    ASSERT_TRUE(store->checkpoint());
    await([&] { return store->flush() && store->stored() == Lsn{lsn}; });
    store.reset();
    store = place.open().value();
    EXPECT_EQ(store->position(), at(lsn));
    check(2);
}

/// Everything that a store can be asked to do, at random, beside a store that is a plain map.
TYPED_TEST(HotPlaceTest, AgreesWithAMemoryStoreOverRandomHistories) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        TypeParam place{
            .options = {.memory_max = std::size_t{1} << random.between(17, 20), .gathered_max = std::size_t{1} << random.between(0, 16)}};
        auto tested = place.open().value();
        const auto model_at = [](const Store& store) {  // a copy, to be the model of what a crash falls back to
            auto image = std::make_shared<DurableImage>();
            image->rows = {};
            for (auto& [key, value] : all_rows(store)) image->rows.emplace(key, value);
            image->position = store.position();
            return image;
        };
        std::map<std::uint64_t, std::shared_ptr<DurableImage>> history{{0, std::make_shared<DurableImage>()}};
        auto model = open_memory_store(std::make_shared<DurableImage>());
        std::uint64_t lsn = 0;
        const std::uint64_t keys = random.between(20, 400);
        const auto some_key = [&] { return std::string(1, static_cast<char>('a' + random.below(3))) + std::to_string(random.below(keys)); };
        for (int step = 0; step < 600; ++step) {
            switch (random.below(12)) {
                case 0: ASSERT_TRUE(tested->flush()); break;
                case 1: {
                    const ScanRequest request{.begin = some_key(),
                                              .end = random.chance(1, 2) ? "" : some_key(),
                                              .rows_max = random.below(50),
                                              .bytes_max = random.below(20'000)};
                    const auto got = tested->scan(request).value(), wanted = model->scan(request).value();
                    ASSERT_EQ(got.rows, wanted.rows);
                    ASSERT_EQ(got.more, wanted.more);
                    break;
                }
                case 2:
                    if (random.chance(1, 4)) {
                        ASSERT_EQ(tested->digest().value(), model->digest().value());
                    }
                    break;
                case 3:
                    if (random.chance(1, 4)) {
                        const auto checkpoint = tested->checkpoint().value();
                        ASSERT_EQ(checkpoint->position(), model->position());
                    }
                    break;
                case 4:
                    if (random.chance(1, 4)) {
                        const Lsn stored = tested->stored();
                        tested.reset();
                        tested = place.open().value();
                        lsn = tested->position().applied.lsn.value;
                        ASSERT_GE(lsn, stored.value);
                        const auto image = std::make_shared<DurableImage>(*history.at(lsn));
                        model = open_memory_store(image);
                        ASSERT_EQ(tested->digest().value(), model->digest().value()) << "after a crash";
                    }
                    break;
                case 5:
                case 6:
                case 7: {
                    std::vector<std::string> names;
                    for (std::uint64_t n = random.below(100); n > 0; --n) names.push_back(some_key());
                    const std::vector<std::string_view> asked(names.begin(), names.end());
                    ASSERT_EQ(tested->get_many(asked).value(), model->get_many(asked).value());
                    break;
                }
                default: {
                    OwnedChanges changes;
                    for (std::uint64_t n = random.below(20); n > 0; --n) {
                        if (random.chance(1, 200)) {
                            changes.push_back({"b", std::nullopt, "c"});
                        } else if (random.chance(1, 4)) {
                            changes.push_back({some_key(), std::nullopt});
                        } else {
                            changes.push_back({some_key(), std::string(random.below(random.chance(1, 10) ? 5000 : 100), 'v') +
                                                               std::to_string(random.next())});
                        }
                    }
                    ++lsn;
                    ASSERT_TRUE(tested->apply(changes.all(), at(lsn)));
                    ASSERT_TRUE(model->apply(changes.all(), at(lsn)));
                    history[lsn] = model_at(*model);
                }
            }
        }
        ASSERT_EQ(all_rows(*tested), all_rows(*model));
    }
}

}  // namespace
}  // namespace tanist::store

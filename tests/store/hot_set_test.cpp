// SPDX-License-Identifier: Apache-2.0
// The parts of the hot set by themselves: its table, what it keeps and what it lets go, what a key costs.
#include "store/hot_set.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "base/random.h"

namespace tanist::store {
namespace {

constexpr std::uint64_t kSeed = 42;

std::string key(std::uint64_t i) { return "dkey:" + std::to_string(1'000'000'000 + i); }

TEST(HotTable, FindsWhatIsInAndNothingElse) {
    HotTable table;
    std::map<std::string, HotEntry*> model;
    Random random(1);
    for (int step = 0; step < 60'000; ++step) {
        const std::string name = key(random.below(9000));
        const std::uint64_t hash = folded_hash(name, kSeed);
        const auto at = model.find(name);
        ASSERT_EQ(table.find(hash, name), at == model.end() ? nullptr : at->second);
        if (at == model.end()) {
            HotEntry* entry = model[name] = HotEntry::make(hash, name, "v");
            table.insert(hash, entry);
        } else if (random.chance(1, 3)) {
            HotEntry* now = HotEntry::make(hash, name, "other");
            table.replace(hash, at->second, now);
            HotEntry::free(std::exchange(at->second, now));
        } else if (random.chance(1, 2)) {
            table.erase(hash, at->second);
            HotEntry::free(at->second);
            model.erase(at);
        }
    }
    EXPECT_GT(table.size(), 4000U);  // several segments
    EXPECT_EQ(table.size(), model.size());
    std::set<HotEntry*> visited;
    table.for_each([&](HotEntry* entry) { visited.insert(entry); });
    EXPECT_EQ(visited.size(), model.size());
    for (const auto& [name, entry] : model) ASSERT_EQ(table.find(folded_hash(name, kSeed), name), entry);
    for (const auto& [name, entry] : model) HotEntry::free(entry);
}

TEST(HotTable, ShrinksWithWhatIsInAndGrowsAgain) {
    HotTable table;
    const std::size_t empty = table.memory();
    std::map<std::string, HotEntry*> model;
    Random random(2);
    const auto fill = [&](std::size_t keys) {
        while (model.size() < keys) {
            const std::string name = key(random.below(1'000'000));
            if (model.contains(name)) continue;
            HotEntry* entry = model[name] = HotEntry::make(folded_hash(name, kSeed), name, "v");
            table.insert(folded_hash(name, kSeed), entry);
        }
    };
    const auto drain = [&](std::size_t keys) {
        for (auto at = model.begin(); model.size() > keys; at = model.erase(at)) {
            table.erase(folded_hash(at->first, kSeed), at->second);
            HotEntry::free(at->second);
        }
    };
    for (const std::size_t low : {5'000u, 700u, 0u}) {
        fill(100'000);
        const std::size_t full = table.memory();
        drain(low);
        EXPECT_LT(table.memory(), full * (low + 2'000) / 20'000) << low;
        ASSERT_EQ(table.size(), model.size());
        for (const auto& [name, entry] : model) ASSERT_EQ(table.find(folded_hash(name, kSeed), name), entry);
    }
    EXPECT_EQ(table.memory(), empty);
}

TEST(HotTable, HashesOfShortAndSimilarKeysDiffer) {
    std::set<std::uint64_t> hashes;
    std::string text;
    for (int size = 0; size < 40; ++size, text.push_back('\0')) hashes.insert(folded_hash(text, kSeed));
    for (int i = 0; i < 1000; ++i) hashes.insert(folded_hash(key(static_cast<std::uint64_t>(i)), kSeed));
    EXPECT_EQ(hashes.size(), 1040U);
    EXPECT_NE(folded_hash("a", 1), folded_hash("a", 2));
}

/// A hot set whose cold tier has every key.
class HotSetTest : public ::testing::Test {
protected:
    explicit HotSetTest(std::size_t memory_max = 1 << 20) : hot(memory_max, kSeed) {}

    [[nodiscard]] bool has(const std::string& name) {
        HotEntry* found = nullptr;
        const std::string_view view = name;
        hot.find({&view, 1}, {&found, 1});
        return found != nullptr;
    }
    /// False: the cold tier was asked.
    bool read(std::uint64_t i) {
        if (has(key(i))) return true;
        hot.admit(key(i), std::string(100, 'v'));
        return false;
    }
    void put(std::uint64_t i) { hot.apply(std::vector<Change>{{key(i), std::string(100, 'v')}}); }
    void arrive() { hot.retire(hot.freeze({}).number, kNoBound); }

    HotSet hot;
};

TEST_F(HotSetTest, MemoryStaysWithinItsBoundWhenNothingIsPinned) {
    for (std::uint64_t i = 0; i < 50'000; ++i) {
        read(i);
        ASSERT_LE(hot.memory(), 1U << 20);
    }
    EXPECT_GT(hot.size(), 4000U);
}

TEST_F(HotSetTest, ALowerBoundIsReachedInStepsAndAHigherOneAtOnce) {
    hot.set_memory_max(16 << 20);
    for (std::uint64_t i = 0; i < 50'000; ++i) read(i);
    const std::size_t before = hot.memory(), keys = hot.size();
    ASSERT_GT(before, 8U << 20);
    hot.set_memory_max(2 << 20);
    EXPECT_EQ(hot.memory_max(), 2U << 20);
    EXPECT_EQ(hot.size(), keys);  // nothing yet: it may take long
    hot.shrink();
    EXPECT_LT(hot.memory(), before);
    EXPECT_GT(hot.memory(), before - (2U << 20));  // a step is some milliseconds
    read(60'000);
    EXPECT_LE(hot.memory(), before);  // it never grows on the way
    for (int steps = 0; steps < 20; ++steps) hot.shrink();
    EXPECT_LE(hot.memory(), 2U << 20);
    EXPECT_GT(hot.size(), 8000U);  // the table has shrunk, too: most of it is for keys
}

TEST_F(HotSetTest, WhatTheColdTierLacksIsNeverEvicted) {
    for (std::uint64_t i = 0; i < 20'000; ++i) put(i);
    EXPECT_GT(hot.memory(), 3U << 20);
    for (std::uint64_t i = 0; i < 20'000; ++i) ASSERT_TRUE(has(key(i)));
    arrive();
    EXPECT_LE(hot.memory(), 1U << 20);
}

TEST_F(HotSetTest, APassOverAllKeysDoesNotDriveOutWhatIsInUse) {
    for (int round = 0; round < 10; ++round) {
        for (std::uint64_t i = 0; i < 2000; ++i) read(i);
    }
    for (std::uint64_t i = 100'000; i < 200'000; ++i) read(i);  // twenty times the memory
    std::size_t kept = 0;
    for (std::uint64_t i = 0; i < 2000; ++i) kept += read(i) ? 1 : 0;
    EXPECT_GT(kept, 1800U);
}

TEST_F(HotSetTest, WhatIsReadAgainSoonAfterItLeftStaysLonger) {
    for (std::uint64_t i = 0; i < 10'000; ++i) read(i);
    std::uint64_t evicted = 0;
    while (!has(key(evicted + 1))) ++evicted;
    read(evicted);  // the last that left: its ghost is known: it goes to the main queue at once
    for (std::uint64_t i = 20'000; i < 30'000; ++i) read(i);
    EXPECT_TRUE(has(key(evicted)));
    EXPECT_FALSE(has(key(20'000)));
}

TEST_F(HotSetTest, AKeyThatDoesNotExistIsAnAnswerToo) {
    hot.admit("x", std::nullopt);
    const std::string_view name = "x";
    HotEntry* found = nullptr;
    hot.find({&name, 1}, {&found, 1});
    ASSERT_NE(found, nullptr);
    EXPECT_FALSE(found->exists());
    hot.apply(std::vector<Change>{{"x", std::nullopt}});
    EXPECT_TRUE(hot.generations().back()->entries.empty());  // nothing to tell the cold tier
    hot.apply(std::vector<Change>{{"x", "1"}});
    hot.find({&name, 1}, {&found, 1});
    EXPECT_EQ(found->value(), "1");
}

TEST_F(HotSetTest, DeletedKeysAreForgottenWhenTheColdTierHasDeletedThem) {
    for (std::uint64_t i = 0; i < 1000; ++i) hot.apply(std::vector<Change>{{key(i), std::nullopt}});
    EXPECT_EQ(hot.size(), 1000U);
    arrive();
    EXPECT_EQ(hot.size(), 0U);
}

TEST_F(HotSetTest, ARangeThatHasArrivedHidesNothingThatCameBehindIt) {
    hot.apply(std::vector<Change>{{"b", std::nullopt, "c"}, {"b1", "1"}, {"b2", "2"}});
    EXPECT_TRUE(hot.is_erased("b1"));
    hot.retire(hot.freeze({}).number, 1);  // of the two entries
    EXPECT_FALSE(hot.is_erased("b1"));
}

TEST_F(HotSetTest, OneLargeValueDoesNotDriveOutTheRest) {
    for (std::uint64_t i = 0; i < 1000; ++i) read(i);
    hot.admit("large", std::string(900'000, 'v'));
    EXPECT_FALSE(has("large"));
    EXPECT_EQ(hot.size(), 1000U);
}

class LargeHotSetTest : public HotSetTest {
protected:
    LargeHotSetTest() : HotSetTest(1 << 30) {}
};

TEST_F(LargeHotSetTest, AKeyWithAValueOf100BytesCostsNoMoreThanInRedis) {
    for (std::uint64_t i = 0; i < 700'000; ++i) {
        read(i);
        if (i >= 1000 && i % 1000 == 0) {
            ASSERT_LE(hot.memory() / hot.size(), 200U) << "at " << i;
        }
    }
}

}  // namespace
}  // namespace tanist::store

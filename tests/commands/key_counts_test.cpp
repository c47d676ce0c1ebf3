// SPDX-License-Identifier: Apache-2.0
// The counts of keys that are kept with the state are those that counting would give, whatever was applied.
#include <gmock/gmock.h>

#include <random>

#include "commands/layout.h"
#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

KeyCounts counted(const store::Store& store) {
    KeyCounts counts;
    const auto rows =
        store.scan({.begin = std::string(1, layout::kData), .end = layout::behind(layout::kData), .rows_max = 100'000}).value().rows;
    for (const auto& [key, row] : rows) {
        const auto trailer = layout::trailer_of(row).value();
        ++counts.keys;
        counts.expiring += trailer.deadline != 0 ? 1 : 0;
        counts.deadlines += trailer.deadline;
    }
    return counts;
}

std::string show(const KeyCounts& counts) {
    return std::to_string(counts.keys) + " keys, " + std::to_string(counts.expiring) + " expiring, deadlines " +
           std::to_string(counts.deadlines);
}

/// Any command about a few keys, or one that fails and takes its request back.
Command draw(std::mt19937_64& random) {
    const auto key = [&] { return "k" + std::to_string(random() % 12); };
    const std::string ms = std::to_string(1 + random() % 400);
    switch (random() % 14) {
        case 0:
        case 1: return Put{key(), "text"};
        case 2: return Delete{key()};
        case 3: return Increment{key(), 1};  // fails where there is a text
        case 4: return Redis{{"SET", key(), "1", "PX", ms}};
        case 5: return Redis{{"PEXPIRE", key(), ms}};
        case 6: return Redis{{"PERSIST", key()}};
        case 7: return Redis{{"RENAME", key(), key()}};
        case 8: return Redis{{"COPY", key(), key(), "REPLACE"}};
        case 9: return Redis{{"MSETNX", key(), "1", key(), "2"}};
        case 10: return Redis{{"GETEX", key(), "PX", ms}};
        case 11: return Redis{{"APPEND", key(), "x"}};
        case 12: return Redis{{"EXPIRE", key(), "-1"}};
        default: return random() % 10 == 0 ? Command(Redis{{"FLUSHALL"}}) : Command(Redis{{"UNLINK", key(), key()}});
    }
}

TEST(KeyCounts, AreThoseOfTheRowsAfterEveryEntry) {
    std::mt19937_64 random(1);
    Machine machine;
    for (int i = 0; i < 4000; ++i) {
        std::vector<Logged> items(1 + random() % 3, Request{});
        for (Logged& item : items) {
            for (std::size_t n = 1 + random() % 4; n > 0; --n) std::get<Request>(item).commands.push_back(draw(random));
        }
        machine.log.advance(random() % 60);
        static_cast<void>(machine.run_all(items));
        if (i % 500 == 499) machine.restart();
        ASSERT_EQ(show(machine.state->key_counts()), show(counted(*machine.store))) << "entry " << i;
    }
}

TEST(KeyCounts, OfARequestThatIsTakenBackStay) {
    Machine machine;
    machine.execute({Put{"a", "text"}, Redis{{"SET", "b", "1", "PX", "1000"}}});
    const KeyCounts before = machine.state->key_counts();
    EXPECT_EQ(before.keys, 2U);
    const auto outcome = machine.execute(
        {Put{"c", "1"}, Redis{{"FLUSHALL"}}, Put{"d", "1"}, Put{"b", "1"}, Increment{"b", 1}, Put{"e", "x"}, Increment{"e", 1}});
    EXPECT_EQ(outcome.code, OutcomeCode::kNotAnInteger);
    EXPECT_EQ(machine.state->key_counts(), before);
}

TEST(KeyCounts, AreSeenByATransactionAsItHasThemSoFar) {
    Machine machine;
    machine.execute({Put{"a", "1"}});
    const auto outcome = machine.execute(
        {Redis{{"SET", "b", "1"}}, Redis{{"DBSIZE"}}, Redis{{"FLUSHALL"}}, Redis{{"DBSIZE"}}, Put{"c", "1"}, Redis{{"DBSIZE"}}});
    EXPECT_EQ(outcome.results[1].reply->integer, 2);
    EXPECT_EQ(outcome.results[3].reply->integer, 0);
    EXPECT_EQ(outcome.results[5].reply->integer, 1);
}

TEST(KeyCounts, OfAStoreThatWasWrittenBeforeKeysWereCountedAreFound) {
    Machine machine;
    machine.execute({Put{"a", "1"}, Redis{{"SET", "b", "1", "PX", "1000"}}});
    const KeyCounts before = machine.state->key_counts();
    const std::uint64_t digest = machine.digest();
    // As an earlier version has left it.
    const auto last = machine.log.entry(EntryKind::kTick, {});
    ASSERT_TRUE(machine.store->apply(
        std::vector<store::Change>{{std::string(layout::kCountsKey), std::nullopt}, {std::string(layout::kOldDeadlinesKey), ""}},
        {last.id(), machine.log.now()}));
    machine.restart();
    EXPECT_EQ(machine.state->key_counts(), before);
    machine.execute({Put{"c", "1"}});
    machine.execute({Delete{"c"}});
    EXPECT_EQ(machine.digest(), digest);
    machine.restart();
    EXPECT_EQ(machine.state->key_counts(), before);
}

TEST(KeyCounts, TellHowLongKeysHaveLeft) {
    Machine machine;
    machine.execute({Put{"a", "1"}, Redis{{"SET", "b", "1", "PX", "1000"}}, Redis{{"SET", "c", "1", "PX", "3000"}}});
    EXPECT_EQ(machine.state->key_counts().mean_left_ms(machine.log.now()), 2000U);
    EXPECT_EQ(machine.state->key_counts().mean_left_ms(machine.log.now() + 9000), 0U);
    EXPECT_EQ(KeyCounts{}.mean_left_ms(machine.log.now()), 0U);
}

}  // namespace
}  // namespace tanist::commands

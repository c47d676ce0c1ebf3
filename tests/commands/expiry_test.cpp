// SPDX-License-Identifier: Apache-2.0
// Keys that expire: by log time, at apply, the same on every node (S22).
#include <gmock/gmock.h>

#include "commands/layout.h"
#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

using ::testing::SizeIs;

constexpr std::uint64_t kNever = 0;

class Expiry : public ::testing::Test {
protected:
    Redis set_for(std::string key, std::uint64_t ms) { return {{"SET", std::move(key), "v", "PX", std::to_string(ms)}}; }
    void set(std::string key, std::uint64_t ms) { machine.execute({set_for(std::move(key), ms)}); }
    [[nodiscard]] std::size_t rows(char kind) const {
        return machine.store->scan({.begin = std::string(1, kind), .end = layout::behind(kind), .rows_max = 100'000}).value().rows.size();
    }
    /// Log time goes on, and the master's tick is applied.
    void pass(std::uint64_t ms) {
        machine.log.advance(ms);
        machine.tick();
    }
    Machine machine;
};

TEST_F(Expiry, ATickRemovesWhatIsDueAndSaysWhatIsNext) {
    set("a", 100);
    set("b", 200);
    EXPECT_EQ(machine.state->next_due(), machine.log.now() + 100);
    pass(99);
    EXPECT_EQ(machine.value("a"), "v");
    pass(1);
    EXPECT_EQ(machine.value("a"), std::nullopt);
    EXPECT_EQ(rows(layout::kData), 1U);
    EXPECT_EQ(rows(layout::kExpiry), 1U);
    EXPECT_EQ(machine.state->next_due(), machine.log.now() + 100);
    pass(100);
    EXPECT_EQ(rows(layout::kData) + rows(layout::kExpiry), 0U);
    EXPECT_EQ(machine.state->next_due(), kNever);
}

TEST_F(Expiry, AnyEntryRemovesWhatIsDueBeforeItsCommandsRun) {
    set("a", 100);
    machine.log.advance(100);
    EXPECT_FALSE(machine.execute({Delete{"a"}}).results.at(0).found);
}

TEST_F(Expiry, ReadsDoNotSeeADueKeyThatIsStillThereAndDoNotRemoveIt) {
    std::vector<Command> many;
    for (int i = 0; i < 1500; ++i) many.push_back(set_for("k" + std::to_string(i), 100));
    machine.execute(many);
    pass(100);
    EXPECT_EQ(rows(layout::kData), 500U);  // an entry removes a bounded number
    EXPECT_LE(machine.state->next_due(), machine.state->position().timestamp);
    for (int i = 0; i < 1500; ++i) ASSERT_EQ(machine.value("k" + std::to_string(i)), std::nullopt);
    EXPECT_THAT(machine.state->scan({.begin = "", .end = ""}).value().rows, SizeIs(0));
    EXPECT_EQ(rows(layout::kData), 500U);
    EXPECT_EQ(machine.execute({Increment{"k1499", 5}}).results.at(0).value, "5");
    machine.tick();
    EXPECT_EQ(rows(layout::kData), 1U);
    EXPECT_EQ(rows(layout::kExpiry), 0U);
}

TEST_F(Expiry, APutClearsTheDeadlineAndAnIncrementKeepsIt) {
    machine.execute({Redis{{"SET", "n", "1", "PX", "1000"}}, set_for("p", 1000)});
    machine.execute({Increment{"n", 1}, Put{"p", "2"}});
    EXPECT_EQ(rows(layout::kExpiry), 1U);
    pass(1000);
    EXPECT_EQ(machine.value("n"), std::nullopt);
    EXPECT_EQ(machine.value("p"), "2");
}

TEST_F(Expiry, EveryDeadlineHasOneRowHoweverOftenItIsMoved) {
    for (int i = 0; i < 50; ++i) {
        machine.execute({Put{"a", "1"}});
        machine.execute({Redis{{"PEXPIRE", "a", std::to_string(1000 + i)}}});
    }
    EXPECT_EQ(rows(layout::kExpiry), 1U);
    machine.execute({Redis{{"PERSIST", "a"}}});
    EXPECT_EQ(rows(layout::kExpiry), 0U);
}

TEST_F(Expiry, AWriteOfSeveralEntriesSeesTheDeadlinesOfThoseBefore) {
    std::vector<Entry> entries{machine.log.commands({Request{.commands = {set_for("a", 100)}}})};
    machine.log.advance(200);
    entries.push_back(machine.log.entry(EntryKind::kTick, {}));
    entries.push_back(machine.log.commands({Request{.commands = {set_for("b", 100)}}}));
    ASSERT_TRUE(machine.state->apply(entries, nullptr));
    EXPECT_EQ(rows(layout::kData), 1U);
    EXPECT_EQ(rows(layout::kExpiry), 1U);
}

TEST_F(Expiry, ARestartKnowsWhatIsDueNext) {
    set("a", 100);
    const std::uint64_t due = machine.state->next_due();
    machine.restart();
    EXPECT_EQ(machine.state->next_due(), due);
    machine.execute({Put{"a", "2"}});  // it knows also that there are deadlines to be cleared
    EXPECT_EQ(rows(layout::kExpiry), 0U);
}

TEST_F(Expiry, WhatIsTakenBackKeepsItsDeadline) {
    set("a", 1000);
    const std::uint64_t digest = machine.digest();
    machine.execute({Put{"t", "text"}});
    machine.execute({Delete{"t"}});
    EXPECT_EQ(machine.execute({Redis{{"PERSIST", "a"}}, Redis{{"FLUSHALL"}}, set_for("b", 1), Put{"n", "x"}, Increment{"n", 1}}).code,
              OutcomeCode::kNotAnInteger);
    EXPECT_EQ(machine.digest(), digest);
}

TEST_F(Expiry, NodesThatCutTheLogDifferentlyHoldTheSame) {
    std::vector<Entry> entries;
    for (int i = 0; i < 60; ++i) {
        machine.log.advance(static_cast<std::uint64_t>(i % 7) * 40);
        entries.push_back(
            machine.log.commands({Request{.commands = {set_for("k" + std::to_string(i % 5), 100 + static_cast<std::uint64_t>(i)),
                                                       Put{"k" + std::to_string(i % 3), "x"}}},
                                  Request{.commands = {Redis{{i % 20 == 19 ? "FLUSHALL" : "DBSIZE"}}}}}));
    }
    ASSERT_TRUE(machine.state->apply(entries, nullptr));
    Machine other;
    for (const Entry& entry : entries) ASSERT_TRUE(other.state->apply(std::span(&entry, 1), nullptr));
    EXPECT_EQ(machine.digest(), other.digest());
}

}  // namespace
}  // namespace tanist::commands

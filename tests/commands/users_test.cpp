// SPDX-License-Identifier: Apache-2.0
// The cluster's users in the replicated state.
#include "commands/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/layout.h"
#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

using ::testing::IsEmpty;
using Lines = std::map<std::string, std::string, std::less<>>;

ChangeUsers set(std::string name, std::string line, Lsn expected) {
    return {.expected = expected, .users = {{std::move(name), std::move(line)}}};
}

TEST(Users, AreChangedOneByOneOrReplacedAsAWhole) {
    Machine machine;
    EXPECT_EQ(machine.state->users(), Users{});
    const Lsn first = machine.run(set("a", "user a on", {})).version;
    const Lsn second = machine.run(set("b", "user b on", first)).version;
    EXPECT_EQ(machine.state->users(), (Users{second, {{"a", "user a on"}, {"b", "user b on"}}}));
    const Lsn third = machine.run(ChangeUsers{.expected = second, .users = {{"a", std::nullopt}, {"b", "user b off"}}}).version;
    EXPECT_EQ(machine.state->users(), (Users{third, {{"b", "user b off"}}}));
    machine.run(ChangeUsers{.expected = third, .replaces_all = true, .users = {{"c", "user c on"}}});
    EXPECT_EQ(machine.state->users().lines, (Lines{{"c", "user c on"}}));
}

TEST(Users, AChangeMadeOfOlderOnesChangesNothing) {
    Machine machine;
    const Lsn first = machine.run(set("a", "1", {})).version;
    const auto digest = machine.digest();
    EXPECT_EQ(machine.run(set("a", "2", {})), (Outcome{.code = OutcomeCode::kConditionFailed, .version = first}));
    const auto both = machine.run_all({set("a", "3", first), set("a", "4", first)});
    EXPECT_EQ(both.at(0).code, OutcomeCode::kDone);
    EXPECT_EQ(both.at(1).code, OutcomeCode::kConditionFailed) << "made of the users before its neighbour in the entry";
    EXPECT_EQ(machine.state->users().lines, (Lines{{"a", "3"}}));
    EXPECT_NE(machine.digest(), digest);
}

TEST(Users, AreNoKeysAndOutliveAFlushAndARestart) {
    Machine machine;
    machine.run(set("a", "user a on", {}));
    machine.execute({Put{"k", "v"}});
    machine.execute({Redis{{"FLUSHALL"}}});
    EXPECT_EQ(machine.value("k"), std::nullopt);
    EXPECT_EQ(machine.value("a"), std::nullopt);
    const Users before = machine.state->users();
    machine.restart();
    EXPECT_EQ(machine.state->users(), before);
    EXPECT_THAT(before.lines, ::testing::SizeIs(1));
}

TEST(Users, HaveLimits) {
    Machine machine;
    ChangeUsers many{.replaces_all = true};
    for (std::size_t i = 0; i <= kUsersMax; ++i) many.users.push_back({std::to_string(i), ""});
    EXPECT_FALSE(check_limits(many));
    EXPECT_EQ(machine.run(many).code, OutcomeCode::kTooLarge);
    EXPECT_EQ(machine.run(set("a", std::string(kUsersBytesMax, 'x'), {})).code, OutcomeCode::kTooLarge);
    EXPECT_THAT(machine.state->users().lines, IsEmpty());
}

TEST(Users, ARowThatCannotBeReadIsCorrupt) {
    auto image = std::make_shared<store::DurableImage>();
    const auto store = store::open_memory_store(image);
    const store::Change change{layout::kUsersKey, "\x02"};
    ASSERT_TRUE(store->apply(std::vector{change}, {.applied = {{1}, {1}, 0}}));
    EXPECT_EQ(StateMachine::open(*store).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace tanist::commands

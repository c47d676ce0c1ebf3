// SPDX-License-Identifier: Apache-2.0
// What each condition and command does, and what it answers.
#include <gmock/gmock.h>

#include "commands/keyspace.h"
#include "commands/layout.h"
#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Optional;

using Results = std::vector<CommandResult>;

CommandResult result(std::optional<std::string> value, std::uint64_t version, bool found) { return {std::move(value), {version}, found}; }
Outcome done(std::uint64_t lsn, Results results) { return {.version = {lsn}, .results = std::move(results)}; }
/// The version of a key that requests of the entry at `lsn` have changed `n` times before.
Version version_of(std::uint64_t lsn, std::uint64_t n) { return {lsn + n * kOrdinalStep}; }

TEST(Values, PutGetAndDeleteAnswerVersionsAndWhatWasThere) {
    Machine machine;
    EXPECT_EQ(machine.execute({Put{"a", "1"}}), done(1, {result(std::nullopt, 1, false)}));
    EXPECT_EQ(machine.execute({Get{"a"}}), done(2, {result("1", 1, true)}));
    EXPECT_EQ(machine.execute({Put{"a", "2"}}), done(3, {result(std::nullopt, 3, false)}));
    EXPECT_EQ(machine.execute({Delete{"a"}}), done(4, {result(std::nullopt, 0, true)}));
    EXPECT_EQ(machine.execute({Delete{"a"}}), done(5, {result(std::nullopt, 0, false)}));
    EXPECT_EQ(machine.execute({Get{"a"}}), done(6, {result(std::nullopt, 0, false)}));
}

TEST(Values, CommandsOfARequestSeeWhatThoseBeforeThemDid) {
    Machine machine;
    EXPECT_EQ(machine.execute({Put{"a", "1"}, Get{"a"}, Delete{"a"}, Get{"a"}, Put{"a", "2"}, Get{"a"}}),
              done(1, {result(std::nullopt, 1, false), result("1", 1, true), result(std::nullopt, 0, true), result(std::nullopt, 0, false),
                       result(std::nullopt, 1, false), result("2", 1, true)}));
    EXPECT_EQ(machine.value("a"), "2");
}

TEST(Values, AnyBytesAreKeysAndValues) {
    Machine machine;
    const std::string zero(1, '\0'), high("\xff\xff");
    machine.execute({Put{"", "empty"}, Put{zero, ""}, Put{high, zero + high}});
    EXPECT_EQ(machine.value(""), "empty");
    EXPECT_EQ(machine.value(zero), "");
    EXPECT_EQ(machine.value(high), zero + high);
}

TEST(Counters, IncrementStartsAtZeroAndAnswersTheNewValue) {
    Machine machine;
    EXPECT_EQ(machine.execute({Increment{"n", 5}}), done(1, {result("5", 1, false)}));
    EXPECT_EQ(machine.execute({Increment{"n", -7}, Increment{"n", 1}}), done(2, {result("-2", 2, true), result("-1", 2, true)}));
    EXPECT_EQ(machine.value("n"), "-1");
}

TEST(Counters, OnlyIntegersAsRedisWritesThemAreTaken) {
    Machine machine;
    for (const char* text : {"", " 1", "1 ", "+1", "-", "01", "-0", "00", "-01", "1.0", "0x1", "one", "9223372036854775808",
                             "-9223372036854775809", "99999999999999999999"}) {
        machine.execute({Put{"n", text}});
        EXPECT_EQ(machine.execute({Increment{"n", 1}}), Outcome{.code = OutcomeCode::kNotAnInteger}) << text;
        EXPECT_EQ(machine.value("n"), text);
    }
    for (const char* text : {"0", "-1", "10", "9223372036854775806", "-9223372036854775808"}) {
        machine.execute({Put{"n", text}});
        EXPECT_EQ(machine.execute({Increment{"n", 1}}).code, OutcomeCode::kDone) << text;
    }
}

TEST(Counters, AnOverflowChangesNothing) {
    Machine machine;
    machine.execute({Put{"n", "9223372036854775807"}, Put{"m", "-9223372036854775808"}});
    EXPECT_EQ(machine.execute({Increment{"n", 1}}), Outcome{.code = OutcomeCode::kOverflow});
    EXPECT_EQ(machine.execute({Increment{"m", -1}}), Outcome{.code = OutcomeCode::kOverflow});
    EXPECT_EQ(machine.execute({Increment{"m", std::numeric_limits<std::int64_t>::max()}}).results.at(0).value, "-1");
    EXPECT_EQ(machine.value("n"), "9223372036854775807");
}

TEST(Conditions, EachLooksAtItsKey) {
    Machine machine;
    machine.execute({Put{"a", "1"}});
    const auto holds = [&](Condition condition) {
        const auto outcome = machine.execute_if({std::move(condition)}, {Put{"done", ""}});
        return outcome.code == OutcomeCode::kDone;
    };
    EXPECT_TRUE(holds(KeyExists{"a"}));
    EXPECT_FALSE(holds(KeyExists{"x"}));
    EXPECT_TRUE(holds(KeyAbsent{"x"}));
    EXPECT_FALSE(holds(KeyAbsent{"a"}));
    EXPECT_TRUE(holds(ValueEquals{"a", "1"}));
    EXPECT_FALSE(holds(ValueEquals{"a", "2"}));
    EXPECT_FALSE(holds(ValueEquals{"x", ""}));
    EXPECT_TRUE(holds(VersionEquals{"a", {1}}));
    EXPECT_FALSE(holds(VersionEquals{"a", {2}}));
    EXPECT_FALSE(holds(VersionEquals{"a", {0}}));
    EXPECT_TRUE(holds(VersionEquals{"x", {0}}));  // 0: does not exist
}

TEST(Conditions, TheFirstThatFailsIsNamedWithWhatItsKeyHeld) {
    Machine machine;
    machine.execute({Put{"a", "1"}});
    EXPECT_EQ(machine.execute_if({KeyExists{"a"}, ValueEquals{"a", "2"}, KeyExists{"x"}}, {Delete{"a"}}),
              (Outcome{.code = OutcomeCode::kConditionFailed, .failed_condition = 1, .value = "1", .version = {1}}));
    EXPECT_EQ(machine.execute_if({KeyExists{"x"}}, {Delete{"a"}}), (Outcome{.code = OutcomeCode::kConditionFailed}));
    EXPECT_EQ(machine.value("a"), "1");
}

TEST(Conditions, AreCheckedAgainstTheStateBeforeTheRequest) {
    Machine machine;
    EXPECT_EQ(machine.execute_if({KeyAbsent{"a"}, KeyAbsent{"a"}}, {Put{"a", "1"}}).code, OutcomeCode::kDone);
}

TEST(Requests, AreExecutedWholeOrNotAtAll) {
    Machine machine;
    machine.execute({Put{"a", "1"}, Put{"b", "2"}, Put{"text", "x"}});
    const auto before = machine.digest();
    EXPECT_EQ(
        machine.execute({Put{"a", "9"}, Delete{"b"}, Put{"a", "8"}, Put{"new", "9"}, Delete{"new"}, Put{"new", "8"}, Increment{"text", 1}}),
        Outcome{.code = OutcomeCode::kNotAnInteger});
    EXPECT_EQ(machine.digest(), before);
}

TEST(Requests, WhatOneTookBackIsNotSeenByTheNextOfItsEntry) {
    Machine machine;
    machine.execute({Put{"a", "1"}, Put{"text", "x"}});
    const auto outcomes =
        machine.run_all({Request{.commands = {Put{"a", "2"}}}, Request{.commands = {Put{"a", "3"}, Put{"b", "3"}, Increment{"text", 1}}},
                         Request{.commands = {Get{"a"}, Get{"b"}}}});
    EXPECT_EQ(outcomes[1].code, OutcomeCode::kNotAnInteger);
    EXPECT_EQ(outcomes[2].results, (Results{result("2", 2, true), result(std::nullopt, 0, false)}));
    EXPECT_EQ(machine.value("a"), "2");
}

TEST(Requests, OfOneEntrySeeEachOther) {
    Machine machine;
    const auto outcomes =
        machine.run_all({Request{.commands = {Put{"a", "1"}}}, Request{.conditions = {KeyAbsent{"a"}}, .commands = {Put{"a", "2"}}},
                         Request{.commands = {Increment{"a", 1}}}});
    EXPECT_EQ(outcomes[1].code, OutcomeCode::kConditionFailed);
    EXPECT_EQ(outcomes[2].results.at(0).value, "2");
}

// -- versions --------------------------------------------------------------------------------------------------------------

/// Otherwise whoever compares with the version of the first change would overlook the second.
TEST(Versions, TwoRequestsOfOneEntryNeverLeaveAKeyAtTheSameVersion) {
    Machine machine;
    const auto outcomes = machine.run_all({Request{.commands = {Put{"a", "1"}, Put{"a", "1b"}}}, Request{.commands = {Put{"a", "2"}}},
                                           Request{.commands = {Delete{"a"}}}, Request{.commands = {Put{"a", "3"}}}});
    EXPECT_EQ(outcomes[0].results.at(0).version, version_of(1, 0));
    EXPECT_EQ(outcomes[0].results.at(1).version, version_of(1, 0));
    EXPECT_EQ(outcomes[1].results.at(0).version, version_of(1, 1));
    EXPECT_EQ(outcomes[3].results.at(0).version, version_of(1, 3));
    EXPECT_EQ(lsn_of(machine.version("a")), Lsn{1});
    for (const int earlier : {0, 1}) {
        EXPECT_EQ(machine.execute_if({VersionEquals{"a", outcomes[earlier].results.at(0).version}}, {Put{"a", "4"}}).code,
                  OutcomeCode::kConditionFailed);
    }
    EXPECT_EQ(machine.execute_if({VersionEquals{"a", outcomes[3].results.at(0).version}}, {Put{"a", "4"}}).code, OutcomeCode::kDone);
    EXPECT_EQ(machine.version("a"), Version{4});  // a new entry, a new count
}

TEST(Versions, OneKeyChangedTooOftenInOneEntryIsRefusedRatherThanCountedWrongly) {
    Machine machine;
    Keyspace keys(*machine.store);
    keys.begin_entry(Lsn{7}, 0);
    constexpr std::uint64_t kMost = std::uint64_t{1} << (64 - kLsnBits);
    const auto change = [&] {
        keys.begin_request(false);
        return keys.put("a", Value::borrowed("1"));
    };
    for (std::uint64_t n = 0; n < kMost; ++n) {
        ASSERT_EQ(change(), version_of(7, n));
    }
    EXPECT_EQ(change(), std::nullopt);
    EXPECT_EQ(keys.find("a").version(), version_of(7, kMost - 1));
    keys.begin_entry(Lsn{8}, 0);
    EXPECT_EQ(change(), Version{8});
}

// -- limits (S12) ------------------------------------------------------------------------------------------------------------

TEST(Limits, KeysAndValuesBeyondThemAreRefusedAtApply) {
    Machine machine;
    const std::string key(limits::kKeyBytesMax, 'k'), value(limits::kValueBytesMax, 'v');
    EXPECT_EQ(machine.execute({Put{key, value}}).code, OutcomeCode::kDone);
    const Outcome too_large{.code = OutcomeCode::kTooLarge};
    EXPECT_EQ(machine.execute({Put{"a", "1"}, Put{key + "k", ""}}), too_large);
    EXPECT_EQ(machine.execute({Put{"a", value + "v"}}), too_large);
    EXPECT_EQ(machine.execute_if({KeyAbsent{key + "k"}}, {Put{"a", "1"}}), too_large);
    EXPECT_EQ(machine.execute(std::vector<Command>(kPartsPerRequestMax + 1, Get{"k"})), too_large);
    EXPECT_EQ(machine.value("a"), std::nullopt);
}

TEST(Limits, ARequestThatWouldBeAnsweredTooMuchChangesNothing) {
    Machine machine;
    machine.execute({Put{"large", std::string(limits::kValueBytesMax, 'v')}});
    EXPECT_EQ(machine.execute({Put{"a", "1"}, Get{"large"}}).code, OutcomeCode::kDone);
    EXPECT_EQ(machine.execute({Put{"a", "2"}, Get{"large"}, Get{"large"}}), Outcome{.code = OutcomeCode::kTooLarge});
    EXPECT_EQ(machine.value("a"), "1");
}

TEST(Limits, AnEntrysAnswersAreBoundedOnEveryNodeAlike) {
    Machine asked, unasked;
    const std::vector<Logged> items(10, Request{.commands = {Put{"a", "1"}, Increment{"done", 1}, Get{"large"}}});
    std::vector<Outcome> outcomes;
    for (Machine* machine : {&asked, &unasked}) {
        machine->execute({Put{"large", std::string(limits::kValueBytesMax, 'v')}});
        if (machine == &asked) {
            outcomes = machine->run_all(items);
        } else {
            ASSERT_TRUE(machine->state->apply(std::vector{machine->log.commands(items)}, nullptr));
        }
    }
    EXPECT_EQ(asked.value("done"), "5");  // 96 MiB hold five values of 16 MiB and their counts
    EXPECT_EQ(outcomes[5], Outcome{.code = OutcomeCode::kTooLarge});
    EXPECT_EQ(asked.digest(), unasked.digest());
}

TEST(Limits, TheValueOfAFailedConditionIsLeftOutWhenTheEntryHasAnsweredEnough) {
    Machine machine;
    machine.execute({Put{"large", std::string(limits::kValueBytesMax, 'v')}});
    const auto outcomes = machine.run_all(std::vector<Logged>(7, Request{.conditions = {KeyAbsent{"large"}}}));
    EXPECT_TRUE(outcomes[5].value);
    EXPECT_EQ(outcomes[6], (Outcome{.code = OutcomeCode::kConditionFailed, .version = {1}}));
}

TEST(Limits, ValuesReadAreNotAllHeldAtOnceAndStillRight) {
    Machine machine;
    const std::string large(limits::kValueBytesMax, 'v');
    std::vector<Condition> conditions;
    std::vector<Command> commands{Put{"key0", "new"}};
    for (int i = 0; i < 6; ++i) {
        const std::string key = "key" + std::to_string(i);
        machine.execute({Put{key, large}});
        conditions.push_back(KeyExists{key});
        commands.emplace_back(std::in_place_type<Delete>, key);
        commands.emplace_back(std::in_place_type<Put>, key, std::to_string(i));
    }
    EXPECT_EQ(machine.execute_if(conditions, commands).code, OutcomeCode::kDone);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(machine.value("key" + std::to_string(i)), std::to_string(i));
}

// -- reads -----------------------------------------------------------------------------------------------------------------

TEST(Reads, ScanShowsUsersKeysAndNothingElse) {
    Machine machine;
    machine.open_session();
    machine.apply(machine.log.entry(EntryKind::kMembership, encode(Membership{.cluster_name = "c"})));
    machine.execute({Put{"", "1"}, Put{"s", "2"}, Put{std::string("\xff\xff\xff"), "3"}});
    const auto page = machine.state->scan({}).value();
    EXPECT_THAT(page.rows, ElementsAre(Field(&KeyValue::key, ""), Field(&KeyValue::key, "s"), Field(&KeyValue::key, "\xff\xff\xff")));
    EXPECT_THAT(page.rows, Each(Field(&KeyValue::version, Version{3})));
    EXPECT_EQ(page.rows[1].value, "2");
    EXPECT_EQ(page.next, std::nullopt);
}

TEST(Reads, PagesFollowEachOtherWithoutGapOrRepetition) {
    Machine machine;
    std::vector<std::string> keys;
    for (int i = 0; i < 50; ++i)
        keys.push_back(std::string(static_cast<std::size_t>(i / 2), '\xff') + (i % 2 == 0 ? std::string(1, '\0') : ""));
    for (const auto& key : keys) machine.execute({Put{key, std::string(10, 'v')}});
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const KeyRange& limits :
         {KeyRange{.rows_max = 1}, KeyRange{.rows_max = 7}, KeyRange{.bytes_max = 0}, KeyRange{.bytes_max = 100}}) {
        std::vector<std::string> seen;
        KeyRange range = limits;
        for (bool more = true; more;) {
            auto page = machine.state->scan(range).value();
            for (const auto& row : page.rows) seen.push_back(row.key);
            more = page.next.has_value();
            if (more) range.begin = *page.next;
            ASSERT_LE(seen.size(), keys.size());
        }
        EXPECT_EQ(seen, keys);
    }
}

TEST(Reads, ScanKeepsToItsBounds) {
    Machine machine;
    machine.execute({Put{"a", "1"}, Put{"b", "2"}, Put{"c", "3"}});
    EXPECT_THAT(machine.state->scan({.begin = "b", .end = "c"}).value().rows, ElementsAre(Field(&KeyValue::key, "b")));
    EXPECT_THAT(machine.state->scan({.begin = "c", .end = "a"}).value().rows, IsEmpty());
}

TEST(Reads, GetManyAnswersInOrder) {
    Machine machine;
    machine.execute({Put{"a", "1"}});
    machine.execute({Put{"b", "2"}});
    const std::vector<std::string_view> keys{"b", "x", "a"};
    const auto values = machine.state->get_many(keys).value();
    ASSERT_EQ(values.size(), 3U);
    EXPECT_EQ(values[0]->value, "2");
    EXPECT_EQ(values[0]->version, Version{2});
    EXPECT_FALSE(values[1]);
    EXPECT_EQ(values[2]->value, "1");
    EXPECT_EQ(machine.state->get_many(keys, 1).value().size(), 1U);
}

TEST(Reads, VisitManyShowsWhatGetManyCopies) {
    Machine machine;
    machine.execute({Put{"a", "1"}});
    machine.execute({Put{"b", ""}});
    const std::vector<std::string_view> keys{"b", "x", "", "a"};
    std::vector<std::optional<std::string>> seen;
    const auto see = [&](std::optional<std::string_view> value) { seen.emplace_back(value); };
    EXPECT_EQ(machine.state->visit_many(keys, store::kNoBound, see).value(), 4U);
    EXPECT_THAT(seen, ElementsAre(Optional(std::string()), std::nullopt, std::nullopt, Optional(std::string("1"))));
    const std::vector<std::string_view> twice{"a", "a"};
    EXPECT_EQ(machine.state->visit_many(twice, 1, see).value(), 1U);
}

}  // namespace
}  // namespace tanist::commands

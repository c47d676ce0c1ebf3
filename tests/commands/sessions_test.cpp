// SPDX-License-Identifier: Apache-2.0
// Exactly once (S21): each rule of sessions, and what of them survives restarts and copies.
#include <gmock/gmock.h>

#include "commands/sessions.h"
#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

Request increment(SessionId session, std::uint64_t sequence, std::uint64_t lowest_unanswered = 1) {
    return {.session = session, .sequence = sequence, .lowest_unanswered = lowest_unanswered, .commands = {Increment{"n", 1}}};
}

TEST(Sessions, ARequestSentAgainIsAnsweredAgainAndNotExecutedAgain) {  // S21
    Machine machine;
    const SessionId session = machine.open_session();
    Outcome first = machine.run(increment(session, 1));
    EXPECT_FALSE(first.replayed);
    const Outcome second = machine.run(increment(session, 1));
    first.replayed = true;
    EXPECT_EQ(second, first);
    EXPECT_EQ(machine.value("n"), "1");
}

TEST(Sessions, ARepetitionWithinOneEntryIsFoundToo) {
    Machine machine;
    const SessionId session = machine.open_session();
    const auto outcomes = machine.run_all({increment(session, 1), increment(session, 1)});
    EXPECT_FALSE(outcomes[0].replayed);
    EXPECT_TRUE(outcomes[1].replayed);
    EXPECT_EQ(machine.value("n"), "1");
}

TEST(Sessions, WithoutASessionEachSendingIsExecuted) {
    Machine machine;
    machine.run(increment({}, 1));
    machine.run(increment({}, 1));
    EXPECT_EQ(machine.value("n"), "2");
}

TEST(Sessions, RefusalsAreRememberedToo) {  // what was answered "condition failed" must not be executed by a late copy
    Machine machine;
    const SessionId session = machine.open_session();
    const Request request{.session = session, .sequence = 1, .conditions = {KeyExists{"a"}}, .commands = {Put{"b", "1"}}};
    EXPECT_EQ(machine.run(request).code, OutcomeCode::kConditionFailed);
    machine.execute({Put{"a", "1"}});
    const Outcome again = machine.run(request);
    EXPECT_EQ(again.code, OutcomeCode::kConditionFailed);
    EXPECT_TRUE(again.replayed);
    EXPECT_EQ(machine.value("b"), std::nullopt);
}

TEST(Sessions, AnUnknownSessionIsExpiredAndNothingIsExecuted) {  // S21: never a second execution
    Machine machine;
    EXPECT_EQ(machine.run(increment({77}, 1)), Outcome{.code = OutcomeCode::kSessionExpired});
    EXPECT_EQ(machine.run(KeepSession{{77}, 1}), Outcome{.code = OutcomeCode::kSessionExpired});
    EXPECT_EQ(machine.run(CloseSession{{77}}), Outcome{.code = OutcomeCode::kSessionExpired});
    EXPECT_EQ(machine.value("n"), std::nullopt);
}

TEST(Sessions, NumbersMayComeInAnyOrderAndWithGaps) {
    Machine machine;
    const SessionId session = machine.open_session();
    EXPECT_EQ(machine.run(increment(session, 3)).results.at(0).value, "1");
    EXPECT_EQ(machine.run(increment(session, 1)).results.at(0).value, "2");
    EXPECT_EQ(machine.run(increment(session, 3)).results.at(0).value, "1");
    EXPECT_EQ(machine.run(increment(session, 2)).results.at(0).value, "3");
}

TEST(Sessions, AConfirmedNumberIsForgottenAndNeverExecuted) {  // a late copy of what was answered long ago
    Machine machine;
    const SessionId session = machine.open_session();
    machine.run(increment(session, 1));
    machine.run(increment(session, 3, 3));  // 2 was given up by the client: confirmed though it never came
    EXPECT_EQ(machine.run(increment(session, 1)), Outcome{.code = OutcomeCode::kAnswerForgotten});
    EXPECT_EQ(machine.run(increment(session, 2)), Outcome{.code = OutcomeCode::kAnswerForgotten});
    EXPECT_TRUE(machine.run(increment(session, 3)).replayed);
    EXPECT_EQ(machine.value("n"), "2");
}

TEST(Sessions, KeepingASessionConfirmsToo) {
    Machine machine;
    const SessionId session = machine.open_session();
    machine.run(increment(session, 1));
    EXPECT_EQ(machine.run(KeepSession{session, 2}).code, OutcomeCode::kDone);
    EXPECT_EQ(machine.run(increment(session, 1)).code, OutcomeCode::kAnswerForgotten);
}

TEST(Sessions, AConfirmationIsNeverTakenBack) {
    Machine machine;
    const SessionId session = machine.open_session();
    machine.run(increment(session, 5, 5));
    machine.run(increment(session, 6, 1));
    EXPECT_EQ(machine.run(increment(session, 4, 1)).code, OutcomeCode::kAnswerForgotten);
}

TEST(Sessions, NumbersStartAtOne) {
    Machine machine;
    const SessionId session = machine.open_session();
    EXPECT_EQ(machine.run(increment(session, 0, 0)).code, OutcomeCode::kAnswerForgotten);
    EXPECT_EQ(machine.value("n"), std::nullopt);
}

TEST(Sessions, BeyondTheWindowNothingIsExecutedUntilTheClientHasConfirmed) {
    Machine machine;
    const SessionId session = machine.open_session();
    EXPECT_EQ(machine.run(increment(session, kSessionWindow)).code, OutcomeCode::kDone);
    EXPECT_EQ(machine.run(increment(session, kSessionWindow + 1)), Outcome{.code = OutcomeCode::kTooMany});
    EXPECT_EQ(machine.value("n"), "1");
    const Outcome later = machine.run(increment(session, kSessionWindow + 1, 2));
    EXPECT_EQ(later.code, OutcomeCode::kDone);
    EXPECT_FALSE(later.replayed);
}

TEST(Sessions, AnOverLargeReplyIsKeptAsDoneAtItsLsn) {  // S21
    Machine machine;
    const SessionId session = machine.open_session();
    machine.execute({Put{"large", std::string(kKeptReplyBytesMax, 'v')}});
    const Request request{.session = session, .sequence = 1, .commands = {Increment{"n", 1}, Get{"large"}}};
    const Outcome first = machine.run(request);
    EXPECT_EQ(first.code, OutcomeCode::kDone);
    EXPECT_EQ(machine.run(request), (Outcome{.code = OutcomeCode::kAnswerForgotten, .version = first.version, .replayed = true}));
    EXPECT_EQ(machine.value("n"), "1");
}

TEST(Sessions, ALargeFailedConditionIsKeptAsFailedWithoutTheValue) {  // "done at" would be a lie
    Machine machine;
    const SessionId session = machine.open_session();
    machine.execute({Put{"large", std::string(kKeptReplyBytesMax, 'v')}});
    const Request request{.session = session, .sequence = 1, .conditions = {KeyAbsent{"large"}}, .commands = {Delete{"large"}}};
    EXPECT_TRUE(machine.run(request).value);
    EXPECT_EQ(machine.run(request), (Outcome{.code = OutcomeCode::kConditionFailed, .version = {2}, .replayed = true}));
}

TEST(Sessions, RepliesOfASessionAreBoundedTogether) {
    Machine machine;
    const SessionId session = machine.open_session();
    machine.execute({Put{"some", std::string(kKeptReplyBytesMax - 100, 'v')}});
    const auto request = [&](std::uint64_t sequence) {
        return Request{.session = session, .sequence = sequence, .commands = {Get{"some"}}};
    };
    for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) EXPECT_EQ(machine.run(request(sequence)).code, OutcomeCode::kDone);
    EXPECT_EQ(machine.run(request(1)).code, OutcomeCode::kDone);
    EXPECT_EQ(machine.run(request(200)).code, OutcomeCode::kAnswerForgotten);
    machine.run(KeepSession{session, 200});
    machine.run(request(201));
    EXPECT_EQ(machine.run(request(201)).code, OutcomeCode::kDone);  // room again
}

// -- ids and their end -----------------------------------------------------------------------------------------------------

TEST(Sessions, IdsAreUniqueAlsoWithinOneEntry) {
    Machine machine;
    const auto two = machine.run_all({Request{}, RegisterSession{}, RegisterSession{}});
    EXPECT_EQ(two[1].version, Version{1});
    EXPECT_NE(two[2].version, two[1].version);
    EXPECT_EQ(lsn_of(SessionId{two[2].version.value}), Lsn{1});
    EXPECT_EQ(machine.open_session(), SessionId{2});
    EXPECT_EQ(machine.state->sessions(), 3U);
}

TEST(Sessions, AClosedSessionIsUnknownAndItsIdNotGivenAgain) {
    Machine machine;
    const auto outcomes = machine.run_all({RegisterSession{}, CloseSession{{1}}, RegisterSession{}});
    EXPECT_NE(outcomes[2].version, outcomes[0].version);
    EXPECT_EQ(machine.run(increment({1}, 1)).code, OutcomeCode::kSessionExpired);
    EXPECT_EQ(machine.state->sessions(), 1U);
}

TEST(Sessions, TooManyAreRefused) {
    Machine machine;
    std::vector<Logged> all(kSessionsMax + 1, RegisterSession{1000});
    const auto outcomes = machine.run_all(all);
    EXPECT_EQ(outcomes[kSessionsMax - 1].code, OutcomeCode::kDone);
    EXPECT_EQ(outcomes[kSessionsMax], Outcome{.code = OutcomeCode::kTooMany});
    machine.log.advance(1000);
    machine.tick();
    EXPECT_EQ(machine.state->sessions(), 0U);
    EXPECT_EQ(machine.run(RegisterSession{}).code, OutcomeCode::kDone);
}

TEST(Sessions, ExpireByLogTimeExactly) {  // S21, S22
    Machine machine;
    EXPECT_EQ(machine.state->next_due(), 0U);
    const SessionId session = machine.open_session(500);
    const std::uint64_t deadline = machine.log.now() + 500;
    EXPECT_EQ(machine.state->next_due(), deadline);
    machine.log.advance(499);
    machine.tick();
    EXPECT_EQ(machine.state->sessions(), 1U);
    machine.log.advance(1);
    EXPECT_EQ(machine.run(increment(session, 1)).code, OutcomeCode::kSessionExpired);  // the entry itself brings the time
    EXPECT_EQ(machine.state->sessions(), 0U);
    EXPECT_EQ(machine.state->next_due(), 0U);
    EXPECT_EQ(machine.value("n"), std::nullopt);
}

TEST(Sessions, RequestsAndKeepsProlongALife) {
    Machine machine;
    const SessionId session = machine.open_session(500);
    for (int round = 1; round <= 3; ++round) {
        machine.log.advance(400);
        EXPECT_EQ(machine.run(increment(session, static_cast<std::uint64_t>(round))).code, OutcomeCode::kDone);
        machine.log.advance(400);
        EXPECT_EQ(machine.run(KeepSession{session, 1}).code, OutcomeCode::kDone);
        EXPECT_EQ(machine.state->next_due(), machine.log.now() + 500);
    }
}

TEST(Sessions, EveryEntryExpiresWhateverItsKind) {
    for (const EntryKind kind : {EntryKind::kTick, EntryKind::kEpochStart, EntryKind::kMembership, EntryKind::kCommands}) {
        Machine machine;
        machine.open_session(500);
        machine.log.advance(500);
        machine.apply(machine.log.entry(kind, {}));
        EXPECT_EQ(machine.state->sessions(), 0U);
    }
}

TEST(Sessions, LifetimesHaveADefaultAndABound) {
    Machine machine;
    machine.open_session(0);
    EXPECT_EQ(machine.state->next_due(), machine.log.now() + kSessionLifetimeMs);
    Machine other;
    other.open_session(static_cast<std::uint64_t>(-1));
    EXPECT_EQ(other.state->next_due(), other.log.now() + kSessionLifetimeMsMax);
}

TEST(Sessions, NextDueIsTheEarliestOfAll) {
    Machine machine;
    const SessionId first = machine.open_session(1000);
    machine.open_session(2000);
    machine.log.advance(500);
    machine.run(KeepSession{first, 1});
    EXPECT_EQ(machine.state->next_due(), machine.log.now() + 1000);
    machine.run(CloseSession{first});
    EXPECT_EQ(machine.state->next_due(), machine.log.now() + 1500);
}

// -- where they live -------------------------------------------------------------------------------------------------------

TEST(Sessions, SurviveARestart) {  // S21: kept in the replicated state
    Machine machine;
    const SessionId session = machine.open_session(500), gone = machine.open_session(100);
    machine.run(increment(session, 1));
    machine.run(increment(session, 3, 2));
    machine.log.advance(100);
    machine.tick();
    machine.restart();
    EXPECT_EQ(machine.state->sessions(), 1U);
    EXPECT_EQ(machine.run(increment(gone, 1)).code, OutcomeCode::kSessionExpired);
    EXPECT_EQ(machine.run(increment(session, 1)).code, OutcomeCode::kAnswerForgotten);
    EXPECT_TRUE(machine.run(increment(session, 3)).replayed);
    EXPECT_EQ(machine.state->next_due(), machine.log.now() + 500);
    machine.log.advance(500);
    machine.tick();
    EXPECT_EQ(machine.state->sessions(), 0U);
}

TEST(Sessions, TravelWithACheckpoint) {  // S25
    Machine machine;
    const SessionId session = machine.open_session();
    const Outcome first = machine.run(increment(session, 1));
    auto checkpoint = machine.store->checkpoint().value();
    Machine other;
    auto receiver = other.store->receive().value();
    ASSERT_TRUE(receiver->write(checkpoint->files()[0].name, as_bytes(checkpoint->read(0, 0, 1 << 20).value())));
    ASSERT_TRUE(receiver->install(checkpoint->position()));
    ASSERT_TRUE(other.state->reload());
    other.log = machine.log;
    EXPECT_TRUE(other.run(increment(session, 1)).replayed);
    EXPECT_EQ(other.value("n"), "1");
}

TEST(Sessions, CountInTheDigest) {  // S26: a node that lost a reply would execute twice
    Machine one, other;
    for (Machine* machine : {&one, &other}) machine->open_session();
    one.run(KeepSession{{1}, 5});
    other.run(KeepSession{{1}, 6});
    EXPECT_NE(one.digest(), other.digest());
}

}  // namespace
}  // namespace tanist::commands

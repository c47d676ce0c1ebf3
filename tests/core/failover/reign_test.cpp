// SPDX-License-Identifier: Apache-2.0
// A reign's beginning and end (S6, S15, S16), and a shutdown's.
#include "tests/core/bench.h"

namespace tanist::core::testing {
namespace {

using ::testing::IsEmpty;

/// A candidate of epoch 2 whose peer node 3 is reachable and has not voted yet.
void stand(Bench& b) {
    (void)b.tick(2 * kTimeout);
    (void)b.from(kNode3, 1, PreVoteReply{{2}, false, std::nullopt, {}});
    (void)b.from(kNode2, 1, PreVoteReply{{2}, true, std::nullopt, {}});
}

TEST(Reign, PullsEntriesThatExtendItsLogBeforeItsEpochStart) {  // S15
    const auto longer = entries({1, 1, 1});
    Bench b({.log = {1, 1}, .applied = 2});
    stand(b);
    const Actions elected = b.from(kNode2, 2, VoteReply{true, {}});
    const auto asked = sent<FetchRequest>(elected, kNode3);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_THAT(all<AppendToWal>(elected), IsEmpty());
    EXPECT_THAT(sent<Append>(elected, kNode2), IsEmpty()) << "no position is named yet";
    EXPECT_EQ(sent<Heartbeat>(elected, kNode2).size(), 1U);
    EXPECT_EQ(sent<FetchReply>(b.from(kNode3, 2, FetchRequest{1, {{1}, {1}}, {}, 1000}), kNode3).front().status, FetchStatus::kBusy);

    const Actions out =
        b.from(kNode3, 2, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(longer, 3, 3), .last = {{1}, {3}}});
    ASSERT_EQ(all<AppendToWal>(out).size(), 2U);
    EXPECT_EQ(all<AppendToWal>(out).back().entries.front().kind(), EntryKind::kEpochStart);
    EXPECT_EQ(b.view().last, (Rank{{2}, {4}}));
}

TEST(Reign, PullEndsByItsDeadlineAndTakesNothingAfterwards) {  // S15
    const auto longer = entries({1, 1, 1});
    Bench b({.log = {1, 1}, .applied = 2});
    stand(b);
    const auto asked = sent<FetchRequest>(b.from(kNode2, 2, VoteReply{true, {}}), kNode3);
    (void)b.tick(5);
    EXPECT_EQ(b.view().last, (Rank{{2}, {3}}));
    (void)b.from(kNode3, 2, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(longer, 3, 3), .last = {{1}, {3}}});
    EXPECT_EQ(b.view().last, (Rank{{2}, {3}})) << "our log is the cluster's already";
}

TEST(Reign, PullNeverCuts) {  // S15
    const auto other = entries({1, 2, 2});
    Bench b({.log = {1, 1, 1}, .epoch = 2});
    (void)b.tick(2 * kTimeout);
    (void)b.from(kNode3, 2, PreVoteReply{{3}, false, std::nullopt, {}});
    (void)b.from(kNode2, 2, PreVoteReply{{3}, true, std::nullopt, {}});
    const auto asked = sent<FetchRequest>(b.from(kNode2, 3, VoteReply{true, {}}), kNode3);
    ASSERT_EQ(asked.size(), 1U);
    const Actions out =
        b.from(kNode3, 3, FetchReply{.id = asked.front().id, .previous = {{1}, {1}}, .entries = part(other, 2, 3), .last = {{2}, {3}}});
    EXPECT_THAT(all<CutLog>(out), IsEmpty());
    EXPECT_EQ(b.view().last, (Rank{{3}, {4}}));
}

TEST(Reign, AnswerOfAHigherEpochEndsIt) {  // S15
    Bench b({.log = {1, 1}, .applied = 2});
    stand(b);
    (void)b.from(kNode2, 2, VoteReply{true, {}});
    (void)b.from(kNode3, 5, FetchReply{});
    EXPECT_EQ(b.view().role, Role::kSlave);
    EXPECT_EQ(b.view().epoch, Epoch{5});
}

TEST(Reign, FirstEntryOfAllIsTheMembership) {  // S23
    Bench b(BenchSetup{});
    const Actions out = b.elect();
    const auto appends = all<AppendToWal>(out);
    ASSERT_EQ(appends.size(), 2U);
    EXPECT_EQ(appends[0].entries.front().kind(), EntryKind::kMembership);
    EXPECT_EQ(decode_membership(appends[0].entries.front().payload()).value(), membership());
    EXPECT_EQ(appends[1].entries.front().kind(), EntryKind::kEpochStart);
}

TEST(Reign, OpensOnceItsEpochStartEntryIsApplied) {  // S15
    Bench b({.log = {1, 1}, .applied = 2});
    (void)b.elect();
    EXPECT_EQ(all<ProposalRefused>(b.step(Proposal{.token = 1})).front().code, ErrorCode::kOverloaded);
    (void)b.durable();
    const Actions out = b.from(kNode2, 2, AppendAck{.acknowledged = {3}});
    ASSERT_EQ(all<Apply>(out).size(), 1U);
    EXPECT_FALSE(b.view().open);
    (void)b.step(Applied{{3}});
    EXPECT_TRUE(b.view().open);
    EXPECT_EQ(all<ProposalAccepted>(b.step(Proposal{.token = 2})).size(), 1U);
}

TEST(Reign, EndsWithoutAMajorityForAnElectionTimeout) {  // S16
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(Proposal{.token = 5, .now = b.clock()});
    const Actions out = b.tick(kTimeout + kHeartbeat);
    EXPECT_EQ(b.view().role, Role::kSlave);
    ASSERT_EQ(all<ProposalUnknown>(out).size(), 1U) << "never \"failed\"";
    EXPECT_EQ(all<ProposalRefused>(b.step(Proposal{.token = 6})).front().code, ErrorCode::kUnavailable);
}

TEST(Reign, AnswersKeepItAliveOnlyFromWhenTheirRoundBegan) {  // S16: a delayed answer proves nothing about now
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    std::uint64_t round = 0;
    for (std::uint32_t i = 0; i < 3 * kTimeout; ++i) {
        for (const Append& a : sent<Append>(b.tick(), kNode2)) round = a.round;
        (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = round});
    }
    EXPECT_EQ(b.view().role, Role::kMaster);
    for (std::uint32_t i = 0; i < kTimeout + kHeartbeat; ++i) {
        (void)b.tick();
        (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = round});
    }
    EXPECT_EQ(b.view().role, Role::kSlave);
}

TEST(Reign, EndsWhenTheLogsDiskDoesNotAnswer) {  // S16
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(Proposal{.token = 5, .now = b.clock()});
    std::uint64_t round = 0;
    for (std::uint32_t i = 0; i <= 4 * kTimeout; ++i) {
        for (const Append& a : sent<Append>(b.tick(), kNode2)) round = a.round;
        (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = round});
    }
    EXPECT_EQ(b.view().role, Role::kSlave);
}

TEST(Reign, TimeThatTheProcessDidNotSeeCounts) {  // S16: ticks count a clock that runs through suspend
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    Clock later = b.clock();
    later.monotonic_ms += 1000;
    (void)b.step(Tick{later});
    EXPECT_EQ(b.view().role, Role::kSlave);
}

TEST(Reign, ShutdownWithNobodyToHandOverToAnswersWhatIsPendingThenStops) {
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(PeerLost{kNode2, Loss::kTimeout});
    (void)b.step(Proposal{.token = 5, .now = b.clock()});
    EXPECT_THAT(all<Stop>(b.step(ShutdownRequested{})), IsEmpty());
    EXPECT_EQ(all<ProposalRefused>(b.step(Proposal{.token = 6})).front().code, ErrorCode::kOverloaded);
    (void)b.durable();
    Actions out = b.from(kNode2, 2, AppendAck{.acknowledged = {4}});
    ASSERT_EQ(all<Apply>(out).size(), 1U);
    out = b.step(Applied{{4}});
    EXPECT_EQ(all<Stop>(out).front().exit_code, 0);
    EXPECT_THAT(all<ProposalUnknown>(out), IsEmpty());
}

TEST(Reign, SlaveStopsAtOnce) {
    Bench b({.log = {1, 1}, .applied = 2});
    EXPECT_EQ(all<Stop>(b.step(ShutdownRequested{})).front().exit_code, 0);
}

}  // namespace
}  // namespace tanist::core::testing

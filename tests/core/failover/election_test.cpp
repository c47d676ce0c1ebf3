// SPDX-License-Identifier: Apache-2.0
// Who asks, who grants, who stands (S3, S3a, S13, S14).
#include "tests/core/bench.h"

namespace tanist::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Append heartbeat(const Bench& b, std::uint64_t commit = 0) { return {.previous = b.view().last, .commit = {commit}}; }

TEST(Election, SlaveAsksForPreVotesBetweenOneAndTwoElectionTimeouts) {  // S13
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, heartbeat(b));
    EXPECT_THAT(sent<PreVoteRequest>(b.tick(kTimeout - 1), kNode2), IsEmpty());
    const auto asked = sent<PreVoteRequest>(b.tick(kTimeout + 1), kNode3);
    ASSERT_FALSE(asked.empty());
    EXPECT_EQ(asked.front(), (PreVoteRequest{Epoch{2}, Rank{{1}, {2}}}));
    EXPECT_EQ(b.view().epoch, Epoch{1});  // asking raises nothing
}

TEST(Election, NobodyStandsBeforeAClockHasBeenRead) {  // S22: its entries need timestamps
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, heartbeat(b));
    EXPECT_THAT(sent<PreVoteRequest>(b.step(PeerLost{kNode2, Loss::kRefused}), kNode3), IsEmpty())
        << "the master is gone, and no tick has been";
    EXPECT_FALSE(sent<PreVoteRequest>(b.tick(), kNode3).empty());
}

TEST(Election, OwnVoteIsDurableBeforeItIsAskedFor) {  // S3
    Bench b({.log = {1, 1}});
    (void)b.tick(2 * kTimeout);
    const Actions out = b.from(kNode2, 1, PreVoteReply{{2}, true, std::nullopt, {}});
    EXPECT_LT(position<SaveVote>(out), position_of_message<VoteRequest>(out));
    EXPECT_EQ(all<SaveVote>(out).front().vote, (Vote{{2}, member(kNode1)}));
    EXPECT_EQ(b.view().role, Role::kCandidate);
}

TEST(Election, PreVotesOfAMinorityRaiseNoEpoch) {  // S13
    Bench b({.log = {1, 1}, .nodes = 5});
    (void)b.tick(2 * kTimeout);
    EXPECT_THAT(all<SaveVote>(b.from(kNode2, 1, PreVoteReply{{2}, true, std::nullopt, {}})), IsEmpty());
    EXPECT_THAT(all<SaveVote>(b.from(kNode2, 1, PreVoteReply{{2}, true, std::nullopt, {}})), IsEmpty()) << "a duplicate is no second voter";
    EXPECT_EQ(all<SaveVote>(b.from(kNode3, 1, PreVoteReply{{2}, true, std::nullopt, {}})).size(), 1U);
}

TEST(Election, VoteIsDurableBeforeItIsSent) {  // S3
    Bench b({.log = {1, 1}});
    const Actions out = b.from(kNode2, 2, VoteRequest{{{1}, {2}}, std::nullopt});
    EXPECT_LT(position<SaveVote>(out), position_of_message<VoteReply>(out));
    EXPECT_EQ(all<SaveVote>(out).size(), 1U);
    EXPECT_EQ(all<SaveVote>(out).front().vote, (Vote{{2}, member(kNode2)}));
    EXPECT_TRUE(sent<VoteReply>(out, kNode2).front().granted);
}

TEST(Election, VoterVotesOnceAnEpoch) {  // S3, S13
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 2, VoteRequest{{{1}, {2}}, std::nullopt});
    EXPECT_FALSE(sent<VoteReply>(b.from(kNode3, 2, VoteRequest{{{1}, {9}}, std::nullopt}), kNode3).front().granted);
    EXPECT_TRUE(sent<VoteReply>(b.from(kNode2, 2, VoteRequest{{{1}, {2}}, std::nullopt}), kNode2).front().granted) << "the same vote again";
}

TEST(Election, VoteFoundOnDiskStillCounts) {  // S3
    Bench b({.log = {1, 1}, .epoch = 2, .voted_for = member(kNode3)});
    EXPECT_FALSE(sent<VoteReply>(b.from(kNode2, 2, VoteRequest{{{1}, {2}}, std::nullopt}), kNode2).front().granted);
}

TEST(Election, RanksAreComparedByEpochFirst) {  // S13
    Bench b({.log = {1, 2}});
    EXPECT_FALSE(sent<VoteReply>(b.from(kNode2, 3, VoteRequest{{{1}, {9}}, std::nullopt}), kNode2).front().granted);
    EXPECT_EQ(b.view().epoch, Epoch{3}) << "refused for its rank: the epoch is adopted all the same (S3a)";
    EXPECT_TRUE(sent<VoteReply>(b.from(kNode3, 3, VoteRequest{{{2}, {2}}, std::nullopt}), kNode3).front().granted);
}

TEST(Election, WhoHearsItsMasterRefusesAndAdoptsNothing) {  // S13, S3a
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, heartbeat(b));
    const auto reply = sent<PreVoteReply>(b.from(kNode3, 1, PreVoteRequest{{2}, {{1}, {2}}}), kNode3);
    ASSERT_EQ(reply.size(), 1U);
    EXPECT_FALSE(reply.front().granted);
    EXPECT_EQ(reply.front().master, member(kNode2));
    const Actions out = b.from(kNode3, 5, VoteRequest{{{1}, {2}}, std::nullopt});
    EXPECT_THAT(all<SaveVote>(out), IsEmpty());
    EXPECT_EQ(b.view().epoch, Epoch{1});
    (void)b.from(kNode3, 7, PreVoteRequest{{8}, {{1}, {2}}});
    EXPECT_EQ(b.view().epoch, Epoch{1}) << "a pre-vote's epoch is adopted by nobody";
}

TEST(Election, LowerEpochIsAnsweredWithOnesOwn) {  // S3a
    Bench b({.log = {1, 1}, .epoch = 4});
    const Actions out = b.from(kNode2, 3, heartbeat(b));
    ASSERT_EQ(all<Send>(out).size(), 1U);
    EXPECT_TRUE(std::holds_alternative<HigherEpoch>(all<Send>(out).front().message.body));
    EXPECT_EQ(all<Send>(out).front().message.header.epoch, Epoch{4});
    EXPECT_FALSE(b.view().master);
}

TEST(Election, HigherEpochIsDurableBeforeItIsAcknowledged) {  // S3, S3a
    Bench b({.log = {1, 1}});
    const Actions out = b.from(kNode2, 3, heartbeat(b));
    EXPECT_LT(position<SaveVote>(out), position_of_message<AppendAck>(out));
}

TEST(Election, MasterThatMeetsAHigherEpochIsASlave) {  // S3a
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.from(kNode3, 9, HigherEpoch{});
    EXPECT_EQ(b.view().role, Role::kSlave);
    EXPECT_EQ(b.view().epoch, Epoch{9});
}

TEST(Election, RestartedNodeIsASlaveAndStandsInAHigherEpochOnly) {  // S3a
    Bench b({.log = {1, 1}, .epoch = 6, .voted_for = member(kNode1)});
    EXPECT_EQ(b.view().role, Role::kSlave);
    (void)b.from(kNode2, 6, VoteReply{true, {}});
    EXPECT_EQ(b.view().role, Role::kSlave) << "votes of an earlier life are not counted";
    (void)b.elect();
    EXPECT_EQ(b.view().role, Role::kMaster);
    EXPECT_EQ(b.view().epoch, Epoch{7});
}

TEST(Election, ResetConnectionAloneIsNoEvidence) {  // S13
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, heartbeat(b));
    EXPECT_THAT(sent<PreVoteRequest>(b.step(PeerLost{kNode2, Loss::kReset}), kNode3), IsEmpty());
    EXPECT_FALSE(sent<PreVoteReply>(b.from(kNode3, 1, PreVoteRequest{{2}, {{1}, {2}}}), kNode3).front().granted);
}

TEST(Election, RefusedReconnectStartsThePreVoteAtOnce) {  // S13: tens of milliseconds after a kill
    Bench b({.log = {1, 1}});
    (void)b.tick();
    (void)b.from(kNode2, 1, heartbeat(b));
    EXPECT_EQ(sent<PreVoteRequest>(b.step(PeerLost{kNode2, Loss::kRefused}), kNode3).size(), 1U);
    EXPECT_TRUE(sent<PreVoteReply>(b.from(kNode3, 1, PreVoteRequest{{2}, {{1}, {9}}}), kNode3).front().granted);
}

TEST(Election, AnotherNodesDeathIsNoEvidence) {  // S13
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, heartbeat(b));
    EXPECT_THAT(sent<PreVoteRequest>(b.step(PeerLost{kNode3, Loss::kRefused}), kNode2), IsEmpty());
    EXPECT_EQ(b.view().master, member(kNode2));
}

TEST(Election, OfEqualsTheLowestIdGoesFirst) {
    Bench b({.log = {1, 1}});
    (void)b.tick(2 * kTimeout);
    EXPECT_FALSE(sent<PreVoteReply>(b.from(kNode2, 1, PreVoteRequest{{2}, {{1}, {2}}}), kNode2).front().granted);
    EXPECT_TRUE(sent<PreVoteReply>(b.from(kNode2, 1, PreVoteRequest{{2}, {{1}, {3}}}), kNode2).front().granted) << "it is no equal";
}

TEST(Election,
     RefusalOfOneThatStillHeardTheMasterLapsesWhenItAsksItself) {  // S13: both slaves of a killed master notice, one after the other
    Bench b({.log = {1, 1}});
    (void)b.tick();
    (void)b.from(kNode3, 1, heartbeat(b));
    (void)b.step(PeerLost{kNode3, Loss::kRefused});
    (void)b.from(kNode2, 1, PreVoteReply{{2}, false, member(kNode3), {{1}, {2}}});
    const Actions out = b.from(kNode2, 1, PreVoteRequest{{2}, {{1}, {2}}});
    EXPECT_FALSE(sent<PreVoteReply>(out, kNode2).front().granted) << "of equals the lower id goes first";
    EXPECT_EQ(sent<PreVoteRequest>(out, kNode2).size(), 1U) << "and asks again at once";
    EXPECT_THAT(sent<PreVoteRequest>(b.from(kNode2, 1, PreVoteRequest{{2}, {{1}, {9}}}), kNode2), IsEmpty()) << "that one goes first";
    (void)b.from(kNode2, 1, PreVoteReply{{2}, true, std::nullopt, {{1}, {2}}});
    EXPECT_EQ(b.view().role, Role::kCandidate);
}

TEST(Election, CandidateThatGaveUpIsNotElectedByALateVote) {  // S3
    Bench b({.log = {1, 1}});
    (void)b.tick(2 * kTimeout);
    (void)b.from(kNode2, 1, PreVoteReply{{2}, true, std::nullopt, {}});
    ASSERT_EQ(b.view().role, Role::kCandidate);
    (void)b.tick(4 * kTimeout);
    ASSERT_EQ(b.view().role, Role::kSlave);
    (void)b.from(kNode2, 2, VoteReply{true, {}});
    EXPECT_EQ(b.view().role, Role::kSlave);
}

TEST(Election, LaggingSlavePullsBeforeItStands) {  // S14
    const auto longer = entries({1, 1, 1, 1});
    Bench b({.log = {1, 1}});
    (void)b.tick(2 * kTimeout);
    const auto asked = sent<FetchRequest>(b.from(kNode2, 1, PreVoteReply{{2}, false, std::nullopt, {{1}, {4}}}), kNode2);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked.front().previous, (Rank{{1}, {2}}));
    (void)b.from(kNode3, 1, PreVoteReply{{2}, true, std::nullopt, {{1}, {2}}});
    EXPECT_EQ(b.view().role, Role::kSlave) << "has its majority, and waits for the pull";
    const Actions out =
        b.from(kNode2, 1, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(longer, 3, 4), .last = {{1}, {4}}});
    EXPECT_EQ(all<AppendToWal>(out).size(), 1U);
    EXPECT_THAT(sent<AppendAck>(out, kNode2), IsEmpty()) << "what is pulled is acknowledged to nobody";
    EXPECT_THAT(sent<VoteRequest>(out, kNode3), IsEmpty()) << "it is not on our disk yet";
    const auto asked_votes = sent<VoteRequest>(b.durable(), kNode3);
    ASSERT_EQ(asked_votes.size(), 1U);
    EXPECT_EQ(asked_votes.front().rank, (Rank{{1}, {4}}));
}

TEST(Election, CandidacyClaimsNoMoreThanTheDiskHolds) {  // S13, S14: a power cut must not take back what an election was won by
    Bench b({.log = {1, 1}});
    (void)b.tick();
    const auto longer = entries({1, 1, 1});
    const Actions appended = b.from(kNode2, 1, Append{.previous = {{1}, {2}}, .entries = part(longer, 3, 3)});
    ASSERT_EQ(all<AppendToWal>(appended).size(), 1U);
    (void)b.step(PeerLost{kNode2, Loss::kRefused});
    EXPECT_THAT(sent<VoteRequest>(b.from(kNode3, 1, PreVoteReply{{2}, true, std::nullopt, {}}), kNode3), IsEmpty());
    EXPECT_EQ(b.view().epoch, Epoch{1});
    const auto asked = sent<VoteRequest>(b.durable(), kNode3);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked.front().rank, (Rank{{1}, {3}}));
}

TEST(Election, StandsAtTheDeadlineOfThePull) {  // S14: never a condition for standing
    Bench b({.log = {1, 1}});
    (void)b.tick(2 * kTimeout);
    (void)b.from(kNode2, 1, PreVoteReply{{2}, false, std::nullopt, {{1}, {4}}});
    (void)b.from(kNode3, 1, PreVoteReply{{2}, true, std::nullopt, {{1}, {2}}});
    EXPECT_FALSE(sent<VoteRequest>(b.tick(3 * kHeartbeat), kNode3).empty());
}

TEST(Election, PullNeverCutsAtOrBelowTheCommitLsn) {  // S14, S7
    const auto other = entries({1, 2, 2, 2});
    Bench b({.log = {1, 1, 1}, .epoch = 2, .applied = 3});
    (void)b.tick(2 * kTimeout);
    const auto asked = sent<FetchRequest>(b.from(kNode2, 2, PreVoteReply{{3}, false, std::nullopt, {{2}, {4}}}), kNode2);
    ASSERT_EQ(asked.size(), 1U);
    const Actions out = b.from(kNode2, 2,
                               FetchReply{.id = asked.front().id,
                                          .status = FetchStatus::kDiverged,
                                          .previous = {{1}, {3}},
                                          .last = {{2}, {4}},
                                          .epochs = {{{1}, {1}}, {{2}, {2}}}});
    EXPECT_THAT(all<CutLog>(out), IsEmpty());
    EXPECT_THAT(sent<FetchRequest>(out, kNode2), IsEmpty());
}

TEST(Election, PullCutsWhatDivergesAfterExportingItAndLeavesTheEpoch) {  // S14, S8, S1
    const auto other = entries({1, 2, 2, 2});
    Bench b({.log = {1, 1, 1}, .epoch = 2, .applied = 1});
    (void)b.tick(2 * kTimeout);
    auto asked = sent<FetchRequest>(b.from(kNode2, 2, PreVoteReply{{3}, false, std::nullopt, {{2}, {4}}}), kNode2);
    asked = sent<FetchRequest>(b.from(kNode2, 2,
                                      FetchReply{.id = asked.front().id,
                                                 .status = FetchStatus::kDiverged,
                                                 .previous = {{1}, {3}},
                                                 .last = {{2}, {4}},
                                                 .epochs = {{{1}, {1}}, {{2}, {2}}}}),
                               kNode2);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked.front().previous, (Rank{{1}, {1}}));
    const Actions out =
        b.from(kNode2, 2, FetchReply{.id = asked.front().id, .previous = {{1}, {1}}, .entries = part(other, 2, 4), .last = {{2}, {4}}});
    EXPECT_LT(position<SaveVote>(out), position<CutLog>(out));
    EXPECT_LT(position<ExportRescued>(out), position<CutLog>(out));
    EXPECT_LT(position<CutLog>(out), position<AppendToWal>(out));
    EXPECT_EQ(b.view().last, (Rank{{2}, {4}}));
    EXPECT_EQ(b.view().epoch, Epoch{3});
}

}  // namespace
}  // namespace tanist::core::testing

// SPDX-License-Identifier: Apache-2.0
// A master's appends, its commit LSN, and what its clients are told (S5, S6, S18, S20, S22).
#include "tests/core/bench.h"

namespace tanist::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Sending, OldEpochsEntriesAreNotCommittedByNumber) {  // S6; Raft, figure 8
    Bench b({.log = {1, 1, 1}});
    (void)b.settle(b.elect());
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}});
    EXPECT_EQ(b.view().commit, Lsn{0});
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = {4}});
    EXPECT_EQ(b.view().commit, Lsn{4}) << "with the epoch-start entry, all before it";
}

TEST(Sending, OwnLogCountsOnlyWhenDurable) {  // S6
    Bench b({.log = {1, 1}, .applied = 2});
    (void)b.elect();
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}});
    EXPECT_EQ(b.view().commit, Lsn{2});
    (void)b.durable();
    EXPECT_EQ(b.view().commit, Lsn{3});
}

TEST(Sending, EntriesArePipelinedWithoutWaiting) {
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    for (std::uint64_t token = 1; token <= 3; ++token) {
        const auto appends = sent<Append>(b.step(Proposal{.token = token, .payload = "x", .now = b.clock()}), kNode2);
        ASSERT_EQ(appends.size(), 1U);
        EXPECT_EQ(appends.front().entries.front().lsn(), Lsn{3 + token});
    }
}

TEST(Sending, DivergenceIsFoundInOneRoundTrip) {  // S5
    Bench b({.log = {1, 1, 1, 3, 3}});
    (void)b.settle(b.elect());  // epoch 4, epoch-start at 6
    const auto reads =
        all<ReadLog>(b.from(kNode3, 4, AppendReject{.previous = {{3}, {5}}, .last = {{2}, {9}}, .epochs = {{{1}, {1}}, {{2}, {3}}}}));
    ASSERT_EQ(reads.size(), 1U) << "has left memory: read back";
    EXPECT_EQ(reads.front().from, Lsn{3});
    const auto appends = sent<Append>(b.step(LogRead{reads.front().token, part(b.log, 3, 5)}), kNode3);
    ASSERT_EQ(appends.size(), 1U);
    EXPECT_EQ(appends.front().previous, (Rank{{1}, {2}}));
    EXPECT_EQ(appends.front().entries.front().lsn(), Lsn{3});
}

TEST(Sending, CommitIsSentOnAtOnce) {
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.settle(b.step(Proposal{.token = 1, .payload = "x", .now = b.clock()}));
    const auto appends = sent<Append>(b.from(kNode2, 2, AppendAck{.acknowledged = {4}}), kNode2);
    ASSERT_EQ(appends.size(), 1U);
    EXPECT_EQ(appends.front().commit, Lsn{4});
    EXPECT_THAT(appends.front().entries, IsEmpty());
}

/// They may take seconds on a slow link, and an Append waits behind them.
TEST(Sending, LifeIsShownBesideEntriesThatAreUnderWay) {  // S13, S16
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    EXPECT_THAT(sent<Heartbeat>(b.tick(2 * kHeartbeat), kNode2), IsEmpty()) << "nothing is under way to it";
    (void)b.step(Proposal{.token = 1, .payload = "x", .now = b.clock()});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sent<Heartbeat>(b.tick(kHeartbeat), kNode2).size(), 1U);
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = {4}});
    EXPECT_THAT(sent<Heartbeat>(b.tick(2 * kHeartbeat), kNode2), IsEmpty());
}

TEST(Sending, LifeIsShownBesideEntriesThatWereSentAgainWithoutNeed) {  // S13: a copy of them is on its way when all are acknowledged
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    for (std::uint64_t token = 1; token <= 2; ++token) (void)b.step(Proposal{.token = token, .payload = "x", .now = b.clock()});
    const Actions again = b.from(kNode2, 2, AppendReject{.previous = {{2}, {4}}, .last = {{2}, {3}}, .epochs = {{{1}, {1}}, {{2}, {3}}}});
    ASSERT_EQ(sent<Append>(again, kNode2).size(), 1U);
    ASSERT_EQ(sent<Append>(again, kNode2).front().entries.size(), 2U);
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = {5}});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sent<Heartbeat>(b.tick(kHeartbeat), kNode2).size(), 1U);
    (void)b.tick(2 * kTimeout);
    EXPECT_THAT(sent<Heartbeat>(b.tick(2 * kHeartbeat), kNode2), IsEmpty());
}

TEST(Sending, AnswersToHeartbeatsAreContactWhileEntriesAreUnderWay) {  // S16
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(Proposal{.token = 1, .payload = "x", .now = b.clock()});
    for (std::uint32_t i = 0; i < 3 * kTimeout; ++i) {
        for (const Heartbeat& heartbeat : sent<Heartbeat>(b.tick(), kNode2))
            (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = heartbeat.round});
    }
    EXPECT_TRUE(b.view().open);
    (void)b.tick(kTimeout + kHeartbeat);
    EXPECT_FALSE(b.view().open) << "and without answers it has none";
}

TEST(Sending, AnAnswerThatOvertakesEntriesDoesNotRepeatThem) {
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(PeerLost{kNode3, Loss::kTimeout});
    (void)b.step(Proposal{.token = 1, .payload = "x", .now = b.clock()});
    (void)b.step(PeerConnected{kNode3});
    Actions out = b.from(kNode3, 2, AppendAck{.acknowledged = {3}, .round = 1});  // the empty probe is answered: entry 4 goes
    ASSERT_EQ(sent<Append>(out, kNode3).size(), 1U);
    out = b.tick(kHeartbeat);
    ASSERT_EQ(sent<Heartbeat>(out, kNode3).size(), 1U);
    out = b.from(kNode3, 2, AppendAck{.acknowledged = {3}, .round = sent<Heartbeat>(b.tick(kHeartbeat), kNode3).front().round});
    for (const Append& append : sent<Append>(out, kNode3)) EXPECT_THAT(append.entries, IsEmpty());
}

/// Each Append of a window that arrives out of order is rejected: to answer each with the whole window again would grow without end.
TEST(Sending, RejectsOfOneWindowRestartItOnce) {  // S5
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.from(kNode3, 2, AppendAck{.acknowledged = {3}});
    for (std::uint64_t token = 1; token <= 6; ++token) (void)b.step(Proposal{.token = token, .payload = "x", .now = b.clock()});
    const auto reject = [&](std::uint64_t previous) {
        return sent<Append>(b.from(kNode3, 2, AppendReject{.previous = {{2}, {previous}}, .last = {{2}, {3}}, .epochs = {{{2}, {3}}}}),
                            kNode3);
    };
    ASSERT_EQ(reject(5).size(), 1U) << "all from entry 4 on, as a probe";
    EXPECT_THAT(reject(6), IsEmpty());
    for (std::uint64_t token = 7; token <= 8; ++token) (void)b.step(Proposal{.token = token, .payload = "x", .now = b.clock()});
    const auto resumed = sent<Append>(b.from(kNode3, 2, AppendAck{.acknowledged = {4}}), kNode3);
    EXPECT_EQ(resumed.size(), 1U) << "one at a time, so that order does not matter";
    for (std::uint64_t late = 6; late <= 8; ++late) EXPECT_THAT(reject(late), IsEmpty()) << late;
    (void)b.tick(kHeartbeat);
    (void)b.from(kNode3, 2, AppendAck{.acknowledged = {9}});
    (void)b.step(Proposal{.token = 9, .payload = "x", .now = b.clock()});
    EXPECT_FALSE(reject(11).empty()) << "what is rejected later on is missing";
}

/// An Append without entries overtakes those with some, and what its reject says is old once they have arrived.
TEST(Sending, AnOldRejectDoesNotMakeAMemberSeemToNeedACopy) {  // S17, S25
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    const auto health = [&] { return b.view().peers.back().health; };
    ASSERT_EQ(b.view().peers.back().id.node, kNode3);
    (void)b.from(kNode3, 2, AppendAck{.acknowledged = {3}});
    (void)b.from(kNode3, 2, AppendReject{.previous = {{2}, {3}}, .last = {{1}, {2}}, .epochs = {{{1}, {1}}}, .needs_copy = true});
    EXPECT_EQ(health(), Health::kUp);
    (void)b.step(Proposal{.token = 1, .payload = "x", .now = b.clock()});
    (void)b.tick();
    (void)b.from(kNode3, 2, AppendReject{.previous = {{2}, {4}}, .last = {{2}, {3}}, .epochs = {{{2}, {3}}}, .needs_copy = true});
    (void)b.step(Proposal{.token = 2, .payload = "x", .now = b.clock()});
    (void)b.tick();
    (void)b.from(kNode3, 2, AppendAck{.acknowledged = {5}});
    EXPECT_EQ(health(), Health::kUp);
}

TEST(Sending, ReadRoundsGoBesideEntriesThatAreUnderWay) {  // S18
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(Proposal{.token = 1, .payload = "x", .now = b.clock()});
    Actions out = b.step(ReadRequest{5});
    ASSERT_EQ(sent<Heartbeat>(out, kNode2).size(), 1U);
    out = b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = sent<Heartbeat>(out, kNode2).front().round});
    EXPECT_EQ(all<ReadReady>(out).size(), 1U);
}

TEST(Sending, WhatWasRecycledNeedsACheckpoint) {  // S25
    Bench b({.log = {1, 1, 1}, .applied = 3});
    b.reign();
    (void)b.step(Stored{{3}, {3}});  // entries 1 to 3 are gone
    const Actions out = b.from(kNode3, 2, AppendReject{.previous = {{1}, {3}}, .last = {}});
    ASSERT_EQ(sent<FetchReply>(out, kNode3).size(), 1U);
    EXPECT_EQ(sent<FetchReply>(out, kNode3).front().status, FetchStatus::kRecycled);
    EXPECT_EQ(sent<Append>(out, kNode3).size(), 1U) << "and it goes on hearing its master";
}

TEST(Sending, LevelsAreReportedAsTheyAreReached) {  // S20
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.from(kNode3, 2, AppendAck{.acknowledged = {3}});
    (void)b.step(Proposal{.token = 8, .payload = "x", .now = b.clock(), .report_durable = true, .report_all = true});
    EXPECT_EQ(all<ProposalDurable>(b.durable()).size(), 1U);
    Actions out = b.from(kNode2, 2, AppendAck{.acknowledged = {4}});
    EXPECT_EQ(all<Apply>(out).size(), 1U);
    EXPECT_THAT(all<ProposalOnAll>(out), IsEmpty());
    EXPECT_EQ(all<ProposalOnAll>(b.from(kNode3, 2, AppendAck{.acknowledged = {4}})).size(), 1U);
}

TEST(Sending, SlaveThatKnowsItsMasterSendsThere) {  // S19, S20
    Bench b({.log = {1, 1}, .applied = 2});
    EXPECT_EQ(all<ProposalRefused>(b.step(Proposal{.token = 1})).front().code, ErrorCode::kUnavailable);
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {2}}});
    EXPECT_EQ(all<ProposalRefused>(b.step(Proposal{.token = 2})).front().code, ErrorCode::kNotMaster);
}

TEST(Sending, TickEntryIsLoggedWhenSomethingFallsDue) {  // S22
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(DueAt{1});
    const auto appends = all<AppendToWal>(b.tick());
    ASSERT_EQ(appends.size(), 1U);
    EXPECT_EQ(appends.front().entries.front().kind(), EntryKind::kTick);
    EXPECT_THAT(all<AppendToWal>(b.tick()), IsEmpty()) << "one at a time";
}

TEST(Reads, MasterConfirmsItsMajorityInARoundThatBeginsAfterTheReadArrived) {  // S18
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    const Actions asked = b.step(ReadRequest{1});
    const auto appends = sent<Append>(asked, kNode2);
    ASSERT_EQ(appends.size(), 1U);
    EXPECT_THAT(all<ReadReady>(asked), IsEmpty());
    EXPECT_THAT(all<ReadReady>(b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = appends.front().round - 1})), IsEmpty())
        << "an answer from before";
    EXPECT_THAT(all<ReadReady>(b.step(ReadRequest{2})), IsEmpty());
    const Actions first = b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = appends.front().round});
    ASSERT_EQ(all<ReadReady>(first).size(), 1U) << "the second read arrived after the round began: it waits for the next";
    EXPECT_EQ(all<ReadReady>(first).front().lsn, Lsn{3});
    const auto next = sent<Append>(first, kNode2);
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(all<ReadReady>(b.from(kNode3, 2, AppendAck{.round = next.front().round})).size(), 1U) << "whoever it is that answers";
}

/// What a read has the master ask one node: the number of the round, 0 where it asks nothing.
std::uint64_t asked(const Actions& out, NodeId node) {
    for (const auto& append : sent<Append>(out, node)) return append.round;
    for (const auto& heartbeat : sent<Heartbeat>(out, node)) return heartbeat.round;
    return 0;
}

class RoundsTest : public ::testing::Test {
protected:
    void SetUp() override { b_.reign(); }

    /// A read, which node 2 or another answers first.
    Actions read_confirmed_by(NodeId node) {
        Actions out = b_.step(ReadRequest{++token_});
        EXPECT_EQ(all<ReadReady>(answer(node, asked(out, node))).size(), 1U);
        return out;
    }
    Actions answer(NodeId node, std::uint64_t round) { return b_.from(node, 2, AppendAck{.acknowledged = {3}, .round = round}); }

    Bench b_{{.log = {1, 1}, .applied = 2, .heartbeat = 5}};
    std::uint64_t token_ = 0;
};

TEST_F(RoundsTest, AskThoseWhoAnsweredFirst) {  // S18
    const Actions first = read_confirmed_by(kNode2);
    EXPECT_NE(asked(first, kNode3), 0U) << "who is quick is not known yet";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(asked(read_confirmed_by(kNode2), kNode3), 0U);
}

TEST_F(RoundsTest, AskAllAgainAfterAHeartbeat) {
    (void)read_confirmed_by(kNode2);
    (void)b_.tick(5);
    EXPECT_NE(asked(read_confirmed_by(kNode3), kNode2), 0U);
    EXPECT_EQ(asked(read_confirmed_by(kNode3), kNode2), 0U) << "the other one is quicker now";
}

TEST_F(RoundsTest, AskAllWhereTheQuickOneIsSilent) {  // S18: reads go on
    (void)read_confirmed_by(kNode2);
    const Actions out = b_.step(ReadRequest{++token_});
    EXPECT_EQ(asked(out, kNode3), 0U);
    EXPECT_EQ(asked(b_.tick(), kNode3), 0U);
    const Actions widened = b_.tick();
    const std::uint64_t round = asked(widened, kNode3);
    EXPECT_EQ(round, asked(out, kNode2));
    EXPECT_EQ(asked(widened, kNode2), 0U) << "it has been asked";
    EXPECT_EQ(asked(b_.tick(), kNode3), 0U) << "once";
    EXPECT_EQ(all<ReadReady>(answer(kNode3, round)).size(), 1U);
    EXPECT_EQ(asked(read_confirmed_by(kNode3), kNode2), 0U);
}

TEST_F(RoundsTest, AskAllAtATimeHoweverOftenTheyWereWidened) {
    (void)read_confirmed_by(kNode2);
    std::uint64_t begins_with_all = 0;
    for (int i = 0; i < 5; ++i) {
        const Actions out = b_.step(ReadRequest{++token_});
        if (asked(out, kNode3) != 0) ++begins_with_all;
        (void)b_.tick(2);
        (void)answer(kNode2, asked(out, kNode2));
    }
    EXPECT_EQ(begins_with_all, 1U) << "a heartbeat is five ticks";
}

TEST_F(RoundsTest, AskAllWhereTheQuickOneHasGone) {
    (void)read_confirmed_by(kNode2);
    (void)b_.step(PeerLost{kNode2, Loss::kReset});
    (void)read_confirmed_by(kNode3);
}

TEST_F(RoundsTest, AskAllWhereTheQuickOneHasGoneAndItsAnswerComesLater) {  // by its own connection to us
    (void)read_confirmed_by(kNode2);
    const std::uint64_t round = asked(b_.step(ReadRequest{++token_}), kNode2);
    (void)b_.step(PeerLost{kNode2, Loss::kReset});
    EXPECT_EQ(all<ReadReady>(answer(kNode2, round)).size(), 1U);
    EXPECT_NE(asked(b_.step(ReadRequest{++token_}), kNode3), 0U);
}

TEST_F(RoundsTest, AskNobodyWhoseConnectionIsNewAsIfItHadBeenQuick) {
    (void)read_confirmed_by(kNode2);
    (void)b_.step(PeerLost{kNode2, Loss::kReset});
    (void)b_.step(PeerConnected{kNode2});
    EXPECT_NE(asked(read_confirmed_by(kNode2), kNode3), 0U);
}

TEST(Reads, DeposedMasterAnswersNone) {  // S18
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    (void)b.step(ReadRequest{1});
    const Actions out = b.from(kNode3, 9, HigherEpoch{});
    EXPECT_EQ(all<ReadRefused>(out).size(), 1U);
    EXPECT_THAT(all<ReadReady>(b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = 99})), IsEmpty());
}

TEST(Reads, SlaveAsksItsMasterAndTakesOnlyTheAnswerToItsOwnQuestion) {  // S18
    Bench b({.log = {1, 1}, .applied = 2});
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {2}}});
    const auto asked = sent<ReadIndexRequest>(b.step(ReadRequest{1}), kNode2);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_THAT(all<ReadReady>(b.from(kNode2, 1, ReadIndexReply{asked.front().id - 1, Lsn{2}})), IsEmpty());
    EXPECT_THAT(sent<ReadIndexRequest>(b.step(ReadRequest{2}), kNode2), IsEmpty()) << "joins the next question";
    const Actions out = b.from(kNode2, 1, ReadIndexReply{asked.front().id, Lsn{2}});
    EXPECT_EQ(all<ReadReady>(out).size(), 1U);
    EXPECT_EQ(sent<ReadIndexRequest>(out, kNode2).size(), 1U);
}

TEST(Reads, AVoterThatAsksIsTheMajorityOfThreeTogetherWithTheMaster) {  // S18
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    const Actions out = b.from(kNode3, 2, ReadIndexRequest{8});
    EXPECT_THAT(sent<ReadIndexReply>(out, kNode3), ElementsAre(ReadIndexReply{8, Lsn{3}})) << "its question is later than its reads";
    EXPECT_THAT(sent<Heartbeat>(out, kNode2), IsEmpty()) << "nobody else is asked";
    EXPECT_THAT(sent<ReadIndexReply>(b.from(kNode3, 1, ReadIndexRequest{9}), kNode3), IsEmpty()) << "an earlier epoch proves nothing";
}

TEST(Reads, AVoterThatAsksIsOneOfFive) {  // S18
    Bench b({.log = {1, 1}, .applied = 2, .nodes = 5});
    (void)b.tick(2 * kTimeout);
    for (const NodeId node : {kNode2, kNode3}) (void)b.from(node, 1, PreVoteReply{{2}, true, std::nullopt, {}});
    for (const NodeId node : {kNode2, kNode3}) (void)b.settle(b.from(node, 2, VoteReply{true, {}}));
    for (const NodeId node : {kNode2, kNode3}) (void)b.settle(b.from(node, 2, AppendAck{.acknowledged = {3}, .intent = b.view().last}));
    ASSERT_TRUE(b.view().open);
    const Actions out = b.from(kNode3, 2, ReadIndexRequest{8});
    EXPECT_THAT(sent<ReadIndexReply>(out, kNode3), IsEmpty());
    const auto round = sent<Append>(out, kNode2).front().round;
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = round});
    EXPECT_THAT(sent<ReadIndexReply>(b.from(kNode3, 2, AppendAck{.acknowledged = {3}, .round = round}), kNode3),
                ElementsAre(ReadIndexReply{8, Lsn{3}}));
}

TEST(Reads, ARoundOfFiveVotersAsksTwo) {  // S18
    Bench b({.log = {1, 1}, .applied = 2, .nodes = 5, .heartbeat = 5});
    const std::vector<NodeId> voters{kNode2, kNode3};
    (void)b.tick(2 * kTimeout);
    for (const NodeId node : voters) (void)b.from(node, 1, PreVoteReply{{2}, true, std::nullopt, {}});
    for (const NodeId node : voters) (void)b.settle(b.from(node, 2, VoteReply{true, {}}));
    for (const NodeId node : voters) (void)b.settle(b.from(node, 2, AppendAck{.acknowledged = {3}, .intent = b.view().last}));
    const std::uint64_t all_asked = asked(b.step(ReadRequest{1}), kNode3);
    for (const NodeId node : voters) (void)b.from(node, 2, AppendAck{.acknowledged = {3}, .round = all_asked});
    const Actions out = b.step(ReadRequest{2});
    EXPECT_THAT((std::vector{asked(out, kNode2), asked(out, kNode3), asked(out, {4}), asked(out, {5})}),
                ElementsAre(all_asked + 1, all_asked + 1, 0U, 0U));
    EXPECT_THAT(all<ReadReady>(b.from(kNode2, 2, AppendAck{.acknowledged = {3}, .round = all_asked + 1})), IsEmpty());
    EXPECT_EQ(all<ReadReady>(b.from(kNode3, 2, AppendAck{.acknowledged = {3}, .round = all_asked + 1})).size(), 1U);
}

TEST(Reads, SlaveWithoutAMasterRefuses) {  // S18
    Bench b({.log = {1, 1}, .applied = 2});
    EXPECT_EQ(all<ReadRefused>(b.step(ReadRequest{1})).size(), 1U);
}

TEST(Sending, ASlaveWhoseLogHasNoReadableMarkIsToldAsInDoubt) {  // S9
    Bench b({.log = {1, 1}, .applied = 2});
    b.reign();
    const auto health = [&] { return b.view().peers.at(0).health; };
    (void)b.from(kNode2, 2, AppendAck{.intent = kWithoutUpperBound});
    EXPECT_EQ(health(), Health::kInDoubt);
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = b.view().last.lsn, .intent = b.view().last});
    EXPECT_EQ(health(), Health::kUp);
}

}  // namespace
}  // namespace tanist::core::testing

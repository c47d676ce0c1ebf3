// SPDX-License-Identifier: Apache-2.0
// A change of masters by plan (S17).
#include "core/failover/switchover.h"
#include "tests/core/bench.h"
#include "tests/core/cluster.h"

namespace tanist::core::testing {
namespace {

using enum ConfiguredRole;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Node `from` has everything that the master has, durably, and answers its newest heartbeat.
Actions acknowledge_all(Bench& b, NodeId from) {
    return b.from(from, b.view().epoch.value, AppendAck{.acknowledged = b.view().last.lsn, .intent = b.view().last, .round = 1'000'000});
}

Actions propose(Bench& b, std::uint64_t token, bool report_durable = false) {
    return b.step(Proposal{.token = token, .payload = "x", .now = b.clock(), .report_durable = report_durable});
}

struct Master : Bench {
    Master() : Bench({.log = {1, 1}, .applied = 2}) { reign(); }
    /// Asks for a switchover to `target`, none of whose conditions is missing.
    Actions switch_over(std::optional<NodeId> target = kNode2) {
        (void)settle(acknowledge_all(*this, kNode2));
        return step(SwitchoverRequested{1, target});
    }
};

const Error* refused(const Actions& out) {
    for (const Action& action : out) {
        if (const auto* ended = std::get_if<SwitchoverEnded>(&action)) return ended->master ? nullptr : &ended->master.error();
    }
    return nullptr;
}

TEST(Switchover, TargetThatHasEverythingIsToldToStandAtOnce) {
    Master b;
    const Actions out = b.switch_over();
    EXPECT_THAT(sent<StandNow>(out, kNode2), ::testing::ElementsAre(StandNow{member(kNode2)}));
    EXPECT_TRUE(b.view().pausing);
    EXPECT_EQ(all<ProposalRefused>(propose(b, 9)).front().code, ErrorCode::kOverloaded);
}

TEST(Switchover, TargetIsToldToStandOnlyWhenNothingOfOursIsPending) {  // no failed request, none of unknown outcome
    Master b;
    (void)acknowledge_all(b, kNode2);
    const Actions appended = propose(b, 5);
    EXPECT_THAT(sent<StandNow>(b.step(SwitchoverRequested{1, kNode2}), kNode2), IsEmpty()) << "it lacks an entry";
    EXPECT_THAT(sent<StandNow>(acknowledge_all(b, kNode2), kNode2), IsEmpty()) << "it is not durable here yet";
    const Actions out = b.settle(appended);
    EXPECT_THAT(sent<StandNow>(out, kNode2), SizeIs(1));
    EXPECT_LT(position<Apply>(out), position_of_message<StandNow>(out));
}

TEST(Switchover, WritesOfOtherNodesAreTakenByAMasterThatTakesWrites) {
    Master b;
    const ForwardedWrites writes{"payload"};
    const Actions out = b.from(kNode3, b.view().epoch.value, writes);
    ASSERT_THAT(all<TakeForwarded>(out), SizeIs(1));
    EXPECT_EQ(all<TakeForwarded>(out)[0].from, kNode3);
    EXPECT_EQ(all<TakeForwarded>(out)[0].payload, "payload");
    (void)b.switch_over();
    EXPECT_THAT(all<TakeForwarded>(b.from(kNode3, b.view().epoch.value, writes)), IsEmpty()) << "it hands over";
    Bench slave({.log = {1, 1}});
    (void)slave.tick();
    (void)slave.from(kNode2, 1, Append{.previous = {{1}, {2}}});
    EXPECT_THAT(all<TakeForwarded>(slave.from(kNode3, 1, writes)), IsEmpty());
    EXPECT_THAT(sent<ForwardedWrites>(slave.step(ForwardWrites{"mine"}), kNode2), ::testing::ElementsAre(ForwardedWrites{"mine"}));
}

TEST(Switchover, AMasterThatHasNotOpenedTakesNoWritesOfOtherNodes) {
    Bench b({.log = {1, 1}, .applied = 2});
    (void)b.settle(b.elect());
    EXPECT_THAT(all<TakeForwarded>(b.from(kNode3, b.view().epoch.value, ForwardedWrites{"payload"})), IsEmpty());
}

TEST(Switchover, VotersMakeAnExceptionForACandidateThatTheirMasterOrdered) {  // S13
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {2}}});
    EXPECT_THAT(all<Send>(b.from(kNode3, 2, VoteRequest{{{1}, {2}}, std::nullopt})), IsEmpty()) << "its master is well";
    EXPECT_THAT(all<Send>(b.from(kNode3, 2, VoteRequest{{{1}, {2}}, Epoch{0}})), IsEmpty()) << "a switchover of another epoch";
    EXPECT_THAT(all<Send>(b.from(kNode3, 2, VoteRequest{{{1}, {1}}, Epoch{1}})), IsEmpty()) << "it could not win";
    EXPECT_EQ(b.view().epoch, Epoch{1});
    const Actions out = b.from(kNode3, 2, VoteRequest{{{1}, {2}}, Epoch{1}});
    EXPECT_TRUE(sent<VoteReply>(out, kNode3).front().granted);
    EXPECT_LT(position<SaveVote>(out), position<Send>(out));
}

TEST(Switchover, OnlyTheOwnMasterCanOrderItAndOnlyTheNodeItNames) {
    Bench b({.log = {1, 1}});
    (void)b.tick();
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {2}}});
    EXPECT_THAT(all<SaveVote>(b.from(kNode3, 1, StandNow{member(kNode1)})), IsEmpty());
    EXPECT_THAT(all<SaveVote>(b.from(kNode2, 1, StandNow{member(kNode3)})), IsEmpty());
    const Actions out = b.from(kNode2, 1, StandNow{member(kNode1)});
    ASSERT_THAT(sent<VoteRequest>(out, kNode3), SizeIs(1));
    EXPECT_EQ(sent<VoteRequest>(out, kNode3).front(), (VoteRequest{{{1}, {2}}, Epoch{1}}));
    EXPECT_EQ(sent<VoteRequest>(b.tick(kHeartbeat), kNode3).front().switchover_of, Epoch{1}) << "sent again, messages get lost";
    EXPECT_THAT(sent<VoteRequest>(b.from(kNode2, 1, StandNow{member(kNode1)}), kNode3), IsEmpty()) << "an order of a lower epoch";
}

TEST(Switchover, OldMasterVotesAndHoldsWritesUntilTheNewOneIsOpen) {
    Master b;
    (void)b.switch_over();
    const Rank last = b.view().last;
    EXPECT_TRUE(sent<VoteReply>(b.from(kNode2, 3, VoteRequest{last, b.view().epoch}), kNode2).front().granted);
    EXPECT_EQ(b.view().role, Role::kSlave);
    const Entry start = Entry::make({3}, {last.epoch, last.lsn, 0}, 9999, EntryKind::kEpochStart, {});
    (void)b.from(kNode2, 3, Append{.previous = last, .commit = last.lsn});
    EXPECT_TRUE(b.view().pausing) << "it may not take writes yet";
    EXPECT_EQ(refused(b.from(kNode2, 3, Heartbeat{})), nullptr);
}

/// What an earlier epoch committed is known to it only once its own first entry is committed.
TEST(Switchover, HeldReadsAreNotAnsweredByAMasterThatIsNotOpen) {  // S18
    Master b;
    (void)b.switch_over();
    (void)b.step(ReadRequest{5});
    const Rank last = b.view().last;
    (void)b.from(kNode2, 3, VoteRequest{last, b.view().epoch});
    (void)b.from(kNode2, 3, Append{.previous = last, .commit = last.lsn});
    (void)b.settle(b.from(kNode2, 3, StandNow{member(kNode1)}));  // and is ordered back before it has heard of an open master
    Actions out = b.from(kNode2, 4, VoteReply{true, {}});
    ASSERT_EQ(b.view().role, Role::kMaster);
    ASSERT_FALSE(b.view().open);
    for (std::uint32_t i = 0; i < 2 * kTimeout; ++i) {
        std::ranges::move(b.from(kNode2, 4, AppendAck{.acknowledged = last.lsn, .round = 1'000'000}), std::back_inserter(out));
        std::ranges::move(b.tick(), std::back_inserter(out));
    }
    EXPECT_THAT(all<ReadReady>(out), IsEmpty());
    EXPECT_THAT(all<ReadRefused>(out), SizeIs(1));
}

TEST(Switchover, WritesGoOnHereWhenTheTargetDoesNotTakeOver) {
    Master b;
    (void)b.switch_over();
    EXPECT_THAT(sent<StandNow>(b.tick(kHeartbeat), kNode2), SizeIs(1)) << "messages get lost";
    for (std::uint32_t i = 0; i < kTimeout; ++i) {  // it is well, and does not stand
        (void)acknowledge_all(b, kNode2);
        const Actions out = b.tick();
        if (refused(out) == nullptr) continue;
        EXPECT_EQ(refused(out)->code, ErrorCode::kRefused);
        EXPECT_THAT(refused(out)->message, HasSubstr("node 2 did not take over"));
        EXPECT_FALSE(b.view().pausing);
        EXPECT_THAT(all<ProposalAccepted>(propose(b, 9)), SizeIs(1));
        return;
    }
    FAIL() << "the pause has no end";
}

TEST(Switchover, NothingIsAcknowledgedAtLevelMasterOnceSomebodyWasToldToStand) {
    Master b;
    EXPECT_THAT(all<ProposalDurable>(b.settle(propose(b, 5, true))), SizeIs(1));
    ASSERT_THAT(sent<StandNow>(b.switch_over(), kNode2), SizeIs(1));
    for (std::uint32_t i = 0; i < kTimeout; ++i) {
        (void)b.tick();
        (void)acknowledge_all(b, kNode2);
    }
    ASSERT_FALSE(b.view().pausing);
    const Actions out = b.settle(propose(b, 6, true));
    EXPECT_THAT(all<ProposalAccepted>(out), SizeIs(1));
    EXPECT_THAT(all<ProposalDurable>(out), IsEmpty()) << "the order may yet arrive";
}

TEST(Switchover, WhoCannotTakeOverIsRefusedAndNothingPauses) {
    Master b;
    struct Case {
        std::optional<NodeId> target;
        ErrorCode code;
        const char* why;
    };
    for (const Case& c : {Case{NodeId{9}, ErrorCode::kInvalidArgument, "node 9 is no member"},
                          Case{kNode3, ErrorCode::kRefused, "node 3 is catching up"}}) {
        const Actions out = b.step(SwitchoverRequested{1, c.target});
        ASSERT_NE(refused(out), nullptr);
        EXPECT_EQ(refused(out)->code, c.code);
        EXPECT_THAT(refused(out)->message, HasSubstr(c.why));
    }
    (void)b.step(PeerLost{kNode2, Loss::kTimeout});
    EXPECT_THAT(refused(b.step(SwitchoverRequested{1, kNode2}))->message, HasSubstr("cannot be reached"));
    EXPECT_THAT(refused(b.step(SwitchoverRequested{1, std::nullopt}))->message, HasSubstr("no other data node"));
    EXPECT_FALSE(b.view().pausing);
    EXPECT_EQ(all<SwitchoverEnded>(b.step(SwitchoverRequested{1, kNode1})).front().master, member(kNode1)) << "it is already";
}

TEST(Switchover, ALostTargetEndsThePauseAtOnce) {
    Master b;
    (void)b.switch_over();
    EXPECT_NE(refused(b.step(PeerLost{kNode2, Loss::kReset})), nullptr);
    EXPECT_FALSE(b.view().pausing);
}

// -- asked of a slave -------------------------------------------------------------------------------------------------------------

/// A slave of node 2, in epoch 1.
struct Slave : Bench {
    Slave() : Bench({.log = {1, 1}}) {
        (void)tick();
        (void)from(kNode2, 1, Append{.previous = {{1}, {2}}});
    }
    std::vector<SwitchoverAsk> ask(std::uint64_t token, std::optional<NodeId> target = std::nullopt) {
        return sent<SwitchoverAsk>(step(SwitchoverRequested{token, target}), kNode2);
    }
};

TEST(Switchover, SlaveThatHearsNoMasterHasNobodyToAsk) {
    Bench b({.log = {1, 1}});
    EXPECT_EQ(refused(b.step(SwitchoverRequested{1, std::nullopt}))->code, ErrorCode::kUnavailable);
}

TEST(Switchover, SlaveAsksItsMasterAndTellsWhatItAnswers) {
    Slave b;
    const auto any = b.ask(1), named = b.ask(2, kNode3);
    ASSERT_THAT(any, SizeIs(1));
    ASSERT_THAT(named, SizeIs(1));
    EXPECT_EQ(any.front().target, NodeId{});
    EXPECT_EQ(named.front().target, kNode3);
    const Actions no = b.from(kNode2, 1, SwitchoverAnswer{named.front().id, std::nullopt, {ErrorCode::kRefused, "no"}});
    ASSERT_NE(refused(no), nullptr);
    EXPECT_EQ(all<SwitchoverEnded>(no).front().token, 2u);
    EXPECT_EQ(refused(no)->code, ErrorCode::kRefused);
    (void)b.from(kNode3, 3, Append{.previous = {{1}, {2}}});
    const SwitchoverAnswer yes{any.front().id, member(kNode3), {}};
    const auto done = all<SwitchoverEnded>(b.from(kNode2, 2, yes));  // of a lower epoch than ours by now, and no less true
    ASSERT_THAT(done, SizeIs(1));
    EXPECT_EQ(done.front().token, 1u);
    EXPECT_EQ(done.front().master, member(kNode3));
    EXPECT_THAT(all<SwitchoverEnded>(b.from(kNode2, 2, yes)), IsEmpty()) << "once";
}

TEST(Switchover, AnAskThatIsNotAnsweredHasAnUnknownOutcome) {
    Slave b;
    ASSERT_THAT(b.ask(1), SizeIs(1));
    EXPECT_THAT(all<SwitchoverEnded>(b.tick(kSwitchoverAskTimeouts * kTimeout - 1)), IsEmpty());
    const Actions out = b.tick();
    ASSERT_NE(refused(out), nullptr);
    EXPECT_EQ(refused(out)->code, ErrorCode::kOutcomeUnknown);
}

TEST(Switchover, AsksOfASlaveAreBounded) {
    Slave b;
    for (std::uint64_t token = 1; token <= kSwitchoverAsksMax; ++token) ASSERT_THAT(b.ask(token), SizeIs(1));
    EXPECT_EQ(refused(b.step(SwitchoverRequested{9, std::nullopt}))->code, ErrorCode::kOverloaded);
}

std::vector<SwitchoverAnswer> answers(const Actions& out) { return sent<SwitchoverAnswer>(out, kNode3); }

TEST(Switchover, MasterTellsTheNodeThatAskedHowItEnded) {
    Master b;
    (void)b.settle(acknowledge_all(b, kNode2));
    const auto wrong = answers(b.from(kNode3, 2, SwitchoverAsk{8, NodeId{9}}));
    ASSERT_THAT(wrong, SizeIs(1));
    EXPECT_EQ(wrong.front().refused.code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(answers(b.from(kNode3, 2, SwitchoverAsk{9, kNode2})), IsEmpty());
    EXPECT_TRUE(b.view().pausing);
    const auto lost = answers(b.step(PeerLost{kNode2, Loss::kReset}));
    ASSERT_THAT(lost, SizeIs(1));
    EXPECT_EQ(lost.front().id, 9u);
    EXPECT_EQ(lost.front().refused.code, ErrorCode::kRefused);
}

TEST(Switchover, ACopyOfAnAskNeitherAnswersItNorBeginsAnotherSwitchover) {  // a network may deliver twice, and late
    Master b;
    (void)b.settle(acknowledge_all(b, kNode2));
    (void)b.from(kNode3, 2, SwitchoverAsk{9, kNode2});
    ASSERT_TRUE(b.view().pausing);
    EXPECT_THAT(answers(b.from(kNode3, 2, SwitchoverAsk{9, kNode2})), IsEmpty()) << "its own switchover is no other one under way";
    ASSERT_THAT(answers(b.step(PeerLost{kNode2, Loss::kReset})), SizeIs(1));
    (void)b.step(PeerConnected{kNode2});
    (void)b.settle(acknowledge_all(b, kNode2));
    EXPECT_THAT(answers(b.from(kNode3, 2, SwitchoverAsk{9, NodeId{7}})), IsEmpty());
    EXPECT_THAT(answers(b.from(kNode3, 2, SwitchoverAsk{8, NodeId{7}})), IsEmpty()) << "overtaken";
    EXPECT_FALSE(b.view().pausing);
    EXPECT_THAT(answers(b.from(kNode3, 2, SwitchoverAsk{10, NodeId{7}})), SizeIs(1));
    EXPECT_THAT(answers(b.from(kNode3, 2, SwitchoverAsk{1ull << 60, NodeId{7}})), SizeIs(1)) << "its next life begins elsewhere";
    EXPECT_THAT(answers(b.from(kNode3, 2, SwitchoverAsk{1ull << 59, NodeId{7}})), SizeIs(1));
}

TEST(Switchover, WhoIsNotMasterAnyMoreSaysSoToWhoAsks) {
    Slave b;
    const auto out = answers(b.from(kNode3, 1, SwitchoverAsk{9, kNode2}));
    ASSERT_THAT(out, SizeIs(1));
    EXPECT_EQ(out.front().refused.code, ErrorCode::kNotMaster);
}

/// Time passes in which node 2 is well, and node 3 says that its log has no readable mark.
Actions pass(Bench& b, std::uint64_t ticks) {
    Actions all_of_them;
    for (std::uint64_t i = 0; i < ticks; ++i) {
        for (Actions out : {b.tick(), acknowledge_all(b, kNode2),
                            b.from(kNode3, b.view().epoch.value, AppendAck{.intent = kWithoutUpperBound, .round = 1'000'000})}) {
            std::ranges::move(out, std::back_inserter(all_of_them));
        }
    }
    return all_of_them;
}

TEST(Renewal, MasterBeginsAnotherEpochForAMemberWithoutAReadableMark) {  // S9: only a later reign settles it
    Master b;
    const Epoch epoch = b.view().epoch;
    EXPECT_THAT(all<SaveVote>(pass(b, kRenewalTimeouts * kTimeout / 2)), IsEmpty()) << "a reign lasts a while";
    Actions out;
    for (std::uint32_t i = 0; i < kRenewalTimeouts * kTimeout && !b.view().pausing; ++i) out = pass(b, 1);
    ASSERT_THAT(all<SaveVote>(out), SizeIs(1));
    EXPECT_EQ(sent<VoteRequest>(out, kNode2).front().switchover_of, epoch) << "voters that hear their master make an exception";
    ASSERT_TRUE(b.view().pausing);
    (void)b.settle(b.from(kNode2, epoch.value + 1, VoteReply{true, {}}));
    for (std::uint32_t i = 0; i < kTimeout && b.view().pausing; ++i) (void)b.settle(pass(b, 1));
    EXPECT_TRUE(b.view().open);
    EXPECT_FALSE(b.view().pausing);
    EXPECT_THAT(all<SaveVote>(pass(b, kRenewalTimeouts * kTimeout / 2)), IsEmpty()) << "not again and again";
}

TEST(Renewal, NotWhenNobodyElseWouldVoteForTheMaster) {
    Master b;
    for (std::uint32_t i = 0; i < 2 * kRenewalTimeouts * kTimeout; ++i) {
        const std::uint64_t epoch = b.view().epoch.value;
        (void)b.tick();
        for (const NodeId node : {kNode2, kNode3}) (void)b.from(node, epoch, AppendAck{.intent = kWithoutUpperBound, .round = 1'000'000});
        ASSERT_FALSE(b.view().pausing);
    }
}

class SwitchoverOfACluster : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(cluster_.settle(200)); }
    void TearDown() override {
        for (const std::string& failure : cluster_.failures()) ADD_FAILURE() << failure;
    }
    Cluster cluster_{{.roles = {kMaster, kSlave, kSlave}}};
};

TEST_F(SwitchoverOfACluster, GoesToTheNodeAskedForAndBackAndTellsWhenItIsOpen) {
    for (const NodeId target : {kNode3, kNode2, kNode1}) {
        const NodeId old = *cluster_.master();
        const std::uint64_t write = cluster_.propose(old, "before");
        const std::uint64_t token = cluster_.switch_over(old, target);
        for (int i = 0; i < 10 && !cluster_.replies.contains(token); ++i) {
            EXPECT_FALSE(cluster_.master() == target) << "it is told as soon as the new master is open";
            cluster_.run(1);
        }
        EXPECT_EQ(cluster_.replies[token], fmt::format("switched over to {}", target.value));
        EXPECT_TRUE(cluster_.node(target).open());
        EXPECT_FALSE(cluster_.node(old).view().pausing);
        EXPECT_NE(cluster_.replies[write], "unknown");
    }
}

TEST_F(SwitchoverOfACluster, ReadsThatArriveMeanwhileAreAnsweredByTheNewMastersWord) {  // no failed request
    const std::uint64_t before = cluster_.read(kNode1), token = cluster_.switch_over(kNode1, kNode2), held = cluster_.read(kNode1);
    EXPECT_EQ(cluster_.node(kNode1).role(), Role::kMaster) << "the order is under way";
    cluster_.run(3);
    EXPECT_EQ(cluster_.replies[token], "switched over to 2");
    EXPECT_EQ(cluster_.replies[before], "ready");
    EXPECT_EQ(cluster_.replies[held], "ready");
    EXPECT_GE(cluster_.read_lsns[held], cluster_.node(kNode2).commit());
}

TEST_F(SwitchoverOfACluster, ShutdownOfTheMasterHandsOverFirst) {  // SIGTERM
    cluster_.shut_down(kNode1);
    cluster_.run(3);
    EXPECT_FALSE(cluster_.running(kNode1));
    ASSERT_TRUE(cluster_.master().has_value());
    EXPECT_TRUE(cluster_.settle(20));
}

TEST_F(SwitchoverOfACluster, ShutdownOfAMasterWithNobodyToHandOverToIsNotHeldUp) {
    cluster_.kill(kNode2);
    cluster_.kill(kNode3);
    cluster_.shut_down(kNode1);
    cluster_.run(1);
    EXPECT_FALSE(cluster_.running(kNode1));
}

}  // namespace
}  // namespace tanist::core::testing

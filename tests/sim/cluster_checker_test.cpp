// SPDX-License-Identifier: Apache-2.0
// The checker is shown histories that break one rule each: a proof that finds nothing must not be one that cannot find anything.
#include "sim/cluster_checker.h"

#include <gmock/gmock.h>

#include "wal/memory_file_system.h"
#include "wal/slot.h"

namespace tanist::sim {
namespace {

using testing::HasSubstr;
using testing::Optional;

constexpr NodeId kNode1{1}, kNode2{2}, kNode3{3};

class CheckerTest : public testing::Test {
protected:
    void append(NodeId node, const Entry& entry) {
        checker_.on_appended(node, {&entry, 1}, world_.now());
        checker_.on_synced(node, entry.lsn());
    }
    void apply(NodeId node, const Entry& entry, std::uint64_t digest = 1) {
        checker_.on_state(node, {entry.id(), entry.timestamp()}, digest);
    }
    static Entry make(std::uint64_t epoch, const EntryId& before, std::uint64_t timestamp = 1) {
        return Entry::make({epoch}, before, timestamp, EntryKind::kEpochStart, "");
    }

    /// Entries that follow the two first ones, in a log that is then cut behind those; what the checker says to that.
    void cut_behind_second(bool exported) {
        const Entry third = make(1, second_.id());
        wal::MemoryFileSystem files;
        auto log = wal::Log::open(files, "wal", {.segment_bytes = 64 << 10}, 1);
        ASSERT_TRUE(log.has_value());
        checker_.on_opened(kNode1, {kNode1, {1}}, **log, {});
        for (const Entry& entry : {first_, second_, third}) {
            append(kNode1, entry);
            ASSERT_TRUE((*log)->write({&entry, 1}));
        }
        ASSERT_TRUE((*log)->cut(second_.lsn()));
        checker_.on_log_changed(kNode1, **log, exported ? std::vector{third.id()} : std::vector<EntryId>{});
        if (world_.failure()) return;
        checker_.on_opened(kNode1, {kNode1, {1}}, **log, {});  // what was exported is gone
    }

    World world_{false};
    Plan plan_{.seed = 1, .nodes = {{.node = kNode1, .role = core::ConfiguredRole::kMaster}, {.node = kNode2}, {.node = kNode3}}};
    ClusterChecker checker_{world_, plan_};
    const Entry first_ = make(1, {}), second_ = make(1, first_.id());
};

TEST_F(CheckerTest, AcceptsWhatAMajorityHoldsAndAllApply) {
    for (const NodeId node : {kNode1, kNode2}) append(node, first_), append(node, second_);
    apply(kNode1, second_);
    apply(kNode2, second_);
    EXPECT_EQ(world_.failure(), std::nullopt);
    EXPECT_EQ(checker_.committed(), Lsn{2});
}

TEST_F(CheckerTest, FindsTwoEntriesOfOneEpochAtOneLsn) {
    append(kNode1, first_);
    append(kNode2, make(1, {}, 2));
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("log matching")));
}

TEST_F(CheckerTest, FindsAnEntryAppliedWithoutAMajority) {  // S6
    append(kNode1, first_);
    apply(kNode1, first_);
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("which 1 of 3 voters hold durably")));
}

TEST_F(CheckerTest, FindsAnEntryAppliedBeforeItIsDurableHere) {  // S7
    for (const NodeId node : {kNode2, kNode3}) append(node, first_);
    checker_.on_appended(kNode1, {&first_, 1}, world_.now());
    apply(kNode1, first_);
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("holds durably up to lsn=0")));
}

TEST_F(CheckerTest, FindsAnotherEntryAppliedAtTheSameLsn) {
    const Entry other = make(2, {});
    for (const NodeId node : {kNode1, kNode2}) append(node, first_);
    apply(kNode1, first_);
    append(kNode3, other);
    apply(kNode3, other);
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("where epoch=1 had been applied elsewhere")));
}

TEST_F(CheckerTest, FindsStatesThatDifferAtOneLsn) {  // S26
    for (const NodeId node : {kNode1, kNode2}) append(node, first_);
    apply(kNode1, first_, 7);
    apply(kNode2, first_, 8);
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("another state")));
}

TEST_F(CheckerTest, FindsAnAcknowledgementOfWhatIsNotSynced) {  // S5
    checker_.on_appended(kNode2, {&first_, 1}, world_.now());
    checker_.on_sent(kNode2, kNode1, {.header = {.epoch = {1}}, .body = core::AppendAck{.acknowledged = {1}}});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("acknowledges lsn=1")));
}

TEST_F(CheckerTest, FindsTwoVotesInOneEpoch) {  // S3, S13
    const core::Message vote{.header = {.sender = {kNode1, {9}}, .epoch = {5}}, .body = core::VoteReply{.granted = true}};
    checker_.on_sent(kNode1, kNode2, vote);
    checker_.on_sent(kNode1, kNode2, vote);  // the same answer again is none
    EXPECT_EQ(world_.failure(), std::nullopt);
    checker_.on_sent(kNode1, kNode3, vote);
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("having voted for node 2")));
}

TEST_F(CheckerTest, FindsAVoteForALogThatIsBehind) {  // S13
    for (const Entry& entry : {first_, second_}) append(kNode1, entry);
    append(kNode2, first_);
    checker_.on_sent(kNode2, kNode1, {.header = {.epoch = {1}}, .body = core::PreVoteRequest{{2}, first_.id().rank()}});
    checker_.on_sent(kNode1, kNode2, {.header = {.epoch = {1}}, .body = core::PreVoteReply{.proposed = {2}, .granted = false}});
    EXPECT_EQ(world_.failure(), std::nullopt);
    checker_.on_sent(kNode1, kNode2, {.header = {.epoch = {1}}, .body = core::PreVoteReply{.proposed = {2}, .granted = true}});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("grants node 2 with epoch=1 lsn=1 its vote, and holds or has held epoch=1 lsn=2")));
}

TEST_F(CheckerTest, FindsAVoteForALogBehindWhatItHadHeldBeforeItWasDestroyed) {  // S9
    wal::MemoryFileSystem files;
    const wal::LogOptions options{.segment_bytes = 64 << 10};
    auto log = wal::Log::open(files, "wal", options, 1);
    ASSERT_TRUE(log.has_value());
    checker_.on_opened(kNode1, {kNode1, {1}}, **log, {});
    for (const Entry& entry : {first_, second_}) {
        append(kNode1, entry);
        ASSERT_TRUE((*log)->write({&entry, 1}) && (*log)->sync());
    }
    const std::string segment = "wal/" + files.list("wal")->back();
    log->reset();
    files.zero(segment, wal::kRecordsOffset + first_.size(), 4096);  // from somewhere in the first record or the second on
    checker_.on_damaged(kNode1);
    log = wal::Log::open(files, "wal", options, 2);
    ASSERT_TRUE(log.has_value());
    ASSERT_LT((*log)->last().lsn, Lsn{2});
    checker_.on_opened(kNode1, {kNode1, {1}}, **log, {});
    append(kNode2, first_);
    checker_.on_sent(kNode2, kNode1, {.header = {.epoch = {2}}, .body = core::VoteRequest{.rank = first_.id().rank()}});
    EXPECT_EQ(world_.failure(), std::nullopt);
    checker_.on_sent(kNode1, kNode2, {.header = {.sender = {kNode1, {1}}, .epoch = {2}}, .body = core::VoteReply{.granted = true}});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("has held epoch=1 lsn=2")));
}

TEST_F(CheckerTest, FindsAnEpochThatWasSpokenOfAndIsForgotten) {  // S3
    checker_.on_sent(kNode1, kNode2, {.header = {.sender = {kNode1, {9}}, .epoch = {5}}, .body = core::HigherEpoch{}});
    checker_.on_sent(kNode1, kNode2, {.header = {.sender = {kNode1, {9}}, .epoch = {4}}, .body = core::HigherEpoch{}});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("having been in epoch 5")));
}

TEST_F(CheckerTest, FindsACutWithoutAnExport) {  // S8
    cut_behind_second(false);
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("cuts epoch=1 lsn=3 without exporting it")));
}

TEST_F(CheckerTest, FindsAnExportThatIsGoneAfterAStart) {  // S8
    cut_behind_second(true);
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("had exported epoch=1 lsn=3 before it was cut, and finds it no more")));
}

TEST_F(CheckerTest, FindsALogThatIsRecycledAboveWhatTheStateHasOnDisk) {  // S11
    for (const NodeId node : {kNode1, kNode2}) append(node, first_), append(node, second_);
    apply(kNode1, second_);
    checker_.on_recycled(kNode1, {1}, {1});
    EXPECT_EQ(world_.failure(), std::nullopt);
    checker_.on_recycled(kNode1, {2}, {1});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("recycles up to lsn=2")));
}

TEST_F(CheckerTest, FindsAWitnessThatRecyclesWhatADataVoterLacks) {  // S11
    plan_.nodes[2].role = core::ConfiguredRole::kWitness;
    for (const NodeId node : {kNode1, kNode3}) append(node, first_), append(node, second_);
    append(kNode2, first_);
    checker_.on_recycled(kNode3, {1}, {});
    EXPECT_EQ(world_.failure(), std::nullopt) << "every data voter has it, though nobody has applied it";
    checker_.on_recycled(kNode3, {2}, {});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("a witness, recycles up to lsn=2, which not every data voter has")));
}

TEST_F(CheckerTest, FindsAnAcknowledgementByTheMasterAloneAfterItHasOrderedASuccessor) {  // S17
    append(kNode1, first_);
    append(kNode2, first_);
    const core::Message order{.header = {.sender = {kNode1, {9}}}, .body = core::StandNow{{kNode2, {9}}}};
    checker_.on_durable_at_master(kNode1, {});
    checker_.on_sent(kNode1, kNode2, order);
    EXPECT_EQ(world_.failure(), std::nullopt);
    checker_.on_durable_at_master(kNode1, {});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("in which it has ordered a successor")));
}

TEST_F(CheckerTest, FindsASuccessorThatLacksEntries) {  // S17
    append(kNode1, first_);
    checker_.on_sent(kNode1, kNode2, {.header = {.sender = {kNode1, {9}}}, .body = core::StandNow{{kNode2, {9}}}});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("orders node 2 to stand, which lacks epoch=1 lsn=1")));
}

TEST_F(CheckerTest, FindsACopyWhoseDonorHasRecycledWhatFollowsIt) {  // S25
    for (const NodeId node : {kNode1, kNode2}) append(node, first_), append(node, second_);
    apply(kNode1, second_);
    checker_.on_recycled(kNode1, {2}, {2});
    checker_.on_sent(kNode1, kNode2, {.header = {.sender = {kNode1, {9}}}, .body = core::CopyReply{.copy = 1, .position = first_.id()}});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("gives a copy as of lsn=1")));
}

TEST_F(CheckerTest, FindsAWriteReportedOnAllThatIsNot) {  // S20
    for (const NodeId node : {kNode1, kNode2}) append(node, first_);
    checker_.on_durable_on_all(kNode1, first_.rank());
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("not every one holds it durably")));
}

TEST_F(CheckerTest, FindsLogTimeThatGoesBack) {  // S22
    const Entry later = make(1, {}, 1000);
    append(kNode1, later);
    append(kNode1, make(1, later.id(), 999));
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("log time goes back")));
}

TEST_F(CheckerTest, FindsLogTimeThatRunsAhead) {  // S22
    append(kNode1, first_);
    world_.run_until(100ms);
    append(kNode1, make(1, first_.id(), 200));
    EXPECT_EQ(world_.failure(), std::nullopt);
    append(kNode1, make(1, make(1, first_.id(), 200).id(), 1000));
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("log time runs ahead")));
}

TEST_F(CheckerTest, CountsADiskThatWasWipedAsHavingHeldWhatItHeld) {
    for (const NodeId node : {kNode1, kNode2}) append(node, first_);
    checker_.on_wiped(kNode2);
    apply(kNode1, first_);
    EXPECT_EQ(world_.failure(), std::nullopt);
}

/// An only voter's log of three entries, cut in its place; what the checker says when it is found to have those up to `kept`.
class CutByHandTest : public CheckerTest {
protected:
    void cut_from_third(Lsn kept) {
        const Entry third = make(1, second_.id());
        const std::vector<Entry> all = {first_, second_, third};
        for (const Entry& entry : all) append(kNode1, entry), append(kNode2, entry);
        apply(kNode1, third);
        wal::MemoryFileSystem files;
        auto log = wal::Log::open(files, "wal", {.segment_bytes = 64 << 10}, 1);
        ASSERT_TRUE(log.has_value());
        ASSERT_TRUE((*log)->write(std::span(all).first(kept.value)));
        checker_.on_damaged(kNode1);
        checker_.on_cut_by_hand(kNode1, third.lsn());
        checker_.on_opened(kNode1, {kNode1, {1}}, **log, {});
    }
};

TEST_F(CutByHandTest, WhatFollowsCountsNoLonger) {  // S27
    cut_from_third({2});
    EXPECT_EQ(world_.failure(), std::nullopt);
    EXPECT_EQ(checker_.committed(), Lsn{2});
    EXPECT_EQ(checker_.model().applied(), Lsn{2});
}

TEST_F(CutByHandTest, WhatComesBeforeMustNotBeGone) {  // S27
    cut_from_third({1});
    EXPECT_THAT(world_.failure(), Optional(HasSubstr("was to give up its log from lsn=3 on, and lacks lsn=2")));
}

TEST_F(CheckerTest, LogTimeIsHeldAgainstTheTimeThatTheFirstWriterWasTold) {  // S22
    world_.at(Instant(2s), [this] {
        checker_.on_appended(kNode1, {&first_, 1}, Instant(0));  // it stood still before it wrote
        const Entry next = make(1, first_.id(), 1 + 3000);
        checker_.on_appended(kNode1, {&next, 1}, world_.now());
        EXPECT_EQ(world_.failure(), std::nullopt);
        const Entry ahead = make(1, next.id(), 1 + 4500);
        checker_.on_appended(kNode1, {&ahead, 1}, world_.now());
        EXPECT_THAT(world_.failure(), Optional(HasSubstr("log time runs ahead")));
    });
    while (world_.run_one()) {
    }
}

}  // namespace
}  // namespace tanist::sim

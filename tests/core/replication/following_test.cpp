// SPDX-License-Identifier: Apache-2.0
// What a slave appends, cuts, acknowledges and applies (S1, S5, S6, S7, S8).
#include "tests/core/bench.h"

namespace tanist::core::testing {
namespace {

using ::testing::IsEmpty;

TEST(Following, AcknowledgesOnceDurable) {  // S5
    const auto longer = entries({1, 1, 1});
    Bench b({.log = {1, 1}});
    Actions out = b.from(kNode2, 1, Append{.previous = {{1}, {2}}, .entries = part(longer, 3, 3)});
    ASSERT_EQ(all<AppendToWal>(out).size(), 1U);
    EXPECT_THAT(sent<AppendAck>(out, kNode2), IsEmpty());
    out = b.durable();
    EXPECT_EQ(sent<AppendAck>(out, kNode2).front().acknowledged, Lsn{3});
}

TEST(Following, DurableEntriesThatTheMasterHasNotShownAreNotAcknowledged) {  // S5: min(durable, matched)
    Bench b({.log = {1, 1, 1}});
    const Actions out = b.from(kNode2, 2, Append{.previous = {{1}, {1}}});
    EXPECT_EQ(sent<AppendAck>(out, kNode2).front().acknowledged, Lsn{1});
    EXPECT_THAT(all<CutLog>(out), IsEmpty()) << "a shorter message never cuts";
}

TEST(Following, StaleCompletionIsNotAcknowledgedInANewEpoch) {  // S5
    const auto mine = entries({1, 1, 1});
    const auto theirs = entries({1, 2});
    Bench b({.log = {1}});
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {1}}, .entries = part(mine, 2, 3)});  // not durable yet
    const Actions cut = b.from(kNode3, 2, Append{.previous = {{1}, {1}}, .entries = part(theirs, 2, 2)});
    ASSERT_EQ(all<CutLog>(cut).size(), 1U);
    const Actions out = b.step(WalDurable{1, {3}});  // of the generation before the cut
    EXPECT_THAT(sent<AppendAck>(out, kNode3), IsEmpty());
    EXPECT_EQ(b.view().durable, Lsn{1});
}

TEST(Following, UnknownPredecessorIsAnsweredWithTheEpochs) {  // S5
    Bench b({.log = {1, 1, 2, 2}});
    const auto reject = sent<AppendReject>(b.from(kNode2, 3, Append{.previous = {{3}, {7}}}), kNode2);
    ASSERT_EQ(reject.size(), 1U);
    EXPECT_EQ(reject.front().last, (Rank{{2}, {4}}));
    EXPECT_EQ(reject.front().epochs, (std::vector<EpochRun>{{{1}, {1}}, {{2}, {3}}}));
}

TEST(Following, CutsFromTheFirstEntryThatDiffersAfterExportingIt) {  // S5, S8
    const auto theirs = entries({1, 1, 3, 3});
    Bench b({.log = {1, 1, 2, 2, 2}, .applied = 2});
    const Actions out = b.from(kNode2, 3, Append{.previous = {{1}, {1}}, .entries = part(theirs, 2, 4)});
    ASSERT_EQ(all<CutLog>(out).size(), 1U);
    EXPECT_EQ(all<CutLog>(out).front().keep, Lsn{2});
    ASSERT_EQ(all<ExportRescued>(out).size(), 1U);
    EXPECT_EQ(all<ExportRescued>(out).front().from, Lsn{3});
    EXPECT_EQ(all<ExportRescued>(out).front().through, Lsn{5});
    EXPECT_LT(position<ExportRescued>(out), position<CutLog>(out));
    EXPECT_LT(position<CutLog>(out), position<AppendToWal>(out));
    EXPECT_EQ(all<AppendToWal>(out).front().generation, all<CutLog>(out).front().generation);
}

TEST(Following, DelayedShorterAppendCutsNothing) {  // S5
    const auto log = entries({1, 1, 1, 1});
    Bench b({.log = {1, 1, 1, 1}});
    const Actions out = b.from(kNode2, 1, Append{.previous = {{1}, {1}}, .entries = part(log, 2, 2)});
    EXPECT_THAT(all<CutLog>(out), IsEmpty());
    EXPECT_EQ(b.view().last.lsn, Lsn{4});
}

TEST(Following, CutAtOrBelowTheCommitLsnIsLogQuarantine) {  // S7
    const auto theirs = entries({1, 3, 3});
    Bench b({.log = {1, 1, 1}, .applied = 2});
    const Actions out = b.from(kNode2, 3, Append{.previous = {{1}, {1}}, .entries = part(theirs, 2, 3)});
    EXPECT_THAT(all<CutLog>(out), IsEmpty());
    EXPECT_EQ(b.view().health, Health::kQuarantined);
    EXPECT_THAT(all<Send>(b.from(kNode3, 9, VoteRequest{{{9}, {9}}, std::nullopt})), IsEmpty()) << "takes part in nothing";
}

TEST(Following, HeartbeatsCommitOnlyWhatTheMasterHasShownToBeItsOwn) {  // S6: they name no position
    Bench b({.log = {1, 1, 1}});
    Actions out = b.from(kNode2, 2, Heartbeat{.commit = {9}, .round = 4});
    EXPECT_THAT(all<Apply>(out), IsEmpty());
    EXPECT_EQ(sent<AppendAck>(out, kNode2).front().acknowledged, Lsn{0});
    EXPECT_EQ(sent<AppendAck>(out, kNode2).front().round, 4U);
    (void)b.from(kNode2, 2, Append{.previous = {{1}, {2}}});
    EXPECT_EQ(b.view().commit, Lsn{0});
    (void)b.from(kNode2, 2, Heartbeat{.commit = {9}});
    EXPECT_EQ(b.view().commit, Lsn{2});
}

TEST(Following, AppliesOnlyWhatTheMasterHasShownToBeItsOwn) {  // S6: min(master's, matched)
    Bench b({.log = {1, 1, 1}});
    const Actions out = b.from(kNode2, 2, Append{.previous = {{1}, {1}}, .commit = {9}});
    ASSERT_EQ(all<Apply>(out).size() + all<ReadLog>(out).size(), 1U);
    EXPECT_EQ(b.view().commit, Lsn{1}) << "its own diverged tail may be cut yet";
}

TEST(Following, WhatOnlyTellsCommitsIsAnsweredByATick) {
    const auto log = entries({1, 1, 1, 1, 1});
    Bench b({.log = {1}, .applied = 1});
    const auto acks = [](const Actions& out) { return sent<AppendAck>(out, kNode2); };
    const auto take = [&](std::uint64_t from, std::uint64_t through) {
        (void)b.settle(b.from(kNode2, 1, Append{.previous = {{1}, {from - 1}}, .entries = part(log, from, through), .commit = {from - 1}}));
    };
    const auto told = [&](Lsn commit, Lsn acknowledged, std::uint64_t round = 0) {
        const Append append{.previous = b.view().last, .commit = commit, .round = round, .acknowledged = acknowledged};
        return b.settle(b.from(kNode2, 1, append));
    };
    take(2, 3);
    EXPECT_EQ(acks(told({2}, {3})).size(), 1U) << "until then it would not be told that the next is committed, too";
    EXPECT_THAT(acks(told({3}, {3})), IsEmpty());
    EXPECT_EQ(b.view().applied, Lsn{3});
    const auto answers = acks(b.tick());
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers.front().acknowledged, Lsn{3});
    EXPECT_EQ(answers.front().applied, Lsn{3});
    EXPECT_THAT(acks(b.tick()), IsEmpty()) << "once";
    EXPECT_EQ(acks(told({3}, {3})).size(), 1U) << "a heartbeat";
    take(4, 4);
    EXPECT_EQ(acks(told({4}, {3})).size(), 1U) << "what is acknowledged is news to its sender";

    take(5, 5);
    EXPECT_THAT(acks(told({5}, {5})), IsEmpty());
    EXPECT_EQ(acks(told({5}, {5}, 1)).size(), 1U) << "a round of reads waits for it";
    EXPECT_THAT(acks(b.tick()), IsEmpty()) << "that was the answer";
}

TEST(Following, AppliesOnlyWhatIsDurableHere) {  // S7
    const auto longer = entries({1, 1, 1});
    Bench b({.log = {1, 1}, .applied = 2});
    Actions out = b.from(kNode2, 1, Append{.previous = {{1}, {2}}, .entries = part(longer, 3, 3), .commit = {3}});
    EXPECT_EQ(b.view().commit, Lsn{3});
    EXPECT_THAT(all<Apply>(out), IsEmpty());
    out = b.durable();
    EXPECT_EQ(all<Apply>(out).size(), 1U);
}

TEST(Following, LossOfWhatWasAcknowledgedIsLogQuarantine) {  // S1
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {2}}, .acknowledged = {3}});
    EXPECT_EQ(b.view().health, Health::kQuarantined);
}

TEST(Following, KnownHoleIsNoLossUnnoticed) {  // S1, S9
    Bench b({.log = {1, 1, 1, 1}, .tail = Tail::kInDoubt, .good = 2, .confirmed = 2});
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {4}}, .acknowledged = {4}});
    EXPECT_EQ(b.view().health, Health::kInDoubt);
}

TEST(Following, EntriesThatDoNotChainAreIgnored) {
    const auto other = entries({2, 2, 2});
    Bench b({.log = {1, 1}, .epoch = 3});
    const Actions out = b.from(kNode2, 3, Append{.previous = {{1}, {2}}, .entries = part(other, 3, 3)});
    EXPECT_THAT(all<AppendToWal>(out), IsEmpty());
    EXPECT_THAT(sent<AppendAck>(out, kNode2), IsEmpty());
}

TEST(Following, AcknowledgementsOfAnotherIncarnationAreNotTaken) {  // S1
    Bench b({.log = {1, 1}});
    (void)b.settle(b.elect());
    (void)b.step(PeerMessage{{{kCluster, {kNode2, {999}}, {2}}, AppendAck{.acknowledged = {3}}}});
    EXPECT_EQ(b.view().commit, Lsn{0});
    (void)b.from(kNode2, 2, AppendAck{.acknowledged = {3}});
    EXPECT_EQ(b.view().commit, Lsn{3});
}

TEST(Following, AWitnessRecyclesWhatIsOnEveryDataVoterAndNoMore) {  // S11
    Bench b({.log = {1, 1, 1}, .witness = kNode1});
    const Rank last{{1}, {3}};
    EXPECT_THAT(all<RecycleLog>(b.from(kNode2, 1, Append{.previous = last, .commit = {3}})), IsEmpty());
    const auto recycled = all<RecycleLog>(b.from(kNode2, 1, Append{.previous = last, .commit = {3}, .everywhere = {2}}));
    ASSERT_EQ(recycled.size(), 1U);
    EXPECT_EQ(recycled.front().through, Lsn{2});
}

TEST(Following, AWitnessKeepsWhatIsNotKnownToBeCommitted) {  // S11
    Bench b({.log = {1, 1, 1}, .witness = kNode1});
    const auto recycled = all<RecycleLog>(b.from(kNode2, 1, Append{.previous = {{1}, {3}}, .commit = {1}, .everywhere = {3}}));
    ASSERT_EQ(recycled.size(), 1U);
    EXPECT_EQ(recycled.front().through, Lsn{1});
}

}  // namespace
}  // namespace tanist::core::testing

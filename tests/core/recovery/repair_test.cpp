// SPDX-License-Identifier: Apache-2.0
// What a node with a damaged log may say and do, and how it becomes whole again (S9, S4).
#include "tests/core/bench.h"

namespace tanist::core::testing {
namespace {

using ::testing::IsEmpty;

/// Six entries were written, 5 and 6 in the last group; 5 is bad, and whether the group was fsynced is not known.
const BenchSetup kInDoubt{.log = {1, 1, 1, 1, 2, 2}, .applied = 2, .tail = Tail::kInDoubt, .good = 4, .confirmed = 4};
/// 3 is bad, and had been fsynced; what follows is good.
const BenchSetup kCorrupt{.log = {1, 1, 1, 1, 2, 2}, .applied = 2, .tail = Tail::kCorrupt, .good = 2, .behind = {4, 5, 6}, .confirmed = 6};
/// Four entries can be read, and no slot.
const BenchSetup kUnbounded{
    .log = {1, 1, 1, 1}, .epoch = 2, .applied = 2, .tail = Tail::kUnbounded, .good = 4, .confirmed = 2, .intent = 3};

bool votes_for(Bench& b, Rank rank) {
    return sent<VoteReply>(b.from(kNode2, b.view().epoch.value + 1, VoteRequest{rank, std::nullopt}), kNode2).front().granted;
}

/// Lets it ask around without a master; both others answer that they hear none, with logs that end at `second` and `third`.
Actions probe(Bench& b, Rank second, Rank third) {
    const std::uint64_t epoch = b.view().epoch.value;
    for (std::uint32_t i = 0; i < 2 * kTimeout && sent<PreVoteRequest>(b.tick(), kNode2).empty(); ++i) {
    }
    (void)b.from(kNode2, epoch, PreVoteReply{{epoch + 1}, false, std::nullopt, second});
    return b.from(kNode3, epoch, PreVoteReply{{epoch + 1}, false, std::nullopt, third});
}

/// Both others have nothing to give: the inquiry follows.
Actions inquire(Bench& b, Rank second, Rank third) {
    const std::uint64_t epoch = b.view().epoch.value;
    Actions out = probe(b, second, third);
    for (int i = 0; i < 2; ++i) {
        for (const Send& send : all<Send>(out)) {
            if (const auto* fetch = std::get_if<FetchRequest>(&send.message.body)) {
                out = b.from(send.to, epoch,
                             FetchReply{.id = fetch->id, .previous = fetch->previous, .last = send.to == kNode2 ? second : third});
                break;
            }
        }
    }
    return out;
}

TEST(Repair, VotesForNothingBelowTheIntent) {  // S9: not below `confirmed` alone
    Bench b(kInDoubt);
    EXPECT_FALSE(votes_for(b, {{1}, {4}}));
    EXPECT_FALSE(votes_for(b, {{2}, {5}}));
    EXPECT_TRUE(votes_for(b, {{2}, {6}}));
}

TEST(Repair, VotesForNothingBelowItsLastGoodRecord) {  // S9
    Bench b({.log = {1, 1, 1, 1, 2, 2}, .tail = Tail::kCorrupt, .good = 2, .behind = {4, 5, 6}, .confirmed = 4, .intent = 5});
    EXPECT_FALSE(votes_for(b, {{2}, {5}}));
    EXPECT_TRUE(votes_for(b, {{2}, {6}}));
}

TEST(Repair, VotesForNobodyWithoutUpperBound) {  // S9
    Bench b(kUnbounded);
    EXPECT_FALSE(votes_for(b, {{9}, {99}}));
}

TEST(Repair, NeverStands) {  // S9
    for (const BenchSetup& setup : {kInDoubt, kCorrupt, kUnbounded}) {
        Bench b(setup);
        const Actions out = b.tick(20 * kTimeout);
        EXPECT_THAT(sent<VoteRequest>(out, kNode2), IsEmpty());
        EXPECT_EQ(b.view().role, Role::kSlave);
        EXPECT_EQ(b.view().health, Health::kInDoubt);
    }
}

TEST(Repair, AcknowledgesAndAppliesNothing) {  // S9, S4
    Bench b(kCorrupt);
    const Actions out = b.from(kNode2, 2, Append{.previous = {{1}, {2}}, .entries = part(b.log, 3, 6), .commit = {6}});
    EXPECT_EQ(sent<AppendAck>(out, kNode2).front().acknowledged, Lsn{0});
    EXPECT_EQ(sent<AppendAck>(out, kNode2).front().intent, (Rank{{2}, {6}}));
    EXPECT_THAT(all<Apply>(out), IsEmpty());
    EXPECT_THAT(all<AppendToWal>(out), IsEmpty());
}

TEST(Repair, GivesSingleGoodRecordsBehindTheHoleToPeers) {  // S9
    Bench b(kCorrupt);
    const auto reads = all<ReadLog>(b.from(kNode2, 2, FetchRequest{5, {{1}, {3}}, {}, 1000}));
    ASSERT_EQ(reads.size(), 1U);
    EXPECT_EQ(reads.front().from, Lsn{4});
    EXPECT_EQ(reads.front().through, Lsn{6});
}

TEST(Repair, OriginalThatGoodRecordsChainToFillsTheHole) {  // S9: whatever the peer's commit LSN is
    Bench b(kCorrupt);
    const auto asked = sent<FetchRequest>(probe(b, {{2}, {6}}, {}), kNode2);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked.front().previous, (Rank{{1}, {2}}));
    Actions out =
        b.from(kNode2, 2, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(b.log, 3, 3), .last = {{2}, {6}}});
    const auto reads = all<ReadLog>(out);
    ASSERT_EQ(reads.size(), 1U) << "its own next record tells whether it chains";
    EXPECT_EQ(reads.front().from, Lsn{4});
    out = b.step(LogRead{reads.front().token, part(b.log, 4, 6)});
    ASSERT_EQ(all<RepairLog>(out).size(), 1U);
    EXPECT_EQ(all<RepairLog>(out).front().fill, part(b.log, 3, 4)) << "with the record that told";
    EXPECT_EQ(b.view().last, (Rank{{2}, {6}}));
    EXPECT_EQ(b.view().durable, Lsn{6});
}

TEST(Repair, AnotherEpochsEntryDoesNotFillTheHole) {  // S9: a hole refilled with another history
    Bench b(kCorrupt);
    const auto other = entries({1, 1, 2, 2});
    const auto asked = sent<FetchRequest>(probe(b, {{2}, {6}}, {}), kNode2);
    Actions out =
        b.from(kNode2, 2, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(other, 3, 3), .last = {{2}, {3}}});
    for (const ReadLog& read : all<ReadLog>(out)) out = b.step(LogRead{read.token, part(b.log, 4, 6)});
    EXPECT_THAT(all<RepairLog>(out), IsEmpty());
    EXPECT_EQ(b.view().health, Health::kInDoubt);
}

TEST(Repair, EntryThatDoesNotFollowWhatIsGoodIsNotTaken) {  // S9, S5: a committed entry without the predecessor check
    Bench b({.log = {1, 1, 1, 1, 1, 1}, .tail = Tail::kInDoubt, .good = 4, .confirmed = 3});
    const auto other = entries({1, 1, 2, 2, 2, 2});
    const auto asked = sent<FetchRequest>(probe(b, {{2}, {6}}, {}), kNode2);
    const Actions out =
        b.from(kNode2, 2,
               FetchReply{.id = asked.front().id, .previous = {{1}, {4}}, .entries = part(other, 5, 6), .commit = {6}, .last = {{2}, {6}}});
    EXPECT_THAT(all<RepairLog>(out), IsEmpty());
}

TEST(Repair, PeersEpochIsDurableBeforeItsEntriesFill) {  // S9
    Bench b(kCorrupt);
    const auto asked = sent<FetchRequest>(probe(b, {{2}, {6}}, {}), kNode2);
    const Actions out =
        b.from(kNode2, 7, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(b.log, 3, 6), .last = {{2}, {6}}});
    ASSERT_EQ(all<RepairLog>(out).size() + all<ReadLog>(out).size(), 1U);
    ASSERT_EQ(all<SaveVote>(out).size(), 1U);
    EXPECT_EQ(position<SaveVote>(out), 0U);
}

TEST(Repair, MasterOfALaterEpochCutsWhatWasInDoubt) {  // S9: it was elected without a vote that could have forgotten
    Bench b(kInDoubt);
    const auto theirs = entries({1, 1, 1, 1, 3});
    const auto asked = sent<FetchRequest>(b.from(kNode2, 3, Append{.previous = {{3}, {5}}}), kNode2);
    ASSERT_EQ(asked.size(), 1U);
    const Actions out =
        b.from(kNode2, 3, FetchReply{.id = asked.front().id, .previous = {{1}, {4}}, .entries = part(theirs, 5, 5), .last = {{3}, {5}}});
    ASSERT_EQ(all<RepairLog>(out).size(), 1U);
    EXPECT_EQ(b.view().last, (Rank{{3}, {5}}));
    EXPECT_NE(b.view().health, Health::kInDoubt);
}

TEST(Repair, MasterWhoseLogPartsFromGoodRecordsBehindTheHoleIsFollowedToItsEpochStart) {  // S9; found by a random history
    Bench b({.log = {1, 1, 1, 2, 2, 2}, .applied = 2, .tail = Tail::kCorrupt, .good = 2, .behind = {4, 6}, .confirmed = 6});
    const auto theirs = entries({1, 1, 1, 3, 3});
    auto asked = sent<FetchRequest>(b.from(kNode2, 3, Append{.previous = {{3}, {5}}}), kNode2);
    const auto reads = all<ReadLog>(
        b.from(kNode2, 3, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(theirs, 3, 3), .last = {{3}, {5}}}));
    ASSERT_EQ(reads.size(), 1U) << "good record 4 chains to what was here, but not to what is there";
    asked = sent<FetchRequest>(b.step(LogRead{reads.front().token, part(b.log, 4, 4)}), kNode2);
    ASSERT_EQ(asked.size(), 1U);
    asked = sent<FetchRequest>(
        b.from(kNode2, 3, FetchReply{.id = asked.front().id, .status = FetchStatus::kDiverged, .previous = {{2}, {4}}, .last = {{3}, {5}}}),
        kNode2);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked.front().previous, (Rank{{1}, {2}}));
    const Actions out =
        b.from(kNode2, 3, FetchReply{.id = asked.front().id, .previous = {{1}, {2}}, .entries = part(theirs, 3, 5), .last = {{3}, {5}}});
    ASSERT_EQ(all<RepairLog>(out).size(), 1U);
    EXPECT_EQ(b.view().last, (Rank{{3}, {4}})) << "an entry above the intent's epoch ends the hole; the rest comes as to any slave";
    const auto rescued = all<ExportRescued>(out);
    ASSERT_EQ(rescued.size(), 2U) << "S8: the record that another takes the place of, and the one above the new end";
    EXPECT_EQ(rescued[0].from, Lsn{4});
    EXPECT_EQ(rescued[0].through, Lsn{4});
    EXPECT_EQ(rescued[1].from, Lsn{6});
    EXPECT_LT(position<ExportRescued>(out), position<RepairLog>(out));
    EXPECT_NE(b.view().health, Health::kInDoubt);
    (void)b.from(kNode2, 3, Append{.previous = {{3}, {4}}, .entries = part(theirs, 5, 5)});
    EXPECT_EQ(b.view().last, (Rank{{3}, {5}}));
}

TEST(Repair, InquiryEpochIsDurableBeforeItIsSentAndBeforeItIsAnswered) {  // S9
    Bench b(kInDoubt);
    const Actions asked = inquire(b, {{1}, {4}}, {{1}, {4}});
    EXPECT_EQ(sent<Inquiry>(asked, kNode2).size(), 1U);
    EXPECT_LT(position<SaveVote>(asked), position_of_message<Inquiry>(asked));
    Bench c({.log = {1, 1}});
    const Actions answered = c.from(kNode2, 5, Inquiry{1, {3}, EntryId{{1}, {4}, 0}});
    EXPECT_LT(position<SaveVote>(answered), position_of_message<InquiryReply>(answered));
    EXPECT_EQ(sent<InquiryReply>(answered, kNode2).front().answer, InquiryAnswer::kDenies);
}

TEST(Repair, DoubtIsCutWhenThoseThatDoNotDenyAreNoMajority) {  // S9
    Bench b(kInDoubt);
    const auto inquiry = sent<Inquiry>(inquire(b, {{1}, {4}}, {{1}, {4}}), kNode2).front();
    const std::uint64_t epoch = b.view().epoch.value;
    EXPECT_THAT(all<RepairLog>(b.from(kNode2, epoch, InquiryReply{inquiry.id, InquiryAnswer::kDenies, {}, {{1}, {4}}})), IsEmpty())
        << "this node and node 3 may be the majority that committed them";
    const Actions out = b.from(kNode3, epoch, InquiryReply{inquiry.id, InquiryAnswer::kDenies, {}, {{1}, {4}}});
    ASSERT_EQ(all<RepairLog>(out).size(), 1U);
    EXPECT_THAT(all<RepairLog>(out).front().fill, IsEmpty());
    EXPECT_EQ(b.view().last, (Rank{{1}, {4}}));
}

TEST(Repair, DoubtStaysWhileTheThirdVoterIsAway) {  // the case in which a log's fsynced tail was destroyed: it must not forget
    Bench b(kInDoubt);
    const auto inquiry = sent<Inquiry>(inquire(b, {{1}, {4}}, {{1}, {4}}), kNode2).front();
    (void)b.from(kNode2, b.view().epoch.value, InquiryReply{inquiry.id, InquiryAnswer::kDenies, {}, {{1}, {4}}});
    (void)b.tick(2 * kTimeout);
    EXPECT_EQ(b.view().health, Health::kInDoubt);
    EXPECT_FALSE(votes_for(b, {{1}, {4}}));
}

TEST(Repair, AnswersToDifferentInquiriesAreNotCombined) {  // S9
    Bench b(kInDoubt);
    const auto first = sent<Inquiry>(inquire(b, {{1}, {4}}, {{1}, {4}}), kNode2).front();
    (void)b.from(kNode2, b.view().epoch.value, InquiryReply{first.id, InquiryAnswer::kDenies, {}, {{1}, {4}}});
    (void)b.from(kNode2, b.view().epoch.value + 1, HigherEpoch{});
    const Actions out = b.from(kNode3, b.view().epoch.value, InquiryReply{first.id, InquiryAnswer::kDenies, {}, {{1}, {4}}});
    EXPECT_THAT(all<RepairLog>(out), IsEmpty());
}

TEST(Repair, MemberThatHearsAMasterOnlyNamesItAndAdoptsNothing) {  // S9, S3a
    Bench b({.log = {1, 1}});
    (void)b.from(kNode2, 1, Append{.previous = {{1}, {2}}});
    const auto reply = sent<InquiryReply>(b.from(kNode3, 5, Inquiry{1, {3}, EntryId{{1}, {4}, 0}}), kNode3);
    ASSERT_EQ(reply.size(), 1U);
    EXPECT_EQ(reply.front().answer, InquiryAnswer::kHearsMaster);
    EXPECT_EQ(b.view().epoch, Epoch{1});
}

TEST(Repair, AnswersSayWhatThisLogHoldsAndMayHaveHeld) {  // S9
    const auto answer = [](const BenchSetup& setup, std::uint64_t from, std::optional<EntryId> through) {
        Bench b(setup);
        return sent<InquiryReply>(b.from(kNode2, 9, Inquiry{1, {from}, through}), kNode2).front().answer;
    };
    const BenchSetup whole{.log = {1, 1, 1, 1}};
    EXPECT_EQ(answer(whole, 3, EntryId{{1}, {6}, 0}), InquiryAnswer::kHas);
    EXPECT_EQ(answer(whole, 5, EntryId{{1}, {6}, 0}), InquiryAnswer::kDenies);
    EXPECT_EQ(answer({.log = {1, 1, 3, 3}}, 3, EntryId{{2}, {6}, 0}), InquiryAnswer::kDenies) << "a later master's log differs there";
    EXPECT_EQ(answer(kInDoubt, 5, EntryId{{2}, {6}, 0}), InquiryAnswer::kInDoubtToo);
    EXPECT_EQ(answer(kCorrupt, 3, EntryId{{2}, {6}, 0}), InquiryAnswer::kHas);
    EXPECT_EQ(answer(kUnbounded, 50, EntryId{{2}, {60}, 0}), InquiryAnswer::kInDoubtToo);
}

TEST(Repair, WhatIsConfirmedIsNeverCutByAnInquiry) {  // S9: a corrupt record is not taken for torn
    Bench b({.log = {1, 1, 1, 1, 2, 2}, .tail = Tail::kCorrupt, .good = 4, .confirmed = 6});
    EXPECT_THAT(sent<Inquiry>(inquire(b, {{1}, {4}}, {{1}, {4}}), kNode2), IsEmpty());
    EXPECT_THAT(sent<Inquiry>(b.tick(10 * kTimeout), kNode2), IsEmpty());
    EXPECT_EQ(b.view().health, Health::kInDoubt);
}

TEST(Repair, UnreadableMarkIsNotSettledByAReignInWhichThisNodeMayHaveAcknowledged) {  // S9
    Bench b(kUnbounded);
    EXPECT_THAT(sent<FetchRequest>(b.from(kNode2, 2, Append{.previous = {{2}, {5}}}), kNode2), IsEmpty());
    EXPECT_EQ(b.view().health, Health::kInDoubt);
}

TEST(Repair, UnreadableMarkIsSettledByALaterEpochStartHeldWithEverythingBeforeIt) {  // S9
    Bench b(kUnbounded);
    const auto theirs = entries({1, 1, 1, 1, 2, 2, 3});
    const auto asked = sent<FetchRequest>(b.from(kNode2, 3, Append{.previous = {{3}, {7}}}), kNode2);
    ASSERT_EQ(asked.size(), 1U);
    Actions out =
        b.from(kNode2, 3, FetchReply{.id = asked.front().id, .previous = {{1}, {4}}, .entries = part(theirs, 5, 6), .last = {{3}, {7}}});
    EXPECT_THAT(all<RepairLog>(out), IsEmpty()) << "no new segment before it is settled";
    const auto more = sent<FetchRequest>(out, kNode2);
    ASSERT_EQ(more.size(), 1U);
    out = b.from(kNode2, 3, FetchReply{.id = more.front().id, .previous = {{2}, {6}}, .entries = part(theirs, 7, 7), .last = {{3}, {7}}});
    ASSERT_EQ(all<RepairLog>(out).size(), 1U);
    EXPECT_EQ(all<RepairLog>(out).front().fill, part(theirs, 5, 7));
    EXPECT_EQ(b.view().last, (Rank{{3}, {7}}));
}

/// A stale member's log is longer, and lower: entries 3 and 4, committed in epoch 2, are not given up for it.
TEST(Repair, UnreadableMarkIsNotSettledByALongerLogOfAnEarlierEpoch) {  // S7, S9
    Bench b({.log = {1, 1, 2, 2}, .epoch = 2, .applied = 2, .tail = Tail::kUnbounded, .good = 4, .confirmed = 2, .intent = 3});
    Actions out = probe(b, {{2}, {4}}, {{1}, {5}});
    for (int i = 0; i < 3; ++i) {
        for (const auto& fetch : sent<FetchRequest>(out, kNode2))
            out = b.from(kNode2, 2, FetchReply{.id = fetch.id, .previous = fetch.previous, .last = {{2}, {4}}});
        for (const auto& fetch : sent<FetchRequest>(out, kNode3)) {
            ASSERT_EQ(fetch.previous, (Rank{{2}, {4}})) << "only what is behind our own log is asked of it";
            out = b.from(kNode3, 2,
                         FetchReply{.id = fetch.id,
                                    .status = FetchStatus::kDiverged,
                                    .previous = fetch.previous,
                                    .last = {{1}, {5}},
                                    .epochs = {{{1}, {1}}}});
        }
    }
    EXPECT_EQ(b.view().last, (Rank{{2}, {4}}));
}

/// The highest log belongs to a voter that was away while the others' were pulled: its answer tells so, and it is pulled next.
TEST(Repair, UnreadableMarkIsNotSettledByALogThatAVotersAnswerOutranks) {  // S9
    Bench b(kUnbounded);
    const auto lower = entries({1, 1, 1, 1, 1, 1}), higher = entries({1, 1, 1, 1, 2});
    std::optional<Inquiry> inquiry;
    std::vector<FetchRequest> asked;
    const auto answer = [&](Actions out) {
        for (const PreVoteRequest& request : sent<PreVoteRequest>(out, kNode2))
            (void)b.from(kNode2, b.view().epoch.value, PreVoteReply{request.proposed, false, std::nullopt, {{1}, {6}}});
        for (const FetchRequest& fetch : sent<FetchRequest>(out, kNode2))
            (void)b.from(kNode2, b.view().epoch.value,
                         FetchReply{.id = fetch.id, .previous = fetch.previous, .entries = part(lower, 5, 6), .last = {{1}, {6}}});
        for (const Inquiry& q : sent<Inquiry>(out, kNode3)) inquiry = q;
        for (const FetchRequest& fetch : sent<FetchRequest>(out, kNode3)) asked.push_back(fetch);
        return out;
    };
    for (std::uint32_t i = 0; i < 20 * kTimeout && !inquiry; ++i) (void)answer(b.tick());
    ASSERT_TRUE(inquiry);
    ASSERT_EQ(inquiry->from, Lsn{7}) << "the log of node 2 was pulled";
    const std::uint64_t epoch = b.view().epoch.value;
    (void)b.from(kNode2, epoch, InquiryReply{inquiry->id, InquiryAnswer::kDenies, {}, {{1}, {6}}});
    EXPECT_THAT(all<RepairLog>(b.from(kNode3, epoch, InquiryReply{inquiry->id, InquiryAnswer::kDenies, {}, {{2}, {5}}})), IsEmpty());
    EXPECT_EQ(b.view().last, (Rank{{1}, {4}}));

    for (std::uint32_t i = 0; i < 20 * kTimeout && asked.empty(); ++i) {
        const Actions out = b.tick();
        for (const PreVoteRequest& request : sent<PreVoteRequest>(out, kNode3)) {
            (void)b.from(kNode2, epoch, PreVoteReply{request.proposed, false, std::nullopt, {{1}, {6}}});
            for (const auto& fetch :
                 sent<FetchRequest>(b.from(kNode3, epoch, PreVoteReply{request.proposed, false, std::nullopt, {{2}, {5}}}), kNode3))
                asked.push_back(fetch);
        }
    }
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked.front().previous, (Rank{{1}, {6}}));
    const Actions again = b.from(kNode3, epoch,
                                 FetchReply{.id = asked.front().id,
                                            .status = FetchStatus::kDiverged,
                                            .previous = asked.front().previous,
                                            .last = {{2}, {5}},
                                            .epochs = {{{1}, {1}}, {{2}, {5}}}});
    ASSERT_EQ(sent<FetchRequest>(again, kNode3).size(), 1U);
    EXPECT_EQ(sent<FetchRequest>(again, kNode3).front().previous, (Rank{{1}, {4}})) << "what the lower log gave is given up";
}

/// The same where nothing could be pulled: what can be read here is longer than that voter's log, and lower.
TEST(Repair, UnreadableMarkIsNotSettledByWhatCanBeReadHereWhereAVotersAnswerOutranksIt) {  // S9
    Bench b(kUnbounded);
    (void)inquire(b, {{1}, {4}}, {{1}, {4}});
    std::optional<Inquiry> inquiry;
    for (std::uint32_t i = 0; i < kTimeout && !inquiry; ++i) {
        for (const Inquiry& q : sent<Inquiry>(b.tick(), kNode3)) inquiry = q;
    }
    ASSERT_TRUE(inquiry);
    const std::uint64_t epoch = b.view().epoch.value;
    (void)b.from(kNode2, epoch, InquiryReply{inquiry->id, InquiryAnswer::kDenies, {}, {{1}, {4}}});
    EXPECT_THAT(all<RepairLog>(b.from(kNode3, epoch, InquiryReply{inquiry->id, InquiryAnswer::kDenies, {}, {{2}, {3}}})), IsEmpty());
    EXPECT_EQ(b.view().health, Health::kInDoubt);
}

/// With the newest segment the cut of its predecessor is forgotten: entry 3 of epoch 2 is readable again, and never was committed.
class LostSegment : public ::testing::Test {
protected:
    LostSegment() { (void)ask(4, Append{.previous = {{4}, {6}}}); }
    Actions ask(std::uint64_t epoch, Body body) {
        Actions out = bench_.from(kNode2, epoch, std::move(body));
        for (const auto& fetch : sent<FetchRequest>(out, kNode2)) fetch_ = fetch;
        return out;
    }
    Actions diverge(std::vector<EpochRun> epochs) {
        return ask(4, FetchReply{.id = fetch_.id,
                                 .status = FetchStatus::kDiverged,
                                 .previous = fetch_.previous,
                                 .last = {{4}, {6}},
                                 .epochs = std::move(epochs)});
    }
    const std::vector<Entry> theirs_ = entries({1, 1, 3, 3, 3, 4});
    Bench bench_{{.log = {1, 1, 2}, .epoch = 3, .tail = Tail::kUnbounded, .good = 3, .applied_elsewhere = theirs_[4].id()}};
    FetchRequest fetch_;
};

TEST_F(LostSegment, IsRepairedThoughItEndsWithWhatHadBeenCut) {  // S7, S9
    (void)diverge({{{1}, {1}}, {{3}, {3}}, {{4}, {6}}});
    ASSERT_EQ(fetch_.previous, (Rank{{1}, {2}}));
    const Actions out =
        ask(4, FetchReply{.id = fetch_.id, .previous = fetch_.previous, .entries = part(theirs_, 3, 6), .last = {{4}, {6}}});
    ASSERT_EQ(all<RepairLog>(out).size(), 1U);
    EXPECT_EQ(bench_.view().last, (Rank{{4}, {6}}));
}

TEST_F(LostSegment, IsLeftToAPersonWhereTheMasterLacksWhatWasApplied) {  // S7
    (void)diverge({{{1}, {1}}, {{4}, {5}}});
    EXPECT_EQ(bench_.view().health, Health::kQuarantined);
}

TEST(Repair, UnreadableMarkNeedsEveryVotersAnswer) {  // S9: not only a majority that denies
    Bench b({.log = {1, 1, 1, 1}, .epoch = 2, .applied = 2, .nodes = 5, .tail = Tail::kUnbounded, .good = 4, .confirmed = 2, .intent = 3});
    std::optional<Inquiry> inquiry;
    for (int i = 0; i < 20 * static_cast<int>(kTimeout) && !inquiry; ++i) {
        for (const Inquiry& q : sent<Inquiry>(b.tick(), kNode2)) inquiry = q;
    }
    ASSERT_TRUE(inquiry);
    EXPECT_FALSE(inquiry->through);
    const std::uint64_t epoch = b.view().epoch.value;
    for (std::uint64_t node = 2; node <= 4; ++node) {
        EXPECT_THAT(all<RepairLog>(b.from({node}, epoch, InquiryReply{inquiry->id, InquiryAnswer::kDenies, {}, {{1}, {4}}})), IsEmpty());
    }
    EXPECT_EQ(all<RepairLog>(b.from({5}, epoch, InquiryReply{inquiry->id, InquiryAnswer::kDenies, {}, {{1}, {4}}})).size(), 1U);
}

/// No entry of the master's log can follow one of this log: what would was recycled there.
TEST(Copy, IsNeededWhereTheMastersLogPartsFromADamagedOneBeforeItBegins) {  // S25
    for (const BenchSetup& setup : {kUnbounded, kCorrupt, kInDoubt}) {
        Bench b(setup);
        const auto asked = sent<FetchRequest>(b.from(kNode2, 4, Append{.previous = {{4}, {9}}, .commit = {9}}), kNode2);
        ASSERT_EQ(asked.size(), 1U);
        const FetchReply parts{.id = asked.front().id,
                               .status = FetchStatus::kDiverged,
                               .previous = asked.front().previous,
                               .commit = {9},
                               .last = {{4}, {9}},
                               .epochs = {{{3}, {7}}, {{4}, {9}}}};
        (void)b.from(kNode2, 4, parts);
        ASSERT_FALSE(all<StartCopy>(b.tick()).empty());
        EXPECT_EQ(all<InstallCopy>(b.step(CopyReceived{EntryId{{4}, {9}, 1}, 1000, membership(3)})).size(), 1U);
        EXPECT_EQ(b.view().last, (Rank{{4}, {9}}));
    }
}

/// The first segments are lost, and the state with them: where the log begins now nothing was committed.
TEST(Copy, IsInstalledBelowTheBeginningOfALogThatLostItsFirstSegments) {  // S7, S25
    Bench b({.log = {1, 1, 1, 1, 1, 1}, .epoch = 1, .base = 4});
    (void)b.from(kNode2, 2, Append{.previous = {{2}, {3}}, .commit = {3}});
    const Actions asked = b.tick(2 * kTimeout);
    ASSERT_FALSE(all<StartCopy>(asked).empty());
    const auto theirs = entries({1, 1, 2});
    (void)b.from(kNode2, 2, Append{.previous = {{2}, {3}}, .commit = {3}});
    const Actions out = b.step(CopyReceived{theirs[2].id(), 1000, membership(3)});
    EXPECT_EQ(all<InstallCopy>(out).size(), 1U);
    EXPECT_EQ(b.view().commit, Lsn{3});
    EXPECT_EQ(b.view().last, (Rank{{2}, {3}}));
}

TEST(Copy, IsNotBegunForAMasterThatSaidSoBeforeTheLastOneCame) {  // S25
    Bench b({.log = {1, 1, 2}, .applied = 3});
    const auto tell = [&](std::uint64_t base) {
        (void)b.from(kNode2, 2, Append{.previous = {{2}, {base}}});
        (void)b.from(kNode2, 2, FetchReply{.status = FetchStatus::kRecycled, .previous = {{2}, {base}}, .last = {{2}, {9}}});
        return all<StartCopy>(b.tick(2));
    };
    EXPECT_THAT(tell(3), IsEmpty()) << "what follows is there";
    EXPECT_FALSE(tell(4).empty());
}

}  // namespace
}  // namespace tanist::core::testing

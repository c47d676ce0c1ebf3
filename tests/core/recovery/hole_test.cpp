// SPDX-License-Identifier: Apache-2.0
// What may fill a hole in a damaged log, when it is whole again, and what the answers to an inquiry allow (S9).
#include "core/recovery/hole.h"

#include <gmock/gmock.h>

namespace tanist::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Entries 1 .. count of `epoch`, or those behind `previous`.
std::vector<Entry> entries(int count, Epoch epoch = {1}, EntryId previous = {}) {
    std::vector<Entry> made;
    for (int i = 0; i < count; ++i) {
        made.push_back(Entry::make(epoch, previous, 1000, EntryKind::kTick, ""));
        previous = made.back().id();
    }
    return made;
}

class HoleTest : public testing::Test {
protected:
    /// Entries 1 .. 10 were written; 4 and 5 are bad, the rest is good, and the mark names 10.
    HoleTest() {
        hole_.start = log_[2].id();
        hole_.intent = log_[9].id();
        hole_.confirmed = log_[1].id();
        for (int i = 5; i < 10; ++i) hole_.behind.push_back(log_[static_cast<std::size_t>(i)].id());
    }
    const std::vector<Entry> log_ = entries(10);
    Hole hole_;
};

TEST_F(HoleTest, IsCompleteOnceAGoodRecordChainsToWhatFillsIt) {
    EXPECT_EQ(judge(hole_), Verdict::kMore);
    EXPECT_TRUE(extend_fill(hole_, log_[3], false));
    EXPECT_EQ(judge(hole_), Verdict::kMore);
    EXPECT_TRUE(extend_fill(hole_, log_[4], false));
    EXPECT_EQ(hole_.trusted, 0U);                // two entries of an uncommitted tail: whoever gave them may be wrong
    EXPECT_EQ(judge(hole_), Verdict::kReadOwn);  // entry 6 is good here, and tells
    EXPECT_TRUE(extend_fill(hole_, log_[5], false));
    EXPECT_EQ(hole_.trusted, 3U);
    EXPECT_EQ(judge(hole_), Verdict::kComplete);
    EXPECT_THAT(run_behind(hole_, {6}), ElementsAre(log_[6].id(), log_[7].id(), log_[8].id(), log_[9].id()));
}

TEST_F(HoleTest, IsNotRefilledWithAnotherEpochsEntryThatNobodyVouchesFor) {
    const auto others = entries(7, {2}, log_[2].id());
    EXPECT_TRUE(extend_fill(hole_, others[0], false));
    EXPECT_TRUE(extend_fill(hole_, others[1], false));
    EXPECT_FALSE(extend_fill(hole_, others[2], false));  // entry 6 is known, and it is not this one
    EXPECT_EQ(hole_.trusted, 0U);
    drop_untrusted(hole_);
    EXPECT_THAT(hole_.fill, IsEmpty());
}

TEST_F(HoleTest, AMastersEntryOfALaterEpochVoidsWhatWasHere) {
    const auto others = entries(1, {2}, log_[2].id());
    EXPECT_TRUE(extend_fill(hole_, others[0], true));
    EXPECT_EQ(judge(hole_), Verdict::kVoided);
}

TEST_F(HoleTest, TheRepairedLogMustOutrankWhatMayHaveBeenHere) {
    hole_.intent = EntryId{{3}, {10}, 1};  // written in epoch 3; what comes is of epoch 2
    hole_.behind.clear();
    const auto others = entries(1, {2}, log_[2].id());
    EXPECT_TRUE(extend_fill(hole_, others[0], true));
    EXPECT_EQ(judge(hole_), Verdict::kMore);
}

TEST_F(HoleTest, WithoutUpperBoundOnlyAReignThatBeganAfterThisStartSettlesIt) {
    hole_.kind = Tail::kUnbounded;
    hole_.intent.reset();
    hole_.behind.clear();
    hole_.start_epoch = {2};
    const auto same_reign = entries(3, {2}, log_[2].id());
    for (const Entry& entry : same_reign) EXPECT_TRUE(extend_fill(hole_, entry, true));
    EXPECT_EQ(judge(hole_), Verdict::kMore);
    const auto later = entries(1, {3}, same_reign.back().id());
    EXPECT_TRUE(extend_fill(hole_, later[0], true));
    EXPECT_EQ(judge(hole_), Verdict::kVoided);
}

class InquiryTest : public HoleTest {
protected:
    void answer(std::uint64_t node, InquiryAnswer answer, bool votes = true) {
        hole_.inquiry.answers.push_back({{node}, votes, answer, {}});
    }
};

TEST_F(InquiryTest, OneOfThreeDenyingSettlesNothing) {
    answer(2, InquiryAnswer::kDenies);
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kNotYet);  // this node and the silent one may be the majority that had it
}

TEST_F(InquiryTest, IsCutWhenThoseThatDoNotDenyAreFewerThanAMajority) {
    answer(2, InquiryAnswer::kDenies);
    answer(3, InquiryAnswer::kDenies);
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kCut);
    EXPECT_EQ(settle(hole_, 5, 3), Settled::kNotYet);
    answer(4, InquiryAnswer::kDenies);
    EXPECT_EQ(settle(hole_, 5, 3), Settled::kCut);
}

TEST_F(InquiryTest, DoubtElsewhereIsNoDenialButAnAnswer) {
    answer(2, InquiryAnswer::kInDoubtToo);
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kNotYet);
    answer(3, InquiryAnswer::kInDoubtToo);
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kCut);  // every voter has answered, and none has a good copy
}

TEST_F(InquiryTest, AGoodCopyAnywhereIsFetchedEvenFromWhoDoesNotVote) {
    answer(2, InquiryAnswer::kDenies);
    answer(3, InquiryAnswer::kDenies);
    answer(4, InquiryAnswer::kHas, false);
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kFetch);
}

TEST_F(InquiryTest, SparesDoNotSettleAnything) {
    answer(4, InquiryAnswer::kDenies, false);
    answer(5, InquiryAnswer::kDenies, false);
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kNotYet);
}

TEST_F(InquiryTest, WithoutUpperBoundEveryVoterMustAnswer) {
    hole_.kind = Tail::kUnbounded;
    answer(2, InquiryAnswer::kDenies);
    answer(3, InquiryAnswer::kDenies);
    EXPECT_EQ(settle(hole_, 5, 3), Settled::kNotYet);
    answer(4, InquiryAnswer::kDenies);
    EXPECT_EQ(settle(hole_, 5, 3), Settled::kNotYet);
    answer(5, InquiryAnswer::kDenies);
    EXPECT_EQ(settle(hole_, 5, 3), Settled::kCut);
}

TEST_F(InquiryTest, WithoutUpperBoundALongerLogThatIsLowerHoldsUpNothing) {  // S9, S6: its end was never committed
    hole_.kind = Tail::kUnbounded;
    const Rank tip = hole_.tip().rank();
    answer(2, InquiryAnswer::kDenies);
    hole_.inquiry.answers.push_back({{3}, true, InquiryAnswer::kHas, {tip.epoch, tip.lsn.next()}});
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kFetch);
    hole_.inquiry.answers.back().last = {{tip.epoch.value - 1}, {tip.lsn.value + 9}};
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kCut);
    hole_.kind = Tail::kInDoubt;
    EXPECT_EQ(settle(hole_, 3, 2), Settled::kFetch) << "what is in doubt is asked for, whoever has it";
}

TEST_F(InquiryTest, WhatIsKnownToHaveBeenDurableOrAppliedIsNotInDoubt) {
    EXPECT_FALSE(may_inquire(hole_, {2}, {}));  // at `confirmed`: corruption
    EXPECT_TRUE(may_inquire(hole_, {4}, {}));
    EXPECT_FALSE(may_inquire(hole_, {4}, Lsn{5}));  // the store has executed it
}

}  // namespace
}  // namespace tanist::core

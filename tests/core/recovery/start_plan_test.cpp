// SPDX-License-Identifier: Apache-2.0
// The table of what a start calls for is complete, and each case stands in it once (S1, S3, S9).
#include "core/recovery/start_plan.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace tanist::core {
namespace {

constexpr std::array kTails = {Tail::kClean, Tail::kTorn, Tail::kInDoubt, Tail::kCorrupt, Tail::kUnbounded};

TEST(StartPlan, HasExactlyOneRowForEachCase) {
    for (const VoteFound vote : {VoteFound::kLost, VoteFound::kKept}) {
        for (const Tail tail : kTails) {
            for (const bool only_voter : {false, true}) {
                const auto rows = std::ranges::count_if(kStartCases, [&](const StartCase& row) {
                    return row.vote == vote && row.tail == tail && row.only_voter == only_voter;
                });
                EXPECT_EQ(rows, 1) << static_cast<int>(vote) << ' ' << static_cast<int>(tail) << ' ' << only_voter;
            }
        }
    }
}

TEST(StartPlan, ALostVoteFileNeverJoinsUnderItsOldIncarnation) {  // S3
    for (const Tail tail : kTails) {
        EXPECT_EQ(start_plan(VoteFound::kLost, tail, false), StartPlan::kNewIncarnation);
        EXPECT_EQ(start_plan(VoteFound::kLost, tail, true), StartPlan::kRefuseToStart);
    }
}

TEST(StartPlan, TheOnlyVoterCutsDoubtAndRefusesCorruption) {  // S9
    EXPECT_EQ(start_plan(VoteFound::kKept, Tail::kInDoubt, true), StartPlan::kCutThenJoin);
    EXPECT_EQ(start_plan(VoteFound::kKept, Tail::kCorrupt, true), StartPlan::kRefuseToStart);
    EXPECT_EQ(start_plan(VoteFound::kKept, Tail::kUnbounded, true), StartPlan::kRefuseToStart);
}

TEST(StartPlan, AHoleIsRepairedBeforeAnythingElseWhereThereArePeers) {  // S9
    for (const Tail tail : {Tail::kInDoubt, Tail::kCorrupt, Tail::kUnbounded}) {
        EXPECT_EQ(start_plan(VoteFound::kKept, tail, false), StartPlan::kRepairThenJoin);
    }
}

}  // namespace
}  // namespace tanist::core

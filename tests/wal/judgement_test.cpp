// SPDX-License-Identifier: Apache-2.0
#include "wal/judgement.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tanist::wal {
namespace {

constexpr std::array kPlaces = {Place::kNowhere, Place::kUpToConfirmed, Place::kUpToIntent, Place::kAboveIntent};

TEST(Judgement, ExactlyOneRowFitsEachCase) {  // S9
    std::array<int, kJudgementCases.size()> used{};
    for (const bool bounded : {false, true}) {
        for (const Place place : kPlaces) {
            for (const bool only_voter : {false, true}) {
                int fitting = 0;
                for (std::size_t i = 0; i < kJudgementCases.size(); ++i) {
                    const JudgementCase& row = kJudgementCases[i];
                    if (row.bounded.value_or(bounded) != bounded || row.first_bad.value_or(place) != place ||
                        row.only_voter.value_or(only_voter) != only_voter) {
                        continue;
                    }
                    ++fitting;
                    ++used[i];
                    EXPECT_EQ(judge(bounded, place, only_voter), row.judgement);
                }
                EXPECT_EQ(fitting, 1) << "bounded " << bounded << ", place " << static_cast<int>(place) << ", only voter " << only_voter;
            }
        }
    }
    EXPECT_EQ(std::ranges::count(used, 0), 0) << "a row that fits no case";
}

TEST(Judgement, CutsOnlyWhatWasNeverReportedDurableOrNobodyCanBeAskedAbout) {  // S9
    for (const JudgementCase& row : kJudgementCases) {
        if (row.judgement.plan != Plan::kCutThere) continue;
        EXPECT_TRUE(row.bounded.value_or(false));
        EXPECT_TRUE(row.first_bad == Place::kAboveIntent || (row.first_bad == Place::kUpToIntent && row.only_voter == true));
    }
}

TEST(Judgement, PlaceIsToldByConfirmedAndIntent) {
    const auto id = [](std::uint64_t epoch, std::uint64_t lsn) { return EntryId{Epoch{epoch}, Lsn{lsn}, 1}; };
    const Mark mark{.intent = id(2, 20), .confirmed = id(2, 10)};
    EXPECT_EQ(place_of(std::nullopt, id(2, 20), mark), Place::kNowhere);
    EXPECT_EQ(place_of(Lsn{1}, {}, mark), Place::kUpToConfirmed);
    EXPECT_EQ(place_of(Lsn{10}, id(2, 9), mark), Place::kUpToConfirmed);
    EXPECT_EQ(place_of(Lsn{11}, id(2, 10), mark), Place::kUpToIntent);
    EXPECT_EQ(place_of(Lsn{20}, id(2, 19), mark), Place::kUpToIntent);
    EXPECT_EQ(place_of(Lsn{21}, id(2, 20), mark), Place::kAboveIntent);
    // Behind a reset that kept the rank of a higher epoch: the LSN alone would call it torn (S25).
    EXPECT_EQ(place_of(Lsn{31}, id(1, 30), {.intent = id(2, 20), .confirmed = id(1, 30)}), Place::kUpToIntent);
}

}  // namespace
}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
#include "replica/session_token.h"

#include <gtest/gtest.h>

namespace tanist::replica {
namespace {

Rank rank(std::uint64_t epoch, std::uint64_t lsn) { return {Epoch{epoch}, Lsn{lsn}}; }

/// A log of epochs 2 (through lsn 10), 4 (through 20) and 5; what is older than lsn 5 is not known any more.
std::optional<Epoch> epoch_at(Lsn lsn) {
    if (lsn < Lsn{5}) return std::nullopt;
    return lsn <= Lsn{10} ? Epoch{2} : lsn <= Lsn{20} ? Epoch{4} : Epoch{5};
}

TokenState judge(Rank token, Rank applied) { return judge_token(token, applied, epoch_at); }

TEST(SessionToken, IsReachedByWhatHoldsItsEntry) {
    EXPECT_EQ(judge({}, {}), TokenState::kReached) << "a session that has seen nothing";
    EXPECT_EQ(judge(rank(5, 25), rank(5, 25)), TokenState::kReached);
    EXPECT_EQ(judge(rank(4, 12), rank(5, 25)), TokenState::kReached);
    EXPECT_EQ(judge(rank(2, 3), rank(5, 25)), TokenState::kReached) << "too old to tell";
}

TEST(SessionToken, IsAheadOfWhatMayStillComeToIt) {
    EXPECT_EQ(judge(rank(5, 26), rank(5, 25)), TokenState::kAhead);
    EXPECT_EQ(judge(rank(6, 26), rank(5, 25)), TokenState::kAhead);
}

TEST(SessionToken, IsCutWhereAnotherEpochStandsInItsPlace) {
    EXPECT_EQ(judge(rank(3, 12), rank(5, 25)), TokenState::kCut);
    EXPECT_EQ(judge(rank(6, 22), rank(5, 25)), TokenState::kCut) << "applied beyond it, and never in that epoch";
    EXPECT_EQ(judge(rank(4, 26), rank(5, 25)), TokenState::kCut) << "no entry of its epoch follows one of a higher epoch";
}

}  // namespace
}  // namespace tanist::replica

// SPDX-License-Identifier: Apache-2.0
// Where two logs part is found from their epochs alone, in one step (S5).
#include "core/replication/divergence.h"

#include <gmock/gmock.h>

#include "base/random.h"

namespace tanist::core {
namespace {

/// A log whose entry at LSN i+1 is of epochs[i], behind a base that is recycled.
LogState log_of(const std::vector<std::uint64_t>& epochs, Rank base = {}) {
    LogState::Start start{.base = {base.epoch, base.lsn, 0}};
    start.last = start.base;
    for (const std::uint64_t epoch : epochs) {
        start.last = {{epoch}, start.last.lsn.next(), 0};
        if (start.epochs.empty() || start.epochs.back().epoch != Epoch{epoch}) start.epochs.push_back({{epoch}, start.last.lsn});
    }
    start.durable = start.last.lsn;
    return {start, 1 << 20};
}

std::optional<Rank> common(const LogState& ours, const LogState& theirs) {
    return common_point(ours, theirs.last().rank(), theirs.newest_epochs(100));
}

TEST(Divergence, OfALogThatIsAPrefixIsItsEnd) {
    EXPECT_EQ(common(log_of({1, 1, 2, 2}), log_of({1, 1, 2})), (Rank{{2}, {3}}));
    EXPECT_EQ(common(log_of({1, 1}), log_of({1, 1, 2})), (Rank{{1}, {2}}));
    EXPECT_EQ(common(log_of({1, 1}), log_of({1, 1})), (Rank{{1}, {2}}));
}

TEST(Divergence, LiesBeforeTheFirstEpochThatOnlyOneOfThemHas) {
    EXPECT_EQ(common(log_of({1, 1, 3, 3}), log_of({1, 1, 2, 2, 2})), (Rank{{1}, {2}}));
    EXPECT_EQ(common(log_of({1, 1, 1, 3}), log_of({1, 1, 2, 2, 2})), (Rank{{1}, {2}}));
}

TEST(Divergence, OfLogsWithNothingInCommonIsTheirBeginning) {
    EXPECT_EQ(common(log_of({2}), log_of({1, 1})), Rank{});
    EXPECT_EQ(common(log_of({2}), log_of({})), Rank{});
}

TEST(Divergence, BelowOurBaseIsNotTold) { EXPECT_EQ(common(log_of({5}, {{4}, {10}}), log_of({1, 1, 2})), std::nullopt); }

TEST(Divergence, AtOurBaseIsKnown) {
    const LogState ours = log_of({5}, {{1}, {2}});
    EXPECT_EQ(common(ours, log_of({1, 1, 2})), (Rank{{1}, {2}}));
}

// Logs as a cluster makes them: an epoch's entries come from one master, which began with a prefix of some log.
TEST(Divergence, IsTheLongestCommonPrefixOfAnyTwoLogs) {
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        Random random(seed);
        std::vector<std::vector<std::uint64_t>> logs{{}};
        for (std::uint64_t epoch = 1; epoch <= 6; ++epoch) {
            std::vector<std::uint64_t> log = logs[random.below(logs.size())];
            log.resize(random.below(log.size() + 1));
            log.insert(log.end(), 1 + random.below(4), epoch);
            logs.push_back(log);
            log.resize(log.size() - random.below(3) % log.size());  // a slave that did not get all of it
            logs.push_back(log);
        }
        for (const auto& ours : logs) {
            for (const auto& theirs : logs) {
                const auto parted = std::ranges::mismatch(ours, theirs).in1 - ours.begin();
                const Rank expected =
                    parted == 0 ? Rank{} : Rank{{ours[static_cast<std::size_t>(parted) - 1]}, {static_cast<std::uint64_t>(parted)}};
                ASSERT_EQ(common(log_of(ours), log_of(theirs)), expected) << "seed " << seed;
            }
        }
    }
}

}  // namespace
}  // namespace tanist::core

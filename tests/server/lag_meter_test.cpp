// SPDX-License-Identifier: Apache-2.0
#include "server/lag_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tanist::server::testing {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

constexpr std::uint64_t kStartMs = 1'000'000, kTickMs = 10;

/// A hundred entries a tick.
Lsn committed_by(std::uint64_t at_ms) { return Lsn{1000 + 10 * (at_ms - kStartMs)}; }

class LagMeterTest : public ::testing::Test {
protected:
    /// The node applies everything `delay_ms` after it was committed.
    void run_until(std::uint64_t end_ms, std::uint64_t delay_ms) {
        for (; now_ms_ < end_ms; now_ms_ += kTickMs) {
            meter_.note(committed_by(std::max(now_ms_ - delay_ms, kStartMs)), committed_by(now_ms_), now_ms_);
        }
    }
    [[nodiscard]] std::uint64_t lag_ms() const { return now_ms_ - meter_.as_of_ms(); }

    std::uint64_t now_ms_ = kStartMs;
    LagMeter meter_{kStartMs};
};

TEST_F(LagMeterTest, UnderASteadyLoadIsWhatApplyingTakes) {
    run_until(kStartMs + 20'000, 30);
    EXPECT_THAT(lag_ms(), AllOf(Ge(30U), Le(30 + 2 * kTickMs)));
}

TEST_F(LagMeterTest, OfANodeThatStandsStillGrowsWithTime) {
    run_until(kStartMs + 1000, 30);
    const Lsn applied = committed_by(now_ms_ - 30);
    const std::uint64_t before = lag_ms();
    for (; now_ms_ < kStartMs + 60'000; now_ms_ += kTickMs) meter_.note(applied, committed_by(now_ms_), now_ms_);
    EXPECT_THAT(lag_ms(), AllOf(Ge(before + 59'000 - kTickMs), Le(before + 59'000)));
    meter_.note(committed_by(now_ms_), committed_by(now_ms_), now_ms_);
    EXPECT_EQ(lag_ms(), 0U);
}

TEST_F(LagMeterTest, OfANodeFarBehindIsToldToAPartOfIt) {
    for (const std::uint64_t delay_ms : {1000, 5000, 60'000}) {
        run_until(now_ms_ + 5 * delay_ms, delay_ms);
        for (int i = 0; i < 1000; ++i) {
            run_until(now_ms_ + delay_ms / 100, delay_ms);
            ASSERT_THAT(lag_ms(), AllOf(Ge(delay_ms), Le(delay_ms + delay_ms / 16))) << delay_ms;
        }
    }
}

TEST_F(LagMeterTest, IsOfTheNewestWord) {
    meter_.note(Lsn{10}, Lsn{10}, kStartMs - 500);
    EXPECT_EQ(meter_.as_of_ms(), kStartMs - 500) << "better known than the start";
    meter_.note(Lsn{10}, Lsn{10}, kStartMs);
    meter_.note(Lsn{10}, Lsn{10}, kStartMs - 100);
    EXPECT_EQ(meter_.as_of_ms(), kStartMs) << "an older one takes nothing back";
    meter_.note(Lsn{10}, Lsn{12}, kStartMs + 50);
    meter_.note(Lsn{11}, Lsn{12}, kStartMs + 90);
    EXPECT_EQ(meter_.as_of_ms(), kStartMs);
    meter_.note(Lsn{12}, Lsn{13}, kStartMs + 100);
    EXPECT_EQ(meter_.as_of_ms(), kStartMs + 90) << "when what is applied now was still all there was";
}

TEST_F(LagMeterTest, CountsFromTheStartUntilSomethingIsKnown) {
    meter_.note(Lsn{1}, Lsn{9}, kStartMs + 100);
    meter_.note(Lsn{2}, Lsn{9}, kStartMs + 900);
    EXPECT_EQ(meter_.as_of_ms(), kStartMs);
}

}  // namespace
}  // namespace tanist::server::testing

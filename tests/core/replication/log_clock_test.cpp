// SPDX-License-Identifier: Apache-2.0
// Log time (S22): never backwards, on from the newest entry, towards wall time at a bounded rate.
#include "core/replication/log_clock.h"

#include <gmock/gmock.h>

namespace tanist::core {
namespace {

TEST(LogClock, StartsAtWallTime) {
    LogClock clock;
    EXPECT_EQ(clock.read({.monotonic_ms = 5, .wall_ms = 1'000'000}), 1'000'000U);
}

TEST(LogClock, RunsWithTheMonotonicClockWhileWallTimeAgrees) {
    LogClock clock;
    clock.observe(1'000'000, {.monotonic_ms = 100, .wall_ms = 1'000'000});
    EXPECT_EQ(clock.read({.monotonic_ms = 350, .wall_ms = 1'000'250}), 1'000'250U);
}

TEST(LogClock, GoesOnFromTheNewestEntryWhateverTheNewMastersWallClockSays) {  // a new master
    LogClock clock;
    clock.observe(1'000'000, {.monotonic_ms = 7, .wall_ms = 400'000});
    EXPECT_GE(clock.read({.monotonic_ms = 7, .wall_ms = 400'000}), 1'000'000U);
}

TEST(LogClock, DoesNotCountForHowLongTheMachineHadRunWhenTheProcessStarted) {  // S22
    constexpr std::uint64_t kUptimeMs = 100ULL * 24 * 3600 * 1000;
    LogClock clock;
    clock.resume(1'000'000);
    EXPECT_EQ(clock.read({.monotonic_ms = kUptimeMs, .wall_ms = 1'000'000}), 1'000'000U);
    EXPECT_EQ(clock.read({.monotonic_ms = kUptimeMs + 50, .wall_ms = 1'000'050}), 1'000'050U);
}

TEST(LogClock, AWallClockThatJumpsAheadIsFollowedAtTwiceTheRateAtMost) {
    LogClock clock;
    clock.observe(1'000'000, {.monotonic_ms = 0, .wall_ms = 1'000'000});
    EXPECT_EQ(clock.read({.monotonic_ms = 100, .wall_ms = 9'000'000}), 1'000'200U);
}

TEST(LogClock, AWallClockThatJumpsBackSlowsItDownAndNeverTurnsItBack) {
    LogClock clock;
    clock.observe(1'000'000, {.monotonic_ms = 0, .wall_ms = 1'000'000});
    std::uint64_t before = 1'000'000;
    for (std::uint64_t elapsed = 10; elapsed <= 5000; elapsed += 10) {
        const std::uint64_t now = clock.read({.monotonic_ms = elapsed, .wall_ms = 1000});
        ASSERT_GE(now, before);
        ASSERT_LE(now, 1'000'000 + elapsed);
        before = now;
    }
    EXPECT_GE(before, 1'000'000 + 5000 / 2 - 20U);  // at half the rate
}

TEST(LogClock, NeverReturnsLessThanItHandedOut) {
    LogClock clock;
    const std::uint64_t handed_out = clock.read({.monotonic_ms = 10, .wall_ms = 1'000'000});
    clock.observe(500, {.monotonic_ms = 10, .wall_ms = 1'000'000});  // an older entry that came late
    EXPECT_GE(clock.read({.monotonic_ms = 0, .wall_ms = 0}), handed_out);
}

}  // namespace
}  // namespace tanist::core

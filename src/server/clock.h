// SPDX-License-Identifier: Apache-2.0
// The clocks that the core is told and that deadlines are counted by.
#pragma once

#include <time.h>

#include <cstdint>

#include "core/event.h"

namespace tanist::server {

namespace detail {
inline std::uint64_t read_ms(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}
}  // namespace detail

/// Since 1970; may jump.
[[nodiscard]] inline std::uint64_t wall_us() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

/// To measure how long something took.
[[nodiscard]] inline std::uint64_t monotonic_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

/// Runs through suspend (S16): a machine that wakes up must notice that it was silent.
[[nodiscard]] inline std::uint64_t monotonic_ms() { return detail::read_ms(CLOCK_BOOTTIME); }

[[nodiscard]] inline core::Clock read_clock() { return {monotonic_ms(), detail::read_ms(CLOCK_REALTIME)}; }

}  // namespace tanist::server

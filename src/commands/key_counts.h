// SPDX-License-Identifier: Apache-2.0
// How many keys there are: kept with the state, so that it is exact and costs nothing to tell.
#pragma once

#include <cstdint>

namespace tanist::commands {

/// What is counted of all keys, those that are due and not yet removed included.
struct KeyCounts {
    std::uint64_t keys = 0;
    std::uint64_t expiring = 0;   ///< keys that have a deadline
    std::uint64_t deadlines = 0;  ///< the sum of their deadlines, in milliseconds of log time, modulo 2^64
    friend bool operator==(const KeyCounts&, const KeyCounts&) = default;

    /// Of the keys that have a deadline, how long they have left at `now`, on average.
    [[nodiscard]] std::uint64_t mean_left_ms(std::uint64_t now) const {
        if (expiring == 0) return 0;
        const auto left = static_cast<std::int64_t>(deadlines - expiring * now);
        return left < 0 ? 0 : static_cast<std::uint64_t>(left) / expiring;
    }
};

}  // namespace tanist::commands

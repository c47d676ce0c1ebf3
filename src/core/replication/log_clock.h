// SPDX-License-Identifier: Apache-2.0
// Log time (S22): what "now" is for an entry. Never goes backwards, continues over failovers, and drifts towards wall time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/event.h"

namespace tanist::core {

/// Log time runs on from the newest entry by the monotonic clock. Where wall time is ahead, it runs up to twice as fast, so that
/// the gap of an outage closes in as long as the outage lasted; where wall time is behind, up to half as fast. A wall clock that
/// jumps can thus never expire keys or sessions at once.
class LogClock {
public:
    /// An entry with `timestamp` was added to the log, by whomever.
    void observe(std::uint64_t timestamp, const Clock& now) {
        newest_ = std::max(newest_, timestamp);
        anchor_ = newest_;
        anchor_monotonic_ms_ = now.monotonic_ms;
    }
    /// The timestamp of an entry created now.
    [[nodiscard]] std::uint64_t read(const Clock& now) {
        if (newest_ == 0) {  // the first entry of all: nothing to continue from
            observe(std::max<std::uint64_t>(now.wall_ms, 1), now);
            return newest_;
        }
        const std::uint64_t elapsed = now.monotonic_ms > anchor_monotonic_ms_ ? now.monotonic_ms - anchor_monotonic_ms_ : 0;
        const std::uint64_t unslewed = anchor_ + elapsed;
        std::uint64_t time = unslewed;
        if (now.wall_ms > unslewed) {
            time += std::min(now.wall_ms - unslewed, elapsed);
        } else if (now.wall_ms > 0) {
            time -= std::min(unslewed - now.wall_ms, elapsed / 2);
        }
        newest_ = std::max(newest_, time);
        if (elapsed >= kAnchorAfterMs) {
            anchor_ = newest_;
            anchor_monotonic_ms_ = now.monotonic_ms;
        }
        return newest_;
    }

private:
    static constexpr std::uint64_t kAnchorAfterMs = 1000;  ///< rounding is small against it

    std::uint64_t newest_ = 0;  ///< handed out or observed
    std::uint64_t anchor_ = 0, anchor_monotonic_ms_ = 0;
};

}  // namespace tanist::core

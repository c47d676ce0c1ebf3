// SPDX-License-Identifier: Apache-2.0
// Log time (S22): what "now" is for an entry. Never goes backwards, continues over failovers, and drifts towards wall time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/event.h"

namespace tanist::core {

/// Log time runs on from the newest entry by the monotonic clock. Where wall time is ahead, it runs up to twice as fast, so that
/// the gap of an outage closes in as long as the outage lasted; where wall time is behind, up to half as fast. A wall clock that
/// jumps can thus never expire keys or sessions at once.
class LogClock {
public:
    /// The process starts with a log that ends at `timestamp`. How long ago that was no clock tells that could be trusted, the monotonic
    /// one least: it may have run for months. So log time stands still until it is wanted.
    void resume(std::uint64_t timestamp) { newest_ = anchor_ = timestamp; }
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
        if (!anchor_monotonic_ms_) anchor_monotonic_ms_ = now.monotonic_ms;
        const std::uint64_t elapsed = now.monotonic_ms > *anchor_monotonic_ms_ ? now.monotonic_ms - *anchor_monotonic_ms_ : 0;
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
    std::uint64_t anchor_ = 0;
    std::optional<std::uint64_t> anchor_monotonic_ms_;  ///< when log time was anchor_; nullopt: in an earlier life of the process
};

}  // namespace tanist::core

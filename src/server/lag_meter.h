// SPDX-License-Identifier: Apache-2.0
// How far a node is behind, in time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/types.h"

namespace tanist::server {

/// Under a steady load a node is never seen to have applied all that is committed, for what it tells of itself is under way as well. So
/// commit LSNs are kept with the times at which they were the newest known: when one of them is applied, the node is as new as that time.
class LagMeter {
public:
    /// Until more is known, its lag counts from `now_ms` (monotonic, as all times here).
    explicit LagMeter(std::uint64_t now_ms) : as_of_ms_(now_ms) {}

    /// `commit` was committed by `at_ms`, and nothing above it was known then; `applied` is what the node has applied by now.
    void note(Lsn applied, Lsn commit, std::uint64_t at_ms) {
        if (applied >= commit) {
            marks_.clear();
            as_of_ms_ = is_known_ ? std::max(as_of_ms_, at_ms) : at_ms;
            is_known_ = true;
            return;
        }
        const auto above = std::ranges::upper_bound(marks_, applied, {}, &Mark::commit);
        if (above != marks_.begin()) {
            as_of_ms_ = std::max(as_of_ms_, std::prev(above)->at_ms);
            is_known_ = true;
            marks_.erase(marks_.begin(), above);
        }
        if (!marks_.empty() && marks_.back().commit == commit) {
            marks_.back().at_ms = std::max(marks_.back().at_ms, at_ms);
        } else if (marks_.empty() || (marks_.back().commit < commit && at_ms >= marks_.back().at_ms + spacing_ms(at_ms))) {
            marks_.push_back({commit, at_ms});
        }
    }
    /// It has applied all that was committed by then.
    [[nodiscard]] std::uint64_t as_of_ms() const { return as_of_ms_; }

private:
    struct Mark {
        Lsn commit;
        std::uint64_t at_ms;
    };
    static constexpr std::uint64_t kSpacingMs = 10;

    /// The longer the lag, the rarer they are: so it is told to a part of it, and there are few.
    [[nodiscard]] std::uint64_t spacing_ms(std::uint64_t at_ms) const {
        return std::max(kSpacingMs, (at_ms - std::min(at_ms, marks_.front().at_ms)) / 32);
    }

    std::vector<Mark> marks_;  ///< not applied yet, ascending
    std::uint64_t as_of_ms_;
    bool is_known_ = false;
};

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// How old a read from the state here can be at most (S18, `max_lag`), by what linearizable reads have shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/mutant.h"
#include "base/types.h"

namespace tanist::replica {

/// The commit LSN that a confirmation round returns is at or above all that was committed when the round was asked for. So as soon as it
/// is applied, the state here is as new as that moment, by this node's own clock: however long the answer was under way, and whatever
/// a master that has been deposed, or a process that stood still, believes.
class Freshness {
public:
    /// A round that was asked for at `asked_ms` (monotonic) has returned `commit`.
    void confirm(Lsn commit, std::uint64_t asked_ms) {
        if (pending_.size() == kPendingMax) pending_.pop_front();  // an older one says less
        pending_.push_back({commit, asked_ms});
    }
    /// Whether what is applied here holds everything that was committed up to `max_lag_ms` ago.
    [[nodiscard]] bool is_within(std::uint64_t max_lag_ms, std::uint64_t now_ms, Lsn applied) {
        while (!pending_.empty() && pending_.front().commit <= applied) {
            as_of_ms_ = pending_.front().asked_ms;
            is_known_ = true;
            pending_.pop_front();
        }
        return mutant(Mutant::kLagNotProven) || (is_known_ && now_ms <= as_of_ms_ + max_lag_ms);
    }

private:
    static constexpr std::size_t kPendingMax = 64;
    struct Confirmed {
        Lsn commit;
        std::uint64_t asked_ms;
    };
    std::deque<Confirmed> pending_;  ///< in the order in which they were asked for
    std::uint64_t as_of_ms_ = 0;
    bool is_known_ = false;
};

}  // namespace tanist::replica

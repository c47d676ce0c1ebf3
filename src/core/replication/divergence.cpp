// SPDX-License-Identifier: Apache-2.0
#include "core/replication/divergence.h"

#include <algorithm>

namespace tanist::core {
namespace {

/// Our entries of one epoch: `first` .. `end`, base() included.
struct Held {
    Lsn first, end;
};

std::optional<Held> held_of(const LogState& ours, Epoch epoch) {
    const auto runs = ours.epochs();
    const auto run = std::ranges::find(runs, epoch, &EpochRun::epoch);
    const bool is_base = ours.base().epoch == epoch;
    if (run == runs.end()) {
        if (!is_base) return std::nullopt;
        return Held{ours.base().lsn, ours.base().lsn};
    }
    const Lsn end = std::next(run) == runs.end() ? ours.last().lsn : std::next(run)->first_lsn.previous();
    return Held{is_base ? ours.base().lsn : run->first_lsn, end};
}

}  // namespace

std::optional<Rank> common_point(const LogState& ours, Rank last, std::span<const EpochRun> epochs) {
    if (ours.holds(last)) return last;
    Lsn end = last.lsn;
    for (auto run = epochs.rbegin(); run != epochs.rend(); ++run) {
        if (const auto held = held_of(ours, run->epoch)) {
            const Lsn shared = std::min(end, held->end);
            if (shared >= run->first_lsn && shared >= held->first) return Rank{run->epoch, shared};
        }
        end = run->first_lsn.previous();
    }
    if (ours.base().lsn.is_zero() && end.is_zero()) return Rank{};  // both begin at the first entry, and part there
    return std::nullopt;
}

}  // namespace tanist::core

// SPDX-License-Identifier: Apache-2.0
#include "replica/warm_up.h"

#include <vector>

#include "base/limits.h"

namespace tanist::replica {

void warm_up(const wal::Log& log, commands::StateMachine& state, const commands::StateMachine::TimeLeft& time_left) {
    constexpr std::size_t kReadBytes = 4 * limits::kMiB;
    const Lsn applied = state.position().applied.lsn, last = log.last().lsn;
    if (applied.is_zero()) return;  // there is nothing to look up
    const auto next_entries = [&, next = applied.next()]() mutable -> std::vector<Entry> {
        if (next > last) return {};
        auto read = log.read(next, last, kReadBytes);
        if (!read || read->empty()) return {};  // a hole, or recycled: met again by whoever needs it
        next = read->back().lsn().next();
        return *std::move(read);
    };
    state.warm(next_entries, time_left);
}

}  // namespace tanist::replica

// SPDX-License-Identifier: Apache-2.0
#include "replica/warm_up.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/limits.h"

namespace tanist::replica {

void warm_up(const wal::Log& log, commands::StateMachine& state) {
    constexpr std::size_t kBytesMax = 256 * limits::kMiB, kReadBytes = 4 * limits::kMiB;
    const Lsn applied = state.position().applied.lsn, last = log.last().lsn;
    if (applied.is_zero()) return;  // there is nothing to look up
    std::vector<Entry> entries;
    std::size_t bytes = 0;
    for (Lsn next = applied.next(); next <= last && bytes < kBytesMax; next = entries.back().lsn().next()) {
        auto read = log.read(next, last, kReadBytes);
        if (!read || read->empty()) break;  // a hole, or recycled: met again by whoever needs it
        for (const Entry& entry : *read) bytes += entry.size();
        std::ranges::move(*read, std::back_inserter(entries));
    }
    state.warm(entries);
}

}  // namespace tanist::replica

// SPDX-License-Identifier: Apache-2.0
// What was changed in the hot set between two positions, on its way to the cold tier.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/hot_entry.h"
#include "store/store.h"

namespace tanist::store {

/// All keys in [begin, end).
struct ErasedRange {
    std::string begin, end;
    [[nodiscard]] bool covers(std::string_view key) const { return key >= begin && key < end; }
};

/// Brings the cold tier from the position of the generation before exactly to its own: first the ranges are erased, then the entries
/// written as they are. While it takes changes it belongs to the hot set alone; frozen, nothing in it changes any more, but for an
/// entry's state, which only the hot set looks at, so the feeder may read it beside;
/// once it has arrived, it belongs to the hot set again, which retires its entries.
struct HotGeneration {
    std::uint64_t number = 0;          ///< 1, 2, 3 …
    std::uint64_t first_sequence = 0;  ///< of entries[0]
    std::vector<HotEntry*> entries;    ///< in the order of their first change; null: a range took it out again, or it was retired
    std::vector<ErasedRange> erased;
    std::size_t memory = 0;  ///< of its entries
    Position position;       ///< when frozen
};

/// Oldest first; the last takes changes.
using HotGenerations = std::deque<std::unique_ptr<HotGeneration>>;

}  // namespace tanist::store

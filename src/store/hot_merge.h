// SPDX-License-Identifier: Apache-2.0
// Scans over both tiers at once.
#pragma once

#include "store/hot_generation.h"
#include "store/hot_order.h"
#include "store/store.h"

namespace tanist::store {

/// What `cold` has, under what `pending` says of keys (those in the range that are newer than the cold tier, at least), and under the
/// ranges that `generations` erase: the state at one position, whichever of it the cold tier has taken in meanwhile.
[[nodiscard]] Result<ScanRows> merged_scan(const Store& cold, const HotOrder::Entries& pending, const HotGenerations& generations,
                                           const ScanRequest& request);

}  // namespace tanist::store

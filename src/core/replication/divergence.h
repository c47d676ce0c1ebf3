// SPDX-License-Identifier: Apache-2.0
// Where two logs part, from their epochs alone: the point of divergence in one round trip (S5; Kafka's KIP-101).
#pragma once

#include <optional>
#include <span>

#include "base/types.h"
#include "core/replication/log_state.h"

namespace tanist::core {

/// The last entry that `ours` shares with a log that ends at `last` and holds `epochs` (oldest first; the newest ones if the
/// list was cut short). Entries of one epoch come from one master, so two logs that hold an entry of an epoch agree up to the
/// shorter of what they hold of it. nullopt: what they share lies below our base, or below what the list tells.
[[nodiscard]] std::optional<Rank> common_point(const LogState& ours, Rank last, std::span<const EpochRun> epochs);

}  // namespace tanist::core

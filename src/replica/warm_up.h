// SPDX-License-Identifier: Apache-2.0
// Before a node takes part: what a start has to replay is prepared, so that the replay itself is short.
#pragma once

#include "commands/state_machine.h"
#include "wal/log.h"

namespace tanist::replica {

/// Has the keys of the entries that the log holds beyond the state looked up all together: each block of the store is then read and
/// unpacked once, not once for each key in it. May take two seconds (HotStoreOptions::warm_time_max) and as much memory as those entries;
/// an optimisation only.
void warm_up(const wal::Log& log, commands::StateMachine& state);

}  // namespace tanist::replica

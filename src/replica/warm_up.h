// SPDX-License-Identifier: Apache-2.0
// Before a node takes part: what a start has to replay is prepared, so that the replay itself is short.
#pragma once

#include "commands/state_machine.h"
#include "wal/log.h"

namespace tanist::replica {

/// Has the keys of the entries that the log holds beyond the state looked up together: each block of the store is then read and unpacked
/// once, not once for each key in it. An optimisation only, which ends with its time: a node whose disk answers slowly is not kept from
/// taking part. Of the log a few mebibytes are in memory at a time.
void warm_up(const wal::Log& log, commands::StateMachine& state, const commands::StateMachine::TimeLeft& time_left);

}  // namespace tanist::replica

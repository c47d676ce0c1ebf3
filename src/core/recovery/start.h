// SPDX-License-Identifier: Apache-2.0
// A node's first step and its last: what was found at start, and a shutdown that leaves nothing unanswered.
#pragma once

#include "core/action.h"
#include "core/node.h"

namespace tanist::core {

struct State;

/// Before the first event: says what was found, and does what the table of start cases calls for.
void start_node(State& s, Actions& out);
/// A master that was asked to stop waits until what is pending is answered, for an election timeout at most; others stop at once.
void tick_shutdown(State& s, Actions& out);

}  // namespace tanist::core

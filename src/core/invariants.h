// SPDX-License-Identifier: Apache-2.0
// What must hold after each step; a violation is a bug of ours and ends the process.
#pragma once

namespace tanist::core {

struct State;
void check_invariants(const State& s);

}  // namespace tanist::core

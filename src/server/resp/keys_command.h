// SPDX-License-Identifier: Apache-2.0
// KEYS of a large state: gathered over several turns of the loop, so that everybody else is served in between.
#pragma once

#include "server/resp/command.h"

namespace tanist::server::resp {

/// So many keys are looked at in one go, at one moment of the state.
inline constexpr std::size_t kKeysAtOnce = 5000;

/// What is there all the while is told once, in order; what comes or goes meanwhile may be told or not.
void gather_keys(RespSession& session, Arguments arguments);

}  // namespace tanist::server::resp

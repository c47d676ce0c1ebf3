// SPDX-License-Identifier: Apache-2.0
// Mastership handed over by a RESP client's wish: FAILOVER, and SENTINEL FAILOVER (S17).
#pragma once

#include <optional>

#include "base/number.h"
#include "server/resp/command.h"

namespace tanist::server::resp {

/// Answers when it has ended, or at once why there is none. `target` not given: the most up-to-date slave.
void switch_over(RespSession& session, std::optional<NodeId> target);

}  // namespace tanist::server::resp

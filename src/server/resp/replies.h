// SPDX-License-Identifier: Apache-2.0
// What commands answered at apply, or from the state, as Redis clients read it.
#pragma once

#include "commands/redis/reply.h"
#include "protocol/resp_encoder.h"
#include "server/resp/cursors.h"

namespace tanist::server::resp {

void encode(protocol::RespEncoder& to, const commands::Reply& reply, Cursors& cursors);

}  // namespace tanist::server::resp

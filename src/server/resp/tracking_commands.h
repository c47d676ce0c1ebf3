// SPDX-License-Identifier: Apache-2.0
// The subcommands of CLIENT about client-side caching.
#pragma once

#include "server/resp/command.h"

namespace tanist::server::resp {

void client_tracking(RespSession& session, Arguments arguments);
void client_caching(RespSession& session, Arguments arguments);
void client_tracking_info(RespSession& session, Arguments arguments);
void client_redirection(RespSession& session, Arguments arguments);

}  // namespace tanist::server::resp

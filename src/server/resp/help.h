// SPDX-License-Identifier: Apache-2.0
// HELP of every command with subcommands, told from the table.
#pragma once

#include "server/resp/command.h"

namespace tanist::server::resp {

/// The handler of each HELP row.
void help(RespSession& session, Arguments arguments);

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// From what a client says of data to what is logged, or asked of the state.
#pragma once

#include <cstdint>
#include <string>

#include "commands/request.h"
#include "server/resp/command.h"
#include "server/resp/cursors.h"

namespace tanist::server::resp {

/// The command as it is logged: its name as the table has it, a cursor as what it stands for.
[[nodiscard]] commands::Redis to_logged(std::string_view name, Arguments arguments, const Cursors& cursors);

}  // namespace tanist::server::resp

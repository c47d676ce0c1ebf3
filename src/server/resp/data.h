// SPDX-License-Identifier: Apache-2.0
// From what a client says of data to what is logged, or asked of the state.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "commands/request.h"
#include "protocol/resp_encoder.h"
#include "server/resp/command.h"
#include "server/resp/cursors.h"

namespace tanist::server::resp {

/// The command as it is logged: its name as the table has it, a cursor as what it stands for.
[[nodiscard]] commands::Redis to_logged(std::string_view name, Arguments arguments, const Cursors& cursors);

/// Whether these words are a command, and one that is answered from the state alone, of which it looks at no keys but those that it names.
[[nodiscard]] bool reads_named_keys(RespSession& session, const CommandTable::Row& row, Arguments arguments);

/// Answers a command that only reads, from the state as it is; an error is the store's.
[[nodiscard]] Status answer_from_state(RespSession& session, protocol::RespEncoder& to, Arguments arguments);

}  // namespace tanist::server::resp

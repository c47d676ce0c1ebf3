// SPDX-License-Identifier: Apache-2.0
// What COMMAND INFO tells proxies about the answer of a command, as Redis has it.
#pragma once

#include <string_view>

namespace tanist::server::resp {

/// In Redis's words, a space between them; empty: none. `name` as in CommandTable::Row.
[[nodiscard]] std::string_view tips_of(std::string_view name);

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// The prompt: line editing, history in ~/.tanist_history, completion of commands and options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"
#include "cli/session.h"

namespace tanist::cli {

[[nodiscard]] Exit run_repl(Session& session);

/// What the last, unfinished word of `line` may become.
[[nodiscard]] std::vector<std::string> completions(std::string_view line);

}  // namespace tanist::cli

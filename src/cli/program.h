// SPDX-License-Identifier: Apache-2.0
// The whole program but for its streams: from words to an exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/failure.h"
#include "cli/session.h"
#include "cli/streams.h"

namespace tanist::cli {

/// Complaints have been written when it returns.
[[nodiscard]] Exit run_program(const std::vector<std::string>& words, const Streams& streams);

/// Says what went wrong, in words or as one line of JSON, on standard error.
Exit complain(const Streams& streams, bool as_json, const Failure& failure);

/// One line of the REPL or of a script, on a session that exists.
[[nodiscard]] Expected<Exit> run_line(Session& session, std::string_view line);

/// Runs the lines of standard input, and stops at the first one that is wrong, or for which the cluster cannot be had. The exit
/// code is that of the last line that ran.
[[nodiscard]] Exit run_script(Session& session);

}  // namespace tanist::cli

// SPDX-License-Identifier: Apache-2.0
// What the sessions of a real cluster's clients saw, held against the guarantees of a session (S18): it reads its own writes, and its
// reads never go back in time, over all keys and whichever node answers.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>

#include "base/result.h"

namespace tanist::sim {

struct SessionVerdict {
    std::optional<std::string> violation;  ///< the first one, with its line
    std::uint64_t reads = 0, writes = 0, sessions = 0, cuts = 0;
};

/// One operation a line, each session's in their order; five fields with tabs between them:
///   session  kind  key  version  value
/// `version` is that of the key's last change (commands/request.h) as the client was told, 0 where there is no such key; `value` is "-" for
/// none or "=" and the text. Keys here are never deleted. `kind` is
///   write       acknowledged at level quorum or all
///   weak-write  acknowledged at level master: only reads at level session of its own session count on it
///   read        at level session
///   linearizable-read
///   stale-read  promises nothing, but what it saw is seen, and it never shows what was not written
///   cut         the session was told that what it had seen is lost: it begins anew (key, version and value are - 0 -)
/// kInvalidArgument names the line and the field that cannot be read.
[[nodiscard]] Result<SessionVerdict> check_sessions(std::istream& in, const std::string& name);

/// Reads and checks a file, and prints what came of it. The exit code: 0 it holds, 1 it does not, 2 it cannot be read.
[[nodiscard]] int check_session_file(const std::string& path);

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Rules of taste and safety that can be read off a single file. Each answers its violations as `path:line: …`.
#pragma once

#include <string>
#include <vector>

#include "tests/structure/source_file.h"

namespace tanist::structure {

inline constexpr std::size_t kLinesMax = 600;

/// A clock, thread, lock, socket, file, randomness of its own or a log line in a room that must give the same result on every
/// node and in the simulator (S22): core, commands, replica.
[[nodiscard]] std::vector<std::string> nondeterminism(const SourceFile& file);

/// The licence line first; a header goes on with the sentence that says what it is, and guards itself.
[[nodiscard]] std::vector<std::string> bad_opening(const SourceFile& file);

/// More lines than a reader can hold.
[[nodiscard]] std::vector<std::string> too_long(const SourceFile& file);

/// Notes of what is unfinished; they belong into an issue.
[[nodiscard]] std::vector<std::string> unfinished(const SourceFile& file);

/// Waiting for time to pass instead of for what is awaited.
[[nodiscard]] std::vector<std::string> sleeps(const SourceFile& file);

/// In src/: a `throw`, or a macro other than ENSURE.
[[nodiscard]] std::vector<std::string> forbidden_language(const SourceFile& file);

}  // namespace tanist::structure

// SPDX-License-Identifier: Apache-2.0
// A line of the REPL, a script or a batch, taken apart into words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"

namespace tanist::cli {

/// Words are separated by blanks. 'single quotes' keep everything as it is, "double quotes" know the escapes of text.h and \",
/// and what is not quoted knows them too, and \' and a backslash before a blank. A # at the start of a word begins a comment.
[[nodiscard]] Expected<std::vector<std::string>> split_words(std::string_view line);

}  // namespace tanist::cli

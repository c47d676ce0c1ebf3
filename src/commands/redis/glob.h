// SPDX-License-Identifier: Apache-2.0
// Patterns as KEYS, SCAN and PSUBSCRIBE take them: * ? [abc] [^a-z] and \ before a letter that means itself.
#pragma once

#include <string_view>

namespace tanist::commands::redis {

/// Whether the whole `text` is as `pattern` says, byte by byte.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);
/// What each text that matches begins with.
[[nodiscard]] std::string_view literal_prefix(std::string_view pattern);

}  // namespace tanist::commands::redis

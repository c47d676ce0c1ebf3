// SPDX-License-Identifier: Apache-2.0
// Redis's glob patterns: * ? [abc] [^a-z] and \ before what stands for itself.
#pragma once

#include <string_view>

namespace tanist::server::resp {

/// Takes time in proportion to both lengths at most for each `*` in a row, whatever the pattern: patterns come from clients.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text, bool any_case = false);

}  // namespace tanist::server::resp

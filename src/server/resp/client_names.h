// SPDX-License-Identifier: Apache-2.0
// What a connection may call itself: in HELLO and in CLIENT.
#pragma once

#include <algorithm>
#include <string_view>

namespace tanist::server::resp {

/// Printable, and without spaces: CLIENT LIST has it between spaces.
[[nodiscard]] inline bool is_client_name(std::string_view name) {
    return std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
}
inline constexpr std::string_view kBadClientName = "ERR Client names cannot contain spaces, newlines or special characters.";

}  // namespace tanist::server::resp

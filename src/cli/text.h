// SPDX-License-Identifier: Apache-2.0
// Bytes as text and back: UTF-8, base64, and the escapes of the REPL and of TSV.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tanist::cli {

[[nodiscard]] bool is_utf8(std::string_view bytes);
/// Appends the UTF-8 of one code point.
void append_utf8(std::string& out, std::uint32_t code_point);

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// With padding, and nothing else than base64; nullopt otherwise.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Printable and in one piece: \t \n \r \\, and \xHH for other control characters and for bytes that are not UTF-8.
[[nodiscard]] std::string escape(std::string_view bytes);
/// Takes escape()'s work back. nullopt: a backslash with something else behind it.
[[nodiscard]] std::optional<std::string> unescape(std::string_view text);

}  // namespace tanist::cli

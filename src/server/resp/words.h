// SPDX-License-Identifier: Apache-2.0
// Words of commands: numbers read as Redis reads them, and words shown as it shows them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tanist::server::resp {

/// A whole decimal number; nullopt: not one, or out of range.
template <class Integer = std::int64_t>
[[nodiscard]] std::optional<Integer> integer_of(std::string_view word) {
    Integer number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (word.empty() || error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return number;
}

/// To be kept; and views of what was kept.
[[nodiscard]] inline std::vector<std::string> copies(std::span<const std::string_view> words) { return {words.begin(), words.end()}; }
[[nodiscard]] inline std::vector<std::string_view> views(std::span<const std::string> words) { return {words.begin(), words.end()}; }

/// In double quotes, with \n, \xHH and the like for what cannot be printed.
[[nodiscard]] std::string quoted(std::string_view word);

}  // namespace tanist::server::resp

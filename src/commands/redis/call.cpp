// SPDX-License-Identifier: Apache-2.0
#include "commands/redis/call.h"

#include <charconv>

namespace tanist::commands::redis {
namespace {

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    const bool has_useless_zero = text != "0" && text[text.front() == '-' ? 1 : 0] == '0';
    if (has_useless_zero) return std::nullopt;
    return number;
}

Parsed<std::int64_t> integer(std::string_view word, std::string_view error) {
    const auto number = parse_integer(word);
    if (!number) return refuse(error);
    return *number;
}

std::string lower(std::string_view word) {
    std::string result(word);
    std::ranges::transform(result, result.begin(), to_lower);
    return result;
}

bool is(std::string_view word, std::string_view capitals) { return std::ranges::equal(word, capitals, {}, to_upper); }

void put(Call& call, std::string_view key, Value value, std::uint64_t deadline) {
    if (deadline != 0 && deadline <= call.now()) {
        erase(call, key);
    } else {
        static_cast<void>(call.keys.put(key, std::move(value), deadline));  // one change too many ends the whole request (ran_over())
    }
}

bool erase(Call& call, std::string_view key) {
    const bool existed = call.keys.exists(key);
    if (existed) static_cast<void>(call.keys.erase(key));
    return existed;
}

}  // namespace tanist::commands::redis

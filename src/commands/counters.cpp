// SPDX-License-Identifier: Apache-2.0
// Increment: values that are decimal integers.
#include <charconv>

#include "commands/families.h"

namespace tanist::commands {
namespace {

/// As Redis takes it: an optional minus and digits, in the one way in which the number would be written, and nothing else.
std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    const bool has_useless_zero = text != "0" && text[text.front() == '-' ? 1 : 0] == '0';
    if (has_useless_zero) return std::nullopt;
    return number;
}

}  // namespace

OutcomeCode increment(const CommandView& command, Keyspace& keys, Answers& answers) {
    const Keyspace::Row& row = keys.find(command.key);
    const bool existed = row.exists;
    const auto before = existed ? parse_integer(row.value.bytes()) : 0;
    if (!before) return OutcomeCode::kNotAnInteger;
    std::int64_t after = 0;
    if (__builtin_add_overflow(*before, command.by, &after)) return OutcomeCode::kOverflow;
    std::string text = std::to_string(after);
    const auto version = keys.put(command.key, Value::owned(text));
    if (!version) return OutcomeCode::kTooMany;
    return answers.add(text, *version, existed);
}

}  // namespace tanist::commands

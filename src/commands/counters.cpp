// SPDX-License-Identifier: Apache-2.0
// Increment: values that are decimal integers.
#include "commands/families.h"
#include "commands/redis/call.h"

namespace tanist::commands {

OutcomeCode increment(const CommandView& command, Keyspace& keys, Answers& answers) {
    const Keyspace::Row& row = keys.find(command.key);
    const bool existed = row.exists;
    const auto before = existed ? redis::parse_integer(row.value.bytes()) : 0;
    if (!before) return OutcomeCode::kNotAnInteger;
    std::int64_t after = 0;
    if (__builtin_add_overflow(*before, command.by, &after)) return OutcomeCode::kOverflow;
    std::string text = std::to_string(after);
    const auto version = keys.put(command.key, Value::owned(text), row.deadline);
    if (!version) return OutcomeCode::kTooMany;
    return answers.add(text, *version, existed);
}

}  // namespace tanist::commands

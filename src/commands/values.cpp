// SPDX-License-Identifier: Apache-2.0
// Put, Delete, Get: whole values.
#include "commands/families.h"

namespace tanist::commands {

OutcomeCode put(const CommandView& command, Keyspace& keys, Answers& answers) {
    const auto version = keys.put(command.key, Value::borrowed(command.value));
    if (!version) return OutcomeCode::kTooMany;
    return answers.add(std::nullopt, *version, false);
}

OutcomeCode erase(const CommandView& command, Keyspace& keys, Answers& answers) {
    const bool existed = keys.exists(command.key);
    if (existed && !keys.erase(command.key)) return OutcomeCode::kTooMany;
    return answers.add(std::nullopt, Version{}, existed);
}

OutcomeCode get(const CommandView& command, Keyspace& keys, Answers& answers) {
    const auto looked_up = keys.lookups();
    const Keyspace::Row& row = keys.find(command.key);
    keys.count_told(looked_up);
    if (!row.exists) return answers.add(std::nullopt, Version{}, false);
    return answers.add(row.value.bytes(), row.version(), true);
}

}  // namespace tanist::commands

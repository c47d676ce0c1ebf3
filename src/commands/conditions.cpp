// SPDX-License-Identifier: Apache-2.0
// What must hold before a request is executed.
#include "commands/families.h"

namespace tanist::commands {

bool holds(const ConditionView& condition, Keyspace& keys) {
    const Keyspace::Row& row = keys.find(condition.key);
    switch (condition.kind) {
        case ConditionKind::kKeyExists: return row.exists;
        case ConditionKind::kKeyAbsent: return !row.exists;
        case ConditionKind::kValueEquals: return row.exists && row.value.bytes() == condition.value;
        case ConditionKind::kVersionEquals: break;
    }
    return row.version() == condition.version;
}

}  // namespace tanist::commands

// SPDX-License-Identifier: Apache-2.0
// The users of the cluster: who may connect and do what, replicated beside the data. What a line says, only the server knows.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "commands/encoding.h"
#include "commands/request.h"
#include "store/store.h"

namespace tanist::commands {

struct Users {
    Lsn changed;  ///< the entry of the last change; 0: there was none, and nobody
    std::map<std::string, std::string, std::less<>> lines;

    friend bool operator==(const Users&, const Users&) = default;
};

/// All of them are in memory, and in one row of the store.
class UserTable {
public:
    [[nodiscard]] Status load(const store::Store& store);
    [[nodiscard]] const Users& all() const { return users_; }
    /// kConditionFailed: they were changed since `item` was made of them. kTooLarge: there would be too many. Either changes nothing.
    [[nodiscard]] OutcomeCode change(const Item& item, Lsn lsn);
    /// Appends what changed since the last call as a row of the store.
    void take_changes(std::vector<store::Change>& out);

private:
    Users users_;
    bool is_changed_ = false;
    std::string taken_;  ///< what take_changes() gave out a view of, until the next
};

}  // namespace tanist::commands

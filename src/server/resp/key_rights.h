// SPDX-License-Identifier: Apache-2.0
// What a command does to each of its keys, as Redis's table of commands has it; and so what it needs to be allowed to.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "server/resp/command.h"

namespace tanist::server::resp {

/// In Redis's words, a space between them: "RW access update". RO, RW, OW (overwrites) or RM (removes) is what it does to the key;
/// access, insert, update, delete what to the user's data. One that only finds out whether there is a key has none of these four.
using KeyUse = std::string_view;

/// Of the key that is the `place`th of the command's keys, from 0 on.
[[nodiscard]] KeyUse key_use(const Command& command, Arguments words, std::size_t place);

/// Neither: it only finds out whether there is such a key, or how long it is; whoever may do anything to the key may know that.
struct KeyRights {
    bool read = false, write = false;

    friend bool operator==(KeyRights, KeyRights) = default;
};
[[nodiscard]] KeyRights key_rights(const Command& command, Arguments words, std::size_t place);

/// Keys of one use, as COMMAND INFO tells: from word `first` on, to the last one counted from it, or from the end where negative.
struct KeySpecification {
    int first = 0, last = 0, step = 0;
    KeyUse use;  ///< whatever its options are
    std::string_view note;
};
[[nodiscard]] std::vector<KeySpecification> key_specifications(const Command& command);

}  // namespace tanist::server::resp

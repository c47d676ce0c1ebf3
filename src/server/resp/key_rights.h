// SPDX-License-Identifier: Apache-2.0
// What a command needs to be allowed to do to each of its keys, as Redis's table of commands has it.
#pragma once

#include <cstddef>
#include <string_view>

#include "server/resp/command.h"

namespace tanist::server::resp {

/// Neither: it only finds out whether there is such a key, or how long it is; whoever may do anything to the key may know that.
struct KeyRights {
    bool read = false, write = false;

    friend bool operator==(KeyRights, KeyRights) = default;
};

/// Of the key that is the `place`th of the command's keys, from 0 on.
[[nodiscard]] KeyRights key_rights(const Command& command, Arguments words, std::size_t place);

}  // namespace tanist::server::resp

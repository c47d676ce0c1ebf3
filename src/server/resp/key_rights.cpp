// SPDX-License-Identifier: Apache-2.0
#include "server/resp/key_rights.h"

#include <algorithm>
#include <array>

namespace tanist::server::resp {
namespace {

constexpr KeyRights kAnyRight{}, kReadRight{.read = true}, kWriteRight{.write = true}, kBothRights{.read = true, .write = true};

/// Where it is not what the flags say: a command that reads needs to read, one that writes needs both, since most tell what was there.
struct Exception {
    std::string_view name;
    KeyRights first, others;
};
constexpr std::array kExceptions{
    // Writes without telling what was there.
    Exception{"APPEND", kWriteRight, kWriteRight},
    Exception{"DEL", kWriteRight, kWriteRight},
    Exception{"EXPIRE", kWriteRight, kWriteRight},
    Exception{"EXPIREAT", kWriteRight, kWriteRight},
    Exception{"MSET", kWriteRight, kWriteRight},
    Exception{"MSETNX", kWriteRight, kWriteRight},
    Exception{"PERSIST", kWriteRight, kWriteRight},
    Exception{"PEXPIRE", kWriteRight, kWriteRight},
    Exception{"PEXPIREAT", kWriteRight, kWriteRight},
    Exception{"PSETEX", kWriteRight, kWriteRight},
    Exception{"SETEX", kWriteRight, kWriteRight},
    Exception{"SETNX", kWriteRight, kWriteRight},
    Exception{"SETRANGE", kWriteRight, kWriteRight},
    Exception{"UNLINK", kWriteRight, kWriteRight},
    // From keys to keys.
    Exception{"BITOP", kWriteRight, kReadRight},
    Exception{"COPY", kReadRight, kWriteRight},
    Exception{"RENAME", kBothRights, kWriteRight},
    Exception{"RENAMENX", kBothRights, kWriteRight},
    // About keys.
    Exception{"ENCODING", kAnyRight, kAnyRight},
    Exception{"EXISTS", kAnyRight, kAnyRight},
    Exception{"FREQ", kAnyRight, kAnyRight},
    Exception{"IDLETIME", kAnyRight, kAnyRight},
    Exception{"REFCOUNT", kAnyRight, kAnyRight},
    Exception{"STRLEN", kAnyRight, kAnyRight},
    Exception{"TOUCH", kAnyRight, kAnyRight},
    Exception{"TYPE", kAnyRight, kAnyRight},
    Exception{"USAGE", kAnyRight, kAnyRight},
    Exception{"WATCH", kAnyRight, kAnyRight},
};

bool has_word(Arguments words, std::size_t from, std::string_view capitals) {
    return words.size() > from && std::ranges::any_of(words.subspan(from), [&](std::string_view word) { return is_word(word, capitals); });
}

}  // namespace

KeyRights key_rights(const Command& command, Arguments words, std::size_t place) {
    if (command.name == "SET") return has_word(words, 3, "GET") ? kBothRights : kWriteRight;
    if (command.name == "BITFIELD") return has_word(words, 2, "SET") || has_word(words, 2, "INCRBY") ? kBothRights : kReadRight;
    const auto* exception = std::ranges::find(kExceptions, command.name, &Exception::name);
    if (exception != kExceptions.end()) return place == 0 ? exception->first : exception->others;
    return (command.flags & kWrite) != 0 ? kBothRights : kReadRight;
}

}  // namespace tanist::server::resp

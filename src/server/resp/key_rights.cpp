// SPDX-License-Identifier: Apache-2.0
#include "server/resp/key_rights.h"

#include <algorithm>
#include <array>

namespace tanist::server::resp {
namespace {

constexpr KeyUse kAbout = "RO", kReads = "RO access", kChanges = "RW access update", kOverwrites = "OW update", kInserts = "OW insert",
                 kRemoves = "RM delete", kTouches = "RW update", kOptions = "RW access update variable_flags";

/// Where it is not what the flags say: a command that reads accesses its keys, one that writes accesses and updates them.
struct Exception {
    std::string_view name;
    KeyUse first, others;  ///< of the first key, and of those behind it
    std::string_view note = {};
};
constexpr std::array kExceptions{
    // Writes that do not tell what was there, or leave nothing of it.
    Exception{"APPEND", "RW insert", "RW insert"},
    Exception{"DEL", kRemoves, kRemoves},
    Exception{"EXPIRE", kTouches, kTouches},
    Exception{"EXPIREAT", kTouches, kTouches},
    Exception{"GETDEL", "RW access delete", "RW access delete"},
    Exception{"MSET", kOverwrites, kOverwrites},
    Exception{"MSETNX", kInserts, kInserts},
    Exception{"PERSIST", kTouches, kTouches},
    Exception{"PEXPIRE", kTouches, kTouches},
    Exception{"PEXPIREAT", kTouches, kTouches},
    Exception{"PSETEX", kOverwrites, kOverwrites},
    Exception{"SETEX", kOverwrites, kOverwrites},
    Exception{"SETNX", kInserts, kInserts},
    Exception{"SETRANGE", kTouches, kTouches},
    Exception{"UNLINK", kRemoves, kRemoves},
    // By options, see key_use().
    Exception{"BITFIELD", kOptions, kOptions, "This command allows both access and modification of the key"},
    Exception{"GETEX", kChanges, kChanges, "RW and UPDATE because it changes the TTL"},
    Exception{"SET", kOptions, kOptions, "RW and ACCESS due to the optional `GET` argument"},
    // From keys to keys.
    Exception{"BITOP", kOverwrites, kReads},
    Exception{"COPY", kReads, kOverwrites},
    Exception{"RENAME", "RW access delete", kOverwrites},
    Exception{"RENAMENX", "RW access delete", kInserts},
    // About keys.
    Exception{"ENCODING", kAbout, kAbout},
    Exception{"EXISTS", kAbout, kAbout},
    Exception{"FREQ", kAbout, kAbout},
    Exception{"IDLETIME", kAbout, kAbout},
    Exception{"REFCOUNT", kAbout, kAbout},
    Exception{"STRLEN", kAbout, kAbout},
    Exception{"TOUCH", kAbout, kAbout},
    Exception{"TYPE", kAbout, kAbout},
    Exception{"USAGE", kAbout, kAbout},
    Exception{"WATCH", kAbout, kAbout},
};

Exception uses_of(const Command& command) {
    const auto* exception = std::ranges::find(kExceptions, command.name, &Exception::name);
    if (exception != kExceptions.end()) return *exception;
    const KeyUse use = (command.flags & kWrite) != 0 ? kChanges : kReads;
    return {command.name, use, use};
}

bool has_word(Arguments words, std::size_t from, std::string_view capitals) {
    return words.size() > from && std::ranges::any_of(words.subspan(from), [&](std::string_view word) { return is_word(word, capitals); });
}

}  // namespace

KeyUse key_use(const Command& command, Arguments words, std::size_t place) {
    if (command.name == "SET") return has_word(words, 3, "GET") ? kChanges : kOverwrites;
    if (command.name == "BITFIELD") return has_word(words, 2, "SET") || has_word(words, 2, "INCRBY") ? kChanges : kReads;
    const Exception uses = uses_of(command);
    return place == 0 ? uses.first : uses.others;
}

KeyRights key_rights(const Command& command, Arguments words, std::size_t place) {
    const KeyUse use = key_use(command, words, place);
    const auto has = [&](std::string_view word) { return use.find(word) != KeyUse::npos; };
    return {.read = has("access"), .write = has("insert") || has("update") || has("delete")};
}

std::vector<KeySpecification> key_specifications(const Command& command) {
    const auto [first, last, step] = command.keys;
    if (first <= 0) return {};
    const Exception uses = uses_of(command);
    const auto from = [&](int begin) { return last < 0 ? last : last - begin; };
    if (uses.first == uses.others) return {{first, from(first), step, uses.first, uses.note}};
    return {{first, 0, step, uses.first, uses.note}, {first + step, from(first + step), step, uses.others, {}}};
}

}  // namespace tanist::server::resp

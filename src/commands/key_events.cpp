// SPDX-License-Identifier: Apache-2.0
#include "commands/key_events.h"

#include <algorithm>
#include <array>

#include "commands/redis/call.h"

namespace tanist::commands {
namespace {

/// Instead of a request's number.
constexpr std::size_t kNobody = SIZE_MAX;
constexpr auto kGeneric = EventClass::kGeneric, kString = EventClass::kString;

/// What Redis calls it when the command stores a key; "set" where it is not named here.
struct PutName {
    std::string_view command, event;
    EventClass of;
};
constexpr std::array kPutNames = {
    PutName{"APPEND", "append", kString},
    PutName{"SETRANGE", "setrange", kString},
    PutName{"INCR", "incrby", kString},
    PutName{"DECR", "incrby", kString},
    PutName{"INCRBY", "incrby", kString},
    PutName{"DECRBY", "incrby", kString},
    PutName{"INCRBYFLOAT", "incrbyfloat", kString},
    PutName{"SETBIT", "setbit", kString},
    PutName{"BITFIELD", "setbit", kString},
    PutName{"EXPIRE", "expire", kGeneric},
    PutName{"PEXPIRE", "expire", kGeneric},
    PutName{"EXPIREAT", "expire", kGeneric},
    PutName{"PEXPIREAT", "expire", kGeneric},
    PutName{"PERSIST", "persist", kGeneric},
    PutName{"RENAME", "rename_to", kGeneric},
    PutName{"RENAMENX", "rename_to", kGeneric},
    PutName{"COPY", "copy_to", kGeneric},
};

PutName name_of_put(std::string_view command, bool has_deadline) {
    if (command == "GETEX") return {command, has_deadline ? "expire" : "persist", kGeneric};
    const auto* found = std::ranges::find(kPutNames, command, &PutName::command);
    return found == kPutNames.end() ? PutName{command, "set", kString} : *found;
}

/// SET and its like tell the new deadline as an event of its own.
bool tells_deadline(std::span<const std::string_view> words) {
    if (words[0] == "SETEX" || words[0] == "PSETEX") return true;
    if (words[0] != "SET") return false;
    return std::ranges::none_of(words.subspan(3), [](std::string_view word) { return redis::is(word, "KEEPTTL"); });
}

}  // namespace

void append_events(std::vector<KeyEvent>& out, std::span<const KeyChange> changes, std::span<const std::string_view> words, Rank entry,
                   std::size_t item) {
    const std::string_view command = words.empty() ? std::string_view() : words[0];
    const bool renames = command == "RENAME" || command == "RENAMENX";
    if (renames && !changes.empty() && changes.back().kind == KeyChange::Kind::kPut)  // told first
        out.push_back({EventClass::kNew, "new", changes.back().key, entry, item});
    for (const KeyChange& change : changes) {
        const bool is_asked_for = change.kind != KeyChange::Kind::kExpired;
        const auto add = [&](EventClass of, std::string_view name) {
            out.push_back({of, name, change.key, entry, is_asked_for ? item : kNobody});
        };
        switch (change.kind) {
            case KeyChange::Kind::kExpired: add(EventClass::kExpired, "expired"); break;
            case KeyChange::Kind::kFlushed: add(EventClass::kFlushed, "flushed"); break;
            case KeyChange::Kind::kErased: add(kGeneric, renames ? "rename_from" : "del"); break;
            case KeyChange::Kind::kPut: {
                const PutName name = name_of_put(command, change.deadline != 0);
                const bool is_told_as_new = change.is_new || command == "COPY";  // also where it takes the place of another
                if (is_told_as_new && !renames) add(EventClass::kNew, "new");
                add(name.of, name.event);
                if (change.deadline != 0 && tells_deadline(words)) add(kGeneric, "expire");
                break;
            }
        }
    }
}

}  // namespace tanist::commands

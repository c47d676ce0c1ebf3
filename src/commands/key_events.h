// SPDX-License-Identifier: Apache-2.0
// What applied entries do to keys, in the words of Redis's keyspace notifications, for whoever listens on this node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace tanist::commands {

enum class EventClass : std::uint8_t {
    kGeneric,
    kString,
    kExpired,
    kNew,
    kFlushed,  ///< all keys are gone, or others than before: the key is empty
};

struct KeyEvent {
    EventClass of = EventClass::kGeneric;
    std::string_view name;  ///< constant text
    std::string key;
    Rank entry;            ///< that did it
    std::size_t item = 0;  ///< which request of that entry
};

/// What became of a key, as the keyspace notes it, whatever the command.
struct KeyChange {
    enum class Kind : std::uint8_t { kPut, kErased, kExpired, kFlushed };
    Kind kind = Kind::kPut;
    std::string key;
    bool is_new = false;         ///< kPut: it was not there
    std::uint64_t deadline = 0;  ///< kPut
};

/// Appends what `words`, in capitals the first, did by these changes. No words: nobody asked for it, as where keys fall due.
void append_events(std::vector<KeyEvent>& out, std::span<const KeyChange> changes, std::span<const std::string_view> words, Rank entry,
                   std::size_t item);

/// How often keys were asked for and there, or not; and fell due. On this node, since the process began.
struct KeyStatistics {
    std::uint64_t hits = 0, misses = 0, expired = 0;
};

}  // namespace tanist::commands

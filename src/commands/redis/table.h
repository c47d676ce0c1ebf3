// SPDX-License-Identifier: Apache-2.0
// The table of Redis commands about data. To add one, write its function and its row; the server takes name, arity and keys from here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "commands/redis/reply.h"

namespace tanist::commands::redis {

struct Call;

using Words = std::span<const std::string_view>;
/// Answers `call` whose words have the row's arity. A reply that is an error has changed nothing.
using Function = Reply (*)(Call& call);

enum Trait : std::uint32_t {
    kReads = 1u << 0,   ///< changes nothing, but for what is due anyway
    kWrites = 1u << 1,  ///< exactly one of the two
    kGrows = 1u << 2,   ///< may make the data larger
    kFast = 1u << 3,    ///< takes the same time whatever the data
    kScans = 1u << 4,   ///< looks at many keys
    kTells = 1u << 5,   ///< writes, and yet tells what was there: counts as a hit or a miss, as what only reads does
};
enum class Family : std::uint8_t { kStrings, kBits, kKeys };

struct Row {
    std::string_view name;  ///< in capitals
    int arity;              ///< as Redis counts: the words, name included; negative: at least so many
    /// Which words are keys: from `first` to `last`, counted from the end where negative, in steps; first 0: none.
    struct Keys {
        int first = 0, last = 0, step = 0;
    } keys;
    std::uint32_t traits;
    Family family;
    Function run;

    [[nodiscard]] bool has(Trait trait) const { return (traits & trait) != 0; }
    [[nodiscard]] bool takes(std::size_t words) const {
        return arity < 0 ? words >= static_cast<std::size_t>(-arity) : words == static_cast<std::size_t>(arity);
    }
    [[nodiscard]] bool is_key(std::size_t index, std::size_t words) const {
        if (keys.first == 0 || index < static_cast<std::size_t>(keys.first)) return false;
        const std::size_t last = keys.last < 0 ? words - static_cast<std::size_t>(-keys.last) : static_cast<std::size_t>(keys.last);
        return index <= last && (index - static_cast<std::size_t>(keys.first)) % static_cast<std::size_t>(keys.step) == 0;
    }
};

[[nodiscard]] std::span<const Row> table();
/// `name` in capitals; null: no command about data.
[[nodiscard]] const Row* find(std::string_view name);

/// Calls `visit(word, is_key)` for each word behind the name.
template <class Visit>
void for_each_word(Words words, const Visit& visit) {
    const Row* row = words.empty() ? nullptr : find(words[0]);
    const bool knows_keys = row != nullptr && row->takes(words.size());
    for (std::size_t i = 1; i < words.size(); ++i) visit(words[i], knows_keys && row->is_key(i, words.size()));
}

/// Runs a command whose words may be anything: what the table does not know, or not with so many words, is answered an error.
[[nodiscard]] Reply run(Call& call);

}  // namespace tanist::commands::redis

// SPDX-License-Identifier: Apache-2.0
// One execution of a Redis command, and what their functions have in common: reading words, and errors as Redis words them.
#pragma once

#include <tl/expected.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "commands/keyspace.h"
#include "commands/redis/table.h"

namespace tanist::commands::redis {

struct Call {
    Words words;
    Keyspace& keys;
    std::uint64_t clock = 0;          ///< for replies that only tell time: log time, plus what has passed since where that is known
    std::uint64_t random = 0;         ///< drawn by the caller; at apply the same on every node
    std::size_t reply_bytes_max = 0;  ///< of a reply that grows with what is found; a single value always fits
    bool is_local = false;            ///< a read of this node's state: its reply need not be what another node would say

    [[nodiscard]] std::string_view key() const { return words[1]; }
    [[nodiscard]] std::uint64_t now() const { return keys.now(); }
};

inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kTooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";
inline constexpr std::string_view kReplyTooLarge = "ERR the reply would pass its limit of 24 MiB: ask for less at a time";

/// A value read from words, or the error to answer.
template <class T>
using Parsed = tl::expected<T, Reply>;
[[nodiscard]] inline tl::unexpected<Reply> refuse(std::string_view error) { return tl::unexpected<Reply>(Reply::error(error)); }

/// As Redis takes integers: an optional minus and digits, in the one way in which the number would be written, and nothing else.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] Parsed<std::int64_t> integer(std::string_view word, std::string_view error = kNotAnInteger);

[[nodiscard]] std::string lower(std::string_view word);
/// Whether `word` is `capitals` in any letter case.
[[nodiscard]] bool is(std::string_view word, std::string_view capitals);

/// Stores the value; with a deadline that has come, the key is gone at once.
void put(Call& call, std::string_view key, Value value, std::uint64_t deadline);
/// Whether it was there.
bool erase(Call& call, std::string_view key);

/// Whether a value of so many bytes may be stored.
[[nodiscard]] inline bool fits(std::uint64_t bytes) { return bytes <= limits::kValueBytesMax; }

}  // namespace tanist::commands::redis

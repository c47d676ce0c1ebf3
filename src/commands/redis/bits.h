// SPDX-License-Identifier: Apache-2.0
// Bits within values, counted from the highest bit of the first byte on.
#pragma once

#include "commands/redis/call.h"

namespace tanist::commands::redis {

/// The position of a bit; with `width` also "#2": the second field of so many bits.
[[nodiscard]] Parsed<std::uint64_t> read_bit_offset(std::string_view word, unsigned width = 0);

[[nodiscard]] inline bool bit_at(std::string_view value, std::uint64_t bit) {
    const std::uint64_t byte = bit / 8;
    return byte < value.size() && (static_cast<unsigned char>(value[byte]) >> (7 - bit % 8) & 1) != 0;
}
inline void set_bit(std::string& value, std::uint64_t bit, bool on) {
    const auto mask = static_cast<unsigned char>(1U << (7 - bit % 8));
    char& byte = value[bit / 8];
    byte = static_cast<char>(on ? static_cast<unsigned char>(byte) | mask : static_cast<unsigned char>(byte) & ~mask);
}

/// What the key holds, made long enough to have the bit numbered `last`; nullopt: that would be too long.
[[nodiscard]] std::optional<std::string> value_with_bit(Call& call, std::uint64_t last);

}  // namespace tanist::commands::redis

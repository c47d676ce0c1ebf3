// SPDX-License-Identifier: Apache-2.0
// Fuzzed bytes as choices: for targets that build something valid of them first. Behind its end an input answers zeros.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tanist::fuzz {

class Input {
public:
    explicit Input(Bytes bytes) : bytes_(bytes) {}

    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    std::uint8_t byte() { return bytes_.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(take(1).front()); }
    bool flag() { return (byte() & 1) != 0; }
    /// 0 .. bound-1, of one byte.
    std::size_t below(std::size_t bound) { return byte() % bound; }
    /// Small most of the time, any at times.
    std::uint64_t number() {
        const std::uint8_t first = byte();
        if (first < 0xf0) return first;
        const Bytes wide = take(8);
        std::uint64_t value = 0;
        for (const std::byte b : wide) value = value << 8 | std::to_integer<std::uint64_t>(b);
        return value;
    }
    Bytes take(std::size_t bytes_max) {
        const Bytes taken = bytes_.first(std::min(bytes_max, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }
    /// Its length is a byte in front.
    std::string text() { return std::string(as_text(take(byte()))); }
    Bytes rest() { return take(bytes_.size()); }

private:
    Bytes bytes_;
};

}  // namespace tanist::fuzz

// SPDX-License-Identifier: Apache-2.0
// What happened, as a running hash (same seed, same hash) and, when asked for, as readable lines.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <string_view>

#include "sim/time.h"

namespace tanist::sim {

class Trace {
public:
    explicit Trace(bool print) : print_(print) {}

    /// One event: hashed always, printed when wanted. `args` are what the format names: numbers and text.
    template <class... Args>
    void note(Instant now, fmt::format_string<const Args&...> format, const Args&... args) {
        mix(static_cast<std::uint64_t>(now.count()));
        const fmt::string_view text = format;
        mix(std::string_view(text.data(), text.size()));
        (mix(args), ...);
        if (print_) print_line(now, fmt::format(format, args...));
    }
    [[nodiscard]] bool prints() const { return print_; }
    static void print_line(Instant now, std::string_view text);
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

private:
    template <class T>
        requires std::integral<T>
    void mix(T value) {
        hash_ = (hash_ ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15;
        hash_ ^= hash_ >> 29;
    }
    void mix(std::string_view text);

    bool print_;
    std::uint64_t hash_ = 0x243f6a8885a308d3;
};

}  // namespace tanist::sim

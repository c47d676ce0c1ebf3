// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

#include <cstdio>
#include <cstring>

namespace tanist::sim {

void Trace::mix(std::string_view text) {
    mix(text.size());
    while (!text.empty()) {
        std::uint64_t word = 0;
        const std::size_t bytes = std::min(text.size(), sizeof word);
        std::memcpy(&word, text.data(), bytes);
        mix(word);
        text.remove_prefix(bytes);
    }
}

void Trace::print_line(Instant now, std::string_view text) {
    fmt::print("{:>4}.{:06} {}\n", now.count() / 1'000'000, now.count() % 1'000'000, text);
}

}  // namespace tanist::sim

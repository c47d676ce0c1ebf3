// SPDX-License-Identifier: Apache-2.0
// SCAN's cursors: numbers that this node has given out, and the keys from which they go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace tanist::server::resp {

/// Loop thread. Bounded: the oldest are forgotten first. A number that is not known, also one of another node, begins anew: SCAN may
/// return a key twice, but leaves out none.
class Cursors {
public:
    /// `first` is drawn at random, so that the numbers of nodes and of processes do not meet.
    explicit Cursors(std::uint64_t first) : first_(first) {}

    [[nodiscard]] std::uint64_t give_out(std::string_view key);
    /// As the command's own word for a cursor (commands/redis/scan.cpp): "", or "k" and the key; else `word` is no number.
    [[nodiscard]] std::string translate(std::string_view word) const;

    static constexpr std::size_t kCursorsMax = 65'536;
    static constexpr std::size_t kBytesMax = 16 << 20;

private:
    std::uint64_t first_;  ///< the number of keys_.front()
    std::deque<std::string> keys_;
    std::size_t bytes_ = 0;
};

}  // namespace tanist::server::resp

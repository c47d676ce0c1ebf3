// SPDX-License-Identifier: Apache-2.0
// Integers that must not be mixed up: each is a type of its own, with no way back to an integer but `.value`.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tanist {

template <class Tag>
struct Number {
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(Number, Number) = default;
    [[nodiscard]] constexpr Number next() const { return {value + 1}; }
    /// One less; zero stays zero, since "nothing" has nothing before it.
    [[nodiscard]] constexpr Number previous() const { return {value == 0 ? 0 : value - 1}; }
    [[nodiscard]] constexpr bool is_zero() const { return value == 0; }
};

using Lsn = Number<struct LsnTag>;                  ///< log sequence number: 1, 2, 3 …; 0 is "before the first entry"
using Epoch = Number<struct EpochTag>;              ///< the reign of one master (Raft: term); 0 is "none yet"
using NodeId = Number<struct NodeIdTag>;            ///< node.id of the configuration; 1 .. 2^32-1; 0 is "nobody"
using Incarnation = Number<struct IncarnationTag>;  ///< random id of a data directory; 0 is "unknown"
using ClusterId = Number<struct ClusterIdTag>;      ///< random id minted at formation; 0 is "none yet"
using SessionId = Number<struct SessionIdTag>;      ///< the LSN of a session's registration, so unique in a cluster; 0 is "no session"

}  // namespace tanist

template <class Tag>
struct std::hash<tanist::Number<Tag>> {
    std::size_t operator()(tanist::Number<Tag> n) const noexcept { return std::hash<std::uint64_t>{}(n.value); }
};

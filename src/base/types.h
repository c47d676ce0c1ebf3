// SPDX-License-Identifier: Apache-2.0
// The words that every room shares: who a member is, how up to date a log is, which entry is meant.
#pragma once

#include <compare>
#include <cstdint>

#include "base/number.h"

namespace tanist {

/// A member of a cluster is a node together with its data directory; votes and acknowledgements are counted by this pair (S1).
struct MemberId {
    NodeId node;
    Incarnation incarnation;

    friend constexpr auto operator<=>(const MemberId&, const MemberId&) = default;
};

/// How up to date a log is: compared by epoch first, then by LSN. Of an empty log: of the checkpoint that it starts from.
struct Rank {
    Epoch epoch;
    Lsn lsn;

    friend constexpr auto operator<=>(const Rank&, const Rank&) = default;
};

/// One certain entry: equal ids mean equal content. `checksum` is the entry's own, which covers its predecessor's (S9).
struct EntryId {
    Epoch epoch;
    Lsn lsn;
    std::uint32_t checksum = 0;

    friend constexpr auto operator<=>(const EntryId&, const EntryId&) = default;
    [[nodiscard]] constexpr Rank rank() const { return {epoch, lsn}; }
};

/// The vote file's content (S3): the highest epoch seen, and whom this node voted for in it (node 0: nobody yet).
struct Vote {
    Epoch epoch;
    MemberId candidate;

    friend constexpr bool operator==(const Vote&, const Vote&) = default;
};

}  // namespace tanist

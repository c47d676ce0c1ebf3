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

/// From `first_lsn` on, entries are of `epoch`, up to the next run.
struct EpochRun {
    Epoch epoch;
    Lsn first_lsn;

    friend constexpr bool operator==(const EpochRun&, const EpochRun&) = default;
};

/// What the WAL's mark says (S9): the last entry of the group being written, and the last one whose fdatasync has returned.
struct Mark {
    EntryId intent, confirmed;

    friend constexpr bool operator==(const Mark&, const Mark&) = default;
};

/// What a start made of the log, read against its mark (S9).
enum class Tail : std::uint8_t {
    kClean,      ///< every record is good up to the end
    kTorn,       ///< bytes above the intent were bad and have been cut: never reported durable
    kInDoubt,    ///< the first bad record lies above `confirmed`, up to `intent`: torn, or fsynced and destroyed since
    kCorrupt,    ///< the first bad record lies at or below `confirmed`
    kUnbounded,  ///< a mark cannot be read, or a sealed segment lacks its successor: how far the log went is unknown
};

}  // namespace tanist

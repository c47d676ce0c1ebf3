// SPDX-License-Identifier: Apache-2.0
// An entry of the log. It is encoded and checksummed once, by the master that creates it: the same bytes lie in every WAL
// and travel on the wire.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/types.h"

namespace tanist {

enum class EntryKind : std::uint32_t {
    kCommands = 1,    ///< a batch of clients' requests (commands/request.h)
    kEpochStart = 2,  ///< the first entry of a master's reign; committing it commits what came before (S6); no payload
    kMembership = 3,  ///< the members from here on (base/membership.h)
    kTick = 4,        ///< moves log time on, because something is due (S22); no payload
};

/// An entry's bytes, integers little-endian:
///   offset  size  field
///        0     4  checksum              CRC-32C over everything that follows
///        4     4  payload_bytes         0 .. kPayloadBytesMax
///        8     8  epoch                 in which a master created the entry; never smaller than in the entry before
///       16     8  lsn                   exactly one more than in the entry before
///       24     8  timestamp             log time, milliseconds since 1970; never smaller than in the entry before (S22)
///       32     4  predecessor_checksum  of the entry before; 0 in the first: so an entry names the whole log up to it (S9)
///       36     4  kind                  EntryKind
///       40     n  payload
struct EntryHeader {
    std::uint32_t checksum, payload_bytes;
    std::uint64_t epoch, lsn, timestamp;
    std::uint32_t predecessor_checksum, kind;
};
static_assert(sizeof(EntryHeader) == 40 && std::has_unique_object_representations_v<EntryHeader>);  // no padding on disk or wire

inline constexpr std::size_t kPayloadBytesMax = limits::kEntryBytesMax - sizeof(EntryHeader);

/// A view of one entry's bytes together with a share in the buffer that holds them; cheap to copy, never changed.
class Entry {
public:
    Entry() = default;

    /// Creates the entry that follows `predecessor`. `payload` is at most kPayloadBytesMax long.
    [[nodiscard]] static Entry make(Epoch epoch, const EntryId& predecessor, std::uint64_t timestamp, EntryKind kind,
                                    std::string_view payload);

    /// Takes the entry at the start of `bytes`, which `owner` keeps alive (a frame with many entries is shared, not copied);
    /// bytes behind it are left alone. kCorrupt: cut short, a size beyond the limit, an unknown kind or a wrong checksum.
    [[nodiscard]] static Result<Entry> decode(std::shared_ptr<const void> owner, Bytes bytes);

    /// The size of the entry whose header starts `bytes`, for stepping over it; 0 when even the header is cut short.
    /// Not checked in any other way.
    [[nodiscard]] static std::size_t encoded_bytes(Bytes bytes);

    [[nodiscard]] Epoch epoch() const { return {header_.epoch}; }
    [[nodiscard]] Lsn lsn() const { return {header_.lsn}; }
    [[nodiscard]] Rank rank() const { return {epoch(), lsn()}; }
    [[nodiscard]] EntryId id() const { return {epoch(), lsn(), header_.checksum}; }
    [[nodiscard]] std::uint32_t checksum() const { return header_.checksum; }
    [[nodiscard]] std::uint32_t predecessor_checksum() const { return header_.predecessor_checksum; }
    [[nodiscard]] std::uint64_t timestamp() const { return header_.timestamp; }
    [[nodiscard]] EntryKind kind() const { return static_cast<EntryKind>(header_.kind); }
    [[nodiscard]] std::string_view payload() const { return as_text(bytes_.subspan(sizeof(EntryHeader))); }
    /// Header and payload, as they lie on disk and travel.
    [[nodiscard]] Bytes bytes() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

    /// Whether this entry follows `predecessor` without a gap: the LSN one more, the epoch no smaller, and it names its checksum.
    [[nodiscard]] bool follows(const EntryId& predecessor) const {
        return lsn() == predecessor.lsn.next() && epoch() >= predecessor.epoch && predecessor_checksum() == predecessor.checksum;
    }

    friend bool operator==(const Entry& a, const Entry& b) { return a.id() == b.id(); }

private:
    EntryHeader header_{};
    Bytes bytes_;
    std::shared_ptr<const void> owner_;
};

}  // namespace tanist

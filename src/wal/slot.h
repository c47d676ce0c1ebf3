// SPDX-License-Identifier: Apache-2.0
// The head of a segment: two slots, written in turn, that remember how far the log got, apart from its records (S9).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/types.h"

namespace tanist::wal {

inline constexpr std::size_t kSlotBytes = 512;      ///< one sector: a disk writes it whole or not at all
inline constexpr std::uint64_t kSlotStride = 4096;  ///< each in a block of its own: one bad block never takes both
inline constexpr std::uint64_t kRecordsOffset = 2 * kSlotStride;

/// What the last slot of a segment says once it is sealed: where the log goes on.
struct Seal {
    Lsn end_lsn;  ///< the last LSN that counts here
    std::uint64_t successor_use_id = 0;

    friend bool operator==(const Seal&, const Seal&) = default;
};

/// A slot as it lies on disk, integers little-endian; one entry's id is epoch 8, lsn 8, checksum 4, zero 4:
///   offset  size  field
///        0     4  checksum           CRC-32C, seeded with this use of the segment, over the other 508 bytes of the sector
///        4     4  format             kSlotFormat
///        8     8  number             one more with each slot written; the higher one counts
///       16    24  base               the entry before the segment's first
///       40    24  intent             last entry of the group being written
///       64    24  confirmed          last entry whose fdatasync had returned
///       88     8  sealed_end_lsn     see Seal
///       96     8  successor_use_id   0: not sealed
///      104     4  flags              kStartsLog, kUnsettled
///      108   404  zero
struct Slot {
    std::uint64_t number = 0;
    EntryId base;
    Mark mark;
    std::optional<Seal> seal;
    bool starts_log = false;  ///< what older segments hold is void, all of it: the log was reset (S25)
    bool unsettled = false;   ///< corruption without upper bound came before this segment and is not settled yet (S9)

    friend bool operator==(const Slot&, const Slot&) = default;
};

using SlotBytes = std::array<std::byte, kSlotBytes>;

[[nodiscard]] SlotBytes encode(const Slot& slot, std::uint32_t seed);
/// nullopt: unreadable.
[[nodiscard]] std::optional<Slot> decode_slot(std::span<const std::byte, kSlotBytes> bytes, std::uint32_t seed);

/// Both slots of a segment, as read or last written.
struct Head {
    std::array<std::optional<Slot>, 2> slots;

    /// Both are readable: what is latest here is the latest that there ever was.
    [[nodiscard]] bool whole() const { return slots[0] && slots[1]; }
    /// 0 or 1: the slot with the higher number; none when neither is readable.
    [[nodiscard]] std::optional<std::size_t> latest_place() const;
    [[nodiscard]] const Slot* latest() const;
    /// Where the next slot goes: over the unreadable one, else over the older.
    [[nodiscard]] std::size_t next_place() const;
};

}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
// One segment file of the log, open: where its records lie, and its head.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/types.h"
#include "wal/file_system.h"
#include "wal/segment_name.h"
#include "wal/slot.h"

namespace tanist::wal {

/// Reads start at the nearest such point at or below what they look for, and step from there.
struct IndexPoint {
    Lsn lsn;
    std::uint64_t offset;
};

/// Name, path, file and seed never change. The rest belongs to the log's writer, which holds the log's mutex where it changes
/// what readers look at: end_offset, last_lsn, points.
struct Segment {
    static constexpr std::uint64_t kWholeFile = ~std::uint64_t{0};  ///< also of a segment that was found at start

    SegmentName name;
    std::string path;
    std::unique_ptr<File> file;
    std::uint32_t seed = 0;
    std::uint64_t bytes = 0;  ///< the file's size
    Head head;
    EntryId base;                               ///< the entry before name.first_lsn
    Lsn last_lsn;                               ///< of the last record that counts here; the one before name.first_lsn: none
    std::uint64_t end_offset = kRecordsOffset;  ///< behind the last good record
    std::uint64_t zeroed_bytes = kWholeFile;    ///< up to here the disk has blocks of zeros, not only the promise of them
    std::vector<IndexPoint> points;             ///< ascending in both; the first record behind a hole always has one

    /// Before `written` bytes of records are written at end_offset: writes zeros behind them where the disk has none yet, for the next
    /// ones.
    [[nodiscard]] Status zero_ahead(std::uint64_t written);
    [[nodiscard]] bool holds(Lsn lsn) const { return lsn >= name.first_lsn && lsn <= last_lsn; }
    [[nodiscard]] std::uint64_t used_bytes() const { return end_offset - kRecordsOffset; }
    /// Notes a record at `offset`, if it is far enough from the last point.
    void add_point(Lsn lsn, std::uint64_t offset);
    /// The last point at or below `lsn`; there is one for each record that is held.
    [[nodiscard]] IndexPoint point_for(Lsn lsn) const;
    /// Nothing from `lsn` on counts here any more.
    void void_from(Lsn lsn);
};

/// "wal/0000000007-….wal:8192", for messages.
[[nodiscard]] std::string place_text(const std::string& path, std::uint64_t offset);

/// Reads both slots. One that cannot be read, for whatever reason, or contradicts the name, is none.
[[nodiscard]] Head read_head(const File& file, const SegmentName& name);
/// Writes `slot` over the older one, numbered one higher, and notes it in segment.head. Durable only after a sync of the file.
[[nodiscard]] Status write_slot(Segment& segment, Slot slot);

}  // namespace tanist::wal

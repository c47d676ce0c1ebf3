// SPDX-License-Identifier: Apache-2.0
// A record: an entry's bytes as they lie in a segment, behind a header that ties them to this use of it (S10).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/entry.h"
#include "wal/file_system.h"

namespace tanist::wal {

/// One record, integers little-endian; records follow each other without a gap, and what is behind the last one is zero:
///   offset  size  field
///        0     4  checksum     CRC-32C, seeded with this use of the segment, over entry_bytes and the entry's 40-byte header
///        4     4  entry_bytes  the entry's whole size; 0 (with a zero checksum): no record here
///        8     n  entry        the bytes that travel (base/entry.h)
/// The entry's header contains the entry's own checksum, which covers the rest: so each byte is checksummed once, when the entry
/// is created, and the record costs 44 bytes' worth more. What bad bytes mean is decided by the mark, never by them (S9).
struct RecordHeader {
    std::uint32_t checksum, entry_bytes;
};
static_assert(sizeof(RecordHeader) == 8 && std::has_unique_object_representations_v<RecordHeader>);

[[nodiscard]] inline std::uint64_t record_bytes(const Entry& entry) { return sizeof(RecordHeader) + entry.size(); }
[[nodiscard]] RecordHeader make_record_header(const Entry& entry, std::uint32_t seed);

/// Writes records in one call to the system; small entries go through one buffer, large ones are not copied.
class RecordWriter {
public:
    [[nodiscard]] Status write(File& file, std::uint64_t offset, std::uint32_t seed, std::span<const Entry> entries);

private:
    std::vector<std::byte> staging_;
    std::vector<Bytes> parts_;
};

/// What lies at an offset.
enum class Seen {
    kRecord,   ///< a whole record, its entry's checksum included
    kNothing,  ///< zeros where a header would be, or too little room for one
    kBad,      ///< bytes that are no record of this use of the segment
};

/// Walks the records of one segment, reading ahead in chunks. A read error of the disk counts as bad bytes. Entries share the
/// chunk that they were read in.
class RecordReader {
public:
    /// Reads up to `end`; what the file lacks of it reads as zeros.
    RecordReader(const File& file, std::uint32_t seed, std::uint64_t offset, std::uint64_t end, std::size_t chunk_bytes);

    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    /// Looks at what lies at offset().
    [[nodiscard]] Seen look();
    /// Looks at the headers only: the id is right when this says kRecord, the payload may be rotten.
    [[nodiscard]] Seen look_at_headers();
    /// After kRecord of look().
    [[nodiscard]] const Entry& entry() const { return entry_; }
    /// After kRecord of look_at_headers().
    [[nodiscard]] EntryId id() const;
    /// After kBad: why.
    [[nodiscard]] const std::string& reason() const { return reason_; }
    /// After kRecord: steps behind it.
    void advance();
    /// Moves forward to the next whole record with above < LSN < below, at whatever offset; false, and stays, when there is none.
    [[nodiscard]] bool find(Lsn above, Lsn below);
    /// Whether there is nothing but zeros from offset() to the end.
    [[nodiscard]] bool rest_is_zero();

private:
    [[nodiscard]] Bytes window(std::uint64_t offset, std::size_t bytes);
    void fill(std::uint64_t offset, std::size_t bytes);
    [[nodiscard]] Seen bad(std::string reason);

    const File& file_;
    const std::uint32_t seed_;
    std::uint64_t offset_;
    const std::uint64_t end_;
    const std::size_t chunk_bytes_;
    std::shared_ptr<std::byte[]> chunk_;
    std::size_t chunk_capacity_ = 0, chunk_size_ = 0;
    std::uint64_t chunk_offset_ = 0;
    RecordHeader record_{};
    EntryHeader header_{};
    Entry entry_;
    std::string reason_;
};

}  // namespace tanist::wal

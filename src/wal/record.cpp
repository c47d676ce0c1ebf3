// SPDX-License-Identifier: Apache-2.0
#include "wal/record.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/ensure.h"

namespace tanist::wal {
namespace {

constexpr std::size_t kCopiedBytesMax = 16 * limits::kKiB;  // larger entries are handed to the system where they lie
constexpr std::size_t kHeadersBytes = sizeof(RecordHeader) + sizeof(EntryHeader);
constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kSectorBytes = 512;

/// Over entry_bytes and the entry's header, which lie side by side in a record.
std::uint32_t record_checksum(const std::byte* entry_bytes_field, std::uint32_t seed) {
    return crc32c(Bytes(entry_bytes_field, sizeof(std::uint32_t) + sizeof(EntryHeader)), seed);
}

bool all_zero(Bytes bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

RecordHeader make_record_header(const Entry& entry, std::uint32_t seed) {
    std::byte bytes[sizeof(std::uint32_t) + sizeof(EntryHeader)];
    const auto size = static_cast<std::uint32_t>(entry.size());
    store_le(bytes, size);
    std::memcpy(bytes + sizeof size, entry.bytes().data(), sizeof(EntryHeader));
    return {.checksum = record_checksum(bytes, seed), .entry_bytes = size};
}

Status RecordWriter::write(File& file, std::uint64_t offset, std::uint32_t seed, std::span<const Entry> entries) {
    std::size_t copied = 0;
    for (const Entry& entry : entries) copied += sizeof(RecordHeader) + (entry.size() <= kCopiedBytesMax ? entry.size() : 0);
    staging_.clear();
    staging_.reserve(copied);  // so that parts_ may point into it
    parts_.clear();
    std::size_t part_start = 0;
    const auto end_part = [&] {
        if (staging_.size() > part_start) parts_.emplace_back(staging_.data() + part_start, staging_.size() - part_start);
        part_start = staging_.size();
    };
    for (const Entry& entry : entries) {
        const RecordHeader header = make_record_header(entry, seed);
        const auto* bytes = reinterpret_cast<const std::byte*>(&header);
        staging_.insert(staging_.end(), bytes, bytes + sizeof header);
        if (entry.size() <= kCopiedBytesMax) {
            staging_.insert(staging_.end(), entry.bytes().begin(), entry.bytes().end());
        } else {
            end_part();
            parts_.push_back(entry.bytes());
        }
    }
    end_part();
    if (parts_.size() == 1) return file.write_at(offset, parts_.front());
    return file.write_parts_at(offset, parts_);
}

RecordReader::RecordReader(const File& file, std::uint32_t seed, std::uint64_t offset, std::uint64_t end, std::size_t chunk_bytes)
    : file_(file), seed_(seed), offset_(offset), end_(end), chunk_bytes_(std::max(chunk_bytes, kBlockBytes)) {}

Seen RecordReader::bad(std::string reason) {
    reason_ = std::move(reason);
    return Seen::kBad;
}

Seen RecordReader::look_at_headers() {
    const Bytes bytes = window(offset_, kHeadersBytes);
    reason_ = "record missing";
    if (bytes.size() < sizeof(RecordHeader)) return all_zero(bytes) ? Seen::kNothing : bad("bytes that are no record");
    std::memcpy(&record_, bytes.data(), sizeof record_);
    if (record_.checksum == 0 && record_.entry_bytes == 0) return Seen::kNothing;
    if (bytes.size() < kHeadersBytes) return bad("a record cut short by the end of the segment");
    if (record_checksum(bytes.data() + offsetof(RecordHeader, entry_bytes), seed_) != record_.checksum) {
        return bad("the record's checksum does not fit its header");
    }
    std::memcpy(&header_, bytes.data() + sizeof(RecordHeader), sizeof header_);
    if (record_.entry_bytes != sizeof(EntryHeader) + std::uint64_t{header_.payload_bytes} || record_.entry_bytes > limits::kEntryBytesMax) {
        return bad(fmt::format("the record has {} bytes, its entry a payload of {}", record_.entry_bytes, header_.payload_bytes));
    }
    if (record_.entry_bytes > end_ - offset_ - sizeof(RecordHeader)) return bad("a record longer than the segment");
    return Seen::kRecord;
}

Seen RecordReader::look() {
    if (const Seen seen = look_at_headers(); seen != Seen::kRecord) return seen;
    const Bytes bytes = window(offset_ + sizeof(RecordHeader), record_.entry_bytes);
    auto entry = Entry::decode(chunk_, bytes);
    if (!entry) return bad(std::move(entry.error().message));
    entry_ = *std::move(entry);
    return Seen::kRecord;
}

EntryId RecordReader::id() const { return {{header_.epoch}, {header_.lsn}, header_.checksum}; }

void RecordReader::advance() { offset_ += sizeof(RecordHeader) + record_.entry_bytes; }

bool RecordReader::find(Lsn above, Lsn below) {
    const std::uint64_t start = offset_;
    for (std::uint64_t at = start + 1; at + kHeadersBytes <= end_;) {
        const Bytes bytes = window(at, kBlockBytes);
        if (bytes.size() < kHeadersBytes) break;
        for (std::size_t i = 0; i + kHeadersBytes <= bytes.size(); ++i, ++at) {
            // Cheap conditions first: this runs at every byte of a damaged stretch.
            const auto lsn = load_le<std::uint64_t>(bytes.data() + i + sizeof(RecordHeader) + offsetof(EntryHeader, lsn));
            if (lsn <= above.value || lsn >= below.value) continue;
            const auto size = load_le<std::uint32_t>(bytes.data() + i + offsetof(RecordHeader, entry_bytes));
            if (size < sizeof(EntryHeader) || size > limits::kEntryBytesMax) continue;
            offset_ = at;
            if (look() == Seen::kRecord) return true;
            offset_ = start;
            // look() may have moved the chunk that `bytes` lies in.
            ++at;
            break;
        }
    }
    return false;
}

bool RecordReader::rest_is_zero() {
    for (std::uint64_t at = offset_; at < end_;) {
        const Bytes bytes = window(at, std::min<std::uint64_t>(chunk_bytes_, end_ - at));
        if (!all_zero(bytes)) return false;
        at += bytes.size();
    }
    return true;
}

/// Up to `bytes` bytes at `offset`, fewer only at the end. Valid until the next call.
Bytes RecordReader::window(std::uint64_t offset, std::size_t bytes) {
    if (offset >= end_) return {};
    bytes = std::min<std::uint64_t>(bytes, end_ - offset);
    if (offset < chunk_offset_ || offset + bytes > chunk_offset_ + chunk_size_) {
        fill(offset, std::min<std::uint64_t>(std::max(bytes, chunk_bytes_), end_ - offset));
    }
    return {chunk_.get() + (offset - chunk_offset_), bytes};
}

void RecordReader::fill(std::uint64_t offset, std::size_t bytes) {
    entry_ = {};  // gives up its share
    if (chunk_.use_count() != 1 || chunk_capacity_ < bytes) {
        chunk_ = std::make_shared_for_overwrite<std::byte[]>(bytes);
        chunk_capacity_ = bytes;
    }
    chunk_offset_ = offset;
    chunk_size_ = bytes;
    const auto read_into = [&](std::span<std::byte> into, std::uint64_t from) {
        const auto read = file_.read_at(from, into);
        if (read) std::ranges::fill(into.subspan(*read), std::byte{0});
        return read.has_value();
    };
    const std::span chunk(chunk_.get(), bytes);
    if (read_into(chunk, offset)) return;
    // Some sector cannot be read: what can be is still wanted, the rest becomes bytes that no checksum accepts.
    for (std::size_t at = 0; at < bytes;) {
        const auto sector = chunk.subspan(at, std::min(kSectorBytes - (offset + at) % kSectorBytes, bytes - at));
        if (!read_into(sector, offset + at)) std::ranges::fill(sector, std::byte{0xff});
        at += sector.size();
    }
}

}  // namespace tanist::wal

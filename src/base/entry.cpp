// SPDX-License-Identifier: Apache-2.0
#include "base/entry.h"

#include "base/crc32c.h"
#include "base/ensure.h"

namespace tanist {

Entry Entry::make(Epoch epoch, const EntryId& predecessor, std::uint64_t timestamp, EntryKind kind, std::string_view payload) {
    ENSURE(payload.size() <= kPayloadBytesMax);
    ENSURE(epoch >= predecessor.epoch);
    Entry entry;
    entry.header_ = EntryHeader{.payload_bytes = static_cast<std::uint32_t>(payload.size()),
                                .epoch = epoch.value,
                                .lsn = predecessor.lsn.next().value,
                                .timestamp = timestamp,
                                .predecessor_checksum = predecessor.checksum,
                                .kind = static_cast<std::uint32_t>(kind)};
    const std::size_t size = sizeof(EntryHeader) + payload.size();
    std::shared_ptr<std::byte[]> buffer(new std::byte[size]);
    std::memcpy(buffer.get(), &entry.header_, sizeof(EntryHeader));
    if (!payload.empty()) std::memcpy(buffer.get() + sizeof(EntryHeader), payload.data(), payload.size());
    entry.bytes_ = Bytes(buffer.get(), size);
    entry.header_.checksum = crc32c(entry.bytes_.subspan(sizeof(std::uint32_t)));
    store_le(buffer.get(), entry.header_.checksum);
    entry.owner_ = std::move(buffer);
    return entry;
}

std::size_t Entry::encoded_bytes(Bytes bytes) {
    if (bytes.size() < sizeof(EntryHeader)) return 0;
    return sizeof(EntryHeader) + load_le<std::uint32_t>(bytes.data() + offsetof(EntryHeader, payload_bytes));
}

Result<Entry> Entry::decode(std::shared_ptr<const void> owner, Bytes bytes) {
    if (bytes.size() < sizeof(EntryHeader)) {
        return fail(ErrorCode::kCorrupt, "entry cut short: {} bytes, a header alone has {}", bytes.size(), sizeof(EntryHeader));
    }
    Entry entry;
    std::memcpy(&entry.header_, bytes.data(), sizeof(EntryHeader));
    const EntryHeader& header = entry.header_;
    if (header.payload_bytes > kPayloadBytesMax) {
        return fail(ErrorCode::kCorrupt, "entry claims a payload of {} bytes; at most {} are allowed", header.payload_bytes,
                    kPayloadBytesMax);
    }
    const std::size_t size = sizeof(EntryHeader) + header.payload_bytes;
    if (bytes.size() < size) return fail(ErrorCode::kCorrupt, "entry cut short: {} of {} bytes", bytes.size(), size);
    entry.bytes_ = bytes.first(size);
    if (const auto found = crc32c(entry.bytes_.subspan(sizeof(std::uint32_t))); found != header.checksum) {
        return fail(ErrorCode::kCorrupt, "entry lsn={} epoch={}: checksum {:08x}, its bytes give {:08x}", header.lsn, header.epoch,
                    header.checksum, found);
    }
    if (header.kind < static_cast<std::uint32_t>(EntryKind::kCommands) || header.kind > static_cast<std::uint32_t>(EntryKind::kTick)) {
        return fail(ErrorCode::kCorrupt, "entry lsn={}: unknown kind {}", header.lsn, header.kind);
    }
    if (header.lsn == 0 || header.epoch == 0) {
        return fail(ErrorCode::kCorrupt, "entry lsn={} epoch={}: both start at 1", header.lsn, header.epoch);
    }
    entry.owner_ = std::move(owner);
    return entry;
}

}  // namespace tanist

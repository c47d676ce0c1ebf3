// SPDX-License-Identifier: Apache-2.0
#include "wal/slot.h"

#include <algorithm>

#include "base/crc32c.h"

namespace tanist::wal {
namespace {

constexpr std::uint32_t kSlotFormat = 0x31574154;  // "TAW1"
constexpr std::uint32_t kStartsLog = 1, kUnsettled = 2;
constexpr std::size_t kUsedBytes = 108;

void store(std::byte* to, const EntryId& id) {
    store_le(to, id.epoch.value);
    store_le(to + 8, id.lsn.value);
    store_le(to + 16, id.checksum);
}

EntryId load(const std::byte* from) {
    return {{load_le<std::uint64_t>(from)}, {load_le<std::uint64_t>(from + 8)}, load_le<std::uint32_t>(from + 16)};
}

}  // namespace

SlotBytes encode(const Slot& slot, std::uint32_t seed) {
    SlotBytes bytes{};
    std::byte* at = bytes.data();
    store_le(at + 4, kSlotFormat);
    store_le(at + 8, slot.number);
    store(at + 16, slot.base);
    store(at + 40, slot.mark.intent);
    store(at + 64, slot.mark.confirmed);
    if (slot.seal) {
        store_le(at + 88, slot.seal->end_lsn.value);
        store_le(at + 96, slot.seal->successor_use_id);
    }
    store_le(at + 104, (slot.starts_log ? kStartsLog : 0) | (slot.unsettled ? kUnsettled : 0));
    static_assert(kUsedBytes == 104 + sizeof(std::uint32_t));
    store_le(at, crc32c(Bytes(bytes).subspan(sizeof(std::uint32_t)), seed));
    return bytes;
}

std::optional<Slot> decode_slot(std::span<const std::byte, kSlotBytes> bytes, std::uint32_t seed) {
    const std::byte* at = bytes.data();
    if (load_le<std::uint32_t>(at + 4) != kSlotFormat) return std::nullopt;
    if (load_le<std::uint32_t>(at) != crc32c(bytes.subspan<sizeof(std::uint32_t)>(), seed)) return std::nullopt;
    Slot slot{
        .number = load_le<std::uint64_t>(at + 8), .base = load(at + 16), .mark = {.intent = load(at + 40), .confirmed = load(at + 64)}};
    if (const auto successor = load_le<std::uint64_t>(at + 96); successor != 0) {
        slot.seal = Seal{.end_lsn = {load_le<std::uint64_t>(at + 88)}, .successor_use_id = successor};
    }
    const auto flags = load_le<std::uint32_t>(at + 104);
    slot.starts_log = (flags & kStartsLog) != 0;
    slot.unsettled = (flags & kUnsettled) != 0;
    return slot;
}

std::optional<std::size_t> Head::latest_place() const {
    if (slots[0] && slots[1]) return slots[0]->number > slots[1]->number ? 0 : 1;
    if (slots[0]) return 0;
    if (slots[1]) return 1;
    return std::nullopt;
}

const Slot* Head::latest() const {
    const auto place = latest_place();
    return place ? &*slots[*place] : nullptr;
}

std::size_t Head::next_place() const {
    const auto place = latest_place();
    return place ? 1 - *place : 0;
}

}  // namespace tanist::wal

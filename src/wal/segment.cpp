// SPDX-License-Identifier: Apache-2.0
#include "wal/segment.h"

#include <algorithm>
#include <array>

#include "base/ensure.h"
#include "base/limits.h"

namespace tanist::wal {
namespace {
/// An fdatasync into blocks that the file system has only promised writes its journal, too, and takes twice as long. That is spread over
/// the writes that this many zeros are good for; a large write has little of it to bear, and needs none.
constexpr std::array<std::byte, 256 * limits::kKiB> kZeros{};
constexpr std::uint64_t kLargeWrite = 64 * limits::kKiB;
constexpr std::uint64_t kPointDistance = 16 * 1024;  // bytes: a read steps over at most that much to find its start

bool makes_sense(const Slot& slot, const SegmentName& name) {
    return slot.base.lsn == name.first_lsn.previous() && slot.mark.confirmed.lsn >= slot.base.lsn &&
           slot.mark.intent.rank() >= slot.mark.confirmed.rank();
}

}  // namespace

void Segment::add_point(Lsn lsn, std::uint64_t offset) {
    if (points.empty() || offset - points.back().offset >= kPointDistance) points.push_back({lsn, offset});
}

IndexPoint Segment::point_for(Lsn lsn) const {
    const auto behind = std::ranges::upper_bound(points, lsn, {}, &IndexPoint::lsn);
    ENSURE(behind != points.begin());
    return *(behind - 1);
}

Status Segment::zero_ahead(std::uint64_t written) {
    const std::uint64_t end = end_offset + written;
    if (end <= zeroed_bytes || end >= bytes || written > kLargeWrite) return {};
    const auto zeros = Bytes(kZeros).first(std::min<std::uint64_t>(kZeros.size(), bytes - end));
    if (auto status = file->write_at(end, zeros); !status) return status;
    zeroed_bytes = end + zeros.size();
    return {};
}

void Segment::void_from(Lsn lsn) {
    ENSURE(lsn > name.first_lsn);
    if (lsn > last_lsn) return;
    last_lsn = lsn.previous();
    std::erase_if(points, [&](const IndexPoint& point) { return point.lsn >= lsn; });
}

std::string place_text(const std::string& path, std::uint64_t offset) { return fmt::format("{}:{}", path, offset); }

Head read_head(const File& file, const SegmentName& name) {
    const std::uint32_t seed = checksum_seed(name);
    Head head;
    for (std::size_t place = 0; place < head.slots.size(); ++place) {
        SlotBytes bytes{};
        const auto read = file.read_at(place * kSlotStride, bytes);
        if (!read || *read != bytes.size()) continue;
        if (const auto slot = decode_slot(bytes, seed); slot && makes_sense(*slot, name)) head.slots[place] = slot;
    }
    return head;
}

Status write_slot(Segment& segment, Slot slot) {
    const Slot* latest = segment.head.latest();
    slot.number = latest ? latest->number + 1 : 1;
    const std::size_t place = segment.head.next_place();
    const SlotBytes bytes = encode(slot, segment.seed);
    if (auto status = segment.file->write_at(place * kSlotStride, bytes); !status) return status;
    segment.head.slots[place] = slot;
    return {};
}

}  // namespace tanist::wal

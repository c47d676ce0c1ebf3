// SPDX-License-Identifier: Apache-2.0
#include "store/hot_table.h"

#include "base/ensure.h"

namespace tanist::store {
HotTable::HotTable() { clear(); }

void HotTable::clear() {
    segments_.clear();
    directory_.clear();
    depth_ = 1;
    size_ = 0;
    for (int i = 0; i < 2; ++i) {
        segments_.push_back(std::make_unique<Segment>());
        segments_.back()->depth = 1;
        directory_.push_back(segments_.back().get());
    }
}

HotTable::Slot HotTable::slot_of(std::uint64_t hash, HotEntry* entry) {
    const auto address = reinterpret_cast<std::uintptr_t>(entry);
    ENSURE(address >> (64 - kTagBits) == 0);  // user memory has 47 bits, or 48
    return address << kTagBits | tag(hash);
}

void HotTable::prefetch_entry(std::uint64_t hash) const {
    const Segment& in = segment(hash);
    for (std::size_t at = home(hash); in.slots[at] != kEmpty; at = next(at)) {
        if (tag(in.slots[at]) != tag(hash)) continue;
        const auto* first = reinterpret_cast<const char*>(entry_of(in.slots[at]));
        // Head, key and a value of 100 bytes lie in two or three lines; the processor fetches a longer one ahead by itself.
        for (std::size_t line = 0; line < 3; ++line) __builtin_prefetch(first + 64 * line);
        return;
    }
}

void HotTable::place(Segment& in, Slot slot) {
    std::size_t at = home(slot);
    while (in.slots[at] != kEmpty) at = next(at);
    in.slots[at] = slot;
    ++in.used;
}

void HotTable::insert(std::uint64_t hash, HotEntry* entry) {
    while (segment(hash).used >= kSlotsUsedMax) split(hash);
    place(segment(hash), slot_of(hash, entry));
    ++size_;
}

/// Of a full segment; by chance all may go to one of the two, then it is to be split again.
void HotTable::split(std::uint64_t hash) {
    Segment& left = segment(hash);
    if (left.depth == depth_) {
        ENSURE(depth_ < kDepthMax);
        std::vector<Segment*> doubled(2 * directory_.size());
        for (std::size_t i = 0; i < doubled.size(); ++i) doubled[i] = directory_[i / 2];
        directory_ = std::move(doubled);
        ++depth_;
    }
    segments_.push_back(std::make_unique<Segment>());
    Segment& right = *segments_.back();
    right.depth = ++left.depth;

    const std::size_t places = std::size_t{1} << (depth_ - left.depth);  // each of them has in the directory
    const std::size_t first = (hash >> (64 - depth_)) / (2 * places) * (2 * places);
    for (std::size_t i = 0; i < places; ++i) directory_[first + places + i] = &right;

    const auto slots = left.slots;
    for (const Slot slot : slots) {
        if (slot != kEmpty) __builtin_prefetch(entry_of(slot));
    }
    left.slots.fill(kEmpty);
    left.used = 0;
    for (const Slot slot : slots) {
        if (slot == kEmpty) continue;
        const bool goes_right = (entry_of(slot)->hash_high >> (32 - left.depth) & 1) != 0;
        place(goes_right ? right : left, slot);
    }
}

std::size_t HotTable::place_of(const Segment& in, std::uint64_t hash, const HotEntry* entry) {
    std::size_t at = home(hash);
    while (entry_of(in.slots[at]) != entry) {
        ENSURE(in.slots[at] != kEmpty);
        at = next(at);
    }
    return at;
}

void HotTable::replace(std::uint64_t hash, HotEntry* before, HotEntry* now) {
    Segment& in = segment(hash);
    in.slots[place_of(in, hash, before)] = slot_of(hash, now);
}

/// Knuth, volume 3, section 6.4, algorithm R: what follows without a gap and would not be found behind one moves into it.
void HotTable::erase(std::uint64_t hash, HotEntry* entry) {
    Segment& in = segment(hash);
    std::size_t gap = place_of(in, hash, entry);
    for (std::size_t at = next(gap); in.slots[at] != kEmpty; at = next(at)) {
        const std::size_t wanted = home(in.slots[at]);
        const bool is_found_behind_gap = (at - wanted) % kSlots < (at - gap) % kSlots;
        if (is_found_behind_gap) continue;
        in.slots[gap] = in.slots[at];
        gap = at;
    }
    in.slots[gap] = kEmpty;
    --in.used;
    --size_;
}

}  // namespace tanist::store

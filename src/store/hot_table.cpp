// SPDX-License-Identifier: Apache-2.0
#include "store/hot_table.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"

namespace tanist::store {
HotTable::HotTable() { clear(); }

void HotTable::clear() {
    segments_.clear();
    directory_.clear();
    depth_ = 1;
    size_ = deepest_ = 0;
    for (int i = 0; i < 2; ++i) directory_.push_back(&add_segment(1));
}

HotTable::Segment& HotTable::add_segment(unsigned depth) {
    segments_.push_back(std::make_unique<Segment>());
    Segment& added = *segments_.back();
    added.number = segments_.size() - 1;
    added.depth = depth;
    if (depth == depth_) ++deepest_;
    return added;
}

std::span<HotTable::Segment*> HotTable::places_of(std::uint64_t hash, unsigned depth) {
    const std::size_t places = std::size_t{1} << (depth_ - depth);
    const std::size_t first = (hash >> (64 - depth_)) / places * places;
    return std::span(directory_).subspan(first, places);
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
        deepest_ = 0;
    }
    const auto places = places_of(hash, left.depth);
    if (++left.depth == depth_) ++deepest_;
    Segment& right = add_segment(left.depth);
    std::ranges::fill(places.subspan(places.size() / 2), &right);

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
    if (in.used < kSlotsUsedMin && in.depth > 1) join(hash);
}

/// The segment with its other half, if that is one segment, too, and both are almost empty.
void HotTable::join(std::uint64_t hash) {
    const unsigned depth = segment(hash).depth;
    const auto places = places_of(hash, depth - 1);
    Segment &left = *places.front(), &right = *places.back();
    if (left.depth != depth || right.depth != depth || left.used + right.used >= kSlotsUsedMin) return;
    for (const Slot slot : right.slots) {
        if (slot != kEmpty) place(left, slot);
    }
    std::ranges::fill(places, &left);
    if (left.depth-- == depth_) deepest_ -= 2;
    const std::size_t number = right.number;
    std::swap(segments_[number], segments_.back());
    segments_[number]->number = number;
    segments_.pop_back();
    if (deepest_ == 0) halve_directory();
}

void HotTable::halve_directory() {
    std::vector<Segment*> halved(directory_.size() / 2);
    for (std::size_t i = 0; i < halved.size(); ++i) halved[i] = directory_[2 * i];
    directory_ = std::move(halved);
    --depth_;
    deepest_ = static_cast<std::size_t>(std::ranges::count(segments_, depth_, &Segment::depth));
}

}  // namespace tanist::store

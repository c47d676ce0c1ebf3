// SPDX-License-Identifier: Apache-2.0
// The hash table of the hot set: keys to entries, growing and shrinking in small steps, made for looking up whole batches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "store/hot_entry.h"

namespace tanist::store {

/// Open addressing within segments, and extendible hashing over them (Fagin et al., 1979): the upper bits of a hash choose, by way
/// of a directory, a segment of 8 KiB; the lowest choose the slot in which its entry is looked for first. A full segment is split in
/// two: the dearest step that growing takes, some 20 us, whatever the table's size. Slots are freed by moving back what follows; two
/// halves of a segment that have become almost empty are one again.
/// The table does not own its entries.
class HotTable {
public:
    HotTable();

    [[nodiscard]] std::size_t size() const { return size_; }
    /// Bytes of memory, without the entries.
    [[nodiscard]] std::size_t memory() const { return segments_.size() * sizeof(Segment) + directory_.capacity() * sizeof(Segment*); }

    /// Brings the slots of a key near. Later, prefetch_entry() does so with what they point to.
    void prefetch_slots(std::uint64_t hash) const { __builtin_prefetch(&segment(hash).slots[home(hash)]); }
    void prefetch_entry(std::uint64_t hash) const;

    [[nodiscard]] HotEntry* find(std::uint64_t hash, std::string_view key) const {
        const Segment& in = segment(hash);
        for (std::size_t at = home(hash);; at = next(at)) {
            const Slot slot = in.slots[at];
            if (slot == kEmpty) return nullptr;
            if (tag(slot) != tag(hash)) continue;
            HotEntry* entry = entry_of(slot);
            if (entry->key() == key) return entry;
        }
    }
    /// Its key must not be in.
    void insert(std::uint64_t hash, HotEntry* entry);
    /// `now` has the key of `before`, which is in.
    void replace(std::uint64_t hash, HotEntry* before, HotEntry* now);
    void erase(std::uint64_t hash, HotEntry* entry);
    void clear();

    /// In no order. `visit(HotEntry*)` must not change the table.
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (const auto& in : segments_) {
            for (const Slot slot : in->slots) {
                if (slot != kEmpty) visit(entry_of(slot));
            }
        }
    }

private:
    /// An entry's address, below it the lowest 16 bits of its hash: they tell where in the segment it wants to be, and all but one of
    /// 64 of its neighbours apart from what is looked for, so that one look-up meets memory twice: slots, entry.
    using Slot = std::uint64_t;
    static constexpr Slot kEmpty = 0;
    static constexpr unsigned kTagBits = 16;
    static constexpr std::size_t kSlots = 1024;
    static constexpr std::size_t kSlotsUsedMax = kSlots * 4 / 5;  ///< beyond it runs of used slots grow long
    static constexpr std::size_t kSlotsUsedMin =
        kSlotsUsedMax / 4;                     ///< of two together: below it they are joined, and far from being split
    static constexpr unsigned kDepthMax = 32;  ///< an entry keeps so many of its hash's upper bits

    struct Segment {
        std::size_t number = 0;  ///< its place in segments_
        unsigned depth = 0;      ///< so many upper bits are the same in all its hashes
        std::size_t used = 0;
        alignas(64) std::array<Slot, kSlots> slots{};
    };

    static Slot slot_of(std::uint64_t hash, HotEntry* entry);
    static HotEntry* entry_of(Slot slot) { return reinterpret_cast<HotEntry*>(slot >> kTagBits); }
    static std::uint16_t tag(std::uint64_t bits) { return static_cast<std::uint16_t>(bits); }
    static std::size_t home(std::uint64_t bits) { return bits % kSlots; }
    static std::size_t next(std::size_t at) { return (at + 1) % kSlots; }

    [[nodiscard]] Segment& segment(std::uint64_t hash) const { return *directory_[hash >> (64 - depth_)]; }
    [[nodiscard]] static std::size_t place_of(const Segment& in, std::uint64_t hash, const HotEntry* entry);
    static void place(Segment& in, Slot slot);
    Segment& add_segment(unsigned depth);
    /// The places in the directory of what has these upper bits, `depth` of them.
    [[nodiscard]] std::span<Segment*> places_of(std::uint64_t hash, unsigned depth);
    void split(std::uint64_t hash);
    void join(std::uint64_t hash);
    void halve_directory();

    std::vector<std::unique_ptr<Segment>> segments_;
    std::vector<Segment*> directory_;  ///< 2^depth_ of them, by the upper bits of a hash; one segment may stand in many places
    unsigned depth_ = 1;
    std::size_t deepest_ = 0;  ///< segments of depth_
    std::size_t size_ = 0;
};

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// The hot set: keys in memory in front of a cold tier; it takes all changes, and keeps what is read often.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "store/former_rows.h"
#include "store/hot_generation.h"
#include "store/hot_order.h"
#include "store/hot_table.h"
#include "store/store.h"

namespace tanist::store {

/// One thread, the owner; find() and is_erased() alone may be called by several at a time. What the cold tier does not have yet is pinned,
/// in generations; the rest is evicted by S3-FIFO when there is more than `memory_max` of everything: a key that was read once leaves after
/// a short queue, so that one pass over all keys does not drive out what is in use.
class HotSet {
public:
    /// `seed` makes the hash a secret.
    HotSet(std::size_t memory_max, std::uint64_t seed);
    ~HotSet();
    HotSet(const HotSet&) = delete;
    HotSet& operator=(const HotSet&) = delete;

    static constexpr std::size_t kBatchMax = 64;
    /// What is known of up to kBatchMax keys: null where the cold tier must be asked. An entry that does not exist() is an answer too.
    /// Valid until anything but find() is called.
    void find(std::span<const std::string_view> keys, std::span<HotEntry*> found);
    /// A range that the cold tier may still have to erase covers the key: if find() does not know it, it does not exist.
    [[nodiscard]] bool is_erased(std::string_view key) const;
    /// An entry of so many bytes of memory is not left to the cold tier: it would drive out too much.
    [[nodiscard]] bool admits(std::size_t memory) const;
    /// Keeps what the cold tier answered for a key that find() did not know, and that is not erased.
    void admit(std::string_view key, std::optional<std::string_view> value);

    /// Makes the changes in the newest generation.
    void apply(std::span<const Change> changes);

    /// What is not in the cold tier; the last of them takes changes.
    [[nodiscard]] const HotGenerations& generations() const { return generations_; }
    /// Closes the newest generation, which stands at `position` then, and begins another.
    const HotGeneration& freeze(const Position& position);
    /// The generations up to `number` have arrived in the cold tier: takes up to `entries_max` of their entries as clean, or forgets
    /// them where they do not exist.
    void retire(std::uint64_t number, std::size_t entries_max);
    /// As HotOrder::within().
    [[nodiscard]] const HotOrder::Entries& in_order(std::string_view begin, std::string_view end) {
        return order_.within(begin, end, generations_);
    }
    /// From here on `former` is told what is changed, and outlives this; null: nobody is.
    void note_former(FormerRows* former) { former_ = former; }
    /// Forgets everything; nothing may be pending.
    void clear();

    [[nodiscard]] std::size_t memory() const { return entries_memory_ + table_.memory() + ghosts_.size() * sizeof(std::uint32_t); }
    [[nodiscard]] std::size_t memory_max() const { return memory_max_; }
    /// What is too much from here on leaves by shrink().
    void set_memory_max(std::size_t memory_max);
    /// Takes one step of some milliseconds towards a lower bound, if there is one to take.
    void shrink();
    [[nodiscard]] std::size_t size() const { return table_.size(); }
    [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

private:
    /// Clean entries, oldest first out.
    struct Queue {
        HotEntry* newest = nullptr;
        HotEntry* oldest = nullptr;
        std::size_t memory = 0;
    };

    [[nodiscard]] std::uint64_t hash(const HotEntry* entry) const { return folded_hash(entry->key(), seed_); }
    [[nodiscard]] HotGeneration& newest() { return *generations_.back(); }
    [[nodiscard]] bool is_frozen(const HotEntry* entry) { return entry->sequence < newest().first_sequence; }  ///< of a pending one
    /// Its place in the newest generation.
    [[nodiscard]] HotEntry*& place_of(const HotEntry* entry) { return newest().entries[entry->sequence - newest().first_sequence]; }
    HotEntry* make(std::uint64_t hash, std::string_view key, std::optional<std::string_view> value);
    void free(HotEntry* entry);
    void change(std::uint64_t hash, std::string_view key, std::optional<std::string_view> value);
    void overwrite(std::uint64_t hash, HotEntry* entry, std::optional<std::string_view> value);
    void add_to_newest(HotEntry* entry);
    void erase(const ErasedRange& range);
    void settle(HotEntry* entry);

    [[nodiscard]] Queue& queue_of(const HotEntry* entry) { return entry->queue == HotQueue::kSmall ? small_ : main_; }
    void enqueue(HotEntry* entry);
    void dequeue(HotEntry* entry);
    void make_room();
    void evict(HotEntry* entry);
    [[nodiscard]] std::uint32_t& ghost_of(std::uint64_t hash);

    std::size_t memory_max_;
    std::size_t bound_;  ///< that holds now: memory_max_, or on the way there from a higher one
    const std::uint64_t seed_;
    HotTable table_;
    std::size_t entries_memory_ = 0;  ///< orphans included
    Queue small_, main_;
    std::uint64_t evictions_ = 0;
    std::vector<std::uint32_t> ghosts_;  ///< hashes of what left the small queue, each in the place of one before: they age by that

    HotGenerations generations_;
    std::size_t retired_ = 0;        ///< entries of the oldest generation
    std::size_t erased_ranges_ = 0;  ///< in all generations
    HotOrder order_;
    FormerRows* former_ = nullptr;
};

}  // namespace tanist::store

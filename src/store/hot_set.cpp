// SPDX-License-Identifier: Apache-2.0
#include "store/hot_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.h"

namespace tanist::store {
namespace {

constexpr std::size_t kSmallShare = 10;        ///< the small queue holds one part in so many of memory_max
constexpr std::size_t kGhostShare = 256;       ///< one ghost for so many bytes of it: about as many as there are entries
constexpr std::size_t kAdmittedShare = 32;     ///< what is larger is left to the cold tier: it would drive out too much
constexpr std::size_t kShrinkBytes = 1 << 20;  ///< in one step
constexpr std::uint8_t kUsesToStay = 2;        ///< in the small queue, to go on to the main one

}  // namespace

HotSet::HotSet(std::size_t memory_max, std::uint64_t seed) : memory_max_(memory_max), bound_(memory_max), seed_(seed) {
    generations_.push_back(std::make_unique<HotGeneration>(HotGeneration{.number = 1}));
}

HotSet::~HotSet() {
    for (const auto& generation : generations_) {
        for (std::size_t i = generation == generations_.front() ? retired_ : 0; i < generation->entries.size(); ++i) {
            HotEntry* entry = generation->entries[i];
            if (entry != nullptr && entry->state == HotState::kOrphan) HotEntry::free(entry);
        }
    }
    table_.for_each([](HotEntry* entry) { HotEntry::free(entry); });
}

void HotSet::clear() {
    ENSURE(generations_.size() == 1 && newest().entries.empty() && erased_ranges_ == 0);
    table_.for_each([](HotEntry* entry) { HotEntry::free(entry); });
    table_.clear();
    entries_memory_ = 0;
    small_ = main_ = {};
}

void HotSet::set_memory_max(std::size_t memory_max) {
    if (memory_max == memory_max_) return;
    ghosts_ = {};  // made anew, as many as there are to be then
    memory_max_ = memory_max;
    bound_ = std::max(memory_max, std::min(bound_, memory()));
}

void HotSet::shrink() {
    if (bound_ == memory_max_) return;
    bound_ = std::max(memory_max_, memory() - std::min(memory(), kShrinkBytes));
    make_room();
}

// -- reading ---------------------------------------------------------------------------------------------------------------

/// In three passes over the batch, so that the memory of all keys is fetched at once.
void HotSet::find(std::span<const std::string_view> keys, std::span<HotEntry*> found) {
    ENSURE(keys.size() <= kBatchMax);
    std::array<std::uint64_t, kBatchMax> hashes;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        hashes[i] = folded_hash(keys[i], seed_);
        table_.prefetch_slots(hashes[i]);
    }
    if (keys.size() > 1) {
        for (std::size_t i = 0; i < keys.size(); ++i) table_.prefetch_entry(hashes[i]);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        found[i] = table_.find(hashes[i], keys[i]);
        if (found[i] != nullptr) found[i]->note_use();
    }
}

bool HotSet::is_erased(std::string_view key) const {
    if (erased_ranges_ == 0) return false;
    return std::ranges::any_of(generations_, [&](const auto& generation) {
        return std::ranges::any_of(generation->erased, [&](const ErasedRange& range) { return range.covers(key); });
    });
}

bool HotSet::admits(std::size_t memory) const { return memory <= memory_max_ / kAdmittedShare; }

void HotSet::admit(std::string_view key, std::optional<std::string_view> value) {
    if (!admits(HotEntry::memory_for(key.size(), value ? value->size() : 0))) return;
    const std::uint64_t hash = folded_hash(key, seed_);
    if (table_.find(hash, key) != nullptr) return;  // the same key twice in one batch
    HotEntry* entry = make(hash, key, value);
    if (!ghosts_.empty() && std::exchange(ghost_of(hash), 0) == entry->hash_high) entry->queue = HotQueue::kMain;
    enqueue(entry);
    make_room();
}

// -- changing --------------------------------------------------------------------------------------------------------------

HotEntry* HotSet::make(std::uint64_t hash, std::string_view key, std::optional<std::string_view> value) {
    HotEntry* entry = HotEntry::make(hash, key, value);
    entries_memory_ += entry->memory();
    table_.insert(hash, entry);
    return entry;
}

void HotSet::free(HotEntry* entry) {
    entries_memory_ -= entry->memory();
    HotEntry::free(entry);
}

void HotSet::apply(std::span<const Change> changes) {
    constexpr std::size_t kAhead = 32;
    std::array<std::uint64_t, kAhead> hashes;
    while (!changes.empty()) {
        const auto batch = changes.first(std::min(kAhead, changes.size()));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            hashes[i] = folded_hash(batch[i].key, seed_);
            table_.prefetch_slots(hashes[i]);
        }
        for (std::size_t i = 0; i < batch.size(); ++i) table_.prefetch_entry(hashes[i]);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const Change& one = batch[i];
            if (one.is_range()) {
                erase({std::string(one.key), std::string(one.end)});
            } else {
                change(hashes[i], one.key, one.value);
            }
        }
        changes = changes.subspan(batch.size());
    }
    make_room();
}

void HotSet::change(std::uint64_t hash, std::string_view key, std::optional<std::string_view> value) {
    if (HotEntry* entry = table_.find(hash, key); entry != nullptr) return overwrite(hash, entry, value);
    if (former_ != nullptr) former_->note_unknown(key);
    add_to_newest(make(hash, key, value));
}

void HotSet::add_to_newest(HotEntry* entry) {
    entry->state = HotState::kPending;
    entry->sequence = newest().first_sequence + newest().entries.size();
    newest().entries.push_back(entry);
    newest().memory += entry->memory();
}

void HotSet::overwrite(std::uint64_t hash, HotEntry* entry, std::optional<std::string_view> value) {
    const bool is_clean = entry->state == HotState::kClean;
    if (is_clean && !entry->exists() && !value) return;
    if (is_clean) dequeue(entry);
    const bool keeps_its_place = !is_clean && !is_frozen(entry);
    if (!keeps_its_place && former_ != nullptr) {
        former_->note(entry->key(), entry->exists() ? std::optional(entry->value()) : std::nullopt);
    }
    if ((is_clean || keeps_its_place) && entry->memory() == HotEntry::memory_for(entry->key_bytes, value ? value->size() : 0)) {
        entry->set_value(value);
        if (is_clean) add_to_newest(entry);
        return;
    }
    HotEntry* now = HotEntry::make(hash, entry->key(), value);
    now->queue = entry->queue;
    now->uses = entry->uses;
    entries_memory_ += now->memory();
    table_.replace(hash, entry, now);
    if (keeps_its_place) {
        now->state = HotState::kPending;
        now->sequence = entry->sequence;
        place_of(entry) = now;
        newest().memory += now->memory() - entry->memory();
        order_.replace(entry, now);
        return free(entry);
    }
    add_to_newest(now);
    if (is_clean) return free(entry);
    order_.drop(entry);
    entry->state = HotState::kOrphan;
}

void HotSet::erase(const ErasedRange& range) {
    if (former_ != nullptr) former_->note_range();
    std::vector<HotEntry*> covered;
    table_.for_each([&](HotEntry* entry) {
        if (range.covers(entry->key())) covered.push_back(entry);
    });
    for (HotEntry* entry : covered) {
        table_.erase(hash(entry), entry);
        order_.drop(entry);
        if (entry->state == HotState::kClean) {
            dequeue(entry);
        } else if (is_frozen(entry)) {
            entry->state = HotState::kOrphan;
            continue;
        } else {
            place_of(entry) = nullptr;
            newest().memory -= entry->memory();
        }
        free(entry);
    }
    auto& erased = newest().erased;
    erased_ranges_ -= std::erase_if(erased, [&](const ErasedRange& one) { return one.begin >= range.begin && one.end <= range.end; });
    erased.push_back(range);
    ++erased_ranges_;
}

// -- generations -----------------------------------------------------------------------------------------------------------

const HotGeneration& HotSet::freeze(const Position& position) {
    HotGeneration& frozen = newest();
    frozen.position = position;
    if (former_ != nullptr) former_->freeze(position.applied);
    generations_.push_back(std::make_unique<HotGeneration>(
        HotGeneration{.number = frozen.number + 1, .first_sequence = frozen.first_sequence + frozen.entries.size()}));
    order_.age();
    return frozen;
}

void HotSet::retire(std::uint64_t number, std::size_t entries_max) {
    while (generations_.front()->number <= number && generations_.size() > 1) {
        HotGeneration& oldest = *generations_.front();
        // At once: left until the last entry, it would hide in the cold tier what was written behind it in this very generation.
        erased_ranges_ -= oldest.erased.size();
        oldest.erased.clear();
        const std::size_t end = retired_ + std::min(oldest.entries.size() - retired_, entries_max);
        entries_max -= end - retired_;
        for (; retired_ < end; ++retired_) {
            if (HotEntry* entry = std::exchange(oldest.entries[retired_], nullptr); entry != nullptr) settle(entry);
        }
        if (retired_ < oldest.entries.size()) break;
        retired_ = 0;
        generations_.pop_front();
    }
    make_room();
}

/// An entry whose generation has arrived.
void HotSet::settle(HotEntry* entry) {
    if (entry->state == HotState::kOrphan) return free(entry);
    order_.drop(entry);
    if (!entry->exists()) {
        table_.erase(hash(entry), entry);
        return free(entry);
    }
    entry->state = HotState::kClean;
    enqueue(entry);
}

// -- eviction --------------------------------------------------------------------------------------------------------------

void HotSet::enqueue(HotEntry* entry) {
    Queue& queue = queue_of(entry);
    entry->links = {.newer = nullptr, .older = queue.newest};
    (queue.newest == nullptr ? queue.oldest : queue.newest->links.newer) = entry;
    queue.newest = entry;
    queue.memory += entry->memory();
}

void HotSet::dequeue(HotEntry* entry) {
    Queue& queue = queue_of(entry);
    const auto [newer, older] = entry->links;
    (newer == nullptr ? queue.newest : newer->links.older) = older;
    (older == nullptr ? queue.oldest : older->links.newer) = newer;
    queue.memory -= entry->memory();
}

/// S3-FIFO: from the small queue what was used goes on to the main one, the rest leaves a ghost; from the main one what was used
/// goes round once more for each use.
void HotSet::make_room() {
    while (memory() > bound_) {
        const bool from_small = small_.oldest != nullptr && (small_.memory > memory_max_ / kSmallShare || main_.oldest == nullptr);
        HotEntry* entry = from_small ? small_.oldest : main_.oldest;
        if (entry == nullptr) return;  // all is pinned
        if (from_small ? entry->uses < kUsesToStay : entry->uses == 0) {
            evict(entry);
            continue;
        }
        dequeue(entry);
        entry->uses = from_small ? 0 : static_cast<std::uint8_t>(entry->uses - 1);
        entry->queue = HotQueue::kMain;
        enqueue(entry);
    }
}

void HotSet::evict(HotEntry* entry) {
    const std::uint64_t hash = this->hash(entry);
    if (entry->queue == HotQueue::kSmall) {
        if (ghosts_.empty()) ghosts_.resize(std::max<std::size_t>(1, memory_max_ / kGhostShare));
        ghost_of(hash) = entry->hash_high;
    }
    ++evictions_;
    dequeue(entry);
    table_.erase(hash, entry);
    free(entry);
}

std::uint32_t& HotSet::ghost_of(std::uint64_t hash) { return ghosts_[(hash & 0xffff'ffff) * ghosts_.size() >> 32]; }

}  // namespace tanist::store

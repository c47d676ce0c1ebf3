// SPDX-License-Identifier: Apache-2.0
// A hash table of keys that it borrows, made to be filled and emptied again and again: it keeps its memory, and allocates nothing a key.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace tanist::commands {

/// Items lie in the order in which they came, and stay where they are until they are erased; whoever walks them meets that order,
/// whatever the hash is. Open addressing with linear probing over their numbers.
template <class T>
class KeyTable {
public:
    struct Item {
        std::string_view key;
        T value{};
        std::uint64_t hash = 0;
        bool is_in = false;
    };

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] Item* find(std::string_view key) { return size_ == 0 ? nullptr : find(key, hash_of(key)); }

    /// The item of `key`, and whether it is new.
    std::pair<Item*, bool> try_emplace(std::string_view key) {
        const std::uint64_t hash = hash_of(key);
        if (size_ > 0) {
            if (Item* known = find(key, hash)) return {known, false};
        }
        if (2 * (items_ + 1) > slots_.size()) rebuild();
        if (items_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Chunk>());
        Item& one = item(items_);
        one.key = key;
        one.hash = hash;
        one.is_in = true;
        place(hash, items_++);
        ++size_;
        return {&one, true};
    }

    /// `which(const Item&)`. Walks everything: it is rare. What is erased keeps its memory until clear().
    template <class Which>
    void erase_if(const Which& which) {
        for (std::size_t i = 0; i < items_; ++i) {
            Item& one = item(i);
            if (!one.is_in || !which(std::as_const(one))) continue;
            one.is_in = false;
            one.value = T{};
            --size_;
        }
        index(slots_.size());
    }

    void clear() {
        const bool one_by_one = items_ < slots_.size() / 8;  // one large filling must not slow down all that follow
        for (std::size_t i = 0; i < items_; ++i) {
            if (!item(i).is_in) continue;
            item(i).value = T{};
            if (one_by_one) slots_[slot_of(i)] = kEmpty;
        }
        if (!one_by_one) std::ranges::fill(slots_, kEmpty);
        items_ = size_ = 0;
        if (slots_.size() > kSlotsKept) slots_ = {};
        if (chunks_.size() > kSlotsKept / 2 / kChunk) chunks_.resize(kSlotsKept / 2 / kChunk);
    }

    /// `visit(Item&)`, in the order in which they came; it must not add or erase any.
    template <class Visit>
    void for_each(const Visit& visit) {
        for (std::size_t i = 0; i < items_; ++i) {
            if (item(i).is_in) visit(item(i));
        }
    }

private:
    static constexpr std::size_t kChunk = 64, kSlotsKept = 16'384, kSlotsMin = 32;
    using Chunk = std::array<Item, kChunk>;
    /// The number of an item plus one, below the upper half of its hash.
    using Slot = std::uint64_t;
    static constexpr Slot kEmpty = 0;

    [[nodiscard]] static std::uint64_t hash_of(std::string_view key) { return folded_hash(key, process_secret()); }
    [[nodiscard]] Item& item(std::size_t number) { return (*chunks_[number / kChunk])[number % kChunk]; }

    [[nodiscard]] Item* find(std::string_view key, std::uint64_t hash) {
        for (std::size_t at = hash & (slots_.size() - 1); slots_[at] != kEmpty; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at] >> 32 != hash >> 32) continue;
            Item& one = item((slots_[at] & 0xffff'ffff) - 1);
            if (one.key == key) return &one;
        }
        return nullptr;
    }
    /// Of an item that is in; those before it may have been emptied.
    [[nodiscard]] std::size_t slot_of(std::size_t number) {
        std::size_t at = item(number).hash & (slots_.size() - 1);
        while ((slots_[at] & 0xffff'ffff) != number + 1) at = (at + 1) & (slots_.size() - 1);
        return at;
    }
    void place(std::uint64_t hash, std::size_t number) {
        std::size_t at = hash & (slots_.size() - 1);
        while (slots_[at] != kEmpty) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = hash >> 32 << 32 | (number + 1);
    }
    /// For one more item: what was erased counts until here.
    void rebuild() {
        std::size_t slots = kSlotsMin;
        while (slots < 4 * (items_ + 1)) slots *= 2;
        index(slots);
    }
    void index(std::size_t slots) {
        slots_.assign(slots, kEmpty);
        for (std::size_t i = 0; i < items_; ++i) {
            if (item(i).is_in) place(item(i).hash, i);
        }
    }

    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::vector<Slot> slots_;  ///< a power of two of them, at most half of them used; none before the first item
    std::size_t items_ = 0;    ///< with those that were erased
    std::size_t size_ = 0;
};

}  // namespace tanist::commands

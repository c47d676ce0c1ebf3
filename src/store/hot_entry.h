// SPDX-License-Identifier: Apache-2.0
// One key of the hot set: head, key and value in one piece of memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>

#include "base/ensure.h"
#include "base/limits.h"

namespace tanist::store {

enum class HotState : std::uint8_t {
    kClean,    ///< as the cold tier has it: may be evicted, and lies in one of the two queues
    kPending,  ///< in a generation, and newer than the cold tier; frozen with it: then key and value must not move or change
    kOrphan,   ///< frozen, and replaced meanwhile: no longer in the table, goes when its generation has arrived
};

/// Where a clean entry waits for its eviction, S3-FIFO's words (Yang et al., "FIFO queues are all you need", SOSP'23).
enum class HotQueue : std::uint8_t { kSmall, kMain };

struct HotEntry {
    struct Links {
        HotEntry* newer;
        HotEntry* older;
    };
    union {
        Links links;             ///< clean
        std::uint64_t sequence;  ///< pending: its place in its generation, counted on from generation to generation
    };
    std::uint32_t hash_high;  ///< upper half of the key's hash
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;  ///< kAbsent: the key does not exist
    // Each of the next is written by the owner while the feeder reads key and value of a frozen entry.
    HotState state;
    HotQueue queue;     ///< where it goes when it is clean
    std::uint8_t uses;  ///< since it came into its queue, up to kUsesMax; of two at the same time one may be missed
    bool is_in_order;   ///< the ordered index has it

    static constexpr std::uint32_t kAbsent = 0xffff'ffff;
    static constexpr std::uint8_t kUsesMax = 3;

    [[nodiscard]] std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_bytes}; }
    [[nodiscard]] bool exists() const { return value_bytes != kAbsent; }
    /// Of an entry that exists().
    [[nodiscard]] std::string_view value() const { return {reinterpret_cast<const char*>(this + 1) + key_bytes, value_bytes}; }
    /// Bytes of memory, what the allocator rounds up included: mimalloc has four sizes between one power of two and the next.
    [[nodiscard]] std::size_t memory() const { return memory_for(key_bytes, exists() ? value_bytes : 0); }
    [[nodiscard]] static std::size_t memory_for(std::size_t key_bytes, std::size_t value_bytes) {
        const std::size_t bytes = sizeof(HotEntry) + key_bytes + value_bytes;
        const std::size_t step = std::max<std::size_t>(16, std::bit_floor(bytes - 1) / 4);
        return (bytes + step - 1) / step * step;
    }

    [[nodiscard]] static HotEntry* make(std::uint64_t hash, std::string_view key, std::optional<std::string_view> value) {
        ENSURE(key.size() < kAbsent);
        auto* entry = static_cast<HotEntry*>(::operator new(memory_for(key.size(), value ? value->size() : 0)));
        entry->links = {};
        entry->hash_high = static_cast<std::uint32_t>(hash >> 32);
        entry->key_bytes = static_cast<std::uint32_t>(key.size());
        entry->state = HotState::kClean;
        entry->queue = HotQueue::kSmall;
        entry->uses = 0;
        entry->is_in_order = false;
        std::memcpy(entry + 1, key.data(), key.size());
        entry->set_value(value);
        return entry;
    }
    /// Any thread that may look it up.
    void note_use() {
        const std::atomic_ref uses_now(uses);
        const std::uint8_t before = uses_now.load(std::memory_order_relaxed);
        if (before < kUsesMax) uses_now.store(static_cast<std::uint8_t>(before + 1), std::memory_order_relaxed);
    }
    static void free(HotEntry* entry) { ::operator delete(entry); }

    /// `value` needs as much memory() as what is there.
    void set_value(std::optional<std::string_view> value) {
        value_bytes = kAbsent;
        if (!value) return;
        ENSURE(value->size() < kAbsent);
        value_bytes = static_cast<std::uint32_t>(value->size());
        if (!value->empty()) std::memcpy(reinterpret_cast<char*>(this + 1) + key_bytes, value->data(), value->size());
    }
};
static_assert(sizeof(HotEntry) == 32 && std::is_trivially_copyable_v<HotEntry>);

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// The thread that writes what was changed in the hot set to the cold tier.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "store/hot_generation.h"
#include "store/store.h"

namespace tanist::store {

/// Called by the owner of the hot set. While anything is on its way, the thread alone applies to and flushes `cold`, which others may
/// only read. Generations that wait go into one write, as many as `write_bytes_max` of their entries allows (one at least), sorted, the
/// newest of each key: so a slow disk makes for larger and fewer writes, and still is heard of often. A failure is kept, and final (S4).
class HotFeeder {
public:
    HotFeeder(Store& cold, std::size_t write_bytes_max);
    /// Waits for the write under way, not for what stands behind it.
    ~HotFeeder();
    HotFeeder(const HotFeeder&) = delete;
    HotFeeder& operator=(const HotFeeder&) = delete;

    /// `generation` is frozen, and lives until it has arrived().
    void feed(const HotGeneration& generation);
    /// The cold tier is flushed behind everything fed so far.
    void flush();
    /// Generations up to this number are in the cold tier, as reads of it see at once.
    [[nodiscard]] std::uint64_t arrived() const { return arrived_.load(std::memory_order_acquire); }
    [[nodiscard]] Status check() const;
    /// Waits until the thread does nothing with `cold`.
    [[nodiscard]] Status await_idle();

private:
    using Batch = std::vector<const HotGeneration*>;

    void run();
    [[nodiscard]] Batch take();
    [[nodiscard]] Status write(const Batch& batch);
    void collect(const Batch& batch);

    Store& cold_;
    const std::size_t write_bytes_max_;

    /// Guards the queue between the owner and the thread; neither holds it while it works.
    mutable std::mutex mutex_;
    std::condition_variable wake_, done_;
    std::deque<const HotGeneration*> queue_;
    bool flush_asked_ = false, busy_ = false, stopping_ = false;
    Status status_;

    std::atomic<bool> failed_ = false;
    std::atomic<std::uint64_t> arrived_ = 0;

    /// The thread's own. The first bytes that tell keys apart stand beside an entry, for sorting without looking at it.
    struct Sortable {
        std::uint64_t bytes;
        const HotEntry* entry;
    };
    std::vector<Sortable> sorted_;
    std::vector<Change> changes_;

    std::thread thread_;  ///< last: it uses all the others
};

}  // namespace tanist::store

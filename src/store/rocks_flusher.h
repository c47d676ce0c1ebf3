// SPDX-License-Identifier: Apache-2.0
// Flushes that were asked for, on a thread of their own: one at a time, and never on a thread of RocksDB.
#pragma once

#include <rocksdb/db.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tanist::store {

/// RocksDB's only flush thread must not ask for a flush itself: the question waits for the writer before it, and where that one is held
/// up because all memtables are full, it waits for the thread that asks.
/// One flush at a time: asked for again and again, a memtable would be cut into many small ones, until RocksDB stops writes.
class RocksFlusher {
public:
    /// `db` must outlive this. `failed`: on the flusher's thread; nothing is flushed any more.
    RocksFlusher(rocksdb::DB& db, std::function<void(const rocksdb::Status&)> failed);
    /// Waits for a flush that runs.
    ~RocksFlusher();
    RocksFlusher(const RocksFlusher&) = delete;
    RocksFlusher& operator=(const RocksFlusher&) = delete;

    /// Everything written so far shall be flushed, by the next flush if one runs. Any thread.
    void ask();

private:
    void run();

    rocksdb::DB& db_;
    const std::function<void(const rocksdb::Status&)> failed_;
    std::mutex mutex_;  ///< guards the two flags, between whoever asks and the thread
    std::condition_variable changed_;
    bool asked_ = false, stopping_ = false;
    std::thread thread_;
};

}  // namespace tanist::store

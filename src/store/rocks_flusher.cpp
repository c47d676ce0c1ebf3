// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_flusher.h"

#include <utility>

namespace tanist::store {

RocksFlusher::RocksFlusher(rocksdb::DB& db, std::function<void(const rocksdb::Status&)> failed)
    : db_(db), failed_(std::move(failed)), thread_([this] { run(); }) {}

RocksFlusher::~RocksFlusher() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void RocksFlusher::ask() {
    {
        const std::lock_guard lock(mutex_);
        asked_ = true;
    }
    changed_.notify_one();
}

void RocksFlusher::run() {
    rocksdb::FlushOptions options;
    options.allow_write_stall = true;  // otherwise it waits until there would be none
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return asked_ || stopping_; });
        if (stopping_) return;
        asked_ = false;
        lock.unlock();
        const auto status = db_.Flush(options);
        lock.lock();
        if (status.ok()) continue;
        failed_(status);
        return;
    }
}

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
#include "store/hot_feeder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/bytes.h"

namespace tanist::store {
namespace {

std::size_t common_prefix(std::string_view a, std::string_view b) {
    const std::size_t size = std::min(a.size(), b.size());
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin()).first - a.begin());
}

/// What all keys with one and the same first byte begin with: rows of one kind have much in common, those of different kinds nothing.
class CommonPrefixes {
public:
    void add(std::string_view key) {
        auto& [first, bytes] = kinds_[kind_of(key)];
        if (first.empty()) first = key, bytes = key.size();
        bytes = std::min(bytes, common_prefix(first.substr(0, bytes), key));
    }
    /// The first byte and the next seven behind what is common, so that they compare as the keys do as far as they go.
    [[nodiscard]] std::uint64_t leading_bytes(std::string_view key) const {
        const std::size_t skipped = kinds_[kind_of(key)].bytes;
        std::uint64_t bytes = kind_of(key);
        for (std::size_t i = skipped; i < skipped + 7; ++i) bytes = bytes << 8 | (i < key.size() ? static_cast<std::uint8_t>(key[i]) : 0);
        return bytes;
    }

private:
    struct Kind {
        std::string_view first;
        std::size_t bytes = 0;
    };
    static std::uint8_t kind_of(std::string_view key) { return static_cast<std::uint8_t>(key.front()); }

    std::array<Kind, 256> kinds_;
};

}  // namespace

HotFeeder::HotFeeder(Store& cold, std::size_t write_bytes_max)
    : cold_(cold), write_bytes_max_(write_bytes_max), thread_([this] { run(); }) {}

HotFeeder::~HotFeeder() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void HotFeeder::feed(const HotGeneration& generation) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(&generation);
    }
    wake_.notify_one();
}

void HotFeeder::flush() {
    {
        const std::lock_guard lock(mutex_);
        flush_asked_ = true;
    }
    wake_.notify_one();
}

Status HotFeeder::check() const {
    if (!failed_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock(mutex_);
    return status_;
}

Status HotFeeder::await_idle() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return !status_ || (!busy_ && !flush_asked_ && queue_.empty()); });
    return status_;
}

void HotFeeder::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [&] { return stopping_ || !queue_.empty() || flush_asked_; });
        if (stopping_) return;
        const Batch batch = take();
        const bool flush = queue_.empty() && std::exchange(flush_asked_, false);
        busy_ = true;
        lock.unlock();
        Status status = batch.empty() ? Status() : write(batch);
        if (status && flush) status = cold_.flush();
        lock.lock();
        busy_ = false;
        if (!status) {
            status_ = status;
            failed_.store(true, std::memory_order_release);
        } else if (!batch.empty()) {
            arrived_.store(batch.back()->number, std::memory_order_release);
        }
        done_.notify_all();
        if (!status) return;
    }
}

/// A range erases nothing of its own write, so it begins one.
HotFeeder::Batch HotFeeder::take() {
    Batch batch;
    std::size_t bytes = 0;
    while (!queue_.empty()) {
        const HotGeneration& next = *queue_.front();
        if (!batch.empty() && (!next.erased.empty() || bytes + next.memory > write_bytes_max_)) break;
        bytes += next.memory;
        batch.push_back(&next);
        queue_.pop_front();
    }
    return batch;
}

/// Leaves in sorted_ the newest entry of each key, ascending.
void HotFeeder::collect(const Batch& batch) {
    sorted_.clear();
    CommonPrefixes common;
    for (const HotGeneration* generation : batch) {
        for (const HotEntry* entry : generation->entries) {
            if (entry == nullptr) continue;
            common.add(entry->key());
            sorted_.push_back({0, entry});
        }
    }
    for (Sortable& one : sorted_) one.bytes = common.leading_bytes(one.entry->key());
    std::ranges::sort(sorted_, [](const Sortable& a, const Sortable& b) {
        if (a.bytes != b.bytes) return a.bytes < b.bytes;
        if (const int order = a.entry->key().compare(b.entry->key()); order != 0) return order < 0;
        return a.entry->sequence < b.entry->sequence;
    });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
        const bool is_newest =
            i + 1 == sorted_.size() || sorted_[i + 1].bytes != sorted_[i].bytes || sorted_[i + 1].entry->key() != sorted_[i].entry->key();
        if (is_newest) sorted_[kept++] = sorted_[i];
    }
    sorted_.resize(kept);
}

Status HotFeeder::write(const Batch& batch) {
    collect(batch);
    changes_.clear();
    for (const ErasedRange& range : batch.front()->erased) changes_.push_back({range.begin, std::nullopt, range.end});
    for (const auto& [bytes, entry] : sorted_) {
        changes_.push_back({entry->key(), std::nullopt});
        if (entry->exists()) changes_.back().value = entry->value();
    }
    return cold_.apply(changes_, batch.back()->position);
}

}  // namespace tanist::store

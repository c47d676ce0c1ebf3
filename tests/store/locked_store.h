// SPDX-License-Identifier: Apache-2.0
// A store that bears reads beside writes, as a cold tier has to; and that can be held up, or made to fail.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "store/store.h"

namespace tanist::store {

/// What the test that made it and the threads of the store above both hold.
struct LockedStoreControl {
    std::mutex writing;               ///< held by a test: apply() waits
    std::atomic<bool> fails = false;  ///< apply() and flush() answer kIo
    std::atomic<std::size_t> writes = 0, changes = 0;
    std::atomic<bool> out_of_order = false;  ///< some write had keys that do not ascend
};

class LockedStore final : public Store {
public:
    explicit LockedStore(std::unique_ptr<Store> store, std::shared_ptr<LockedStoreControl> control = std::make_shared<LockedStoreControl>())
        : store_(std::move(store)), control_(std::move(control)) {}

    Result<std::size_t> read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const override {
        const std::lock_guard lock(mutex_);
        return store_->read(keys, bytes_max, visit);
    }
    Result<ScanRows> scan(const ScanRequest& request) const override {
        const std::lock_guard lock(mutex_);
        return store_->scan(request);
    }
    Status apply(std::span<const Change> changes, const Position& position) override {
        const std::lock_guard may_write(control_->writing);
        const std::lock_guard lock(mutex_);
        if (control_->fails) return fail(ErrorCode::kIo, "this disk is broken");
        ++control_->writes;
        control_->changes += changes.size();
        const auto ascends_not = [](const Change& a, const Change& b) { return !a.is_range() && a.key >= b.key; };
        if (std::ranges::adjacent_find(changes, ascends_not) != changes.end()) control_->out_of_order = true;
        return store_->apply(changes, position);
    }
    Position position() const override {
        const std::lock_guard lock(mutex_);
        return store_->position();
    }
    Lsn stored() const override { return store_->stored(); }
    std::uint64_t unstored_bytes() const override { return store_->unstored_bytes(); }
    Status flush() override {
        const std::lock_guard lock(mutex_);
        if (control_->fails) return fail(ErrorCode::kIo, "this disk is broken");
        return store_->flush();
    }
    Result<std::unique_ptr<Checkpoint>> checkpoint() override {
        const std::lock_guard lock(mutex_);
        return store_->checkpoint();
    }
    Result<std::unique_ptr<CheckpointReceiver>> receive() override { return store_->receive(); }
    Result<std::uint64_t> digest() override {
        const std::lock_guard lock(mutex_);
        return store_->digest();
    }

private:
    mutable std::mutex mutex_;  ///< a store is one thread's, and its cold tier two threads'
    std::unique_ptr<Store> store_;
    std::shared_ptr<LockedStoreControl> control_;
};

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// All kinds of store behind one face, so that one suite tests them: a directory of its own, reopening, crashing.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/hot_store.h"
#include "store/memory_store.h"
#include "store/store.h"
#include "tests/store/locked_store.h"
#include "tests/temporary_directory.h"

namespace tanist::store {

/// Changes that are gathered, with what they speak of.
class OwnedChanges {
public:
    struct One {
        std::string key;
        std::optional<std::string> value;
        std::string end = {};
    };
    OwnedChanges() = default;
    OwnedChanges(OwnedChanges&&) = default;
    OwnedChanges(const OwnedChanges&) = delete;
    OwnedChanges& operator=(const OwnedChanges&) = delete;

    void push_back(One one) {
        const One& kept = kept_.emplace_back(std::move(one));
        changes_.push_back({kept.key, kept.value ? std::optional<std::string_view>(*kept.value) : std::nullopt, kept.end});
    }
    [[nodiscard]] const Change& back() const { return changes_.back(); }
    [[nodiscard]] std::size_t size() const { return changes_.size(); }
    void clear() {
        changes_.clear();
        kept_.clear();
    }
    [[nodiscard]] const std::vector<Change>& all() const { return changes_; }

private:
    std::deque<One> kept_;  ///< stay where they are
    std::vector<Change> changes_;
};

/// A place where a store lies. Opening again what was closed without a flush is what a crash leaves.
struct MemoryPlace {
    std::shared_ptr<DurableImage> image = std::make_shared<DurableImage>();
    [[nodiscard]] Result<std::unique_ptr<Store>> open() { return open_memory_store(image); }
};

#if TANIST_WITH_ROCKSDB
struct RocksPlace {
    TemporaryDirectory directory;
    [[nodiscard]] std::string path() const { return directory.path() + "/store"; }
    [[nodiscard]] Result<std::unique_ptr<Store>> open() { return open_rocks_store({.path = path()}); }
};
#endif

/// The hot set over another store, with so little memory that it gathers, waits and evicts all the time.
template <class Cold>
struct HotPlace {
    Cold cold;
    HotStoreOptions options{.memory_max = 1 << 20, .gathered_max = 2000};
    [[nodiscard]] Result<std::unique_ptr<Store>> open() {
        auto opened = cold.open();
        if (!opened) return opened;
        return open_hot_store(std::make_unique<LockedStore>(std::move(*opened)), options);
    }
};

#if TANIST_WITH_ROCKSDB
using Places = ::testing::Types<MemoryPlace, RocksPlace, HotPlace<MemoryPlace>, HotPlace<RocksPlace>>;
#else
using Places = ::testing::Types<MemoryPlace, HotPlace<MemoryPlace>>;
#endif

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// A store that answers from memory, and keeps the rest, and its durable state, in another store behind it: the cold tier.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "store/store.h"

namespace tanist::store {

struct HotStoreOptions {
    std::size_t memory_max = 512 << 20;  ///< bytes of the hot set as a whole; what is pinned and a single write may exceed it
    /// Bytes of changed entries that are gathered for one write to the cold tier; a small part of memory_max when that is less.
    std::size_t gathered_max = 32 << 20;
    std::size_t write_max = 64 << 20;  ///< bytes of them in one write, unless what is gathered at once is more
    /// A directory for FormerRows, which spare a restart most of its look-ups; empty: none.
    std::string former_path = {};
    std::size_t former_bytes_max = 128 << 20;  ///< of these files
};

/// `cold` must bear reads by some threads beside apply(), flush() and stored() by another: RocksDB does. It stands still at some
/// position at or below ours, and is never ahead of what a restart needs: what it has not got, the log has.
[[nodiscard]] std::unique_ptr<Store> open_hot_store(std::unique_ptr<Store> cold, const HotStoreOptions& options);

}  // namespace tanist::store

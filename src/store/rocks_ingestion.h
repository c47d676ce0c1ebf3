// SPDX-License-Identifier: Apache-2.0
// Large writes that go around RocksDB's memtable: as one sorted file, which becomes part of the database in one step.
#pragma once

#include <rocksdb/db.h>

#include <span>
#include <string>
#include <string_view>

#include "store/store.h"

namespace tanist::store {

/// A file of its own pays from about here on.
inline constexpr std::size_t kIngestedBytesMin = 1 << 20;

/// Whether `changes` have `bytes_min`, and are such that they can lie in one: ascending by key, no range among them;
/// and RocksDB keeps up with compaction: files that are ingested are not held back by it, as writes are.
[[nodiscard]] bool can_ingest(rocksdb::DB& db, std::span<const Change> changes, std::size_t bytes_min);

/// Writes the row `key`, which lies before all others, and `changes`, and hands the file at `path` over to `db`. When this returns,
/// all of it is in the database and on disk, with everything written before; after a crash all of it is, or nothing.
[[nodiscard]] rocksdb::Status ingest(rocksdb::DB& db, const std::string& path, std::string_view key, std::string_view value,
                                     std::span<const Change> changes);

}  // namespace tanist::store

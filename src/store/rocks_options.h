// SPDX-License-Identifier: Apache-2.0
// How RocksDB is set up.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <memory>

#include "store/store.h"

namespace tanist::store {

[[nodiscard]] rocksdb::Options database_options(const StoreOptions& options, std::shared_ptr<rocksdb::Cache> cache);
/// For reading a table file by itself.
[[nodiscard]] rocksdb::Options table_reading_options();

/// open_rocks_store() over files that RocksDB reaches through `environment`, which must outlive it, and with writes of as much as
/// `ingested_bytes_min` ingested where they can be: for tests that take the power away.
[[nodiscard]] Result<std::unique_ptr<Store>> open_rocks_store_over(const StoreOptions& options, rocksdb::Env& environment,
                                                                   std::size_t ingested_bytes_min);

}  // namespace tanist::store

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

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_options.h"

#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <thread>

namespace tanist::store {
namespace {

/// The first of `wanted` that this build of RocksDB has.
rocksdb::CompressionType first_supported(std::initializer_list<rocksdb::CompressionType> wanted) {
    const auto supported = rocksdb::GetSupportedCompressions();
    for (const auto type : wanted) {
        if (std::ranges::find(supported, type) != supported.end()) return type;
    }
    return rocksdb::kNoCompression;
}

rocksdb::BlockBasedTableOptions table_options(std::shared_ptr<rocksdb::Cache> cache) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = std::move(cache);
    table.block_size = 8 << 10;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // 1 % of the look-ups of a missing key read a block
    // In pieces: the filter of a million keys is larger than a shard of the cache, which then cannot keep it, and each look-up reads it.
    table.partition_filters = true;
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.pin_top_level_index_and_filter = true;
    table.cache_index_and_filter_blocks = true;  // so that cache_bytes bounds them too
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    table.format_version = 5;
    table.checksum = rocksdb::kXXH3;
    return table;
}

/// Rows of one kind, by their first byte. A key of one byte has none: ranges begin with such a key, and RocksDB 7.8 keeps the hint of
/// a deleted range with those of rows, though the two lie in different lists; the next insertion by it would read past its end.
class RowKind final : public rocksdb::SliceTransform {
public:
    const char* Name() const override { return "tanist.RowKind"; }
    rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), 1}; }
    bool InDomain(const rocksdb::Slice& key) const override { return key.size() > 1; }
};

/// RocksDB's own log tells nothing that its errors do not, and on a full disk its file ends the process (an assertion of RocksDB's).
class NoLog final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

}  // namespace

rocksdb::Options database_options(const StoreOptions& options, std::shared_ptr<rocksdb::Cache> cache) {
    rocksdb::Options o;
    // One writer, no WAL.
    o.allow_concurrent_memtable_write = false;
    o.enable_write_thread_adaptive_yield = false;
    o.avoid_flush_during_shutdown = true;  // stopping does not wait: what is not stored is replayed from our log

    // Memory.
    o.write_buffer_size = options.write_buffer_bytes;
    o.max_write_buffer_number = 4;
    o.memtable_whole_key_filtering = true;
    o.memtable_prefix_bloom_size_ratio = 0.05;
    // A write's rows come in order of their keys: each is searched for from where the one before it went.
    o.memtable_insert_with_hint_prefix_extractor = std::make_shared<RowKind>();
    o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(std::move(cache))));

    // Disk.
    o.compression = first_supported({rocksdb::kLZ4Compression, rocksdb::kSnappyCompression});
    o.bottommost_compression = first_supported({rocksdb::kZSTD, rocksdb::kLZ4Compression, rocksdb::kSnappyCompression});
    o.level_compaction_dynamic_level_bytes = true;
    o.level0_file_num_compaction_trigger = 8;  // of the hot set's generations; each compaction rewrites what they touch of the next level
    o.max_background_jobs = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 2U, 4U));
    o.max_open_files = 512;
    o.bytes_per_sync = 1 << 20;

    // Trust nothing, retry nothing (S4).
    o.paranoid_checks = true;
    o.force_consistency_checks = true;
    o.max_bgerror_resume_count = 0;

    o.info_log = std::make_shared<NoLog>();
    o.stats_dump_period_sec = 0;
    o.stats_persist_period_sec = 0;
    o.skip_stats_update_on_db_open = true;
    return o;
}

rocksdb::Options table_reading_options() {
    rocksdb::Options o;
    rocksdb::BlockBasedTableOptions table;
    table.no_block_cache = true;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return o;
}

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_ingestion.h"

#include <rocksdb/sst_file_writer.h>

#include <algorithm>

namespace tanist::store {
namespace {

using rocksdb::Slice;

/// Compaction begins at 8, and writes to a memtable are slowed down at 20: theirs is the way from here on.
constexpr std::size_t kNewestFilesMax = 16;

Slice slice(std::string_view text) { return {text.data(), text.size()}; }

std::size_t newest_files(rocksdb::DB& db) {
    rocksdb::ColumnFamilyMetaData tables;
    db.GetColumnFamilyMetaData(&tables);
    return tables.levels.empty() ? 0 : tables.levels.front().files.size();
}

}  // namespace

bool can_ingest(rocksdb::DB& db, std::span<const Change> changes, std::size_t bytes_min) {
    std::size_t bytes = 0;
    for (const Change& change : changes) {
        if (change.is_range()) return false;
        bytes += change.key.size() + (change.value ? change.value->size() : 0);
    }
    const auto out_of_order = [](const Change& a, const Change& b) { return a.key >= b.key; };
    return bytes >= bytes_min && std::ranges::adjacent_find(changes, out_of_order) == changes.end() && newest_files(db) < kNewestFilesMax;
}

rocksdb::Status ingest(rocksdb::DB& db, const std::string& path, std::string_view key, std::string_view value,
                       std::span<const Change> changes) {
    rocksdb::Options of_newest = db.GetOptions();
    of_newest.bottommost_compression = rocksdb::kDisableCompressionOption;  // the writer would take it, for a file that is soon compacted
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), of_newest, db.DefaultColumnFamily(), false);
    auto status = writer.Open(path);
    if (status.ok()) status = writer.Put(slice(key), slice(value));
    for (const Change& change : changes) {
        if (!status.ok()) return status;
        status = change.value ? writer.Put(slice(change.key), slice(*change.value)) : writer.Delete(slice(change.key));
    }
    if (status.ok()) status = writer.Finish();
    if (!status.ok()) return status;
    rocksdb::IngestExternalFileOptions options;
    options.move_files = true;
    options.write_global_seqno = false;  // the manifest has it: the file stays as it was synced
    return db.IngestExternalFile({path}, options);
}

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <mutex>

#include "base/ensure.h"
#include "store/digest.h"
#include "store/rocks_checkpoint.h"
#include "store/rocks_directory.h"
#include "store/rocks_flusher.h"
#include "store/rocks_ingestion.h"
#include "store/rocks_options.h"
#include "store/store.h"

namespace tanist::store {
namespace {

using rocksdb::Slice;

Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const Slice& s) { return {s.data(), s.size()}; }

tl::unexpected<Error> failure(const rocksdb::Status& status, std::string_view what) {
    return fail(status.IsCorruption() ? ErrorCode::kCorrupt : ErrorCode::kIo, "store: {}: {}", what, status.ToString());
}

/// The store's own row, written with every change and so flushed with it (S11). All rows whose key begins with a zero byte are the
/// store's own; this is the only one. Integers little-endian:
///   u8 format (1), u64 epoch, u64 lsn, u32 checksum, u64 timestamp, u64 bytes
constexpr std::string_view kPositionKey{"\0", 1};
constexpr std::uint8_t kPositionFormat = 1;
constexpr std::string_view kFirstUserKey{"\1", 1};
constexpr std::size_t kBytesPerRow = 16;  ///< beside key and value, about

struct PositionRow {
    Position position;
    std::uint64_t bytes = 0;  ///< of all changes ever applied: two of these rows tell how much lies between them
};

std::string encode(const PositionRow& row) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(kPositionFormat);
    writer.u64(row.position.applied.epoch.value);
    writer.u64(row.position.applied.lsn.value);
    writer.u32(row.position.applied.checksum);
    writer.u64(row.position.timestamp);
    writer.u64(row.bytes);
    return out;
}

Result<PositionRow> decode_position(std::string_view bytes) {
    ByteReader reader(bytes);
    if (const auto format = reader.u8(); format != kPositionFormat) {
        return fail(ErrorCode::kCorrupt, "store: position of format {}, only {} is known", format, kPositionFormat);
    }
    PositionRow row;
    row.position.applied = {.epoch = {reader.u64()}, .lsn = {reader.u64()}, .checksum = reader.u32()};
    row.position.timestamp = reader.u64();
    row.bytes = reader.u64();
    if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorrupt, "store: position of {} bytes cannot be decoded", bytes.size());
    return row;
}

/// The position, all of it or only what of it is on disk; the zero position where there is none yet.
Result<PositionRow> read_position(rocksdb::DB& db, rocksdb::ReadTier tier) {
    rocksdb::ReadOptions options;
    options.read_tier = tier;
    std::string bytes;
    const auto status = db.Get(options, slice(kPositionKey), &bytes);
    if (status.IsNotFound()) return PositionRow{};
    if (!status.ok()) return failure(status, "reading the position");
    return decode_position(bytes);
}

/// What RocksDB's threads tell the store.
class Progress {
public:
    Lsn stored() const { return {stored_.load(std::memory_order_acquire)}; }
    std::uint64_t stored_bytes() const { return stored_bytes_.load(std::memory_order_relaxed); }
    Lsn applied() const { return {applied_.load(std::memory_order_acquire)}; }
    void set_applied(Lsn lsn) { applied_.store(lsn.value, std::memory_order_release); }

    /// After an open or install: everything is on disk.
    void reset(const PositionRow& row) {
        const std::lock_guard lock(mutex_);
        set_applied(row.position.applied.lsn);
        stored_bytes_ = row.bytes;
        stored_ = row.position.applied.lsn.value;
    }

    /// On a thread of RocksDB, which holds no lock of its own then.
    void on_flushed(rocksdb::DB& db) {
        if (const auto row = read_position(db, rocksdb::kPersistedTier)) set_stored(*row);
    }
    void set_stored(const PositionRow& row) {
        const std::lock_guard lock(mutex_);
        if (row.position.applied.lsn <= stored()) return;
        stored_bytes_ = row.bytes;
        stored_.store(row.position.applied.lsn.value, std::memory_order_release);
    }

    void on_error(const rocksdb::Status& status) {
        const std::lock_guard lock(mutex_);
        keep(failure(status, "in the background").value());
    }
    /// The first failure in the background: final (S4).
    Status check() const {
        if (!failed_.load(std::memory_order_acquire)) return {};
        const std::lock_guard lock(mutex_);
        return fail(Error(error_));
    }

private:
    void keep(const Error& error) {
        if (failed_) return;
        error_ = error;
        failed_.store(true, std::memory_order_release);
    }

    /// Guards the rest between the owner, the flusher's thread, and RocksDB's.
    mutable std::mutex mutex_;
    std::atomic<std::uint64_t> applied_ = 0, stored_ = 0, stored_bytes_ = 0;
    std::atomic<bool> failed_ = false;
    Error error_;
};

class Listener final : public rocksdb::EventListener {
public:
    explicit Listener(Progress& progress) : progress_(progress) {}
    void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) override { progress_.on_flushed(*db); }
    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override { progress_.on_error(*status); }

private:
    Progress& progress_;
};

class RocksStore final : public Store {
public:
    RocksStore(std::unique_ptr<RocksDirectory> directory, const StoreOptions& options, rocksdb::Env& environment,
               std::size_t ingested_bytes_min)
        : options_(options),
          environment_(environment),
          ingested_bytes_min_(ingested_bytes_min),
          cache_(rocksdb::NewLRUCache(options.cache_bytes)),
          directory_(std::move(directory)) {}

    Status open() {
        auto db = open_database(directory_->database());
        if (!db) return fail(std::move(db.error()));
        return adopt(std::move(*db));
    }

    Result<std::size_t> read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const override;
    Result<ScanRows> scan(const ScanRequest& request) const override;
    Status apply(std::span<const Change> changes, const Position& position) override;

    Position position() const override { return applied_.position; }
    Lsn stored() const override { return progress_.stored(); }
    std::uint64_t unstored_bytes() const override { return applied_.bytes - progress_.stored_bytes(); }
    Status flush() override {
        if (auto status = progress_.check(); !status) return status;
        const std::lock_guard lock(flusher_mutex_);
        if (progress_.stored() != progress_.applied()) flusher_->ask();
        return {};
    }

    Result<std::unique_ptr<Checkpoint>> checkpoint() override;
    Result<std::unique_ptr<CheckpointReceiver>> receive() override;
    Result<std::uint64_t> digest() override;

private:
    using Database = std::unique_ptr<rocksdb::DB>;

    [[nodiscard]] rocksdb::Status write(std::span<const Change> changes, const PositionRow& row);
    [[nodiscard]] Result<Database> open_database(const std::string& path);
    [[nodiscard]] Status adopt(Database db);
    /// What came from another node: kCorrupt if it is no database at `position`.
    [[nodiscard]] Result<Database> open_checkpoint(const std::string& path, const Position& position);
    [[nodiscard]] Status install(const std::string& path, const Position& position);

    StoreOptions options_;
    rocksdb::Env& environment_;
    std::size_t ingested_bytes_min_;
    std::shared_ptr<rocksdb::Cache> cache_;
    std::unique_ptr<RocksDirectory> directory_;
    Progress progress_;
    Database db_;
    std::unique_ptr<RocksFlusher> flusher_;  ///< of db_
    bool compacts_ = false;                  ///< db_: from the first write on
    std::mutex flusher_mutex_;  ///< guards flusher_ of a flush() on another thread while install() replaces it; held by these two alone
    PositionRow applied_;
    rocksdb::WriteBatch batch_;  ///< kept for its memory
};

// -- reading ---------------------------------------------------------------------------------------------------------------

Result<std::size_t> RocksStore::read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const {
    constexpr std::size_t kBatch = 32;  // as many as RocksDB takes together
    std::array<Slice, kBatch> batch_keys;
    std::array<rocksdb::PinnableSlice, kBatch> batch_values;
    std::array<rocksdb::Status, kBatch> statuses;
    std::size_t visited = 0, bytes = 0;
    while (visited < keys.size() && (bytes < bytes_max || visited == 0)) {
        const auto batch = keys.subspan(visited, std::min(kBatch, keys.size() - visited));
        std::ranges::transform(batch, batch_keys.begin(), slice);
        rocksdb::ReadOptions options;
        options.value_size_soft_limit = std::max<std::size_t>(1, bytes_max - bytes);
        if (batch.size() == 1) {
            statuses[0] = db_->Get(options, db_->DefaultColumnFamily(), batch_keys[0], &batch_values[0]);
        } else {
            db_->MultiGet(options, db_->DefaultColumnFamily(), batch.size(), batch_keys.data(), batch_values.data(), statuses.data());
        }
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (statuses[i].IsAborted() && i > 0) break;  // it, and maybe more, lie beyond the limit
            if (statuses[i].IsAborted()) {
                batch_values[i].Reset();
                statuses[i] = db_->Get({}, db_->DefaultColumnFamily(), batch_keys[i], &batch_values[i]);
            }
            if (statuses[i].IsNotFound()) {
                visit(visited, std::nullopt);
            } else if (!statuses[i].ok()) {
                return failure(statuses[i], "reading");
            } else {
                visit(visited, view(batch_values[i]));
                bytes += batch_values[i].size();
            }
            ++visited;
            if (bytes >= bytes_max) break;
        }
        for (std::size_t i = 0; i < batch.size(); ++i) batch_values[i].Reset();
    }
    return visited;
}

Result<ScanRows> RocksStore::scan(const ScanRequest& request) const {
    rocksdb::ReadOptions options;
    const Slice end = slice(request.end);
    if (!request.end.empty()) options.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    ScanRows out;
    std::size_t bytes = 0;
    for (at->Seek(slice(std::max<std::string_view>(request.begin, kFirstUserKey))); at->Valid(); at->Next()) {
        if (!out.rows.empty() && (out.rows.size() >= request.rows_max || bytes >= request.bytes_max)) {
            out.more = true;
            break;
        }
        bytes += at->key().size() + at->value().size();
        out.rows.emplace_back(view(at->key()), view(at->value()));
    }
    if (!at->status().ok()) return failure(at->status(), "scanning");
    return out;
}

Result<std::uint64_t> RocksStore::digest() {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.readahead_size = 2 << 20;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    Digest digest;
    for (at->Seek(slice(kFirstUserKey)); at->Valid(); at->Next()) digest.add(view(at->key()), view(at->value()));
    if (!at->status().ok()) return failure(at->status(), "digesting");
    return digest.value();
}

// -- writing ---------------------------------------------------------------------------------------------------------------

Status RocksStore::apply(std::span<const Change> changes, const Position& position) {
    ENSURE(position.applied.lsn > applied_.position.applied.lsn);
    if (auto status = progress_.check(); !status) return status;
    if (!std::exchange(compacts_, true)) {
        if (const auto status = db_->EnableAutoCompaction({db_->DefaultColumnFamily()}); !status.ok()) return failure(status, "compacting");
    }
    PositionRow row{position, applied_.bytes};
    for (const Change& change : changes) {
        ENSURE(change.is_valid());
        row.bytes += kBytesPerRow + change.key.size() + (change.value ? change.value->size() : 0);
    }
    const bool as_file = can_ingest(*db_, changes, ingested_bytes_min_);
    const auto status = as_file ? ingest(*db_, directory_->incoming_path(), kPositionKey, encode(row), changes) : write(changes, row);
    if (!status.ok()) return failure(status, "writing");
    applied_ = row;
    progress_.set_applied(position.applied.lsn);
    if (as_file) progress_.set_stored(row);
    return {};
}

rocksdb::Status RocksStore::write(std::span<const Change> changes, const PositionRow& row) {
    constexpr std::size_t kBatchBytesKept = 4 << 20;
    if (batch_.GetDataSize() > kBatchBytesKept) batch_ = rocksdb::WriteBatch();
    batch_.Clear();
    for (const Change& change : changes) {
        const auto status = change.is_range() ? batch_.DeleteRange(slice(change.key), slice(change.end))
                            : change.value    ? batch_.Put(slice(change.key), slice(*change.value))
                                              : batch_.Delete(slice(change.key));
        if (!status.ok()) return status;
    }
    if (const auto status = batch_.Put(slice(kPositionKey), encode(row)); !status.ok()) return status;
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return db_->Write(options, &batch_);
}

// -- opening and replacing -------------------------------------------------------------------------------------------------

Result<std::unique_ptr<rocksdb::DB>> RocksStore::open_database(const std::string& path) {
    namespace fs = std::filesystem;
    rocksdb::Options options = database_options(options_, cache_);
    options.env = &environment_;
    options.listeners.push_back(std::make_shared<Listener>(progress_));
    options.disable_auto_compactions = true;  // until something is written, so that the replay of a start does not share the processor
    std::error_code error;
    options.create_if_missing = !fs::exists(path + "/CURRENT", error);
    if (options.create_if_missing) {
        // A crash while it was being made leaves no tables; one that has some has lost its CURRENT, and is not to be made anew.
        for (const auto& entry : fs::directory_iterator(path, error)) {
            if (entry.path().extension() == ".sst") return fail(ErrorCode::kCorrupt, "{}: RocksDB's file CURRENT is missing", path);
        }
    }
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(options, path, &db);
    Database owned(db);
    if (status.IsPathNotFound()) return fail(ErrorCode::kCorrupt, "store: {}: a file is missing: {}", path, status.ToString());
    if (!status.ok()) return failure(status, path);
    return owned;
}

/// Makes `db` the one that is used. The one before, if any, is closed.
Status RocksStore::adopt(Database db) {
    auto row = read_position(*db, rocksdb::kReadAllTier);
    if (!row) return fail(std::move(row.error()));
    applied_ = *row;
    compacts_ = false;
    const std::lock_guard lock(flusher_mutex_);
    flusher_.reset();
    db_.swap(db);
    db.reset();
    progress_.reset(applied_);
    flusher_ = std::make_unique<RocksFlusher>(*db_, [this](const rocksdb::Status& status) { progress_.on_error(status); });
    return {};
}

Result<std::unique_ptr<Checkpoint>> RocksStore::checkpoint() {
    if (auto status = progress_.check(); !status) return fail(std::move(status.error()));
    rocksdb::Checkpoint* maker = nullptr;
    auto status = rocksdb::Checkpoint::Create(db_.get(), &maker);
    const std::unique_ptr<rocksdb::Checkpoint> owned(maker);
    std::string path = directory_->checkpoint_path();
    if (status.ok()) status = maker->CreateCheckpoint(path);
    if (!status.ok()) return failure(status, "making a checkpoint");
    return open_rocks_checkpoint(std::move(path), position());
}

Result<std::unique_ptr<CheckpointReceiver>> RocksStore::receive() {
    auto path = directory_->make_database();
    if (!path) return fail(std::move(path.error()));
    const auto verify = [this](const std::string& from, const Position& position) -> Status {
        auto opened = open_checkpoint(from, position);
        if (!opened) return fail(std::move(opened.error()));
        return {};
    };
    return std::make_unique<RocksReceiver>(std::move(*path), verify,
                                           [this](const std::string& from, const Position& position) { return install(from, position); });
}

Result<std::unique_ptr<rocksdb::DB>> RocksStore::open_checkpoint(const std::string& path, const Position& position) {
    auto db = open_database(path);
    if (!db) return fail(Error{ErrorCode::kCorrupt, std::move(db.error().message)}, "checkpoint");
    const auto found = read_position(**db, rocksdb::kReadAllTier);
    if (!found) return fail(Error(found.error()), "checkpoint");
    if (found->position != position) {
        return fail(ErrorCode::kCorrupt, "checkpoint is at lsn {}, not at lsn {} as announced", found->position.applied.lsn.value,
                    position.applied.lsn.value);
    }
    return db;
}

Status RocksStore::install(const std::string& path, const Position& position) {
    if (position.applied.lsn < applied_.position.applied.lsn) {
        return fail(ErrorCode::kRefused, "checkpoint at lsn {} is below what is applied here, lsn {}", position.applied.lsn.value,
                    applied_.position.applied.lsn.value);
    }
    auto db = open_checkpoint(path, position);
    if (!db) return fail(std::move(db.error()));
    const std::string before = directory_->database();
    if (auto status = directory_->make_current(path); !status) return status;
    if (auto status = adopt(std::move(*db)); !status) return status;
    remove_tree(before);
    return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(const StoreOptions& options) {
    return open_rocks_store_over(options, *rocksdb::Env::Default(), kIngestedBytesMin);
}

Result<std::unique_ptr<Store>> open_rocks_store_over(const StoreOptions& options, rocksdb::Env& environment,
                                                     std::size_t ingested_bytes_min) {
    auto directory = RocksDirectory::open(options.path);
    if (!directory) return fail(std::move(directory.error()));
    auto store = std::make_unique<RocksStore>(std::move(*directory), options, environment, ingested_bytes_min);
    if (auto status = store->open(); !status) return fail(std::move(status.error()));
    return store;
}

Status discard_rocks_store(const std::string& path) {
    auto directory = RocksDirectory::open_anew(path);
    if (!directory) return fail(std::move(directory.error()));
    return {};
}

}  // namespace tanist::store

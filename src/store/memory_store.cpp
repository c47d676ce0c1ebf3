// SPDX-License-Identifier: Apache-2.0
#include "store/memory_store.h"

#include <atomic>
#include <mutex>
#include <unordered_set>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "store/digest.h"

namespace tanist::store {
namespace {

using Rows = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kCheckpointName = "state";
constexpr std::uint32_t kCheckpointMagic = 0x314d5354;  // "TSM1"

/// A checkpoint is one file, integers little-endian:
///   4 magic, 8 epoch, 8 lsn, 4 checksum and 8 timestamp of the position, 8 number of rows, then key and value of each, length
///   first; at the end, 4 CRC-32C of everything before it.
std::string encode_checkpoint(const Rows& rows, const Position& position) {
    std::string out;
    ByteWriter writer(out);
    writer.u32(kCheckpointMagic);
    writer.u64(position.applied.epoch.value);
    writer.u64(position.applied.lsn.value);
    writer.u32(position.applied.checksum);
    writer.u64(position.timestamp);
    writer.u64(rows.size());
    for (const auto& [key, value] : rows) {
        writer.string(key);
        writer.string(value);
    }
    writer.u32(crc32c(as_bytes(out)));
    return out;
}

Result<DurableImage> decode_checkpoint(std::string_view text) {
    constexpr std::size_t kChecksumBytes = sizeof(std::uint32_t);
    if (text.size() < kChecksumBytes) return fail(ErrorCode::kCorrupt, "checkpoint of {} bytes is cut short", text.size());
    const std::string_view content = text.substr(0, text.size() - kChecksumBytes);
    if (ByteReader(text.substr(content.size())).u32() != crc32c(as_bytes(content))) {
        return fail(ErrorCode::kCorrupt, "checkpoint of {} bytes has a wrong checksum", text.size());
    }
    ByteReader reader(content);
    if (reader.u32() != kCheckpointMagic) return fail(ErrorCode::kCorrupt, "no checkpoint of a memory store");
    DurableImage image;
    image.position.applied.epoch = {reader.u64()};
    image.position.applied.lsn = {reader.u64()};
    image.position.applied.checksum = reader.u32();
    image.position.timestamp = reader.u64();
    for (std::uint64_t left = reader.u64(); left > 0 && reader.ok(); --left) {
        std::string key(reader.string());
        image.rows.insert_or_assign(image.rows.end(), std::move(key), std::string(reader.string()));
    }
    if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorrupt, "checkpoint of {} bytes cannot be decoded", text.size());
    return image;
}

class MemoryCheckpoint final : public Checkpoint {
public:
    MemoryCheckpoint(const Rows& rows, const Position& position)
        : position_(position), content_(encode_checkpoint(rows, position)), file_{std::string(kCheckpointName), content_.size()} {}

    Position position() const override { return position_; }
    std::span<const CheckpointFile> files() const override { return {&file_, 1}; }
    Result<std::string> read(std::size_t file, std::uint64_t offset, std::size_t bytes_max) const override {
        if (file != 0 || offset > content_.size()) {
            return fail(ErrorCode::kInvalidArgument, "checkpoint: nothing at offset {} of file {}", offset, file);
        }
        return content_.substr(offset, bytes_max);
    }

private:
    Position position_;
    std::string content_;
    CheckpointFile file_;
};

class MemoryStore final : public Store {
public:
    explicit MemoryStore(std::shared_ptr<DurableImage> image)
        : image_(std::move(image)), rows_(image_->rows), position_(image_->position), stored_(position_.applied.lsn.value) {}

    Result<std::size_t> read(std::span<const std::string_view> keys, std::size_t bytes_max, const Visit& visit) const override {
        std::size_t visited = 0, bytes = 0;
        for (; visited < keys.size() && (bytes < bytes_max || visited == 0); ++visited) {
            const auto at = rows_.find(keys[visited]);
            if (at == rows_.end()) {
                visit(visited, std::nullopt);
            } else {
                visit(visited, at->second);
                bytes += at->second.size();
            }
        }
        return visited;
    }

    Result<ScanRows> scan(const ScanRequest& request) const override {
        ScanRows out;
        std::size_t bytes = 0;
        for (auto at = rows_.lower_bound(request.begin); at != rows_.end(); ++at) {
            if (!request.end.empty() && at->first >= request.end) break;
            if (!out.rows.empty() && (out.rows.size() >= request.rows_max || bytes >= request.bytes_max)) {
                out.more = true;
                break;
            }
            bytes += at->first.size() + at->second.size();
            out.rows.emplace_back(at->first, at->second);
        }
        return out;
    }

    Status apply(std::span<const Change> changes, const Position& position) override {
        ENSURE(position.applied.lsn > position_.applied.lsn);
        const std::lock_guard lock(mutex_);
        for (const Change& change : changes) {
            ENSURE(change.is_valid());
            unstored_bytes_ += change.key.size() + (change.value ? change.value->size() : 0);
            if (change.is_range()) {
                erase_range(change);
                continue;
            }
            std::string key(change.key);
            if (change.value) {
                rows_.insert_or_assign(key, std::string(*change.value));
            } else {
                rows_.erase(key);
            }
            unstored_keys_.insert(std::move(key));
        }
        position_ = position;
        return {};
    }

    Position position() const override { return position_; }
    Lsn stored() const override { return {stored_.load(std::memory_order_acquire)}; }
    std::uint64_t unstored_bytes() const override { return unstored_bytes_.load(std::memory_order_relaxed); }

    Status flush() override {
        const std::lock_guard lock(mutex_);
        for (const std::string& key : unstored_keys_) {
            if (const auto at = rows_.find(key); at != rows_.end()) {
                image_->rows.insert_or_assign(key, at->second);
            } else {
                image_->rows.erase(key);
            }
        }
        image_->position = position_;
        settle();
        return {};
    }

    Result<std::unique_ptr<Checkpoint>> checkpoint() override {
        if (auto flushed = flush(); !flushed) return fail(std::move(flushed.error()));
        return std::make_unique<MemoryCheckpoint>(rows_, position_);
    }
    Result<std::unique_ptr<CheckpointReceiver>> receive() override;

    Result<std::uint64_t> digest() override {
        Digest digest;
        for (const auto& [key, value] : rows_) digest.add(key, value);
        return digest.value();
    }

    void replace(DurableImage image) {
        const std::lock_guard lock(mutex_);
        rows_ = image.rows;
        position_ = image.position;
        *image_ = std::move(image);
        settle();
    }

private:
    void erase_range(const Change& range) {
        const auto first = rows_.lower_bound(range.key), behind = rows_.lower_bound(range.end);
        for (auto at = first; at != behind; ++at) unstored_keys_.insert(at->first);
        rows_.erase(first, behind);
    }

    /// Rows and image are equal now.
    void settle() {
        unstored_keys_.clear();
        unstored_bytes_ = 0;
        stored_.store(position_.applied.lsn.value, std::memory_order_release);
    }

    /// Of a flush() on another thread against apply() and replace(): guards all that these write. Reads need no lock, since they
    /// are of the thread that alone changes `rows_`.
    std::mutex mutex_;
    std::shared_ptr<DurableImage> image_;
    Rows rows_;
    Position position_;
    std::unordered_set<std::string> unstored_keys_;
    std::atomic<std::uint64_t> unstored_bytes_ = 0;
    std::atomic<std::uint64_t> stored_;
};

class MemoryReceiver final : public CheckpointReceiver {
public:
    explicit MemoryReceiver(MemoryStore& store) : store_(store) {}

    Status write(std::string_view name, Bytes bytes) override {
        if (name != kCheckpointName) return fail(ErrorCode::kInvalidArgument, "checkpoint: a memory store has no file '{}'", name);
        content_.append(as_text(bytes));
        return {};
    }

    Status verify(const Position& position) override {
        const auto image = decode(position);
        if (!image) return fail(Error(image.error()));
        return {};
    }

    Status install(const Position& position) override {
        if (position.applied.lsn < store_.position().applied.lsn) {
            return fail(ErrorCode::kRefused, "checkpoint at lsn {} is below what is applied here, lsn {}", position.applied.lsn.value,
                        store_.position().applied.lsn.value);
        }
        auto image = decode(position);
        if (!image) return fail(std::move(image.error()));
        store_.replace(std::move(*image));
        return {};
    }

private:
    [[nodiscard]] Result<DurableImage> decode(const Position& position) const {
        auto image = decode_checkpoint(content_);
        if (image && image->position != position) {
            return fail(ErrorCode::kCorrupt, "checkpoint is at lsn {}, not at lsn {} as announced", image->position.applied.lsn.value,
                        position.applied.lsn.value);
        }
        return image;
    }

    MemoryStore& store_;
    std::string content_;
};

Result<std::unique_ptr<CheckpointReceiver>> MemoryStore::receive() { return std::make_unique<MemoryReceiver>(*this); }

}  // namespace

std::unique_ptr<Store> open_memory_store(std::shared_ptr<DurableImage> image) { return std::make_unique<MemoryStore>(std::move(image)); }

}  // namespace tanist::store

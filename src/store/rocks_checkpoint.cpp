// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_checkpoint.h"

#include <fcntl.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "store/rocks_directory.h"
#include "store/rocks_options.h"

namespace tanist::store {
namespace fs = std::filesystem;
namespace {

/// What a checkpoint consists of. A peer that names anything else, "../vote.a" say, is refused.
bool is_checkpoint_file(std::string_view name) {
    const bool plain = !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
    });
    return plain && (name == "CURRENT" || name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") || name.ends_with(".sst") ||
                     name.ends_with(".blob"));
}

class RocksCheckpoint final : public Checkpoint {
public:
    RocksCheckpoint(std::string path, const Position& position, std::vector<CheckpointFile> files)
        : path_(std::move(path)), position_(position), files_(std::move(files)) {}
    ~RocksCheckpoint() override {
        close_file();
        remove_tree(path_);
    }

    Position position() const override { return position_; }
    std::span<const CheckpointFile> files() const override { return files_; }

    Result<std::string> read(std::size_t file, std::uint64_t offset, std::size_t bytes_max) const override {
        if (file >= files_.size() || offset > files_[file].bytes) {
            return fail(ErrorCode::kInvalidArgument, "checkpoint: nothing at offset {} of file {}", offset, file);
        }
        const std::string path = path_ + "/" + files_[file].name;
        if (open_file_ < 0 || open_number_ != file) {
            close_file();
            open_file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
            open_number_ = file;
            if (open_file_ < 0) return io_failure(path);
        }
        std::string bytes(std::min<std::uint64_t>(bytes_max, files_[file].bytes - offset), '\0');
        for (std::size_t at = 0; at < bytes.size();) {
            const ssize_t got = ::pread(open_file_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(offset + at));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return io_failure(path);
            if (got == 0) return fail(ErrorCode::kIo, "{}: shorter than the {} bytes that it had", path, files_[file].bytes);
            at += static_cast<std::size_t>(got);
        }
        return bytes;
    }

private:
    void close_file() const {
        if (open_file_ >= 0) ::close(open_file_);
        open_file_ = -1;
    }
    std::string path_;
    Position position_;
    std::vector<CheckpointFile> files_;
    mutable int open_file_ = -1;  ///< the one read last
    mutable std::size_t open_number_ = 0;
};

}  // namespace

Result<std::unique_ptr<Checkpoint>> open_rocks_checkpoint(std::string path, const Position& position) {
    std::vector<CheckpointFile> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path, error)) {
        const std::string name = entry.path().filename().string();
        if (is_checkpoint_file(name)) files.push_back({name, entry.file_size(error)});
        if (error) break;
    }
    if (error) return fail(ErrorCode::kIo, "{}: {}", path, error.message());
    std::ranges::sort(files, {}, &CheckpointFile::name);
    return std::make_unique<RocksCheckpoint>(std::move(path), position, std::move(files));
}

RocksReceiver::~RocksReceiver() {
    if (file_ >= 0) ::close(file_);
    if (!installed_) remove_tree(path_);
}

Status RocksReceiver::write(std::string_view name, Bytes bytes) {
    if (file_ < 0 || name != name_) {
        if (auto status = finish_file(); !status) return status;
        if (!is_checkpoint_file(name) || !names_.emplace(name).second) {
            return fail(ErrorCode::kInvalidArgument, "checkpoint: '{}' cannot be a file of it, or came before", name);
        }
        name_ = name;
        file_ = ::open(file_path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (file_ < 0) return io_failure(file_path());
    }
    while (!bytes.empty()) {
        const ssize_t written = ::write(file_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return io_failure(file_path());
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Status RocksReceiver::finish_file() {
    if (file_ < 0) return {};
    const bool synced = ::fsync(file_) == 0;
    if (!synced) return io_failure(file_path());
    ::close(file_);
    file_ = -1;
    if (!name_.ends_with(".sst")) return {};
    rocksdb::SstFileReader table(table_reading_options());
    rocksdb::Status status = table.Open(file_path());
    if (status.ok()) status = table.VerifyChecksum();
    if (!status.ok()) return fail(ErrorCode::kCorrupt, "checkpoint: {} has arrived damaged: {}", name_, status.ToString());
    return {};
}

Status RocksReceiver::finish() {
    if (auto status = finish_file(); !status) return status;
    if (names_.empty()) return fail(ErrorCode::kCorrupt, "checkpoint: no file has come");
    return {};
}

Status RocksReceiver::verify(const Position& position) {
    if (auto status = finish(); !status) return status;
    return verify_(path_, position);
}

Status RocksReceiver::install(const Position& position) {
    if (auto status = finish(); !status) return status;
    auto status = install_(path_, position);
    installed_ = status.has_value();
    return status;
}

}  // namespace tanist::store

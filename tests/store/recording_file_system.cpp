// SPDX-License-Identifier: Apache-2.0
#if TANIST_WITH_ROCKSDB
#include "tests/store/recording_file_system.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/ensure.h"

namespace tanist::store {
namespace {

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

class RecordingFileSystem::RecordedFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    RecordedFile(std::unique_ptr<rocksdb::FSWritableFile> file, RecordingFileSystem& owner, std::size_t number)
        : FSWritableFileOwnerWrapper(std::move(file)), owner_(owner), number_(number) {}

    IO Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
        return noted(FSWritableFileOwnerWrapper::Append(data, options, debug), {.kind = Kind::kAppend, .data = data.ToString()});
    }
    IO Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options, const rocksdb::DataVerificationInfo& info,
              rocksdb::IODebugContext* debug) override {
        return noted(FSWritableFileOwnerWrapper::Append(data, options, info, debug), {.kind = Kind::kAppend, .data = data.ToString()});
    }
    IO PositionedAppend(const rocksdb::Slice&, uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
        return IO::NotSupported("PositionedAppend");
    }
    IO Truncate(uint64_t size, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
        return noted(FSWritableFileOwnerWrapper::Truncate(size, options, debug), {.kind = Kind::kTruncate, .size = size});
    }
    IO Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
        return noted(FSWritableFileOwnerWrapper::Sync(options, debug), {.kind = Kind::kSync});
    }
    IO Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
        return noted(FSWritableFileOwnerWrapper::Fsync(options, debug), {.kind = Kind::kSync});
    }

private:
    IO noted(IO status, Operation operation) {
        operation.file = number_;
        if (status.ok()) owner_.note(std::move(operation));
        return status;
    }

    RecordingFileSystem& owner_;
    std::size_t number_;
};

class RecordingFileSystem::RecordedDirectory final : public rocksdb::FSDirectoryWrapper {
public:
    RecordedDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, RecordingFileSystem& owner, std::string path)
        : FSDirectoryWrapper(std::move(directory)), owner_(owner), path_(std::move(path)) {}

    IO Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
        return noted(FSDirectoryWrapper::Fsync(options, debug));
    }
    IO FsyncWithDirOptions(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
                           const rocksdb::DirFsyncOptions& more) override {
        return noted(FSDirectoryWrapper::FsyncWithDirOptions(options, debug, more));
    }

private:
    IO noted(IO status) {
        if (status.ok()) owner_.note({.kind = Kind::kSyncDirectory, .path = path_});
        return status;
    }

    RecordingFileSystem& owner_;
    std::string path_;
};

rocksdb::IOStatus RecordingFileSystem::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                                       std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSWritableFile> opened;
    auto status = FileSystemWrapper::NewWritableFile(path, options, &opened, debug);
    if (!status.ok()) return status;
    std::size_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = files_++;
        recorded_.push_back({.kind = Kind::kCreate, .path = path, .file = number});
    }
    *file = std::make_unique<RecordedFile>(std::move(opened), *this, number);
    return status;
}

rocksdb::IOStatus RecordingFileSystem::NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                                    std::unique_ptr<rocksdb::FSDirectory>* directory, rocksdb::IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSDirectory> opened;
    auto status = FileSystemWrapper::NewDirectory(path, options, &opened, debug);
    if (status.ok()) *directory = std::make_unique<RecordedDirectory>(std::move(opened), *this, path);
    return status;
}

rocksdb::IOStatus RecordingFileSystem::RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                                                  rocksdb::IODebugContext* debug) {
    auto status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok()) note({.kind = Kind::kRename, .path = from, .to = to});
    return status;
}

rocksdb::IOStatus RecordingFileSystem::LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                                                rocksdb::IODebugContext* debug) {
    auto status = FileSystemWrapper::LinkFile(from, to, options, debug);
    if (status.ok()) note({.kind = Kind::kLink, .path = from, .to = to});
    return status;
}

rocksdb::IOStatus RecordingFileSystem::DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                                  rocksdb::IODebugContext* debug) {
    auto status = FileSystemWrapper::DeleteFile(path, options, debug);
    if (status.ok()) note({.kind = Kind::kRemove, .path = path});
    return status;
}

void RecordingFileSystem::note(Operation operation) {
    const std::lock_guard lock(mutex_);
    recorded_.push_back(std::move(operation));
}

std::size_t RecordingFileSystem::operations() const {
    const std::lock_guard lock(mutex_);
    return recorded_.size();
}

/// What the changes made of files and names, in the cache and on the disk.
class RecordingFileSystem::Replay {
public:
    struct File {
        std::string content;
        std::size_t synced = 0;  ///< bytes at its front
    };
    using Tree = std::map<std::string, std::shared_ptr<File>>;

    void operator()(const Operation& operation) {
        switch (operation.kind) {
            case Kind::kCreate: {
                const auto file = files_[operation.file] = std::make_shared<File>();
                return change({.to = operation.path, .file = file});
            }
            case Kind::kAppend: files_.at(operation.file)->content += operation.data; return;
            case Kind::kTruncate: {
                File& file = *files_.at(operation.file);
                file.content.resize(operation.size);
                file.synced = std::min(file.synced, operation.size);
                return;
            }
            case Kind::kSync: files_.at(operation.file)->synced = files_.at(operation.file)->content.size(); return;
            case Kind::kRename: return change({.from = operation.path, .to = operation.to, .file = now_.at(operation.path)});
            case Kind::kLink: return change({.to = operation.to, .file = now_.at(operation.path)});
            case Kind::kRemove: return change({.from = operation.path});
            case Kind::kSyncDirectory:
                std::erase_if(unsynced_, [&](const Change& change) {
                    const bool concerned = directory_of(change.from.empty() ? change.to : change.from) == operation.path;
                    if (concerned) apply(change, durable_);
                    return concerned;
                });
        }
    }

    /// The names that are left, and under each the bytes that are.
    std::map<std::string, std::string> left(Survives survives, Random& random) const {
        Tree tree = survives == Survives::kAll ? now_ : durable_;
        if (survives == Survives::kSome) {
            const bool in_order = random.chance(1, 2);
            const std::size_t prefix = random.below(unsynced_.size() + 1);
            for (std::size_t i = 0; i < unsynced_.size(); ++i) {
                if (in_order ? i < prefix : random.chance(1, 2)) apply(unsynced_[i], tree);
            }
        }
        std::map<std::string, std::string> contents;
        for (const auto& [path, file] : tree) {
            std::string& content = contents[path] = file->content;
            if (survives == Survives::kAll) continue;
            const std::size_t unsynced = content.size() - file->synced;
            const std::size_t kept = file->synced + (survives == Survives::kSome ? random.below(unsynced + 1) : 0);
            // The size may come to the disk, and the bytes not; but a MANIFEST that ends so is corrupt to RocksDB, which counts on what
            // ext4 and XFS do: the size of a file that grows is written after its bytes. Our answer to that is a full copy (S26).
            const bool may_be_zeroed = survives == Survives::kSome && path.find("/MANIFEST-") == std::string::npos;
            const std::size_t size = may_be_zeroed && random.chance(1, 2) ? content.size() : kept;
            content.resize(kept);
            content.resize(size, '\0');
        }
        return contents;
    }

private:
    struct Change {
        std::string from = {}, to = {};
        std::shared_ptr<File> file = {};
    };
    void change(Change change) {
        apply(change, now_);
        unsynced_.push_back(std::move(change));
    }
    static void apply(const Change& change, Tree& tree) {
        if (!change.from.empty()) tree.erase(change.from);
        if (!change.to.empty()) tree[change.to] = change.file;
    }

    std::map<std::size_t, std::shared_ptr<File>> files_;
    Tree now_, durable_;
    std::vector<Change> unsynced_;  ///< of names
};

void RecordingFileSystem::restore(std::size_t operations, Survives survives, Random& random, const std::string& from,
                                  const std::string& to) const {
    Replay replay;
    {
        const std::lock_guard lock(mutex_);
        ENSURE(operations <= recorded_.size());
        std::for_each_n(recorded_.begin(), operations, [&](const Operation& operation) { replay(operation); });
    }
    for (const auto& [path, content] : replay.left(survives, random)) {
        ENSURE(path.starts_with(from));
        const std::filesystem::path target = to + path.substr(from.size());
        std::filesystem::create_directories(target.parent_path());
        std::ofstream(target, std::ios::binary) << content;
    }
}

}  // namespace tanist::store
#endif

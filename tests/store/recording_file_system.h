// SPDX-License-Identifier: Apache-2.0
// Files as RocksDB uses them, with a record of all that was done to them: what a power cut may leave at any point of it can be made anew.
#pragma once

#include <rocksdb/file_system.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"

namespace tanist::store {

/// Hands all calls on to the system's file system, and notes those that change something, once they have succeeded. Files grow at
/// their end only: RocksDB neither writes over nor recycles any here.
class RecordingFileSystem final : public rocksdb::FileSystemWrapper {
public:
    RecordingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
    const char* Name() const override { return "tanist.RecordingFileSystem"; }

    /// So many changes have been made so far.
    [[nodiscard]] std::size_t operations() const;

    enum class Survives {
        kAll,     ///< the process alone has died
        kSynced,  ///< nothing that was not synced
        kSome,    ///< of each file's unsynced end a part, or zeros in its place; of unsynced names a prefix, or any subset
    };
    /// Writes the files that are left when everything ended behind the first `operations` changes, with `to` in the place of `from` at
    /// the front of their paths.
    void restore(std::size_t operations, Survives survives, Random& random, const std::string& from, const std::string& to) const;

    // Of rocksdb::FileSystem.
    using IO = rocksdb::IOStatus;
    IO NewWritableFile(const std::string& path, const rocksdb::FileOptions& options, std::unique_ptr<rocksdb::FSWritableFile>* file,
                       rocksdb::IODebugContext* debug) override;
    IO NewDirectory(const std::string& path, const rocksdb::IOOptions& options, std::unique_ptr<rocksdb::FSDirectory>* directory,
                    rocksdb::IODebugContext* debug) override;
    IO RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                  rocksdb::IODebugContext* debug) override;
    IO LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
    IO DeleteFile(const std::string& path, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
    // Not expected; they would go unnoticed.
    IO ReopenWritableFile(const std::string&, const rocksdb::FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>*,
                          rocksdb::IODebugContext*) override {
        return IO::NotSupported("ReopenWritableFile");
    }
    IO ReuseWritableFile(const std::string&, const std::string&, const rocksdb::FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>*,
                         rocksdb::IODebugContext*) override {
        return IO::NotSupported("ReuseWritableFile");
    }
    IO NewRandomRWFile(const std::string&, const rocksdb::FileOptions&, std::unique_ptr<rocksdb::FSRandomRWFile>*,
                       rocksdb::IODebugContext*) override {
        return IO::NotSupported("NewRandomRWFile");
    }
    IO Truncate(const std::string&, size_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
        return IO::NotSupported("Truncate");
    }

private:
    class RecordedFile;
    class RecordedDirectory;
    class Replay;
    enum class Kind { kCreate, kAppend, kTruncate, kSync, kRename, kLink, kRemove, kSyncDirectory };
    struct Operation {
        Kind kind;
        std::string path;
        std::string to = {};    ///< of kRename and kLink
        std::string data = {};  ///< of kAppend
        std::size_t size = 0;   ///< of kTruncate
        std::size_t file = 0;   ///< which of the files made so far it is: they keep it when they are renamed
    };
    void note(Operation operation);

    mutable std::mutex mutex_;  ///< guards what follows: RocksDB's threads write at the same time
    std::vector<Operation> recorded_;
    std::size_t files_ = 0;
};

}  // namespace tanist::store

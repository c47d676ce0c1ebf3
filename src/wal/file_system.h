// SPDX-License-Identifier: Apache-2.0
// The only door from our durable formats to a disk: the real one in production, a faulty virtual one in tests and simulator.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tanist::wal {

/// An open file. Reads may run on any thread beside one writer. A failed write or sync is never retried (S4): the caller
/// passes the error up and the process ends.
class File {
public:
    virtual ~File() = default;
    /// Writes all of `bytes` at `offset` bytes, growing the file where needed. Not durable before sync_data().
    [[nodiscard]] virtual Status write_at(std::uint64_t offset, Bytes bytes) = 0;
    /// Writes `parts` one behind the other, in one call to the system where it can.
    [[nodiscard]] virtual Status write_parts_at(std::uint64_t offset, std::span<const Bytes> parts);
    /// Reads up to `into.size()` bytes; fewer only at the end of the file. Returns how many.
    [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const = 0;
    /// fdatasync: what was written so far, and the file's size, survive a power cut once this returns.
    [[nodiscard]] virtual Status sync_data() = 0;
    [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
    [[nodiscard]] virtual Status truncate(std::uint64_t size) = 0;
};

enum class OpenMode {
    kRead,    ///< must exist
    kWrite,   ///< read and write; must exist
    kCreate,  ///< read and write; created when missing; its directory entry is durable only after sync_directory()
};

/// Paths are '/'-separated. What changes a directory (create, rename, remove) is durable only after sync_directory() of it.
class FileSystem {
public:
    virtual ~FileSystem() = default;
    [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    /// Replaces `to` when it exists.
    [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
    /// A file that is not there is no error.
    [[nodiscard]] virtual Status remove(const std::string& path) = 0;
    /// Names (not paths) of the files and directories in `directory`, sorted.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
    [[nodiscard]] virtual Status make_directory(const std::string& directory) = 0;
    [[nodiscard]] virtual Status sync_directory(const std::string& directory) = 0;
    [[nodiscard]] virtual Result<bool> exists(const std::string& path) = 0;
    /// Bytes that can still be written to the disk that holds `path` (S4's reserve).
    [[nodiscard]] virtual Result<std::uint64_t> bytes_free(const std::string& path) = 0;
};

/// Reads a small file whole; kNotFound when it is missing, kCorrupt when it is longer than `bytes_max`.
[[nodiscard]] Result<std::string> read_file(FileSystem& files, const std::string& path, std::size_t bytes_max);
/// Writes `content` so that after a crash the file holds either all of the old or all of the new: written and synced under
/// `path`.new, renamed, directory synced.
[[nodiscard]] Status replace_file(FileSystem& files, const std::string& path, std::string_view content);

}  // namespace tanist::wal

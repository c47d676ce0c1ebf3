// SPDX-License-Identifier: Apache-2.0
// The segment files that are not of the log: spare ones, all zero, and used ones that wait to be zeroed (S11).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "wal/file_system.h"

namespace tanist::wal {

/// take() and give() belong to the log's writer; prepare() may run beside them, on one other thread.
class Stock {
public:
    Stock(FileSystem& files, std::string directory, std::uint64_t segment_bytes, std::uint32_t spares_max);

    /// Takes stock of the files found at start, by their names. Those of another size or too many are removed.
    [[nodiscard]] Status adopt(const std::vector<std::string>& spares, const std::vector<std::string>& used);

    /// A file of `bytes` zeros under `path`: a spare one, or a new one whose zeros the file system only promises (slower to write
    /// into, made in no time). What becomes of the file in a crash is nobody's loss until it is renamed to a segment.
    struct Taken {
        std::unique_ptr<File> file;
        bool is_spare = false;
    };
    [[nodiscard]] Result<Taken> take(const std::string& path, std::uint64_t bytes);
    /// Takes a segment out of the log, durably; it is zeroed later, or removed when there are enough.
    [[nodiscard]] Status give(const std::string& segment_path);
    /// Zeroes a piece of a used file, and makes it a spare one with the last piece; makes one from nothing when there is no spare.
    /// False: there was nothing to do.
    [[nodiscard]] Result<bool> prepare();

    [[nodiscard]] std::uint64_t bytes_on_disk() const;

private:
    FileSystem& files_;
    const std::string directory_;
    const std::uint64_t segment_bytes_;
    const std::size_t spares_max_;

    mutable std::mutex mutex_;               ///< guards the lists: prepare() runs beside the writer
    std::vector<std::string> spare_, used_;  ///< paths
    std::string in_work_;                    ///< what prepare() is zeroing; in neither list
    std::uint64_t made_ahead_ = 0;           ///< the next "ahead-N": while the writer takes one, the next has another name

    // Of prepare() alone.
    std::unique_ptr<File> file_;
    std::uint64_t zeroed_bytes_ = 0;
};

}  // namespace tanist::wal

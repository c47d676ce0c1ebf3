// SPDX-License-Identifier: Apache-2.0
// The real disk. Errors name the operation, the path and what the system said.
#pragma once

#include "wal/file_system.h"

namespace tanist::wal {

/// Holds no state: may be used from any thread.
class PosixFileSystem final : public FileSystem {
public:
    [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    [[nodiscard]] Status rename(const std::string& from, const std::string& to) override;
    [[nodiscard]] Status remove(const std::string& path) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& directory) override;
    /// Parents are made too; a directory that is there is no error.
    [[nodiscard]] Status make_directory(const std::string& directory) override;
    [[nodiscard]] Status sync_directory(const std::string& directory) override;
    [[nodiscard]] Result<bool> exists(const std::string& path) override;
    [[nodiscard]] Result<std::uint64_t> bytes_free(const std::string& path) override;
};

}  // namespace tanist::wal

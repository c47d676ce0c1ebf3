// SPDX-License-Identifier: Apache-2.0
// Keeps two processes out of one data directory: an exclusive flock on its file LOCK.
#pragma once

#include <string>

#include "base/result.h"

namespace tanist::wal {

/// Held until destroyed; the system gives it up when the process dies, however it dies.
class DataDirectoryLock {
public:
    /// Makes the directory if it is missing. kLocked: another process has it, with a message that names the directory and that
    /// process.
    [[nodiscard]] static Result<DataDirectoryLock> acquire(const std::string& directory);

    DataDirectoryLock(DataDirectoryLock&& other) noexcept;
    DataDirectoryLock& operator=(DataDirectoryLock&& other) noexcept;
    ~DataDirectoryLock();

private:
    explicit DataDirectoryLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace tanist::wal

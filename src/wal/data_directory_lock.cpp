// SPDX-License-Identifier: Apache-2.0
#include "wal/data_directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "wal/path.h"

namespace tanist::wal {
namespace {

std::string reason(int code) { return std::error_code(code, std::generic_category()).message(); }

/// The process id that the holder wrote into the file; "an unknown process" between its flock and its write.
std::string holder(int descriptor) {
    std::array<char, 32> text{};
    const auto size = ::pread(descriptor, text.data(), text.size(), 0);
    std::string_view pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    pid = pid.substr(0, pid.find('\n'));
    return pid.empty() ? "an unknown process" : fmt::format("process {}", pid);
}

}  // namespace

Result<DataDirectoryLock> DataDirectoryLock::acquire(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return fail(ErrorCode::kIo, "make directory {}: {}", directory, error.message());
    const std::string path = join_path(directory, "LOCK");
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor < 0) return fail(ErrorCode::kIo, "open {}: {}", path, reason(errno));
    DataDirectoryLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail(ErrorCode::kIo, "lock {}: {}", path, reason(errno));
        return fail(ErrorCode::kLocked, "data directory {} is in use by {} (it holds {})", directory, holder(descriptor), path);
    }
    const std::string pid = fmt::format("{}\n", ::getpid());
    // For people only: on a full or failing disk the holder stays unknown, and what must be written later says why it cannot be.
    if (::ftruncate(descriptor, 0) == 0) (void)!::pwrite(descriptor, pid.data(), pid.size(), 0);
    return lock;
}

DataDirectoryLock::DataDirectoryLock(DataDirectoryLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

DataDirectoryLock& DataDirectoryLock::operator=(DataDirectoryLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

DataDirectoryLock::~DataDirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
#include "wal/posix_file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <system_error>
#include <utility>

namespace tanist::wal {
namespace {

[[nodiscard]] tl::unexpected<Error> system_failure(std::string_view operation, std::string_view path, int code) {
    return fail(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{} {}: {}", operation, path,
                std::error_code(code, std::generic_category()).message());
}

/// Repeats a system call that a signal interrupted.
template <class Call>
[[nodiscard]] auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

class PosixFile final : public File {
public:
    PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
    PosixFile(const PosixFile&) = delete;
    PosixFile& operator=(const PosixFile&) = delete;
    ~PosixFile() override { ::close(descriptor_); }

    Status write_at(std::uint64_t offset, Bytes bytes) override {
        while (!bytes.empty()) {
            const auto written =
                uninterrupted([&] { return ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
            if (written < 0) return system_failure("write", path_, errno);
            offset += static_cast<std::uint64_t>(written);
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return {};
    }

    Status write_parts_at(std::uint64_t offset, std::span<const Bytes> parts) override {
        std::array<iovec, kPartsACall> vectors;
        while (!parts.empty()) {
            const std::size_t count = std::min(parts.size(), vectors.size());
            std::size_t bytes = 0;
            for (std::size_t i = 0; i < count; ++i) {
                vectors[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};  // pwritev only reads them
                bytes += parts[i].size();
            }
            const auto written =
                uninterrupted([&] { return ::pwritev(descriptor_, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset)); });
            if (written < 0) return system_failure("write", path_, errno);
            if (static_cast<std::size_t>(written) < bytes) return File::write_parts_at(offset, parts);  // again, part by part
            offset += bytes;
            parts = parts.subspan(count);
        }
        return {};
    }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
        std::size_t done = 0;
        while (done < into.size()) {
            const auto read = uninterrupted(
                [&] { return ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done)); });
            if (read < 0) return system_failure("read", path_, errno);
            if (read == 0) break;
            done += static_cast<std::size_t>(read);
        }
        return done;
    }

    Status sync_data() override {
        // Not repeated, not even when interrupted: after a failed sync nobody knows what the disk holds (S4).
        if (::fdatasync(descriptor_) != 0) return system_failure("fdatasync", path_, errno);
        return {};
    }

    Result<std::uint64_t> size() const override {
        struct stat info{};
        if (::fstat(descriptor_, &info) != 0) return system_failure("stat", path_, errno);
        return static_cast<std::uint64_t>(info.st_size);
    }

    Status truncate(std::uint64_t size) override {
        if (uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0)
            return system_failure("truncate", path_, errno);
        return {};
    }

private:
    static constexpr std::size_t kPartsACall = 256;
    static_assert(kPartsACall <= IOV_MAX);

    int descriptor_;
    std::string path_;
};

int open_flags(OpenMode mode) {
    switch (mode) {
        case OpenMode::kRead: return O_RDONLY;
        case OpenMode::kWrite: return O_RDWR;
        case OpenMode::kCreate: return O_RDWR | O_CREAT;
    }
    return O_RDONLY;
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode) {
    const int descriptor = uninterrupted([&] { return ::open(path.c_str(), open_flags(mode) | O_CLOEXEC, 0640); });
    if (descriptor < 0) return system_failure("open", path, errno);
    return std::make_unique<PosixFile>(descriptor, path);
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("rename", fmt::format("{} to {}", from, to), errno);
    return {};
}

Status PosixFileSystem::remove(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_failure("remove", path, errno);
    return {};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& directory) {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        names.push_back(at->path().filename().string());
    }
    if (error) return system_failure("list", directory, error.value());
    std::ranges::sort(names);
    return names;
}

Status PosixFileSystem::make_directory(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return system_failure("make directory", directory, error.value());
    return {};
}

Status PosixFileSystem::sync_directory(const std::string& directory) {
    const int descriptor = uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0) return system_failure("open directory", directory, errno);
    const int failure = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    if (failure != 0) return system_failure("fsync directory", directory, failure);
    return {};
}

Result<bool> PosixFileSystem::exists(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return system_failure("stat", path, errno);
}

Result<std::uint64_t> PosixFileSystem::bytes_free(const std::string& path) {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) return system_failure("statvfs", path, errno);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace tanist::wal

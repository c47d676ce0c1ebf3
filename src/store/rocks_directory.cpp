// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/ensure.h"

namespace tanist::store {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDatabasePrefix = "db-", kCheckpointPrefix = "checkpoint-", kIncomingPrefix = "incoming";

/// The N of "db-N".
std::optional<std::uint64_t> database_number(std::string_view name) {
    if (!name.starts_with(kDatabasePrefix)) return std::nullopt;
    const std::string_view digits = name.substr(kDatabasePrefix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

std::string database_name(std::uint64_t number) { return fmt::format("{}{}", kDatabasePrefix, number); }

}  // namespace

tl::unexpected<Error> io_failure(const std::string& path) { return fail(ErrorCode::kIo, "{}: {}", path, std::strerror(errno)); }

Status sync_path(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return io_failure(path);
    const bool synced = ::fsync(file) == 0;
    const int error = errno;
    ::close(file);
    errno = error;
    if (!synced) return io_failure(path);
    return {};
}

void remove_tree(const std::string& path) {
    std::error_code ignored;  // what stays is left over, and removed at the next open
    fs::remove_all(path, ignored);
}

Result<std::unique_ptr<RocksDirectory>> RocksDirectory::lock(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return fail(ErrorCode::kIo, "{}: {}", path, error.message());
    const fs::path parent = fs::absolute(path).parent_path();
    if (auto synced = sync_path(parent.string()); !synced) return fail(std::move(synced.error()));
    const std::string lock_path = path + "/LOCK";
    const int file = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return io_failure(lock_path);
    std::unique_ptr<RocksDirectory> directory(new RocksDirectory(path, file));
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return fail(ErrorCode::kLocked, "{}: the store is in use by another process", path);
        return io_failure(lock_path);
    }
    for (const auto& entry : fs::directory_iterator(path, error)) {
        if (const auto number = database_number(entry.path().filename().string())) {
            directory->last_database_ = std::max(directory->last_database_, *number);
        }
    }
    if (error) return fail(ErrorCode::kIo, "{}: {}", path, error.message());
    return directory;
}

Result<std::unique_ptr<RocksDirectory>> RocksDirectory::open(const std::string& path) {
    auto locked = lock(path);
    if (!locked) return locked;
    RocksDirectory& directory = **locked;

    std::string name;
    if (std::ifstream file(path + "/current"); file.is_open()) {
        std::getline(file, name);
        if (!database_number(name)) return fail(ErrorCode::kCorrupt, "{}/current: names no database", path);
    } else if (directory.last_database_ > 0) {
        return fail(ErrorCode::kCorrupt, "{}: there are databases, and the file 'current' that says which one counts is missing", path);
    } else {
        directory.last_database_ = 1;
        name = database_name(1);
        if (auto status = directory.write_current(name); !status) return fail(std::move(status.error()));
    }
    directory.database_ = path + "/" + name;
    std::error_code error;
    fs::create_directory(directory.database_, error);
    if (error) return fail(ErrorCode::kIo, "{}: {}", directory.database_, error.message());
    if (auto status = directory.remove_leftovers(); !status) return fail(std::move(status.error()));
    return locked;
}

Result<std::unique_ptr<RocksDirectory>> RocksDirectory::open_anew(const std::string& path) {
    auto locked = lock(path);
    if (!locked) return locked;
    auto made = (*locked)->make_database();
    if (!made) return fail(std::move(made.error()));
    if (auto status = (*locked)->make_current(*made); !status) return fail(std::move(status.error()));
    if (auto status = (*locked)->remove_leftovers(); !status) return fail(std::move(status.error()));
    return locked;
}

RocksDirectory::~RocksDirectory() { ::close(lock_); }

Status RocksDirectory::remove_leftovers() {
    std::error_code error;
    std::vector<fs::path> leftovers;
    for (const auto& entry : fs::directory_iterator(path_, error)) {
        const std::string name = entry.path().filename().string();
        const bool is_other_database = database_number(name) && entry.path() != fs::path(database_);
        const bool is_half_made = name.starts_with(kCheckpointPrefix) || name == "current.new" || name.starts_with(kIncomingPrefix);
        if (is_other_database || is_half_made) leftovers.push_back(entry.path());
    }
    for (const auto& leftover : leftovers) {
        if (!error) fs::remove_all(leftover, error);
    }
    if (error) return fail(ErrorCode::kIo, "{}: {}", path_, error.message());
    return {};
}

Status RocksDirectory::write_current(const std::string& name) {
    const std::string temporary = path_ + "/current.new";
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) return io_failure(temporary);
    const std::string line = name + "\n";
    const bool written = ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
    ::close(file);
    if (!written) return io_failure(temporary);
    if (::rename(temporary.c_str(), (path_ + "/current").c_str()) != 0) return io_failure(temporary);
    return sync_path(path_);
}

Result<std::string> RocksDirectory::make_database() {
    const std::string path = path_ + "/" + database_name(++last_database_);
    std::error_code error;
    fs::create_directory(path, error);
    if (error) return fail(ErrorCode::kIo, "{}: {}", path, error.message());
    return path;
}

Status RocksDirectory::make_current(const std::string& path) {
    if (auto status = sync_path(path); !status) return status;
    if (auto status = write_current(fs::path(path).filename().string()); !status) return status;
    database_ = path;
    return {};
}

std::string RocksDirectory::incoming_path() { return fmt::format("{}/{}-{}.sst", path_, kIncomingPrefix, ++last_incoming_); }

std::string RocksDirectory::checkpoint_path() { return fmt::format("{}/{}{}", path_, kCheckpointPrefix, ++last_checkpoint_); }

}  // namespace tanist::store

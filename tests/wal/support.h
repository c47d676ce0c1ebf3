// SPDX-License-Identifier: Apache-2.0
// What the tests of this room share: chains of entries, a small log on a virtual disk, short ways to say what is expected.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wal/log.h"
#include "wal/memory_file_system.h"

namespace tanist::wal {

inline const std::string kDirectory = "wal";
inline constexpr std::uint64_t kSmallSegment = 8192 + 4096;

/// Entries that follow one another. Payloads differ in size and content with the LSN and `salt`.
class Chain {
public:
    explicit Chain(EntryId last = {}, std::uint64_t salt = 0) : last_(last), salt_(salt) {}

    Entry one(Epoch epoch, std::size_t payload_bytes) {
        std::string payload(payload_bytes, static_cast<char>('a' + (last_.lsn.value + salt_) % 26));
        Entry entry = Entry::make(epoch, last_, 1000 + last_.lsn.value, EntryKind::kCommands, payload);
        last_ = entry.id();
        return entry;
    }
    Entry one(Epoch epoch) { return one(epoch, 20 + (last_.lsn.value * 7 + salt_) % 50); }
    std::vector<Entry> next(Epoch epoch, int count) {
        std::vector<Entry> entries;
        for (int i = 0; i < count; ++i) entries.push_back(one(epoch));
        return entries;
    }
    [[nodiscard]] const EntryId& last() const { return last_; }

private:
    EntryId last_;
    std::uint64_t salt_;
};

inline LogOptions small_log() { return {.segment_bytes = kSmallSegment, .retention_bytes = 0, .spare_segments_max = 2}; }

inline Result<std::unique_ptr<Log>> try_open(FileSystem& files, const LogOptions& options = small_log(), std::uint64_t seed = 1) {
    return Log::open(files, kDirectory, options, seed);
}

/// Opens, or ends the test.
inline std::unique_ptr<Log> open_log(FileSystem& files, const LogOptions& options = small_log(), std::uint64_t seed = 1) {
    auto log = try_open(files, options, seed);
    if (!log) ADD_FAILURE() << "open: " << log.error().message;
    return log ? *std::move(log) : nullptr;
}

inline Status append(Log& log, std::span<const Entry> entries) {
    if (auto status = log.write(entries); !status) return status;
    return log.sync();
}

/// All ids from the base to the end, as read() gives them.
inline std::vector<EntryId> ids_in(const Log& log) {
    std::vector<EntryId> ids;
    for (Lsn at = log.base().lsn.next(); at <= log.last().lsn;) {
        const auto entries = log.read(at, log.last().lsn, 1000);
        if (!entries) {
            ADD_FAILURE() << "read: " << entries.error().message;
            break;
        }
        for (const Entry& entry : *entries) ids.push_back(entry.id());
        at = ids.back().lsn.next();
    }
    return ids;
}

inline std::vector<EntryId> ids_of(std::span<const Entry> entries) {
    std::vector<EntryId> ids;
    for (const Entry& entry : entries) ids.push_back(entry.id());
    return ids;
}

inline std::vector<std::string> names_in(FileSystem& files, const std::string& directory = kDirectory) {
    return files.list(directory).value();
}

/// Paths of the segments, oldest first.
inline std::vector<std::string> segment_paths(FileSystem& files) {
    std::vector<std::string> paths;
    for (const std::string& name : names_in(files)) {
        if (name.ends_with(".wal")) paths.push_back(kDirectory + "/" + name);
    }
    return paths;
}

template <class T>
[[nodiscard]] ErrorCode code_of(const Result<T>& result) {
    return result ? ErrorCode{} : result.error().code;
}

#define ASSERT_OK(expression)                                                                   \
    do {                                                                                        \
        const auto& ok_result = (expression);                                                   \
        ASSERT_TRUE(ok_result.has_value()) << #expression << ": " << ok_result.error().message; \
    } while (false)

}  // namespace tanist::wal

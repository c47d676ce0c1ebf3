// SPDX-License-Identifier: Apache-2.0
#include "replica/rescue.h"

#include <vector>

#include "base/ensure.h"
#include "base/mutant.h"

namespace tanist::replica {
namespace {

constexpr std::size_t kReadBytes = 4 * limits::kMiB;

/// The next entries that can be read, from `next` on, which moves behind them; none: there are no more.
Result<std::vector<Entry>> read_past_gaps(const wal::Log& log, Lsn& next, Lsn through) {
    for (; next <= through; next = next.next()) {
        auto entries = log.read(next, through, kReadBytes);
        if (entries) {
            ENSURE(!entries->empty());
            next = entries->back().lsn().next();
            return entries;
        }
        const ErrorCode code = entries.error().code;
        if (code != ErrorCode::kNotFound && code != ErrorCode::kCorrupt) return entries;
    }
    return std::vector<Entry>{};
}

class RescueFile {
public:
    RescueFile(wal::FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

    Status open(const std::string& name) {
        const std::string folder = directory_ + "/rescued";
        if (Status made = files_.make_directory(folder); !made) return made;
        path_ = folder + "/" + name;
        auto file = files_.open(path_ + ".new", wal::OpenMode::kCreate);
        if (!file) return fail(file.error());
        file_ = std::move(*file);
        return file_->truncate(0);
    }
    [[nodiscard]] bool is_open() const { return file_ != nullptr; }

    Status append(const Entry& entry) {
        const Status written = file_->write_at(offset_, entry.bytes());
        offset_ += entry.size();
        return written;
    }
    /// The file, under its name, is durable when this returns.
    Status finish() {
        if (mutant(Mutant::kRescueNotSynced)) return files_.rename(path_ + ".new", path_);
        if (Status synced = file_->sync_data(); !synced) return synced;
        if (Status renamed = files_.rename(path_ + ".new", path_); !renamed) return renamed;
        if (Status synced = files_.sync_directory(directory_ + "/rescued"); !synced) return synced;
        return files_.sync_directory(directory_);
    }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    wal::FileSystem& files_;
    std::string directory_, path_;
    std::unique_ptr<wal::File> file_;
    std::uint64_t offset_ = 0;
};

}  // namespace

Result<std::string> export_rescued(wal::FileSystem& files, const std::string& directory, const wal::Log& log, Lsn from, Lsn through) {
    ENSURE(from <= through);
    RescueFile file(files, directory);
    for (Lsn next = from;;) {
        auto entries = read_past_gaps(log, next, through);
        if (!entries) return fail(entries.error());
        if (entries->empty()) break;
        if (!file.is_open()) {
            const std::string name = fmt::format("{}-{}-{}.entries", entries->front().epoch().value, from.value, through.value);
            if (Status opened = file.open(name); !opened) return fail(opened.error());
        }
        for (const Entry& entry : *entries) {
            if (Status written = file.append(entry); !written) return fail(written.error());
        }
    }
    if (!file.is_open()) return std::string();
    if (Status finished = file.finish(); !finished) return fail(finished.error());
    return file.path();
}

}  // namespace tanist::replica

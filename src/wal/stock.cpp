// SPDX-License-Identifier: Apache-2.0
#include "wal/stock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/limits.h"
#include "base/mutant.h"
#include "wal/path.h"
#include "wal/segment_name.h"

namespace tanist::wal {
namespace {

constexpr std::uint64_t kZeroedBytesACall = 1 * limits::kMiB;  // a few milliseconds of the disk: appends go on in between
constexpr std::uint64_t kSegmentsLeftFree = 4;                 // with less room on the disk nothing is zeroed, or made, ahead (S4)
constexpr std::array<std::byte, 256 * limits::kKiB> kZeros{};

constexpr std::string_view kAheadPrefix = "ahead-";  // of files that were made from nothing; others keep their segment's name

std::string with_suffix(const std::string& path, std::string_view suffix) { return path.substr(0, path.rfind('.')).append(suffix); }

/// The N of "ahead-N.…", plus one; 0: no such name.
std::uint64_t number_behind(std::string_view name) {
    if (!name.starts_with(kAheadPrefix)) return 0;
    name.remove_prefix(kAheadPrefix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc{} ? number + 1 : 0;
}

}  // namespace

Stock::Stock(FileSystem& files, std::string directory, std::uint64_t segment_bytes, std::uint32_t spares_max)
    : files_(files), directory_(std::move(directory)), segment_bytes_(segment_bytes), spares_max_(spares_max) {}

Status Stock::adopt(const std::vector<std::string>& spares, const std::vector<std::string>& used) {
    const std::lock_guard lock(mutex_);
    for (const auto* names : {&spares, &used}) {
        for (const std::string& name : *names) made_ahead_ = std::max(made_ahead_, number_behind(name));
    }
    for (const std::string& name : spares) {
        const std::string path = join_path(directory_, name);
        std::uint64_t bytes = 0;
        if (const auto file = files_.open(path, OpenMode::kRead)) bytes = (*file)->size().value_or(0);
        if (bytes == segment_bytes_ && spare_.size() < spares_max_) {
            spare_.push_back(path);
        } else if (auto status = files_.remove(path); !status) {
            return status;
        }
    }
    for (const std::string& name : used) {
        std::string path = join_path(directory_, name);
        if (!path.ends_with(kUsedSuffix)) {
            std::string renamed = with_suffix(path, kUsedSuffix);
            if (auto status = files_.rename(path, renamed); !status) return status;
            path = std::move(renamed);
        }
        if (spare_.size() + used_.size() < spares_max_) {
            used_.push_back(std::move(path));
        } else if (auto status = files_.remove(path); !status) {
            return status;
        }
    }
    return {};
}

Result<Stock::Taken> Stock::take(const std::string& path, std::uint64_t bytes) {
    std::string spare;
    {
        const std::lock_guard lock(mutex_);
        if (bytes == segment_bytes_ && !spare_.empty()) {
            spare = std::move(spare_.back());
            spare_.pop_back();
        }
    }
    if (!spare.empty()) {
        // Synced, so that what is written into it can never turn up under a name that promises zeros.
        if (auto status = files_.rename(spare, path); !status) return fail(status.error());
        if (auto status = files_.sync_directory(directory_); !status) return fail(status.error());
        auto file = files_.open(path, OpenMode::kWrite);
        if (!file) return fail(std::move(file).error());
        return Taken{*std::move(file), true};
    }
    if (auto status = files_.remove(path); !status) return fail(status.error());
    auto file = files_.open(path, OpenMode::kCreate);
    if (!file) return fail(std::move(file).error());
    if (auto status = (*file)->truncate(bytes); !status) return fail(status.error());
    return Taken{*std::move(file), false};
}

Status Stock::give(const std::string& segment_path) {
    bool keep = false;
    {
        const std::lock_guard lock(mutex_);
        keep = spare_.size() + used_.size() + (in_work_.empty() ? 0 : 1) < spares_max_;
    }
    const std::string used = with_suffix(segment_path, kUsedSuffix);
    auto status = keep ? files_.rename(segment_path, used) : files_.remove(segment_path);
    if (!status) return status;
    // Before anything is written over it: a crash must not bring back a segment that is half zeroed.
    if (status = files_.sync_directory(directory_); !status) return status;
    if (keep) {
        const std::lock_guard lock(mutex_);
        used_.push_back(used);
    }
    return {};
}

Result<bool> Stock::prepare() {
    if (!file_) {
        const auto bytes_free = files_.bytes_free(directory_);
        if (!bytes_free) return fail(bytes_free.error());
        const bool has_room = *bytes_free >= kSegmentsLeftFree * segment_bytes_;
        {
            const std::lock_guard lock(mutex_);
            if (!has_room) {  // zeros may need blocks that a used file never had
                if (used_.empty()) return false;
                if (auto status = files_.remove(used_.back()); !status) return fail(status.error());
                used_.pop_back();
                return true;
            }
            if (!used_.empty()) {
                in_work_ = std::move(used_.back());
                used_.pop_back();
            } else if (spare_.empty() && spares_max_ > 0) {
                in_work_ = join_path(directory_, fmt::format("{}{}{}", kAheadPrefix, made_ahead_++, kUsedSuffix));
            } else {
                return false;
            }
        }
        auto file = files_.open(in_work_, OpenMode::kCreate);
        if (!file) return fail(file.error());
        if (auto status = (*file)->truncate(segment_bytes_); !status) return fail(status.error());
        file_ = *std::move(file);
        zeroed_bytes_ = mutant(Mutant::kStaleBytesRead) ? segment_bytes_ : 0;
    }
    const std::uint64_t end = std::min(segment_bytes_, zeroed_bytes_ + kZeroedBytesACall);
    while (zeroed_bytes_ < end) {
        const auto piece = Bytes(kZeros).first(std::min<std::uint64_t>(kZeros.size(), end - zeroed_bytes_));
        if (auto status = file_->write_at(zeroed_bytes_, piece); !status) return fail(status.error());
        zeroed_bytes_ += piece.size();
    }
    if (auto status = file_->sync_data(); !status) return fail(status.error());
    if (zeroed_bytes_ < segment_bytes_) return true;
    file_.reset();
    std::string spare = with_suffix(in_work_, kSpareSuffix);
    if (auto status = files_.rename(in_work_, spare); !status) return fail(status.error());
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(spare));
    in_work_.clear();
    return true;
}

std::uint64_t Stock::bytes_on_disk() const {
    const std::lock_guard lock(mutex_);
    return (spare_.size() + used_.size() + (in_work_.empty() ? 0 : 1)) * segment_bytes_;
}

}  // namespace tanist::wal

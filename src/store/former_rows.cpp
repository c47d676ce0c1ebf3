// SPDX-License-Identifier: Apache-2.0
#include "store/former_rows.h"

#include <filesystem>
#include <utility>

#include "base/limits.h"

namespace tanist::store {
namespace {

namespace fs = std::filesystem;

/// A larger row costs little to be looked up, beside replaying what changes it.
constexpr std::size_t kRowBytesMax = limits::kKiB;
constexpr std::size_t kChunkBytes = 64 * limits::kKiB;  ///< what a killed process may take with it
constexpr std::size_t kWaitingBytesMax = 8 * limits::kMiB;

}  // namespace

FormerRows::FormerRows(std::string directory, const EntryId& base, std::size_t bytes_max)
    : directory_(std::move(directory)), bytes_max_(bytes_max) {
    std::error_code ignored;  // without the directory no file can be made, and none is
    fs::remove_all(directory_, ignored);
    fs::create_directories(directory_, ignored);
    begin(base);
    thread_ = std::jthread([this] { run(); });
}

FormerRows::~FormerRows() {
    hand_over();
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
}

void FormerRows::begin(const EntryId& base) {
    newest_ = {.path = directory_ + "/" + std::to_string(++files_made_), .end = {}, .bytes = 0};
    noting_ = whole_ = bytes_ < bytes_max_;
    if (noting_) give({Job::Kind::kOpen, newest_.path, base});
}

void FormerRows::note(std::string_view key, std::optional<std::string_view> row) {
    if (key.size() + (row ? row->size() : 0) > kRowBytesMax) return note_unknown(key);
    append(row ? FormerKind::kRow : FormerKind::kAbsent, key, row.value_or(std::string_view()));
}

void FormerRows::note_unknown(std::string_view key) { append(FormerKind::kUnknown, key, {}); }

void FormerRows::append(FormerKind kind, std::string_view key, std::string_view row) {
    if (!noting_) return;
    append_former(notes_, kind, key, row);
    if (notes_.size() >= kChunkBytes) hand_over();
}

void FormerRows::note_range() { whole_ = false; }

void FormerRows::hand_over() {
    if (!noting_ || notes_.empty()) return;
    newest_.bytes += notes_.size();
    bytes_ += notes_.size();
    give({Job::Kind::kWrite, std::exchange(notes_, {}), {}});
    notes_.reserve(kChunkBytes + kRowBytesMax);
    const std::lock_guard lock(mutex_);
    if (bytes_ < bytes_max_ && waiting_bytes_ < kWaitingBytesMax) return;
    noting_ = whole_ = false;
}

void FormerRows::freeze(const EntryId& position) {
    if (whole_) append_former_end(notes_, position);
    hand_over();
    notes_.clear();
    newest_.end = position.lsn;
    files_.push_back(std::move(newest_));
    begin(position);
}

void FormerRows::forget_through(Lsn stored) {
    while (!files_.empty() && files_.front().end <= stored) {
        bytes_ -= files_.front().bytes;
        give({Job::Kind::kRemove, std::move(files_.front().path), {}});
        files_.pop_front();
    }
}

void FormerRows::start_over(const EntryId& base) {
    note_range();
    freeze(base);
    forget_through(base.lsn);
}

void FormerRows::give(Job job) {
    {
        const std::lock_guard lock(mutex_);
        if (job.kind == Job::Kind::kWrite) waiting_bytes_ += job.text.size();
        jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
}

void FormerRows::await_written() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return jobs_.empty() && !busy_; });
}

void FormerRows::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        busy_ = true;
        lock.unlock();
        perform(job);
        lock.lock();
        busy_ = false;
        if (job.kind == Job::Kind::kWrite) waiting_bytes_ -= job.text.size();
        done_.notify_all();
    }
}

/// A file that cannot be written, on a full disk for one, ends there: it is then not whole.
void FormerRows::perform(const Job& job) {
    std::error_code ignored;
    switch (job.kind) {
        case Job::Kind::kOpen:
            if (!file_.open(job.text, job.base)) file_.close();
            break;
        case Job::Kind::kWrite:
            if (!file_.write(job.text)) file_.close();
            break;
        case Job::Kind::kRemove: fs::remove(job.text, ignored); break;
    }
}

}  // namespace tanist::store

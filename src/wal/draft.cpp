// SPDX-License-Identifier: Apache-2.0
#include "wal/draft.h"

#include "base/ensure.h"
#include "base/mutant.h"
#include "wal/path.h"

namespace tanist::wal {
namespace {

constexpr std::uint64_t kFlushBytes = 1 * limits::kMiB;

std::string draft_path(const std::string& segment_path) {
    return segment_path.substr(0, segment_path.size() - kSegmentSuffix.size()).append(kDraftSuffix);
}

}  // namespace

Result<Draft> Draft::begin(Stock& stock, const std::string& directory, const SegmentName& name, const EntryId& base, std::uint64_t bytes) {
    ENSURE(name.first_lsn == base.lsn.next());
    auto segment = std::make_shared<Segment>();
    segment->name = name;
    segment->path = join_path(directory, file_name(name));
    segment->seed = checksum_seed(name);
    segment->bytes = bytes;
    segment->base = base;
    segment->last_lsn = base.lsn;
    auto taken = stock.take(draft_path(segment->path), bytes);
    if (!taken) return fail(std::move(taken).error());
    segment->file = std::move(taken->file);
    segment->zeroed_bytes = taken->is_spare ? bytes : 0;
    return Draft(std::move(segment));
}

Status Draft::add(const Entry& entry) {
    ENSURE(entry.follows(last_));
    const std::uint64_t offset = segment_->end_offset + waiting_bytes_;
    ENSURE(offset + record_bytes(entry) <= segment_->bytes);
    segment_->add_point(entry.lsn(), offset);
    segment_->last_lsn = entry.lsn();
    last_ = entry.id();
    waiting_.push_back(entry);
    waiting_bytes_ += record_bytes(entry);
    return waiting_bytes_ < kFlushBytes ? Status{} : flush();
}

Status Draft::flush() {
    if (waiting_.empty()) return {};
    if (auto status = writer_.write(*segment_->file, segment_->end_offset, segment_->seed, waiting_); !status) return status;
    segment_->end_offset += waiting_bytes_;
    waiting_.clear();
    waiting_bytes_ = 0;
    return {};
}

Result<std::shared_ptr<Segment>> Draft::publish(FileSystem& files, Slot slot) && {
    slot.base = segment_->base;
    if (auto status = flush(); !status) return fail(status.error());
    for (int both = 0; both < 2; ++both) {
        if (auto status = write_slot(*segment_, slot); !status) return fail(status.error());
    }
    if (!mutant(Mutant::kDraftNotSynced)) {
        if (auto status = segment_->file->sync_data(); !status) return fail(status.error());
    }
    if (auto status = files.rename(draft_path(segment_->path), segment_->path); !status) return fail(status.error());
    if (mutant(Mutant::kRollNotSynced)) return std::move(segment_);
    if (auto status = files.sync_directory(directory_of(segment_->path)); !status) return fail(status.error());
    return std::move(segment_);
}

}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
#include "wal/disk_log.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "wal/path.h"

namespace tanist::wal {
namespace {

/// The file of a log that cannot be opened, and what to do; the reason is in `where`.
[[nodiscard]] tl::unexpected<Error> refusal(const Found& found) {
    return fail(
        ErrorCode::kCorrupt,
        "the log is corrupt and this is its only voter, so no peer has a good copy: {}; the last good entry is lsn={} epoch={}. Restore a "
        "backup, or give up what follows that entry by starting once with --cut-corrupt-log",
        found.where, found.last.lsn.value, found.last.epoch.value);
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(FileSystem& files, std::string directory, LogOptions options, std::uint64_t seed) {
    const auto exists = files.exists(directory);
    if (!exists) return fail(exists.error());
    if (!*exists) {
        if (auto status = files.make_directory(directory); !status) return fail(status.error());
    }
    // Names, too, are durable only once this process has synced them (S4): a seal must not outlive the successor that it names.
    for (const std::string& synced : {directory_of(directory), directory}) {
        if (auto status = files.sync_directory(synced); !status) return fail(status.error());
    }
    auto survey = wal::survey(files, directory);
    if (!survey) return fail(std::move(survey).error());
    Found& found = survey->found;
    if (survey->segments.empty()) {
        found.created = !options.must_exist;
        survey->bounded = !options.must_exist;
        if (options.must_exist) found.where = fmt::format("{}: no segment is there, and there has been a log", directory);
    }
    const Place place = place_of(survey->first_bad, found.last, found.mark);
    const bool cuts_blindly = (place == Place::kUpToIntent && mutant(Mutant::kDoubtTakenForTorn)) ||
                              (place == Place::kUpToConfirmed && mutant(Mutant::kCorruptTakenForTorn)) ||
                              mutant(Mutant::kTornTailCutTooFar);
    Judgement judgement = judge(survey->bounded, place, options.only_voter || (survey->bounded && cuts_blindly));
    if (judgement.plan == Plan::kRefuse) {
        if (!options.cut_corruption && !cuts_blindly && !mutant(Mutant::kOnlyLogCutUnasked)) return refusal(found);
        judgement.plan = Plan::kCutThere;
    }
    found.tail = judgement.tail;
    auto log = std::make_unique<DiskLog>(files, std::move(directory), options, seed, *survey);
    if (auto status = log->start(judgement.plan, *survey); !status) return fail(status.error());
    return log;
}

DiskLog::DiskLog(FileSystem& files, std::string directory, const LogOptions& options, std::uint64_t seed, Survey survey)
    : files_(files),
      directory_(std::move(directory)),
      options_(options),
      seed_(seed),
      found_(std::move(survey.found)),
      stock_(files, directory_, options.segment_bytes, options.spare_segments_max),
      synced_(found_.last),
      sequence_(survey.sequence_max),
      mark_(found_.mark),
      holes_(std::move(survey.holes)),
      void_paths_(std::move(survey.void_paths)),
      segments_(std::move(survey.segments)),
      base_(found_.base),
      last_(found_.last),
      behind_(found_.behind_hole),
      tail_(found_.tail) {
    ENSURE(options_.segment_bytes > kRecordsOffset);
}

Status DiskLog::start(Plan plan, const Survey& survey) {
    std::vector<std::string> used = survey.used;
    used.insert(used.end(), survey.drafts.begin(), survey.drafts.end());
    if (auto status = stock_.adopt(survey.spares, used); !status) return status;
    if (survey.segments.empty() && plan == Plan::kGoOn) {
        auto draft = begin_draft(EntryId{}, 0);
        return draft ? install(*std::move(draft), Slot{}, Tail::kClean) : fail(draft.error());
    }
    if (survey.predecessor && segments_.back()->head.whole()) {  // a crash came between the new segment and the seal of the old
        const Slot* slot = survey.predecessor->head.latest();
        if (slot == nullptr || !slot->seal) {
            if (auto status = seal(*survey.predecessor, *segments_.back()); !status) return status;
        }
    }
    if (plan == Plan::kHold && mutant(Mutant::kDoubtForgottenByCopy) && found_.tail != Tail::kUnbounded) {
        auto status = cut_now(last_.lsn);
        tail_ = found_.tail, mark_ = found_.mark;
        return status;
    }
    if (plan == Plan::kHold) return {};
    if (found_.tail == Tail::kInDoubt || found_.tail == Tail::kCorrupt || found_.tail == Tail::kUnbounded) {
        found_.cut_in_doubt = true;
        found_.tail = Tail::kTorn;
        found_.behind_hole.clear();
        return cut_now(last_.lsn);
    }
    tail_ = Tail::kClean;
    ENSURE(last_.rank() >= mark_.intent.rank());
    if (last_ == mark_.confirmed && last_ == mark_.intent && !survey.dirty_end) {
        found_.clean_stop = true;
        if (auto status = segments_.back()->file->sync_data(); !status) return status;  // what was read is durable only now (S4)
        return give_up_void_files();
    }
    if (mutant(Mutant::kUnsyncedTailTrusted) && !survey.dirty_end) return {};
    // What lies above `confirmed` may be in the page cache only, and in no other way than this does it get to the disk for sure.
    auto before = id_of(mark_.confirmed.lsn);
    if (!before) return fail(before.error());
    auto draft = begin_draft(*before, segments_.back()->bytes);
    if (!draft) return fail(std::move(draft).error());
    if (auto status = copy(*draft, mark_.confirmed.lsn.next(), last_.lsn); !status) return status;
    const EntryId end = draft->last();
    ENSURE(end == last_);
    return install(*std::move(draft), Slot{.mark = {.intent = end, .confirmed = end}}, Tail::kClean);
}

EntryId DiskLog::base() const {
    const std::lock_guard lock(mutex_);
    return base_;
}

EntryId DiskLog::last() const {
    const std::lock_guard lock(mutex_);
    return last_;
}

Tail DiskLog::tail() const {
    const std::lock_guard lock(mutex_);
    return tail_;
}

Status DiskLog::usable() const {
    if (failed_) return fail(ErrorCode::kIo, "{}: a write to the log has failed before; nothing more is written", directory_);
    return {};
}

Status DiskLog::noting_failure(Status status) {
    if (!status && status.error().code != ErrorCode::kRefused && status.error().code != ErrorCode::kInvalidArgument) failed_ = true;
    return status;
}

bool DiskLog::has_hole() const { return tail_ == Tail::kInDoubt || tail_ == Tail::kCorrupt || tail_ == Tail::kUnbounded; }

Status DiskLog::write(std::span<const Entry> group) {
    if (auto status = usable(); !status) return status;
    if (has_hole()) return fail(ErrorCode::kRefused, "{}: the log has a hole behind lsn={}", directory_, last_.lsn.value);
    while (!group.empty()) {
        const Epoch epoch = group.front().epoch();
        if (epoch != last_.epoch) {
            if (auto status = sync(); !status) return status;
        }
        const Segment& segment = *segments_.back();
        std::uint64_t room = segment.bytes - std::min(segment.bytes, segment.end_offset);
        std::size_t fitting = 0;
        while (fitting < group.size() && group[fitting].epoch() == epoch && record_bytes(group[fitting]) <= room) {
            room -= record_bytes(group[fitting++]);
        }
        auto status = fitting > 0 ? append(group.first(fitting)) : roll(kRecordsOffset + record_bytes(group.front()));
        if (!status) return noting_failure(std::move(status));
        group = group.subspan(fitting);
    }
    return {};
}

Status DiskLog::append(std::span<const Entry> entries) {
    EntryId previous = last_;
    for (const Entry& entry : entries) {
        ENSURE(entry.follows(previous));
        previous = entry.id();
    }
    Segment& segment = *segments_.back();
    std::uint64_t bytes = 0;
    for (const Entry& entry : entries) bytes += record_bytes(entry);
    if (auto status = segment.zero_ahead(bytes); !status) return status;
    if (auto status = writer_.write(*segment.file, segment.end_offset, segment.seed, entries); !status) return status;
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries) {
        segment.add_point(entry.lsn(), segment.end_offset);
        segment.end_offset += record_bytes(entry);
    }
    segment.last_lsn = previous.lsn;
    last_ = previous;
    return {};
}

Status DiskLog::sync() {
    if (auto status = usable(); !status) return status;
    if (last_ == synced_) return {};
    return noting_failure(put_mark({.intent = last_, .confirmed = synced_}));
}

Status DiskLog::confirm() {
    if (auto status = sync(); !status) return status;
    if (has_hole() || segments_.back()->head.latest()->mark.confirmed == last_) return {};
    return noting_failure(put_mark({.intent = last_, .confirmed = last_}));
}

/// Writes the slot and syncs it together with all records written before. One slot is on the disk for sure at any time: the other
/// one is touched only here, and this returns when it is on the disk, too.
Status DiskLog::put_mark(const Mark& mark) {
    Segment& segment = *segments_.back();
    if (auto status = write_slot(segment, {.base = segment.base, .mark = mark}); !status) return status;
    if (auto status = segment.file->sync_data(); !status && !mutant(Mutant::kFailedSyncRetried)) return status;
    synced_ = last_;
    return {};
}

std::uint64_t DiskLog::bytes_on_disk() const {
    std::uint64_t bytes = stock_.bytes_on_disk();
    const std::lock_guard lock(mutex_);
    for (const auto& segment : segments_) bytes += segment->bytes;
    return bytes;
}

}  // namespace tanist::wal

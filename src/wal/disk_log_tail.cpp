// SPDX-License-Identifier: Apache-2.0
// How the end of the log changes other than by appending: a new segment takes over, and the old one is sealed (S10).
#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "base/random.h"
#include "wal/disk_log.h"

namespace tanist::wal {
namespace {

constexpr std::size_t kCopyBytes = 1 * limits::kMiB;

/// The entries of `fill` in first .. last.
std::span<const Entry> part(std::span<const Entry> fill, Lsn first, Lsn last) {
    const auto begin = std::ranges::lower_bound(fill, first, {}, &Entry::lsn);
    const auto end = std::ranges::upper_bound(fill, last, {}, &Entry::lsn);
    return begin < end ? std::span(begin, end) : std::span<const Entry>{};
}

std::uint64_t bytes_of(std::span<const Entry> entries) {
    std::uint64_t bytes = 0;
    for (const Entry& entry : entries) bytes += record_bytes(entry);
    return bytes;
}

}  // namespace

Status DiskLog::roll(std::uint64_t bytes_min) {
    if (auto status = sync(); !status) return status;
    auto draft = begin_draft(last_, bytes_min);
    if (!draft) return fail(std::move(draft).error());
    return install(*std::move(draft), Slot{.mark = {.intent = last_, .confirmed = last_}}, Tail::kClean);
}

Result<Draft> DiskLog::begin_draft(const EntryId& base, std::uint64_t bytes_min) {
    SegmentName name{.sequence = ++sequence_, .first_lsn = base.lsn.next()};
    // Mixed with the sequence number, which is never used twice: so a seed that comes again does not bring old use ids again.
    Random random(seed_ + sequence_ * 0x9e3779b97f4a7c15);
    while (name.use_id == 0) name.use_id = random.next();
    return Draft::begin(stock_, directory_, name, base, std::max(options_.segment_bytes, bytes_min));
}

Status DiskLog::copy(Draft& draft, Lsn from, Lsn through) const {
    while (from <= through) {
        const auto entries = read(from, through, kCopyBytes);
        if (!entries) return fail(entries.error());
        for (const Entry& entry : *entries) {
            if (auto status = draft.add(entry); !status) return status;
        }
        from = draft.last().lsn.next();
    }
    return {};
}

/// Makes the draft the newest segment, of which `slot` says all but the base. Old segments lose what it takes over.
Status DiskLog::install(Draft draft, const Slot& slot, Tail tail) {
    const EntryId end = draft.last();
    auto published = std::move(draft).publish(files_, slot);
    if (!published) return fail(std::move(published).error());
    const std::shared_ptr<Segment> segment = *std::move(published);
    if (!segments_.empty()) {
        if (auto status = seal(*segments_.back(), *segment); !status) return status;
    }
    {
        const std::lock_guard lock(mutex_);
        for (const auto& old : segments_) {
            if (slot.starts_log || old->name.first_lsn >= segment->name.first_lsn) {
                void_paths_.push_back(old->path);
            } else {
                old->void_from(segment->name.first_lsn);
            }
        }
        std::erase_if(segments_, [&](const auto& old) { return slot.starts_log || old->name.first_lsn >= segment->name.first_lsn; });
        segments_.push_back(segment);
        if (slot.starts_log) base_ = segment->base;
        last_ = end;
        behind_.clear();
        tail_ = tail;
    }
    synced_ = end;
    mark_ = slot.mark;
    holes_.clear();
    return give_up_void_files();
}

Status DiskLog::seal(Segment& old, const Segment& successor) {
    if (mutant(Mutant::kNotSealed)) return {};
    const Slot* latest = old.head.latest();
    Slot slot = latest ? *latest : Slot{.base = old.base, .mark = {.intent = old.base, .confirmed = old.base}};
    slot.seal = Seal{.end_lsn = successor.name.first_lsn.previous(), .successor_use_id = successor.name.use_id};
    if (auto status = write_slot(old, slot); !status) return status;
    return old.file->sync_data();
}

Status DiskLog::give_up_void_files() {
    for (const std::string& path : std::exchange(void_paths_, {})) {
        if (auto status = stock_.give(path); !status) return status;
    }
    return {};
}

Status DiskLog::cut(Lsn keep) {
    if (auto status = usable(); !status) return status;
    if (tail_ == Tail::kUnbounded)
        return fail(ErrorCode::kRefused, "{}: no cut before corruption without upper bound is settled", directory_);
    if (keep < base_.lsn || keep > last_.lsn) {
        return fail(ErrorCode::kInvalidArgument, "{}: cut to lsn={}, the log holds {} .. {}", directory_, keep.value,
                    base_.lsn.next().value, last_.lsn.value);
    }
    return noting_failure(cut_now(keep));
}

Status DiskLog::cut_now(Lsn keep) {
    if (auto status = sync(); !status) return status;
    if (!has_hole()) {
        const auto end = id_of(keep);
        if (!end) return fail(end.error());
        if (*end == last_) return {};
        auto draft = begin_draft(*end, 0);
        if (!draft) return fail(std::move(draft).error());
        return install(*std::move(draft), Slot{.mark = {.intent = *end, .confirmed = *end}}, Tail::kClean);
    }
    // What the newest segment holds above `confirmed` is not durable for sure, so it is copied, up to the cut.
    const Lsn newest_first = segments_.empty() ? Lsn{1} : segments_.back()->name.first_lsn;
    const auto base = id_of(std::min(keep, newest_first.previous()));
    if (!base) return fail(base.error());
    auto draft = begin_draft(*base, segments_.empty() ? 0 : segments_.back()->bytes);
    if (!draft) return fail(std::move(draft).error());
    if (auto status = copy(*draft, base->lsn.next(), keep); !status) return status;
    const EntryId end = draft->last();
    return install(*std::move(draft), Slot{.mark = {.intent = end, .confirmed = end}}, Tail::kClean);
}

Status DiskLog::repair(std::span<const Entry> fill) {
    if (auto status = usable(); !status) return status;
    if (!has_hole()) {
        if (fill.empty()) return {};
        return fail(ErrorCode::kInvalidArgument, "{}: the log has no hole to fill", directory_);
    }
    return noting_failure(fill.empty() ? cut_now(last_.lsn) : repair_now(fill));
}

Status DiskLog::repair_now(std::span<const Entry> fill) {
    if (auto status = check_fill(fill); !status) return status;
    const Lsn from = fill.front().lsn();
    const Lsn newest_first = segments_.empty() ? Lsn{1} : segments_.back()->name.first_lsn;
    auto end = chain_end(fill);
    if (!end) return fail(end.error());
    const bool mending = from < newest_first && can_mend(fill, end->lsn);
    if (fill.back().epoch() <= mark_.intent.epoch && end->rank() < mark_.intent.rank()) {
        return fail(ErrorCode::kRefused, "{}: with lsn={} .. {} filled the log reaches lsn={}; it may have held lsn={} of epoch {}",
                    directory_, from.value, fill.back().lsn().value, end->lsn.value, mark_.intent.lsn.value, mark_.intent.epoch.value);
    }
    if (mending) {
        if (auto status = mend(fill); !status) return status;
    }
    // Where older segments cannot be mended in place, the new one takes over from the hole on, with all that is kept behind it.
    const Lsn first = mending ? newest_first : std::min(from, newest_first);
    const auto base = id_of(first.previous());
    if (!base) return fail(base.error());
    std::uint64_t copied = 0;
    if (first < from || fill.back().lsn() < end->lsn) {
        for (const auto& segment : segments_) copied += segment->last_lsn < first ? 0 : segment->used_bytes();
    }
    auto draft = begin_draft(*base, kRecordsOffset + copied + bytes_of(fill));
    if (!draft) return fail(std::move(draft).error());
    if (auto status = copy(*draft, first, from.previous()); !status) return status;
    for (const Entry& entry : part(fill, first, end->lsn)) {
        if (auto status = draft->add(entry); !status) return status;
    }
    if (auto status = copy(*draft, std::max(first, fill.back().lsn().next()), end->lsn); !status) return status;
    return install(*std::move(draft), Slot{.mark = {.intent = *end, .confirmed = *end}}, Tail::kClean);
}

Status DiskLog::check_fill(std::span<const Entry> fill) const {
    const Lsn from = fill.front().lsn();
    if (from <= base_.lsn || from > last_.lsn.next()) {
        return fail(ErrorCode::kInvalidArgument, "{}: a fill from lsn={}, the log is good from {} to {}", directory_, from.value,
                    base_.lsn.next().value, last_.lsn.value);
    }
    auto previous = id_of(from.previous());
    if (!previous) return fail(previous.error());
    for (const Entry& entry : fill) {
        if (!entry.follows(*previous)) {
            return fail(ErrorCode::kInvalidArgument, "{}: the fill's lsn={} epoch={} does not follow lsn={} epoch={}", directory_,
                        entry.lsn().value, entry.epoch().value, previous->lsn.value, previous->epoch.value);
        }
        previous = entry.id();
    }
    return {};
}

/// The end of the fill and of the records behind it that chain to it.
Result<EntryId> DiskLog::chain_end(std::span<const Entry> fill) const {
    Lsn end = fill.back().lsn();
    const auto next = read(end.next(), end.next(), 0);
    if (!next || !next->front().follows(fill.back().id())) return fill.back().id();
    while (holds(end.next())) end = end.next();  // good records without a gap chain: the survey made sure
    return id_of(end);
}

/// Whether the fill puts back, byte for byte, what the older segments have lost, and changes nothing else in them.
bool DiskLog::can_mend(std::span<const Entry> fill, Lsn end) const {
    const Segment& newest = *segments_.back();
    if (end.next() < newest.name.first_lsn) return false;
    for (const Hole& hole : holes_) {
        if (hole.segment.get() == &newest) continue;
        if (hole.first < fill.front().lsn() || hole.last > fill.back().lsn()) return false;
        const std::uint64_t bytes = bytes_of(part(fill, hole.first, hole.last));
        if (hole.room_end && hole.offset + bytes != *hole.room_end) return false;
    }
    return std::ranges::all_of(part(fill, fill.front().lsn(), newest.name.first_lsn.previous()), [&](const Entry& entry) {
        if (!holds(entry.lsn())) return true;
        const auto id = id_of(entry.lsn());
        return id && *id == entry.id();
    });
}

Status DiskLog::mend(std::span<const Entry> fill) {
    for (const Hole& hole : holes_) {
        Segment& segment = *hole.segment;
        if (&segment == segments_.back().get()) continue;
        const auto entries = part(fill, hole.first, hole.last);
        if (auto status = writer_.write(*segment.file, hole.offset, segment.seed, entries); !status) return status;
        if (auto status = segment.file->sync_data(); !status) return status;
        const std::lock_guard lock(mutex_);
        const auto point = std::ranges::lower_bound(segment.points, hole.first, {}, &IndexPoint::lsn);
        segment.points.insert(point, {hole.first, hole.offset});
        segment.last_lsn = std::max(segment.last_lsn, hole.last);
        segment.end_offset = std::max(segment.end_offset, hole.offset + bytes_of(entries));
        segment.bytes = std::max(segment.bytes, segment.end_offset);
        for (const Entry& entry : entries) behind_.push_back(entry.id());
        std::ranges::sort(behind_, {}, &EntryId::lsn);
    }
    return {};
}

Status DiskLog::reset(EntryId base) {
    if (auto status = usable(); !status) return status;
    return noting_failure(reset_now(base));
}

Status DiskLog::reset_now(const EntryId& base) {
    const EntryId highest = std::max(last_, mark_.intent, [](const EntryId& a, const EntryId& b) { return a.rank() < b.rank(); });
    Slot slot{.mark = {.intent = base, .confirmed = base}, .starts_log = true, .unsettled = tail_ == Tail::kUnbounded};
    if (highest.rank() > base.rank()) slot.mark.intent = highest;
    const Tail tail = slot.unsettled ? Tail::kUnbounded : slot.mark.intent == base ? Tail::kClean : Tail::kInDoubt;
    auto draft = begin_draft(base, 0);
    if (!draft) return fail(std::move(draft).error());
    return install(*std::move(draft), slot, tail);
}

Status DiskLog::recycle(Lsn through) {
    if (auto status = usable(); !status) return status;
    through = std::min(through, last_.lsn);
    std::uint64_t held = 0;
    for (const auto& segment : segments_) held += segment->used_bytes();
    while (segments_.size() > 1) {
        const Segment& oldest = *segments_.front();
        if (oldest.last_lsn > through || held - oldest.used_bytes() < options_.retention_bytes) break;
        const EntryId& base = segments_[1]->base;
        if (base.lsn != segments_[1]->name.first_lsn.previous() || base.lsn > last_.lsn) break;  // unknown, or behind a hole
        held -= oldest.used_bytes();
        const std::string path = oldest.path;
        {
            const std::lock_guard lock(mutex_);
            base_ = base;
            segments_.erase(segments_.begin());
        }
        // One by one and durably, oldest first: a crash never leaves a gap.
        if (auto status = stock_.give(path); !status) return noting_failure(std::move(status));
    }
    return {};
}

}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
#include "wal/survey.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "wal/path.h"
#include "wal/record.h"

namespace tanist::wal {
namespace {

constexpr std::size_t kChunkBytes = 1 * limits::kMiB;
constexpr Lsn kNoLimit{~std::uint64_t{0}};

/// Walks the segments that count, in order, and fills in what their records say.
class Walk {
public:
    explicit Walk(Survey& survey) : survey_(survey), found_(survey.found) {
        for (const auto& segment : survey_.segments) {
            if (segment->head.latest()) named_.push_back(segment->base);
        }
        for (const EntryId& id : {found_.mark.confirmed, found_.mark.intent}) {
            if (!id.lsn.is_zero()) named_.push_back(id);
        }
        std::ranges::sort(named_, {}, &EntryId::lsn);
    }

    void run() {
        for (std::size_t i = 0; i < survey_.segments.size(); ++i) {
            const bool newest = i + 1 == survey_.segments.size();
            segment_ = survey_.segments[i];
            next_ = segment_->name.first_lsn;
            if (!previous_ && base_known()) previous_ = segment_->base;
            if (i == 0) start_log();
            scan(newest ? end_of(*segment_) : survey_.segments[i + 1]->name.first_lsn);
            if (!newest && !survey_.segments[i + 1]->head.latest()) survey_.segments[i + 1]->base = previous_.value_or(EntryId{});
        }
    }

private:
    [[nodiscard]] bool base_known() const { return segment_->head.latest() || segment_->name.first_lsn == Lsn{1}; }
    [[nodiscard]] bool newest(Lsn limit) const { return limit == kNoLimit; }

    /// Whether next_ lies behind everything that the mark may have promised.
    [[nodiscard]] bool above_intent() const {
        return survey_.holes.empty() ? found_.last.rank() >= found_.mark.intent.rank() : next_ > found_.mark.intent.lsn;
    }

    /// Where the newest segment's records cease to count: nowhere, unless it is sealed, and its successor lost. What that one replaced
    /// counts no more for its being lost.
    static Lsn end_of(const Segment& segment) {
        const Slot* slot = segment.head.latest();
        return slot != nullptr && slot->seal ? slot->seal->end_lsn.next() : kNoLimit;
    }

    void start_log() {
        found_.base = segment_->base;
        if (!base_known()) found_.base = {.epoch = {}, .lsn = segment_->name.first_lsn.previous(), .checksum = 0};
        found_.last = found_.base;
    }

    void scan(Lsn limit) {
        RecordReader reader(*segment_->file, segment_->seed, kRecordsOffset, std::max(segment_->bytes, kRecordsOffset), kChunkBytes);
        while (next_ < limit) {
            const Seen seen = reader.look();
            if (seen == Seen::kRecord && acceptable(reader.entry())) {
                accept(reader.entry(), reader.offset());
                reader.advance();
                segment_->end_offset = reader.offset();
                continue;
            }
            if (newest(limit) && seen == Seen::kNothing && reader.rest_is_zero()) {
                if (!above_intent()) note_hole(reader.offset(), std::max(found_.mark.intent.lsn, next_), std::nullopt, "record missing");
                return;
            }
            const std::string reason = seen == Seen::kRecord ? "not the record that its neighbours or the mark name" : reader.reason();
            if (newest(limit) && survey_.bounded && above_intent()) {
                survey_.dirty_end = true;
                note_bad(reader.offset(), reason);
                return;  // torn: nothing from here on counts, valid records behind it included (S9)
            }
            const std::uint64_t offset = reader.offset();
            if (!reader.find(next_, limit)) {
                note_hole(offset, newest(limit) ? std::max(found_.mark.intent.lsn, next_) : limit.previous(), std::nullopt, reason);
                if (newest(limit)) survey_.dirty_end = true;
                next_ = limit;
                return;
            }
            note_hole(offset, reader.entry().lsn().previous(), reader.offset(), reason);
            next_ = reader.entry().lsn();
            segment_->points.push_back({next_, reader.offset()});
        }
    }

    /// Whether it is the record that belongs at next_: what it follows, and what heads say of it, being right.
    [[nodiscard]] bool acceptable(const Entry& entry) {
        const bool belongs = entry.lsn() == next_ && (!previous_ || entry.follows(*previous_));
        if (!belongs && !mutant(Mutant::kStaleBytesRead)) return false;
        if (mutant(Mutant::kTornTailCutTooFar) && next_ > found_.mark.confirmed.lsn) return false;
        while (named_at_ < named_.size() && named_[named_at_].lsn < next_) ++named_at_;
        for (std::size_t i = named_at_; i < named_.size() && named_[i].lsn == next_; ++i) {
            if (named_[i] != entry.id()) return false;
        }
        return true;
    }

    void accept(const Entry& entry, std::uint64_t offset) {
        segment_->add_point(next_, offset);
        segment_->last_lsn = next_;
        if (!survey_.holes.empty() || survey_.first_bad) {
            found_.behind_hole.push_back(entry.id());
        } else {
            if (found_.last.lsn == found_.base.lsn && !previous_) found_.base.checksum = entry.predecessor_checksum();
            if (found_.epochs.empty() || found_.epochs.back().epoch != entry.epoch()) found_.epochs.push_back({entry.epoch(), next_});
            if (entry.kind() == EntryKind::kMembership) keep_membership(entry);
            found_.last = entry.id();
            found_.last_timestamp = entry.timestamp();
        }
        previous_ = entry.id();
        next_ = next_.next();
    }

    void keep_membership(const Entry& entry) {
        const Bytes bytes = entry.bytes();
        auto copy = std::make_shared_for_overwrite<std::byte[]>(bytes.size());
        std::ranges::copy(bytes, copy.get());
        const Bytes view(copy.get(), bytes.size());
        auto decoded = Entry::decode(std::move(copy), view);
        ENSURE(decoded.has_value());
        found_.memberships.push_back(*std::move(decoded));
    }

    void note_bad(std::uint64_t offset, const std::string& reason) {
        if (survey_.first_bad) return;
        survey_.first_bad = next_;
        found_.where = fmt::format("{}: lsn={}: {}", place_text(segment_->path, offset), next_.value, reason);
    }

    void note_hole(std::uint64_t offset, Lsn last, std::optional<std::uint64_t> room_end, const std::string& reason) {
        note_bad(offset, reason);
        survey_.holes.push_back({.first = next_, .last = last, .segment = segment_, .offset = offset, .room_end = room_end});
        previous_.reset();
    }

    Survey& survey_;
    Found& found_;
    std::vector<EntryId> named_;  ///< what bases and mark say of certain records, ascending by LSN
    std::size_t named_at_ = 0;
    std::shared_ptr<Segment> segment_;
    std::optional<EntryId> previous_;  ///< the record before next_; none behind a hole
    Lsn next_;
};

Result<std::shared_ptr<Segment>> open_segment(FileSystem& files, const std::string& directory, const SegmentName& name) {
    auto segment = std::make_shared<Segment>();
    segment->name = name;
    segment->path = join_path(directory, file_name(name));
    segment->seed = checksum_seed(name);
    segment->last_lsn = name.first_lsn.previous();
    auto file = files.open(segment->path, OpenMode::kWrite);
    if (!file) return fail(std::move(file).error());
    const auto bytes = (*file)->size();
    if (!bytes) return fail(bytes.error());
    segment->file = *std::move(file);
    segment->bytes = *bytes;
    segment->head = read_head(*segment->file, name);
    if (const Slot* slot = segment->head.latest()) segment->base = slot->base;
    return segment;
}

/// Sorts the names of the directory into the kinds of file that they are.
Result<std::vector<SegmentName>> sort_names(FileSystem& files, const std::string& directory, Survey& survey) {
    auto names = files.list(directory);
    if (!names) return fail(std::move(names).error());
    std::vector<SegmentName> segments;
    for (std::string& name : *names) {
        if (name.ends_with(kSpareSuffix)) {
            survey.spares.push_back(std::move(name));
        } else if (name.ends_with(kUsedSuffix)) {
            survey.used.push_back(std::move(name));
        } else if (name.ends_with(kDraftSuffix)) {
            survey.drafts.push_back(std::move(name));
        } else if (name.ends_with(kSegmentSuffix)) {
            const auto parsed = parse_file_name(name);
            if (!parsed) return fail(ErrorCode::kCorrupt, "{}: not the name of a log segment", join_path(directory, name));
            segments.push_back(*parsed);
        }
    }
    std::ranges::sort(segments, {}, &SegmentName::sequence);
    const auto twin = std::ranges::adjacent_find(segments, {}, &SegmentName::sequence);
    if (twin != segments.end()) {
        return fail(ErrorCode::kCorrupt, "{}: two log segments have the sequence number {}", directory, twin->sequence);
    }
    return segments;
}

/// Tells the segments that count from those that later ones have made void.
void drop_void(std::vector<std::shared_ptr<Segment>> all, Survey& survey) {
    Lsn limit = kNoLimit;
    bool log_started = false;
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        const Slot* slot = (*it)->head.latest();
        if (log_started || (*it)->name.first_lsn >= limit) {
            survey.void_paths.push_back((*it)->path);
        } else {
            survey.segments.push_back(*it);
            limit = (*it)->name.first_lsn;
        }
        log_started = log_started || (slot && slot->starts_log);
    }
    std::ranges::reverse(survey.segments);
    std::ranges::reverse(survey.void_paths);
}

}  // namespace

Result<Survey> survey(FileSystem& files, const std::string& directory) {
    Survey survey;
    const auto names = sort_names(files, directory, survey);
    if (!names) return fail(names.error());
    if (names->empty()) return survey;

    std::vector<std::shared_ptr<Segment>> all;
    for (const SegmentName& name : *names) {
        auto segment = open_segment(files, directory, name);
        if (!segment) return fail(std::move(segment).error());
        all.push_back(*std::move(segment));
    }
    survey.sequence_max = all.back()->name.sequence;
    if (all.size() > 1) survey.predecessor = all[all.size() - 2];

    const Segment& newest = *all.back();
    const Slot* slot = newest.head.latest();
    if (slot) survey.found.mark = slot->mark;
    if (mutant(Mutant::kUnreadableSlotTorn) ? slot == nullptr : !newest.head.whole()) {
        survey.bounded = false;
        survey.found.where =
            fmt::format("{}: a slot of the newest segment is unreadable", place_text(newest.path, newest.head.slots[0] ? kSlotStride : 0));
    } else if (slot->seal && !mutant(Mutant::kMissingSegmentUnnoticed)) {
        survey.bounded = false;
        survey.found.where = fmt::format("{}: sealed, but its successor {:016x} is missing", newest.path, slot->seal->successor_use_id);
    } else if (slot->unsettled) {
        survey.bounded = false;
        survey.found.where = fmt::format("{}: corruption without upper bound, found earlier, is not settled", newest.path);
    }
    drop_void(std::move(all), survey);
    const std::string unbounded_where = survey.found.where;
    Walk(survey).run();
    if (!unbounded_where.empty()) survey.found.where = unbounded_where;
    return survey;
}

}  // namespace tanist::wal

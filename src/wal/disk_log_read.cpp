// SPDX-License-Identifier: Apache-2.0
// Reading the log, beside its writer.
#include <algorithm>
#include <utility>

#include "wal/disk_log.h"

namespace tanist::wal {
namespace {
constexpr std::size_t kChunkBytesMin = 16 * limits::kKiB, kChunkBytesMax = 1 * limits::kMiB;
}

/// Under the mutex, or on the writer's thread.
bool DiskLog::holds(Lsn lsn) const {
    if (lsn <= base_.lsn) return false;
    return lsn <= last_.lsn || std::ranges::binary_search(behind_, lsn, {}, &EntryId::lsn);
}

Result<DiskLog::Spot> DiskLog::locate(Lsn lsn) const {
    const std::lock_guard lock(mutex_);
    if (lsn <= base_.lsn) return fail(ErrorCode::kRecycled, "lsn={} is recycled: the log starts behind lsn={}", lsn.value, base_.lsn.value);
    if (!holds(lsn)) return fail(ErrorCode::kNotFound, "lsn={} is not in the log, which ends at lsn={}", lsn.value, last_.lsn.value);
    const auto behind = std::ranges::upper_bound(segments_, lsn, {}, [](const auto& segment) { return segment->name.first_lsn; });
    const std::shared_ptr<Segment>& segment = *(behind - 1);
    return Spot{.segment = segment, .point = segment->point_for(lsn), .end_offset = segment->end_offset, .last_lsn = segment->last_lsn};
}

Result<std::vector<Entry>> DiskLog::read(Lsn from, Lsn through, std::size_t bytes_max) const {
    std::vector<Entry> entries;
    std::size_t bytes = 0;
    std::shared_ptr<const Segment> failed;  // where nothing could be read: once more is enough if it is still the place
    for (Lsn next = from; next <= through;) {
        const auto spot = locate(next);
        if (!spot) {
            if (entries.empty()) return fail(spot.error());
            break;
        }
        RecordReader reader(*spot->segment->file, spot->segment->seed, spot->point.offset, spot->end_offset,
                            std::clamp(bytes_max, kChunkBytesMin, kChunkBytesMax));
        const Lsn start = next;
        Lsn at = spot->point.lsn;
        while (next <= std::min(through, spot->last_lsn)) {
            if (at < next ? reader.look_at_headers() != Seen::kRecord : reader.look() != Seen::kRecord) break;
            if (at == next) {
                const Entry& entry = reader.entry();
                if (entry.lsn() != next || (!entries.empty() && !entry.follows(entries.back().id()))) break;
                if (!entries.empty() && bytes + entry.size() > bytes_max) return entries;
                bytes += entry.size();
                entries.push_back(entry);
                next = next.next();
            }
            at = at.next();
            reader.advance();
        }
        if (next > start) continue;
        if (!entries.empty()) break;
        // Recycled or cut under our hands, or rotten.
        if (failed == spot->segment) {
            return fail(ErrorCode::kCorrupt, "{}: lsn={}: {}", place_text(failed->path, reader.offset()), next.value, reader.reason());
        }
        failed = spot->segment;
    }
    return entries;
}

Result<EntryId> DiskLog::id_of(Lsn lsn) const {
    std::shared_ptr<const Segment> failed;
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (lsn == base_.lsn) return base_;
            if (lsn == last_.lsn) return last_;
        }
        const auto spot = locate(lsn);
        if (!spot) return fail(spot.error());
        RecordReader reader(*spot->segment->file, spot->segment->seed, spot->point.offset, spot->end_offset, kChunkBytesMin);
        for (Lsn at = spot->point.lsn; reader.look_at_headers() == Seen::kRecord; at = at.next(), reader.advance()) {
            if (reader.id().lsn != at) break;
            if (at == lsn) return reader.id();
        }
        if (failed == spot->segment) {
            return fail(ErrorCode::kCorrupt, "{}: lsn={}: {}", place_text(failed->path, reader.offset()), lsn.value, reader.reason());
        }
        failed = spot->segment;
    }
}

}  // namespace tanist::wal

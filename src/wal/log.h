// SPDX-License-Identifier: Apache-2.0
// The write-ahead log of one node: entries in checksummed segments, and the mark that tells a torn tail from corruption.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "base/result.h"
#include "base/types.h"
#include "wal/file_system.h"

namespace tanist::wal {

/// What opening found. `last` is the end of the good records without a gap; those behind a hole are in `behind_hole`.
struct Found {
    Tail tail = Tail::kClean;
    bool clean_stop = false;             ///< the mark was confirmed by a shutdown: nothing had to be copied (S4)
    EntryId base;                        ///< the entry before the first one held: everything up to it is recycled; lsn 0: nothing is
    EntryId last;                        ///< == base when the log is empty
    Mark mark;                           ///< of kUnbounded: what could still be read of it
    std::vector<EpochRun> epochs;        ///< of base.lsn.next() .. last.lsn, oldest first
    std::vector<Entry> memberships;      ///< the entries of EntryKind::kMembership among them, oldest first
    std::uint64_t last_timestamp = 0;    ///< of `last`; 0 when the log is empty
    std::vector<EntryId> behind_hole;    ///< good records behind the first bad one, ascending by LSN; read() gives them too
    std::string where;                   ///< "file:offset: reason" of the first bad thing; empty when clean
};

struct LogOptions {
    std::uint64_t segment_bytes = limits::kSegmentBytes;
    std::uint64_t retention_bytes = 1024 * limits::kMiB;  ///< recycle() keeps at least the newest entries of this size
    std::uint32_t spare_segments_max = 4;                 ///< kept zeroed for reuse; more are removed
    bool only_voter = false;                              ///< nobody to ask: a tail in doubt is cut, corruption refuses to open (S9)
};

/// Writing (write, sync, cut … recycle) belongs to one thread at a time; read() may run beside it on any other.
/// Every failed write or sync is final (S4): the log must not be used afterwards.
class Log {
public:
    /// Opens or creates the log in `directory`. Judges the tail by S9, cuts a torn one, finishes what a crash interrupted, and
    /// after an unclean stop copies what lies above `confirmed` into a new segment (S4), unless the log has a hole.
    /// `seed` draws the use ids of segments. Streams: memory does not grow with the log's size.
    /// kCorrupt (only_voter): names file, offset and the repair command.
    [[nodiscard]] static Result<std::unique_ptr<Log>> open(FileSystem& files, std::string directory, LogOptions options, std::uint64_t seed);
    virtual ~Log() = default;

    [[nodiscard]] virtual const Found& found() const = 0;
    [[nodiscard]] virtual EntryId base() const = 0;  ///< see Found; moves with recycle() and reset()
    [[nodiscard]] virtual EntryId last() const = 0;  ///< written, maybe not durable

    /// Writes one group, of one epoch, that follows `last()`, with its slot; rolls to a new segment first where it does not
    /// fit. Only sync() makes it durable. Groups written between two syncs share that fdatasync.
    [[nodiscard]] virtual Status write(std::span<const Entry> group) = 0;
    /// fdatasync; afterwards everything written is durable, and the next slot will say so.
    [[nodiscard]] virtual Status sync() = 0;
    /// To be called when nothing was written for 50 ms: lets the mark confirm what the last sync made durable. Does nothing
    /// where it already does. Synced when it returns.
    [[nodiscard]] virtual Status confirm() = 0;
    /// After a shutdown's last write: confirm(), so that the next start need not copy.
    [[nodiscard]] virtual Status close() = 0;

    /// Keeps entries up to `keep`, and none behind (S10: a new segment, then the seal). Durable when it returns; what was
    /// written and not yet synced of the part that is kept is durable too. Refused while the tail is kUnbounded.
    [[nodiscard]] virtual Status cut(Lsn keep) = 0;
    /// Ends a hole: from `fill.front().lsn()` on the log reads `fill`, then those good records behind the hole that chain to it,
    /// in a new segment whose mark is never below the old intent except where `fill` is of a later epoch (S9). With an empty
    /// `fill`, cuts at the hole. Durable when it returns; the tail is then clean and `last()` the new end.
    [[nodiscard]] virtual Status repair(std::span<const Entry> fill) = 0;
    /// Replaces the whole log by an empty one that starts behind `base` (S25: a checkpoint was installed). Durable on return.
    [[nodiscard]] virtual Status reset(EntryId base) = 0;
    /// Gives up whole segments at or below `through` that are over the retention budget; base() tells what remains.
    [[nodiscard]] virtual Status recycle(Lsn through) = 0;
    /// Zeroes one used segment into a spare one, off the request path. False: there was nothing to do.
    [[nodiscard]] virtual Result<bool> prepare_spare() = 0;

    /// Entries from `from` up to `through`, as many as fit into `bytes_max` but at least one. Checked as they are read.
    /// kRecycled: `from` is at or below base(). kNotFound: behind the end, or in a hole. kCorrupt: rotten since the start.
    [[nodiscard]] virtual Result<std::vector<Entry>> read(Lsn from, Lsn through, std::size_t bytes_max) const = 0;
    /// The id of an entry, by reading it; base() itself is known too.
    [[nodiscard]] virtual Result<EntryId> id_of(Lsn lsn) const = 0;
    [[nodiscard]] virtual std::uint64_t bytes_on_disk() const = 0;
};

}  // namespace tanist::wal

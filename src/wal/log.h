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
    bool created = false;              ///< the directory held no log: this one is new
    bool clean_stop = false;           ///< the mark confirmed the last record: nothing had to be copied (S4)
    bool cut_in_doubt = false;         ///< entries in doubt have been cut, for nobody could be asked; `mark` names them: say so
    EntryId base;                      ///< the entry before the first one held: everything up to it is recycled; lsn 0: nothing is
    EntryId last;                      ///< == base when the log is empty
    Mark mark;                         ///< of kUnbounded: what could still be read of it
    std::vector<EpochRun> epochs;      ///< of base.lsn.next() .. last.lsn, oldest first
    std::vector<Entry> memberships;    ///< the entries of EntryKind::kMembership among them, oldest first
    std::uint64_t last_timestamp = 0;  ///< of `last`; 0 when the log is empty
    std::vector<EntryId> behind_hole;  ///< good records behind the first bad one, ascending by LSN; read() gives them too
    std::string where;                 ///< "file:offset: reason" of the first bad thing; empty when clean
};

struct LogOptions {
    std::uint64_t segment_bytes = limits::kSegmentBytes;
    std::uint64_t retention_bytes = 1024 * limits::kMiB;  ///< recycle() keeps at least the newest entries of this size
    std::uint32_t spare_segments_max = 4;                 ///< kept zeroed for reuse; more are removed
    bool only_voter = false;                              ///< nobody to ask: a tail in doubt is cut, corruption refuses to open (S9)
    bool cut_corruption = false;                          ///< by hand (S27): what refuses to open is cut at the first bad record instead
    bool must_exist = false;                              ///< this node has had a log: an empty directory is kUnbounded, not a new log
};

/// Writing (write, sync, cut … recycle) belongs to one thread at a time; read(), id_of(), base(), last(), tail() and
/// bytes_on_disk() may run beside it on any other, and so may prepare_spare(), on one at a time.
/// Every failed write or sync is final (S4): the log must not be used afterwards.
class Log {
public:
    /// Opens or creates the log in `directory`. Judges the tail by S9, cuts a torn one, finishes what a crash interrupted, and
    /// after an unclean stop copies what lies above `confirmed` into a new segment (S4), unless the log has a hole.
    /// `directory` holds the segments themselves ("data/node1/wal") and is made when missing. `seed` draws the use ids of segments.
    /// Streams: memory does not grow with the log's size.
    /// kCorrupt (only_voter): names file, offset and the repair command.
    [[nodiscard]] static Result<std::unique_ptr<Log>> open(FileSystem& files, std::string directory, LogOptions options,
                                                           std::uint64_t seed);
    virtual ~Log() = default;

    [[nodiscard]] virtual const Found& found() const = 0;
    [[nodiscard]] virtual EntryId base() const = 0;  ///< see Found; moves with recycle() and reset()
    [[nodiscard]] virtual EntryId last() const = 0;  ///< written, maybe not durable
    /// As it is now: found().tail, until repair() or a cut() has made it kClean. Neither write() nor recycle() beyond the hole
    /// works while it is kInDoubt, kCorrupt or kUnbounded.
    [[nodiscard]] virtual Tail tail() const = 0;

    /// Writes one group that follows `last()`; rolls to a new segment where it does not fit. Only sync() makes it durable, and
    /// writes the slot under the same fdatasync; groups written between two syncs share both. (S9 wants the entries of one epoch
    /// under one slot: where the epoch changes, write() syncs first.) kRefused while the log has a hole.
    [[nodiscard]] virtual Status write(std::span<const Entry> group) = 0;
    /// fdatasync; afterwards everything written is durable, and the next slot will say so.
    [[nodiscard]] virtual Status sync() = 0;
    /// To be called when nothing was written for 50 ms: lets the mark confirm what the last sync made durable. Does nothing
    /// where it already does. Synced when it returns.
    [[nodiscard]] virtual Status confirm() = 0;
    /// After a shutdown's last write: confirm(), so that the next start need not copy.
    [[nodiscard]] virtual Status close() = 0;

    /// Keeps entries up to `keep`, and none behind (S10: a new segment, then the seal). Durable when it returns; what was
    /// written and not yet synced of the part that is kept is durable too. kRefused while the tail is kUnbounded; while it is
    /// kInDoubt or kCorrupt, what lies behind the hole goes too, and the tail is kClean then.
    [[nodiscard]] virtual Status cut(Lsn keep) = 0;
    /// Ends a hole: from `fill.front().lsn()` on the log reads `fill`, then those good records behind the hole that chain to it,
    /// in a new segment whose mark is never below the old intent except where `fill` is of a later epoch (S9). With an empty
    /// `fill`, cuts at the hole. Durable when it returns; the tail is then clean and `last()` the new end.
    /// `fill` chains, and to the entry before it, which the log holds good without a gap. Where it leaves another hole up to the
    /// old intent, and is not of a later epoch: kRefused, and nothing has changed; so a fill covers all holes, over the good
    /// records between them. Holes in older segments that `fill` restores to what was there are mended in place.
    [[nodiscard]] virtual Status repair(std::span<const Entry> fill) = 0;
    /// Replaces the whole log by an empty one that starts behind `base` (S25: a checkpoint was installed). Durable on return.
    /// The rank that the node had is kept: where the old intent or last entry ranks above `base`, the mark goes on naming it, and
    /// the tail is kInDoubt, here and at the next start, until repair(). kUnbounded stays so, too.
    [[nodiscard]] virtual Status reset(EntryId base) = 0;
    /// Gives up whole segments at or below `through` that are over the retention budget; base() tells what remains.
    [[nodiscard]] virtual Status recycle(Lsn through) = 0;
    /// Zeroes a piece (1 MiB) of a used segment, making it a spare one with the last piece; makes a spare one from nothing when
    /// there is none; near a full disk it removes used ones instead. False: there was nothing to do. Off the request path: when nothing is
    /// to be written, or on a thread of its own.
    [[nodiscard]] virtual Result<bool> prepare_spare() = 0;

    /// Entries from `from` up to `through`, as many as fit into `bytes_max` but at least one. Checked as they are read.
    /// kRecycled: `from` is at or below base(). kNotFound: behind the end, or in a hole. kCorrupt: rotten since the start.
    [[nodiscard]] virtual Result<std::vector<Entry>> read(Lsn from, Lsn through, std::size_t bytes_max) const = 0;
    /// The id of an entry, by reading it; base() itself is known too.
    [[nodiscard]] virtual Result<EntryId> id_of(Lsn lsn) const = 0;
    [[nodiscard]] virtual std::uint64_t bytes_on_disk() const = 0;
};

}  // namespace tanist::wal

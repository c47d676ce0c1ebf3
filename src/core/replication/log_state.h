// SPDX-License-Identifier: Apache-2.0
// What the core knows of its own log: where it begins and ends, which epochs it holds, what is durable, and the newest entries.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/entry.h"
#include "base/types.h"

namespace tanist::core {

/// The log without its disk. Entries that have left the in-memory tail are read back by ReadLog.
class LogState {
public:
    struct Start {
        EntryId base, last;
        Lsn durable;
        std::vector<EpochRun> epochs;  ///< of base.lsn.next() .. last.lsn, oldest first
        std::uint64_t timestamp = 0;
    };
    LogState(Start start, std::size_t tail_bytes_max);

    [[nodiscard]] Rank base() const { return base_; }            ///< the entry before the first one held
    [[nodiscard]] const EntryId& last() const { return last_; }  ///< written, maybe not durable
    [[nodiscard]] Lsn durable() const { return durable_; }
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    /// Never below any timestamp that was ever in this log, also where entries were cut: log time does not go backwards (S22).
    [[nodiscard]] std::uint64_t timestamp() const { return timestamp_; }
    [[nodiscard]] std::span<const EpochRun> epochs() const { return epochs_; }
    /// The newest `count_max` of epochs().
    [[nodiscard]] std::vector<EpochRun> newest_epochs(std::size_t count_max) const;

    /// Of the entry at `lsn`; base() itself is known too. nullopt: recycled, or behind the end.
    [[nodiscard]] std::optional<Epoch> epoch_at(Lsn lsn) const;
    [[nodiscard]] bool holds(Rank rank) const { return epoch_at(rank.lsn) == rank.epoch; }
    /// The first LSN of the entry of `epoch` here; nullopt: there is none.
    [[nodiscard]] std::optional<Lsn> first_of(Epoch epoch) const;

    /// `entry` follows last().
    void append(const Entry& entry);
    /// Keeps entries up to `keep`, whose checksum the caller knows, and begins a new generation (S5).
    void cut(Lsn keep, std::uint32_t checksum);
    /// A hole was ended: `fill` replaces everything from its first entry on, `behind` follows it (S9). All of it is durable.
    void repair(std::span<const Entry> fill, std::span<const EntryId> behind);
    /// Everything is replaced by an empty log behind `base` (S25).
    void reset(EntryId base);
    /// Entries up to `base` are gone from the disk (S11).
    void recycle(Lsn base);
    /// Never lowers; at most last().
    void mark_durable(Lsn through);
    void raise_timestamp(std::uint64_t timestamp);

    /// The first LSN that is in memory; last().lsn.next() when none is.
    [[nodiscard]] Lsn tail_begin() const { return tail_.empty() ? last_.lsn.next() : tail_.front().lsn(); }
    /// Entries `from` .. `through`, which are in memory: as many as fit into `bytes_max`, at least one.
    [[nodiscard]] std::vector<Entry> take(Lsn from, Lsn through, std::size_t bytes_max) const;
    /// The id of an entry, where it is known without reading the disk.
    [[nodiscard]] std::optional<EntryId> id_of(Lsn lsn) const;
    [[nodiscard]] std::size_t tail_bytes() const { return tail_bytes_; }
    /// Of the tail, what is not durable: counted anew by each call.
    [[nodiscard]] std::size_t unsynced_bytes() const;

    void check_invariants() const;

private:
    void extend_epochs(Epoch epoch, Lsn lsn);
    void drop_epochs_behind(Lsn keep);
    void trim_tail();

    Rank base_;
    EntryId last_;
    Lsn durable_;
    std::uint64_t generation_ = 1;
    std::uint64_t timestamp_ = 0;
    std::vector<EpochRun> epochs_;
    std::deque<Entry> tail_;  ///< the newest entries without a gap, ending at last_; never drops what is not durable
    std::size_t tail_bytes_ = 0;
    std::size_t tail_bytes_max_;
};

}  // namespace tanist::core

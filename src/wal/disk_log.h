// SPDX-License-Identifier: Apache-2.0
// The log over a file system: what Log promises, made of segments.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "wal/draft.h"
#include "wal/judgement.h"
#include "wal/log.h"
#include "wal/record.h"
#include "wal/segment.h"
#include "wal/stock.h"
#include "wal/survey.h"

namespace tanist::wal {

class DiskLog final : public Log {
public:
    DiskLog(FileSystem& files, std::string directory, const LogOptions& options, std::uint64_t seed, Survey survey);

    /// The rest of open(): seals, cuts, copies and tidies up as `plan` and the survey call for.
    [[nodiscard]] Status start(Plan plan, const Survey& survey);

    [[nodiscard]] const Found& found() const override { return found_; }
    [[nodiscard]] EntryId base() const override;
    [[nodiscard]] EntryId last() const override;
    [[nodiscard]] Tail tail() const override;
    [[nodiscard]] Status write(std::span<const Entry> group) override;
    [[nodiscard]] Status sync() override;
    [[nodiscard]] Status confirm() override;
    [[nodiscard]] Status close() override { return confirm(); }
    [[nodiscard]] Status cut(Lsn keep) override;
    [[nodiscard]] Status repair(std::span<const Entry> fill) override;
    [[nodiscard]] Status reset(EntryId base) override;
    [[nodiscard]] Status recycle(Lsn through) override;
    [[nodiscard]] Result<bool> prepare_spare() override { return stock_.prepare(); }
    [[nodiscard]] Result<std::vector<Entry>> read(Lsn from, Lsn through, std::size_t bytes_max) const override;
    [[nodiscard]] Result<EntryId> id_of(Lsn lsn) const override;
    [[nodiscard]] std::uint64_t bytes_on_disk() const override;

private:
    /// Where a reader starts, taken under the mutex and used without it: a segment that is recycled meanwhile shows by its
    /// records, whose checksums are no longer seeded with the id of this use.
    struct Spot {
        std::shared_ptr<const Segment> segment;
        IndexPoint point;
        std::uint64_t end_offset;
        Lsn last_lsn;
    };

    // disk_log.cpp
    [[nodiscard]] Status usable() const;
    [[nodiscard]] Status noting_failure(Status status);
    [[nodiscard]] bool has_hole() const;
    [[nodiscard]] Status append(std::span<const Entry> entries);
    [[nodiscard]] Status put_mark(const Mark& mark);

    // disk_log_tail.cpp
    [[nodiscard]] Status roll(std::uint64_t bytes_min);
    [[nodiscard]] Result<Draft> begin_draft(const EntryId& base, std::uint64_t bytes_min);
    [[nodiscard]] Status copy(Draft& draft, Lsn from, Lsn through) const;
    [[nodiscard]] Status install(Draft draft, const Slot& slot, Tail tail);
    [[nodiscard]] Status seal(Segment& old, const Segment& successor);
    [[nodiscard]] Status give_up_void_files();
    [[nodiscard]] Status cut_now(Lsn keep);
    [[nodiscard]] Status repair_now(std::span<const Entry> fill);
    [[nodiscard]] Status reset_now(const EntryId& base);
    [[nodiscard]] Status check_fill(std::span<const Entry> fill) const;
    [[nodiscard]] Result<EntryId> chain_end(std::span<const Entry> fill) const;
    [[nodiscard]] bool can_mend(std::span<const Entry> fill, Lsn end) const;
    [[nodiscard]] Status mend(std::span<const Entry> fill);

    // disk_log_read.cpp
    [[nodiscard]] bool holds(Lsn lsn) const;
    [[nodiscard]] Result<Spot> locate(Lsn lsn) const;

    FileSystem& files_;
    const std::string directory_;
    const LogOptions options_;
    const std::uint64_t seed_;
    Found found_;
    Stock stock_;

    // Of the writer alone.
    EntryId synced_;                       ///< everything up to here is durable
    std::uint64_t sequence_ = 0;           ///< of the newest segment ever made
    Mark mark_;                            ///< while there is a hole: the mark found
    std::vector<Hole> holes_;              ///< while there is a hole: those up to the intent
    std::vector<std::string> void_paths_;  ///< segments that count no more and are still there
    RecordWriter writer_;
    bool failed_ = false;  ///< a write or sync has failed: nothing more is written (S4)

    mutable std::mutex mutex_;  ///< guards what follows, and in segments what Segment says: readers run beside the writer
    std::vector<std::shared_ptr<Segment>> segments_;  ///< ascending by sequence and first LSN; the last one is written to
    EntryId base_, last_;
    std::vector<EntryId> behind_;  ///< while there is a hole: good records behind it
    Tail tail_ = Tail::kClean;
};

}  // namespace tanist::wal

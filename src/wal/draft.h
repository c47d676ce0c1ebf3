// SPDX-License-Identifier: Apache-2.0
// A segment in the making: under a name that is no segment's until all of it is on the disk (S10).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/entry.h"
#include "wal/record.h"
#include "wal/segment.h"
#include "wal/stock.h"

namespace tanist::wal {

class Draft {
public:
    /// A segment of `bytes` that will follow `base`.
    [[nodiscard]] static Result<Draft> begin(Stock& stock, const std::string& directory, const SegmentName& name, const EntryId& base,
                                             std::uint64_t bytes);

    /// The last entry added, or the base.
    [[nodiscard]] const EntryId& last() const { return last_; }
    /// Takes a share in `entry`, which must follow last() and fit.
    [[nodiscard]] Status add(const Entry& entry);
    /// Writes both slots, syncs, renames, syncs the directory: from here on it is a segment. `slot` comes without number and base.
    [[nodiscard]] Result<std::shared_ptr<Segment>> publish(FileSystem& files, Slot slot) &&;

private:
    explicit Draft(std::shared_ptr<Segment> segment) : segment_(std::move(segment)), last_(segment_->base) {}
    [[nodiscard]] Status flush();

    std::shared_ptr<Segment> segment_;
    EntryId last_;
    std::vector<Entry> waiting_;
    std::uint64_t waiting_bytes_ = 0;
    RecordWriter writer_;
};

}  // namespace tanist::wal

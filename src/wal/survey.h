// SPDX-License-Identifier: Apache-2.0
// Reads a log directory as a start finds it, segment by segment, and changes nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wal/log.h"
#include "wal/segment.h"

namespace tanist::wal {

/// A stretch of records that are bad or missing, within one segment.
struct Hole {
    Lsn first, last;
    std::shared_ptr<Segment> segment;
    std::uint64_t offset = 0;               ///< where `first` should begin
    std::optional<std::uint64_t> room_end;  ///< where the next good record of this segment begins; none: there is none
};

/// What lies in a log directory.
struct Survey {
    std::vector<std::shared_ptr<Segment>> segments;  ///< those that count, by sequence; the last one is written to
    std::shared_ptr<Segment> predecessor;            ///< of the last one by sequence, void or not; it should be sealed
    std::vector<std::string> void_paths;             ///< of segments that a later one has made void, oldest first
    std::vector<std::string> spares, used, drafts;   ///< names of files that are not of the log
    std::uint64_t sequence_max = 0;
    bool bounded = true;      ///< see JudgementCase
    bool dirty_end = false;   ///< bytes behind the last record that counts are not zero
    std::vector<Hole> holes;  ///< up to the intent, ascending; above it everything is torn
    std::optional<Lsn> first_bad;
    Found found;  ///< all but `tail`, `clean_stop` and `cut_in_doubt`, which are for the judge
};

/// Streams through all segments: memory is bounded but for the ids behind a hole. kCorrupt: a file that ends in ".wal" and has no
/// segment's name. kIo: a file cannot be opened.
[[nodiscard]] Result<Survey> survey(FileSystem& files, const std::string& directory);

}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
// What a segment's file name says: its place in the log, and the random id of this use of the file (S10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"

namespace tanist::wal {

/// "0000000007-0000000000001234-9f3c52a1c07be611.wal": sequence and first LSN in decimal, use id in hex.
///
/// The use id lies in the name, not in the head: so it is as durable as the file's being there at all, and losing one slot, or
/// both, does not lose it. Each slot and record is checksummed from a seed made of all three; a file under a wrong name
/// therefore has no readable slot.
struct SegmentName {
    std::uint64_t sequence = 0;  ///< rises by one with each segment made, never used twice in a directory; starts at 1
    Lsn first_lsn;               ///< what older segments hold from here on is void
    std::uint64_t use_id = 0;    ///< never 0

    friend bool operator==(const SegmentName&, const SegmentName&) = default;
};

inline constexpr std::string_view kSegmentSuffix = ".wal";
inline constexpr std::string_view kDraftSuffix = ".new";    ///< a segment not finished: worth nothing
inline constexpr std::string_view kUsedSuffix = ".used";    ///< no longer of the log, to be zeroed
inline constexpr std::string_view kSpareSuffix = ".spare";  ///< all zero, durably

[[nodiscard]] std::string file_name(const SegmentName& name);
/// nullopt: not the name of a segment.
[[nodiscard]] std::optional<SegmentName> parse_file_name(std::string_view name);
/// What every checksum in the segment starts from.
[[nodiscard]] std::uint32_t checksum_seed(const SegmentName& name);

}  // namespace tanist::wal

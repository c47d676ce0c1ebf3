// SPDX-License-Identifier: Apache-2.0
#include "wal/segment_name.h"

#include <fmt/format.h>

#include <charconv>

#include "base/crc32c.h"
#include "base/mutant.h"

namespace tanist::wal {
namespace {

/// Takes the digits before `end` off the front of `text`, and `end` too.
std::optional<std::uint64_t> take_number(std::string_view& text, char end, int base) {
    std::uint64_t number = 0;
    const char* last = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), last, number, base);
    if (error != std::errc{} || stop == last || *stop != end) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()) + 1);
    return number;
}

}  // namespace

std::string file_name(const SegmentName& name) {
    return fmt::format("{:010}-{:016}-{:016x}{}", name.sequence, name.first_lsn.value, name.use_id, kSegmentSuffix);
}

std::optional<SegmentName> parse_file_name(std::string_view text) {
    const std::string_view whole = text;
    const auto sequence = take_number(text, '-', 10);
    const auto first_lsn = take_number(text, '-', 10);
    const auto use_id = take_number(text, '.', 16);
    if (!sequence || !first_lsn || !use_id) return std::nullopt;
    const SegmentName name{.sequence = *sequence, .first_lsn = {*first_lsn}, .use_id = *use_id};
    if (*sequence == 0 || *first_lsn == 0 || *use_id == 0 || file_name(name) != whole) return std::nullopt;
    return name;
}

std::uint32_t checksum_seed(const SegmentName& name) {
    if (mutant(Mutant::kStaleBytesRead)) return 1;
    std::byte bytes[24];
    store_le(bytes, name.use_id);
    store_le(bytes + 8, name.sequence);
    store_le(bytes + 16, name.first_lsn.value);
    return crc32c(bytes);
}

}  // namespace tanist::wal

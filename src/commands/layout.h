// SPDX-License-Identifier: Apache-2.0
// How the replicated state lies in the store's rows. It is part of every checkpoint and digest: changing it is a decision record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/types.h"
#include "commands/key_counts.h"
#include "commands/request.h"

namespace tanist::commands::layout {

/// The first byte of a row's key says whose it is:
///   'd' + key             a user's key        value: what the user stored, then a trailer
///   'e' + deadline, big-endian, + key         a user's key that has this deadline; no value. One for each such key, no others
///   'm' + "membership"    the last membership the payload of its entry (S23)
///   'm' + "counts"        of all keys: how many, how many with a deadline, the sum of these; 8 bytes each, little-endian
///   'm' + "users"         the users of the cluster   see users.cpp
///   's' + id, big-endian  a session           see sessions.cpp (S21)
inline constexpr char kData = 'd', kExpiry = 'e', kMeta = 'm', kSession = 's';
inline constexpr std::string_view kMembershipKey = "mmembership", kCountsKey = "mcounts", kUsersKey = "musers";
/// Of earlier versions; removed where it is met.
inline constexpr std::string_view kOldDeadlinesKey = "mdeadlines";
static_assert(kExpiry == kData + 1);  // one range has both

/// The trailer stands behind the value, so that a reader takes it off without moving the value:
///   8  deadline, little-endian, milliseconds of log time (S22); of kind 2 alone
///   8  version, little-endian
///   1  kind: 1, or 2 with a deadline
inline constexpr std::size_t kTrailerBytes = 9, kExpiringTrailerBytes = 17;
inline constexpr char kPlain = 1, kExpiring = 2;
inline constexpr std::size_t kExpiryPrefixBytes = 9;
struct Trailer {
    Version version;
    std::uint64_t deadline = 0;  ///< 0: none
    [[nodiscard]] bool is_due(std::uint64_t now) const { return deadline != 0 && deadline <= now; }
};

/// All keys that begin with `prefix` lie in [prefix, behind(prefix)).
[[nodiscard]] inline std::string behind(char prefix) { return std::string(1, static_cast<char>(prefix + 1)); }

inline void append_data_key(std::string& to, std::string_view key) {
    to.push_back(kData);
    to.append(key);
}
[[nodiscard]] inline std::string data_key(std::string_view key) {
    std::string row;
    row.reserve(1 + key.size());
    append_data_key(row, key);
    return row;
}

inline void append_data_value(std::string& to, std::string_view value, const Trailer& trailer) {
    const bool expires = trailer.deadline != 0;
    to.append(value);
    ByteWriter writer(to);
    if (expires) writer.u64(trailer.deadline);
    writer.u64(trailer.version.value);
    to.push_back(expires ? kExpiring : kPlain);
}

/// nullopt: `row` has no trailer that is known.
[[nodiscard]] inline std::optional<Trailer> trailer_of(std::string_view row) {
    if (row.size() < kTrailerBytes) return std::nullopt;
    const auto* const end = as_bytes(row).data() + row.size();
    const Version version{load_le<std::uint64_t>(end - kTrailerBytes)};
    if (row.back() == kPlain) return Trailer{version};
    if (row.back() != kExpiring || row.size() < kExpiringTrailerBytes) return std::nullopt;
    return Trailer{version, load_le<std::uint64_t>(end - kExpiringTrailerBytes)};
}

/// The user's part of a row with this trailer.
[[nodiscard]] inline std::string_view value_of(std::string_view row, const Trailer& trailer) {
    return row.substr(0, row.size() - (trailer.deadline != 0 ? kExpiringTrailerBytes : kTrailerBytes));
}

/// Takes the trailer off `row`, which becomes the user's value; nullopt: it has none that is known, `row` is left alone.
[[nodiscard]] inline std::optional<Trailer> take_trailer(std::string& row) {
    const auto trailer = trailer_of(row);
    if (trailer) row.resize(value_of(row, *trailer).size());
    return trailer;
}

inline void append_big_endian(std::string& row, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) row.push_back(static_cast<char>(value >> shift));
}
[[nodiscard]] inline std::uint64_t load_big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
}

/// Big-endian, so that keys lie in the order in which they fall due.
inline void append_expiry_key(std::string& to, std::uint64_t deadline, std::string_view key) {
    to.push_back(kExpiry);
    append_big_endian(to, deadline);
    to.append(key);
}
[[nodiscard]] inline std::string expiry_key(std::uint64_t deadline, std::string_view key = {}) {
    std::string row;
    row.reserve(kExpiryPrefixBytes + key.size());
    append_expiry_key(row, deadline, key);
    return row;
}
/// Of the rows that one change of a key writes: itself, the deadline that it had, and the one that it has.
[[nodiscard]] constexpr std::size_t row_bytes_max(std::size_t key_bytes, std::size_t value_bytes) {
    return 1 + key_bytes + value_bytes + kExpiringTrailerBytes + 2 * (kExpiryPrefixBytes + key_bytes);
}
struct Expiry {
    std::uint64_t deadline;
    std::string_view key;
};
[[nodiscard]] inline std::optional<Expiry> expiry_of(std::string_view row_key) {
    if (row_key.size() < 9 || row_key.front() != kExpiry) return std::nullopt;
    return Expiry{load_big_endian(row_key.substr(1, 8)), row_key.substr(9)};
}

[[nodiscard]] inline std::string encode_counts(const KeyCounts& counts) {
    std::string row;
    ByteWriter writer(row);
    writer.u64(counts.keys);
    writer.u64(counts.expiring);
    writer.u64(counts.deadlines);
    return row;
}
[[nodiscard]] inline std::optional<KeyCounts> decode_counts(std::string_view row) {
    ByteReader reader(row);
    const KeyCounts counts{reader.u64(), reader.u64(), reader.u64()};
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return counts;
}

/// Big-endian, so that sessions lie in the order of their ids.
[[nodiscard]] inline std::string session_key(SessionId id) {
    std::string row(1, kSession);
    append_big_endian(row, id.value);
    return row;
}
[[nodiscard]] inline std::optional<SessionId> session_of(std::string_view row_key) {
    if (row_key.size() != 9 || row_key.front() != kSession) return std::nullopt;
    return SessionId{load_big_endian(row_key.substr(1))};
}

}  // namespace tanist::commands::layout

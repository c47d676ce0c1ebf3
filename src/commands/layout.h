// SPDX-License-Identifier: Apache-2.0
// How the replicated state lies in the store's rows. It is part of every checkpoint and digest: changing it is a decision record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/types.h"
#include "commands/request.h"

namespace tanist::commands::layout {

/// The first byte of a row's key says whose it is:
///   'd' + key             a user's key        value: what the user stored, then a trailer
///   'm' + "membership"    the last membership the payload of its entry (S23)
///   's' + id, big-endian  a session           see sessions.cpp (S21)
inline constexpr char kData = 'd', kMeta = 'm', kSession = 's';
inline constexpr std::string_view kMembershipKey = "mmembership";

/// The trailer stands behind the value, so that a reader takes it off without moving the value:
///   8  version, little-endian
///   1  kind: 1 (others will have more fields in front of the version, such as a deadline)
inline constexpr std::size_t kTrailerBytes = 9;
inline constexpr char kPlain = 1;

/// All keys that begin with `prefix` lie in [prefix, behind(prefix)).
[[nodiscard]] inline std::string behind(char prefix) { return std::string(1, static_cast<char>(prefix + 1)); }

[[nodiscard]] inline std::string data_key(std::string_view key) {
    std::string row;
    row.reserve(1 + key.size());
    row.push_back(kData);
    row.append(key);
    return row;
}

[[nodiscard]] inline std::string data_value(std::string_view value, Version version) {
    std::string row;
    row.reserve(value.size() + kTrailerBytes);
    row.append(value);
    ByteWriter(row).u64(version.value);
    row.push_back(kPlain);
    return row;
}

/// Takes the trailer off `row`, which becomes the user's value; nullopt: it has none that is known, `row` is left alone.
[[nodiscard]] inline std::optional<Version> take_trailer(std::string& row) {
    if (row.size() < kTrailerBytes || row.back() != kPlain) return std::nullopt;
    const Version version{load_le<std::uint64_t>(as_bytes(row).data() + row.size() - kTrailerBytes)};
    row.resize(row.size() - kTrailerBytes);
    return version;
}

/// Big-endian, so that sessions lie in the order of their ids.
[[nodiscard]] inline std::string session_key(SessionId id) {
    std::string row(1, kSession);
    for (int shift = 56; shift >= 0; shift -= 8) row.push_back(static_cast<char>(id.value >> shift));
    return row;
}
[[nodiscard]] inline std::optional<SessionId> session_of(std::string_view row_key) {
    if (row_key.size() != 9 || row_key.front() != kSession) return std::nullopt;
    SessionId id;
    for (const char byte : row_key.substr(1)) id.value = id.value << 8 | static_cast<std::uint8_t>(byte);
    return id;
}

}  // namespace tanist::commands::layout

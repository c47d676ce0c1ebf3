// SPDX-License-Identifier: Apache-2.0
// Digests, proofs and random bytes, all of OpenSSL's making.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tanist::server {

inline constexpr std::size_t kSha256Bytes = 32;

/// 64 lowercase digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);
/// 32 bytes.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);
/// Takes as long whether they differ early or late.
[[nodiscard]] bool same_bytes(std::string_view a, std::string_view b);
/// Fit for secrets.
[[nodiscard]] std::string random_bytes(std::size_t count);
[[nodiscard]] std::string hex(std::string_view bytes);

}  // namespace tanist::server

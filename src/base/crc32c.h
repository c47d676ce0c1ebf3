// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli; RFC 3720, appendix B.4), by the processor's instruction where it has one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tanist {

/// The checksum of `bytes`, continuing from `seed` (the checksum of what came before; 0 at the start):
/// crc32c(b, crc32c(a)) == crc32c(a followed by b).
[[nodiscard]] std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The limits of DESIGN.md §5, in the order that makes each fit into the next (S12). Those between peers are constants:
// only client input can be bounded further by configuration.
#pragma once

#include <cstddef>

namespace tanist::limits {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

inline constexpr std::size_t kKeyBytesMax = 64 * kKiB;
inline constexpr std::size_t kValueBytesMax = 16 * kMiB;
inline constexpr std::size_t kRequestBytesMax = 24 * kMiB;
inline constexpr std::size_t kEntryBytesMax = 32 * kMiB;
inline constexpr std::size_t kFrameBytesMax = 48 * kMiB;
inline constexpr std::size_t kSegmentBytes = 64 * kMiB;

static_assert(kValueBytesMax + kKeyBytesMax < kRequestBytesMax && kRequestBytesMax < kEntryBytesMax && kEntryBytesMax < kFrameBytesMax &&
              kFrameBytesMax < kSegmentBytes);

}  // namespace tanist::limits

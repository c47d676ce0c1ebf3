// SPDX-License-Identifier: Apache-2.0
// A fast hash of bytes, for tables in memory only: it differs from one process to the next.
#pragma once

#include <cstdint>
#include <string_view>

namespace tanist {

/// By folded multiplication (as wyhash does). `seed` is a secret of the process, so that no client can choose keys that collide.
[[nodiscard]] std::uint64_t folded_hash(std::string_view bytes, std::uint64_t seed);

/// Drawn once, by the process.
[[nodiscard]] std::uint64_t process_secret();

}  // namespace tanist

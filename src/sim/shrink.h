// SPDX-License-Identifier: Apache-2.0
// Of a history that fails: the few faults and parts of its load without which it does not (delta debugging, after Zeller).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/plan.h"

namespace tanist::sim {

/// Whether a history with these parts alone fails in the same way.
using Attempt = std::function<bool(const Parts& kept)>;

/// Of `parts`, which fail, a smallest choice that fails too: leaving out any single one of it makes the failure go away, unless
/// `attempts_max` were made before that was known.
[[nodiscard]] Parts smallest_failing(Parts parts, const Attempt& fails, std::size_t attempts_max);

/// A failure without the numbers in it: two histories fail in the same way when these are equal.
[[nodiscard]] std::string kind_of_failure(std::string_view failure);

/// Runs the seed, each attempt in a process of its own, and prints what it needs to fail and the line that replays it. 0: it failed,
/// and was shrunk; 1: it does not fail.
int shrink_seed(std::uint64_t seed);

}  // namespace tanist::sim

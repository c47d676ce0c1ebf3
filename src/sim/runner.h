// SPDX-License-Identifier: Apache-2.0
// Runs many seeds in worker processes, so that a broken ENSURE ends one history and not the run, and tells which failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/plan.h"

namespace tanist::sim {

struct RunOptions {
    std::uint64_t seeds = 1, first_seed = 1;
    std::uint32_t jobs = 1;
    std::uint32_t minutes = 0;  ///< not 0: goes on with new seeds until they have passed, whatever `seeds` says
    bool trace = false;         ///< prints every event; meant for one seed
    bool statistics = false;    ///< prints a line for each seed
    std::optional<Parts> only;  ///< of each seed's plan these parts alone
};

/// The line that runs a seed again.
[[nodiscard]] std::string replay_line(std::uint64_t seed, const std::optional<Parts>& only = std::nullopt);

/// Prints each failing seed with its replay line, then totals, and last "N seeds, F failures". Returns the number of failures.
/// How many failed; a point of coverage that must be met and was not counts as one.
std::uint64_t run_seeds(const RunOptions& options);

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Runs many seeds in worker processes, so that a broken ENSURE ends one history and not the run, and tells which failed.
#pragma once

#include <cstdint>
#include <string>

namespace tanist::sim {

struct RunOptions {
    std::uint64_t seeds = 1, first_seed = 1;
    std::uint32_t jobs = 1;
    std::uint32_t minutes = 0;  ///< not 0: goes on with new seeds until they have passed, whatever `seeds` says
    bool trace = false;         ///< prints every event; meant for one seed
    bool statistics = false;    ///< prints a line for each seed
};

/// The line that runs a seed again.
[[nodiscard]] std::string replay_line(std::uint64_t seed);

/// Prints each failing seed with its replay line, then totals, and last "N seeds, F failures". Returns the number of failures.
std::uint64_t run_seeds(const RunOptions& options);

}  // namespace tanist::sim

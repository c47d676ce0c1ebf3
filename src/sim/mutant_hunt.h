// SPDX-License-Identifier: Apache-2.0
// Proves that the simulator finds bugs: each mutant of the catalogue is run, seed after seed, until some check notices it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/mutants.h"

namespace tanist::sim {

struct HuntOptions {
    std::vector<std::string> only;    ///< names; empty: the whole catalogue
    std::uint64_t first_seed = 1;     ///< of those that are tried in turns with the scenarios, unless it is one of a scenario itself
    std::uint64_t seeds_max = 4000;   ///< of one mutant; then it counts as not found
    std::uint64_t clean_seeds = 300;  ///< run without any mutant, and none may fail
    std::uint32_t jobs = 1;
    /// Which seed finds which mutant: tried first. What a seed draws changes with the plan, so the search goes on if it does not.
    /// Mutants that are not in it are left out, and named. Empty: all are hunted, from seed 1 on.
    std::string recorded_file;
    bool record = false;  ///< search from seed 1 on, and write the file anew
};

/// nullptr: no mutant is called so.
[[nodiscard]] const MutantCase* find_mutant(std::string_view name);
/// The catalogue as a table of Markdown.
void print_mutants();
/// This process has it from now on. False, with a line on standard error: there is none of that name, or none in this build.
[[nodiscard]] bool become_mutant(std::string_view name);
/// " --mutant NAME" where this process has one.
[[nodiscard]] std::string mutant_argument();

/// Prints a line a mutant: name, rule, seeds needed, what noticed it; last "N mutants, M not found". The exit code: 1 if any was not
/// found, or a seed failed without a mutant.
[[nodiscard]] int hunt_mutants(const HuntOptions& options);

}  // namespace tanist::sim

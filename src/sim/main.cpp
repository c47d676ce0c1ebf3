// SPDX-License-Identifier: Apache-2.0
// tanist_simulator: whole clusters in one process, one history a seed (docs/testing.md).
#include <CLI/CLI.hpp>

#include "sim/runner.h"

int main(int argc, char** argv) {
    tanist::sim::RunOptions options;
    CLI::App app("Simulates clusters under faults and checks every step; a seed always gives the same history.", "tanist_simulator");
    app.add_option("--seeds", options.seeds, "How many seeds to run")->required()->check(CLI::PositiveNumber);
    app.add_option("--seed", options.first_seed, "The first of them")->capture_default_str();
    app.add_option("--jobs", options.jobs, "Worker processes")->check(CLI::Range(1, 256))->capture_default_str();
    app.add_flag("--trace", options.trace, "Print every event");
    app.add_flag("--statistics", options.statistics, "Print a line for each seed");
    CLI11_PARSE(app, argc, argv);
    return tanist::sim::run_seeds(options) == 0 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
// tanist_simulator: whole clusters in one process, one history a seed (docs/testing.md).
#include <CLI/CLI.hpp>

#include "sim/history_file.h"
#include "sim/mutant_hunt.h"
#include "sim/runner.h"
#include "sim/session_file.h"
#include "sim/shrink.h"

using tanist::sim::Parts;

int main(int argc, char** argv) {
    tanist::sim::RunOptions options;
    CLI::App app("Simulates clusters under faults and checks every step; a seed always gives the same history.", "tanist_simulator");
    std::string history, sessions;
    auto* check = app.add_option("--check-history", history, "Check the history of a real cluster instead (src/sim/history_file.h)")
                      ->type_name("FILE");
    auto* check_sessions = app.add_option("--check-sessions", sessions, "Check what its clients' sessions saw (src/sim/session_file.h)")
                               ->type_name("FILE")
                               ->excludes(check);
    auto* seeds = app.add_option("--seeds", options.seeds, "How many seeds to run")->check(CLI::PositiveNumber);
    seeds->excludes(check)->excludes(check_sessions);
    app.add_option("--seed", options.first_seed, "The first of them")->capture_default_str();
    app.add_option("--jobs", options.jobs, "Worker processes")->check(CLI::Range(1, 256))->capture_default_str();
    auto* minutes = app.add_option("--minutes", options.minutes, "Go on with new seeds for so long")->check(CLI::Range(1, 10'000));
    seeds->excludes(minutes);
    app.add_flag("--trace", options.trace, "Print every event");
    Parts only;
    bool shrink = false;
    auto* only_these = app.add_option("--parts", only, "Of the seed's faults and other parts these alone: as --shrink names them, or none")
                           ->delimiter(',')
                           ->needs(seeds);
    app.add_flag("--shrink", shrink, "Of a seed that fails: find the few faults and parts of its load that it needs")->needs(seeds);
    app.add_flag("--statistics", options.statistics, "Print a line for each seed");
    tanist::sim::HuntOptions hunt;
    std::string mutant;
    app.add_option("--mutant", mutant, "Run with a deliberate bug (a build with mutants only)")->type_name("NAME");
    bool list = false, mutants = false;
    app.add_flag("--list-mutants", list, "Print the catalogue of deliberate bugs");
    app.add_flag("--mutants", mutants, "Hunt them all, each until a seed finds it");
    app.add_option("--only", hunt.only, "With --mutants: hunt only these")->type_name("NAME")->delimiter(',');
    app.add_option("--seeds-max", hunt.seeds_max, "With --mutants: how many seeds each may take")->capture_default_str();
    app.add_option("--clean-seeds", hunt.clean_seeds, "With --mutants: how many seeds must not fail without one")->capture_default_str();
    app.add_option("--recorded", hunt.recorded_file, "With --mutants: the seeds to try first")->type_name("FILE");
    app.add_flag("--record", hunt.record, "With --mutants: search from seed 1 on, and write the file of --recorded anew");
    CLI11_PARSE(app, argc, argv);
    if (!sessions.empty()) return tanist::sim::check_session_file(sessions);
    if (list) return tanist::sim::print_mutants(), 0;
    hunt.jobs = options.jobs;
    hunt.first_seed = options.first_seed;
    if (mutants) return tanist::sim::hunt_mutants(hunt);
    if (!mutant.empty() && !tanist::sim::become_mutant(mutant)) return 2;
    if (!history.empty()) return tanist::sim::check_history_file(history);
    if (seeds->empty() && minutes->empty()) return app.exit(CLI::RequiredError("--seeds"));
    if (shrink) return tanist::sim::shrink_seed(options.first_seed);
    if (!only_these->empty()) {
        options.only = only == Parts{"none"} ? Parts{} : only;
        const std::string strange = tanist::sim::strange_part(tanist::sim::draw_plan(options.first_seed), *options.only);
        if (!strange.empty()) return app.exit(CLI::ValidationError("--parts", "seed has no part '" + strange + "'"));
    }
    return tanist::sim::run_seeds(options) == 0 ? 0 : 1;
}

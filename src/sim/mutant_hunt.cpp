// SPDX-License-Identifier: Apache-2.0
#include "sim/mutant_hunt.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <new>
#include <sstream>
#include <vector>

#include "base/ensure.h"
#include "sim/runner.h"
#include "sim/scenario.h"
#include "sim/simulation.h"

namespace tanist::sim {
namespace {

constexpr time_t kSecondsOfASeedMax =
    60;  ///< of the processor, not of the wall clock: a mutant that makes a history go on for ever is found by that

/// Written by the process that hunts one mutant, read by its parent when it has ended.
struct Trail {
    std::uint64_t seed = 0, tried = 0;  ///< the seed that runs; how many were begun
    bool found = false, done = false;
    char check[400] = {};
};

struct Hunt {
    const MutantCase* mutant = nullptr;
    std::uint64_t recorded = 0;  ///< the seed that is tried first; 0: none
    Trail* trail = nullptr;
    std::FILE* words = nullptr;  ///< what the process said on standard error: the condition of an ENSURE
};

using Recorded = std::map<std::string, std::uint64_t, std::less<>>;

/// A mutant a line: name, seed, and for people the rest of the table; '#' begins a comment.
Recorded read_recorded(const std::string& path) {
    Recorded recorded;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name;
        std::uint64_t seed = 0;
        if (!line.starts_with('#') && words >> name >> seed) recorded[name] = seed;
    }
    return recorded;
}

void write_recorded(const std::string& path, const std::vector<Hunt>& hunts) {
    std::ofstream file(path);
    file << "# What finds each mutant; written by ./dev sim --mutants --recorded FILE --record.\n"
         << fmt::format("# {:<24} {:>7} {:>6}  {:<4} {}\n", "mutant", "seed", "within", "rule", "noticed by");
    for (const Hunt& hunt : hunts) {
        const Trail& trail = *hunt.trail;
        if (!trail.found) continue;
        file << fmt::format("{:<26} {:>7} {:>6}  {:<4} {}\n", hunt.mutant->name, trail.seed, trail.tried, hunt.mutant->rule, trail.check);
    }
}

template <class T>
T* share() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ENSURE(memory != MAP_FAILED);
    return new (memory) T;
}

/// Of a check that says more than a line, the first.
void note_check(Trail& trail, std::string_view check) {
    check = check.substr(0, check.find('\n'));
    trail.found = true;
    const std::size_t length = std::min(check.size(), sizeof trail.check - 1);
    std::copy_n(check.begin(), length, trail.check);
    trail.check[length] = '\0';
}

/// False: this seed does not find it.
bool try_seed(std::uint64_t seed, Trail& trail) {
    trail.seed = seed;
    ++trail.tried;
    const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = kSecondsOfASeedMax, .tv_usec = 0}};
    ENSURE(::setitimer(ITIMER_VIRTUAL, &limit, nullptr) == 0);
    const Report report = simulate(seed, false);
    if (!report.failure) return false;
    note_check(trail, *report.failure);
    return true;
}

/// Histories of all faults and of few, scenarios of each kind, and many switchovers, in turns; all but those of few as shipped.
std::uint64_t nth_seed(std::uint64_t first, std::uint64_t i) {
    if (first >= kFirstScenarioSeed) return first + i;
    const std::uint64_t shipped = std::max(first, kFirstSeedAsShipped);
    const std::array kinds = {shipped,
                              first,
                              kFirstScenarioSeed + shipped,
                              kFirstAimedSeed + shipped,
                              kFirstRottenSeed + shipped,
                              kFirstSeedOfHandovers + shipped};
    return kinds[i % kinds.size()] + i / kinds.size();
}

[[noreturn]] void hunt(const Hunt& hunt, const HuntOptions& options) {
    ::dup2(::fileno(hunt.words), STDERR_FILENO);
    ENSURE(become_mutant(hunt.mutant->name));
    bool found = hunt.recorded != 0 && try_seed(hunt.recorded, *hunt.trail);
    for (std::uint64_t i = 0; !found && i < options.seeds_max; ++i) found = try_seed(nth_seed(options.first_seed, i), *hunt.trail);
    hunt.trail->done = true;
    std::_Exit(0);
}

/// The last condition that did not hold, from what the process said before it ended.
std::string broken_condition(std::FILE* words) {
    std::rewind(words);
    std::string condition;
    std::array<char, 1000> line{};
    while (std::fgets(line.data(), line.size(), words) != nullptr) {
        std::string_view text(line.data());
        const auto at = text.find("this must hold: ");
        if (at == std::string_view::npos) continue;
        const auto file = text.find("src/");
        const auto colon = text.find(": this must hold");
        condition = fmt::format("ENSURE({}) in {}", text.substr(at + 16, text.size() - at - 17),
                                file < colon ? text.substr(file, text.rfind(':', colon - 1) - file) : "?");
    }
    return condition;
}

void judge_end(const Hunt& hunt, int status) {
    Trail& trail = *hunt.trail;
    if (trail.done) return;
    const bool broke = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    const bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM;
    if (broke) return note_check(trail, broken_condition(hunt.words));
    note_check(trail, hung ? "the history does not end" : fmt::format("the process ended with status {:#x}", status));
}

void print_result(const Hunt& hunt) {
    const Trail& trail = *hunt.trail;
    const std::string_view check = trail.check;
    const bool expected = !hunt.mutant->check.empty() && check.find(hunt.mutant->check) != std::string_view::npos;
    fmt::print("{:<26} {:<4} {:>6} {:>6}  {}{}\n", hunt.mutant->name, hunt.mutant->rule, trail.found ? fmt::format("{}", trail.seed) : "-",
               trail.tried, trail.found ? check : "NOT FOUND", trail.found && !expected ? "  (by another check than expected)" : "");
    std::fflush(stdout);
}

/// One process a mutant, `jobs` of them at a time.
void run(std::vector<Hunt>& hunts, const HuntOptions& options) {
    std::map<pid_t, Hunt*> running;
    auto next = hunts.begin();
    while (next != hunts.end() || !running.empty()) {
        while (next != hunts.end() && running.size() < options.jobs) {
            std::fflush(stdout);
            const pid_t process = ::fork();
            ENSURE(process >= 0);
            if (process == 0) hunt(*next, options);
            running[process] = &*next++;
        }
        int status = 0;
        const auto ended = running.find(::wait(&status));
        ENSURE(ended != running.end());
        judge_end(*ended->second, status);
        print_result(*ended->second);
        running.erase(ended);
    }
}

}  // namespace

const MutantCase* find_mutant(std::string_view name) {
    const auto at = std::ranges::find(kMutantCases, name, &MutantCase::name);
    return at == kMutantCases.end() ? nullptr : &*at;
}

void print_mutants() {
    fmt::print("| mutant | rule | what is broken | noticed by |\n|---|---|---|---|\n");
    for (const MutantCase& m : kMutantCases) fmt::print("| `{}` | {} | {} | {} |\n", m.name, m.rule, m.does, m.check);
}

bool become_mutant(std::string_view name) {
    const MutantCase* found = find_mutant(name);
    if (found == nullptr) {
        fmt::print(stderr, "--mutant {}: no such mutant; --list-mutants names them all\n", name);
        return false;
    }
#ifdef TANIST_MUTANTS
    present_mutant = found->mutant;
    return true;
#else
    fmt::print(stderr, "--mutant {}: this build has no mutants; ./dev sim --mutant {} … makes one that has\n", name, name);
    return false;
#endif
}

std::string mutant_argument() {
    const auto at = std::ranges::find_if(kMutantCases, [](const MutantCase& m) { return mutant(m.mutant); });
    return at == kMutantCases.end() ? "" : fmt::format(" --mutant {}", at->name);
}

int hunt_mutants(const HuntOptions& options) {
    if (!kMutantsExist) {
        fmt::print(stderr, "--mutants: this build has none; ./dev sim --mutants makes one that has\n");
        return 1;
    }
    const auto began = std::chrono::steady_clock::now();
    const Recorded recorded = options.record ? Recorded{} : read_recorded(options.recorded_file);
    std::vector<Hunt> hunts;
    std::string unrecorded;
    for (const MutantCase& m : kMutantCases) {
        if (!options.only.empty() && std::ranges::find(options.only, m.name) == options.only.end()) continue;
        const auto at = recorded.find(m.name);
        if (!recorded.empty() && at == recorded.end()) {
            unrecorded += fmt::format("{}{}", unrecorded.empty() ? "" : ", ", m.name);
            continue;
        }
        hunts.push_back(
            {.mutant = &m, .recorded = at == recorded.end() ? 0 : at->second, .trail = share<Trail>(), .words = std::tmpfile()});
        ENSURE(hunts.back().words != nullptr);
    }
    fmt::print("{:<26} {:<4} {:>6} {:>6}  {}\n", "mutant", "rule", "seed", "tried", "noticed by");
    run(hunts, options);
    const auto not_found = std::ranges::count_if(hunts, [](const Hunt& hunt) { return !hunt.trail->found; });
    if (options.record) write_recorded(options.recorded_file, hunts);

    if (!unrecorded.empty()) fmt::print("not hunted, for no seed is recorded that finds them: {}\n", unrecorded);
    fmt::print("without a mutant:\n");
    const std::uint64_t failures = run_seeds({.seeds = options.clean_seeds, .first_seed = kFirstSeedAsShipped, .jobs = options.jobs});
    fmt::print("{} mutants, {} not found", hunts.size(), not_found);
    fmt::print(" in {:.0f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    return not_found == 0 && failures == 0 ? 0 : 1;
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
#include "sim/runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "base/ensure.h"
#include "sim/mutant_hunt.h"
#include "sim/plan.h"
#include "sim/simulation.h"

namespace tanist::sim {
namespace {

constexpr std::uint64_t kSeedsThatMeetMuch = 100;  ///< of fewer it is not told what they have not met: that is most

/// Shared by the parent and its workers, which come and go.
struct Board {
    std::atomic<std::uint64_t> next = 0;  ///< of the seeds not yet begun: how many were handed out
    std::atomic<std::uint64_t> begun = 0;
    std::atomic<std::uint64_t> failures = 0, events = 0, operations = 0, entries = 0, masters = 0, switchovers = 0, simulated_us = 0;
    std::atomic<std::uint64_t> observed = 0, undecided = 0;  ///< operations in histories of keys; keys whose search was given up
    std::array<std::atomic<std::uint64_t>, Coverage::kPoints> coverage{};
};

/// Of all workers that have ended.
double cpu_seconds() {
    rusage used{};
    ENSURE(::getrusage(RUSAGE_CHILDREN, &used) == 0);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/// What the handler of SIGABRT prints: prepared before, since nothing may be allocated there.
char abort_line[4096];
void on_abort(int) {
    const auto length = static_cast<std::size_t>(std::find(std::begin(abort_line), std::end(abort_line), '\0') - std::begin(abort_line));
    (void)!::write(STDOUT_FILENO, abort_line, length);
    std::signal(SIGABRT, SIG_DFL);
    std::raise(SIGABRT);
}

void prepare_abort_line(std::uint64_t seed, const std::string& replay) {
    const std::string line = fmt::format("seed {} FAILED: broken condition, see above\n  replay: {}\n", seed, replay);
    const std::size_t length = std::min(line.size(), sizeof abort_line - 1);
    std::copy_n(line.begin(), length, abort_line);
    abort_line[length] = '\0';
}

void run_one(std::uint64_t seed, const RunOptions& options, Board& board) {
    const std::string replay = replay_line(seed, options.only);
    prepare_abort_line(seed, replay);
    if (options.trace) fmt::print("replay: {}\n", replay);
    Plan plan = draw_plan(seed);
    if (options.only) plan = with_only(std::move(plan), *options.only);
    const Report report = simulate(std::move(plan), options.trace);
    board.events += report.events;
    board.operations += report.clients.done;
    board.entries += report.committed.value;
    board.masters += report.masters;
    board.switchovers += report.switchovers;
    board.simulated_us += static_cast<std::uint64_t>(report.simulated.count());
    board.observed += report.histories.operations;
    board.undecided += report.histories.undecided_keys;
    for (std::size_t i = 0; i < Coverage::kPoints; ++i) board.coverage[i] += report.coverage.count(i);
    if (options.statistics || options.trace) {
        const ClientStatistics& c = report.clients;
        fmt::print(
            "seed {}: hash={:016x} seconds={:.1f} events={} entries={} masters={} done={} retries={} unknown={} stale_tokens={} "
            "expired={}\n",
            seed, report.trace_hash, static_cast<double>(report.simulated.count()) / 1e6, report.events, report.committed.value,
            report.masters, c.done, c.retries, c.unknown, c.stale_tokens, c.expired);
    }
    if (report.failure) {
        ++board.failures;
        fmt::print("seed {} FAILED after {:.3f} s: {}\n  replay: {}\n", seed, static_cast<double>(report.failed_at.count()) / 1e6,
                   *report.failure, replay);
    }
    std::fflush(stdout);
}

using Deadline = std::chrono::steady_clock::time_point;

[[noreturn]] void work(const RunOptions& options, Board& board, Deadline until) {
    std::signal(SIGABRT, on_abort);
    while (true) {
        const bool is_over = options.minutes == 0 ? board.next >= options.seeds : std::chrono::steady_clock::now() >= until;
        const std::uint64_t index = is_over ? 0 : board.next++;
        if (is_over || (options.minutes == 0 && index >= options.seeds)) std::_Exit(0);
        ++board.begun;
        run_one(options.first_seed + index, options, board);
    }
}

pid_t start_worker(const RunOptions& options, Board& board, Deadline until) {
    std::fflush(stdout);
    const pid_t worker = ::fork();
    ENSURE(worker >= 0);
    if (worker == 0) work(options, board, until);
    return worker;
}

void print_totals(const RunOptions& options, const Board& board, double wall_seconds) {
    const double simulated = static_cast<double>(board.simulated_us.load()) / 1e6;
    fmt::print(
        "simulated {:.0f} s in {:.1f} s: {:.0f} times real time with {} jobs, {:.0f} times a second of CPU; {} entries, {} operations, {} "
        "masters, {} switchovers, {} "
        "events\n",
        simulated, wall_seconds, simulated / std::max(wall_seconds, 1e-9), options.jobs, simulated / std::max(cpu_seconds(), 1e-9),
        board.entries.load(), board.operations.load(), board.masters.load(), board.switchovers.load(), board.events.load());
    fmt::print("linearizability: {} operations in histories of keys, {} keys undecided\n", board.observed.load(), board.undecided.load());
}

/// Whether nothing is missing that seeds enough should have met.
bool print_coverage(const RunOptions& options, const Board& board) {
    const auto points = Coverage::points();
    std::vector<std::uint64_t> counts;
    std::string_view group;
    for (std::size_t i = 0; i < points.size(); ++i) {
        counts.push_back(board.coverage[i]);
        if (points[i].group != group) fmt::print("{}{}:", i == 0 ? "" : "\n", group = points[i].group);
        if (counts[i] != 0) fmt::print(" {}={}", points[i].name, counts[i]);
    }
    const std::vector<std::string> missing = missed(counts);
    const bool is_due = must_meet_all(options.first_seed, board.begun) && !options.only;
    fmt::print("\ncoverage: {} of {} points met",
               static_cast<std::size_t>(std::ranges::count_if(points, &Coverage::Point::due)) - missing.size(),
               std::ranges::count_if(points, &Coverage::Point::due));
    const bool of_interest = board.begun >= kSeedsThatMeetMuch;
    if (!missing.empty() && of_interest) fmt::print("; {}: {}", is_due ? "MISSED, by seeds enough" : "not met", fmt::join(missing, ", "));
    const std::vector<std::string> rare = missed(counts, false);
    if (!rare.empty() && of_interest) fmt::print("; rare, and not met: {}", fmt::join(rare, ", "));
    fmt::print("\n");
    return missing.empty() || !is_due;
}

}  // namespace

std::string replay_line(std::uint64_t seed, const std::optional<Parts>& only) {
    std::string line = fmt::format("./dev sim --seeds 1 --seed {}{}", seed, mutant_argument());
    if (only) line += fmt::format(" --parts {}", only->empty() ? "none" : fmt::format("{}", fmt::join(*only, ",")));
    return line;
}

std::uint64_t run_seeds(const RunOptions& options) {
    void* shared = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ENSURE(shared != MAP_FAILED);
    Board& board = *new (shared) Board;
    const auto began = std::chrono::steady_clock::now();
    const Deadline until = began + std::chrono::minutes(options.minutes);
    std::size_t running = 0;
    for (; running < options.jobs; ++running) start_worker(options, board, until);
    while (running > 0) {
        int status = 0;
        if (::wait(&status) < 0) break;
        --running;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        ++board.failures;  // it has said so itself, unless it was killed from outside
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fmt::print("a worker ended with status {:#x} in the middle of a seed\n", status);
        start_worker(options, board, until);  // for the seeds that are left
        ++running;
    }
    print_totals(options, board, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    if (!print_coverage(options, board)) ++board.failures;
    const std::uint64_t failures = board.failures;
    fmt::print("{} seeds, {} failures\n", board.begun.load(), failures);
    ::munmap(shared, sizeof(Board));
    return failures;
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
#include "sim/shrink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>

#include "base/ensure.h"
#include "sim/runner.h"
#include "sim/simulation.h"

namespace tanist::sim {
namespace {

constexpr std::size_t kAttemptsMax = 1000;
constexpr time_t kSecondsOfAnAttemptMax = 60;  ///< of the processor: a history that goes on for ever fails in its own way

/// What an attempt's process tells its parent.
struct Outing {
    bool done = false, failed = false;
    std::array<char, 1000> failure{};
};

/// nullopt: it does not fail.
std::optional<std::string> failure_of(const Plan& plan, Outing& outing) {
    outing = {};
    std::fflush(stdout);
    const pid_t process = ::fork();
    ENSURE(process >= 0);
    if (process == 0) {
        ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);  // what a broken condition says, hundreds of times
        const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = kSecondsOfAnAttemptMax, .tv_usec = 0}};
        ENSURE(::setitimer(ITIMER_VIRTUAL, &limit, nullptr) == 0);
        const Report report = simulate(plan, false);
        outing.failed = report.failure.has_value();
        if (report.failure)
            std::copy_n(report.failure->begin(), std::min(report.failure->size(), outing.failure.size() - 1), outing.failure.begin());
        outing.done = true;
        std::_Exit(0);
    }
    int status = 0;
    ENSURE(::waitpid(process, &status, 0) == process);
    if (outing.done) return outing.failed ? std::optional<std::string>(outing.failure.data()) : std::nullopt;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM) return "the history does not end";
    return "a broken condition ends the process";
}

std::vector<Parts> in_pieces(const Parts& parts, std::size_t pieces) {
    std::vector<Parts> out;
    for (std::size_t i = 0; i < pieces; ++i) {
        const std::size_t from = parts.size() * i / pieces, to = parts.size() * (i + 1) / pieces;
        if (from < to) out.emplace_back(parts.begin() + static_cast<std::ptrdiff_t>(from), parts.begin() + static_cast<std::ptrdiff_t>(to));
    }
    return out;
}

Parts without(const Parts& parts, const Parts& piece) {
    Parts rest;
    std::ranges::copy_if(parts, std::back_inserter(rest),
                         [&](const std::string& part) { return std::ranges::find(piece, part) == piece.end(); });
    return rest;
}

}  // namespace

Parts smallest_failing(Parts parts, const Attempt& fails, std::size_t attempts_max) {
    std::size_t attempts = 0;
    if (++attempts <= attempts_max && fails({})) return {};
    for (std::size_t pieces = 2; !parts.empty();) {
        bool smaller = false;
        for (const Parts& piece : in_pieces(parts, pieces)) {
            if (++attempts > attempts_max) return parts;
            Parts rest = without(parts, piece);
            if (rest.empty() || !fails(rest)) continue;
            parts = std::move(rest);
            smaller = true;
            break;
        }
        if (smaller) {
            pieces = std::max<std::size_t>(2, pieces - 1);
        } else if (pieces >= parts.size()) {
            break;
        } else {
            pieces = std::min(2 * pieces, parts.size());
        }
    }
    return parts;
}

std::string kind_of_failure(std::string_view failure) {
    std::string kind;
    for (const char c : failure) {
        const bool is_digit = std::isxdigit(static_cast<unsigned char>(c)) != 0 && !std::islower(static_cast<unsigned char>(c));
        if (!is_digit) kind.push_back(c);
    }
    return kind;
}

int shrink_seed(std::uint64_t seed) {
    void* shared = ::mmap(nullptr, sizeof(Outing), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ENSURE(shared != MAP_FAILED);
    Outing& outing = *new (shared) Outing;
    const Plan plan = draw_plan(seed);
    const Parts all = parts_of(plan);
    const auto failure = failure_of(plan, outing);
    if (!failure) {
        fmt::print("seed {} does not fail\n", seed);
        return 1;
    }
    fmt::print("seed {} fails: {}\n", seed, *failure);
    std::size_t attempts = 0;
    const Attempt fails = [&](const Parts& kept) {
        ++attempts;
        const auto now = failure_of(with_only(plan, kept), outing);
        return now && kind_of_failure(*now) == kind_of_failure(*failure);
    };
    const Parts kept = smallest_failing(all, fails, kAttemptsMax);
    const Plan smallest = with_only(plan, kept);
    fmt::print("of {} faults and other parts it needs {}, as {} attempts show{}\n", all.size(), kept.size(), attempts,
               attempts >= kAttemptsMax ? "; it may need fewer" : "");
    fmt::print("  {}\n", describe(smallest));
    for (const Fault& fault : smallest.faults)
        fmt::print("  {:8.3f} s: {}\n", static_cast<double>(fault.at.count()) / 1e6, describe(fault));
    fmt::print("  fails: {}\n  replay: {}\n", *failure_of(smallest, outing), replay_line(seed, kept));
    ::munmap(shared, sizeof(Outing));
    return 0;
}

}  // namespace tanist::sim

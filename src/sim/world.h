// SPDX-License-Identifier: Apache-2.0
// The ground of one history: virtual time, the queue of what is going to happen, and the first thing that went wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/coverage.h"
#include "sim/time.h"
#include "sim/trace.h"
#include "sim/triggers.h"

namespace tanist::sim {

using Work = std::function<void()>;

/// What happens at the same instant happens in the order in which it was asked for: so one seed gives one history.
class World {
public:
    explicit World(bool print_trace) : trace_(print_trace) {}

    [[nodiscard]] Instant now() const { return now_; }
    /// Not before now.
    void at(Instant when, Work work);
    void after(Duration delay, Work work) { at(now_ + delay, std::move(work)); }
    /// Does the next thing. False: nothing is left to do, or the history has failed.
    bool run_one();
    void run_until(Instant end);

    template <class... Args>
    void note(fmt::format_string<const Args&...> format, const Args&... args) {
        trace_.note(now_, format, args...);
    }
    /// Only for the reader of a trace: not part of its hash.
    template <class... Args>
    void print(fmt::format_string<const Args&...> format, const Args&... args) {
        if (trace_.prints()) Trace::print_line(now_, fmt::format(format, args...));
    }
    [[nodiscard]] const Trace& trace() const { return trace_; }
    /// What this history has met so far.
    [[nodiscard]] Coverage& coverage() { return coverage_; }
    /// What waits for a moment in this history.
    [[nodiscard]] Triggers& triggers() { return triggers_; }

    /// A rule was broken: the history ends here. Only the first failure counts, since the rest may follow from it.
    template <class... Args>
    void fail(fmt::format_string<const Args&...> format, const Args&... args) {
        if (!failure_) record_failure(fmt::format(format, args...));
    }
    [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
    [[nodiscard]] std::uint64_t events() const { return events_; }

private:
    struct Event {
        Instant when;
        std::uint64_t order;
        Work work;
    };
    static bool later(const Event& a, const Event& b) { return a.when != b.when ? a.when > b.when : a.order > b.order; }
    void record_failure(std::string text);

    Trace trace_;
    Coverage coverage_;
    Triggers triggers_;
    Instant now_{0};
    std::uint64_t asked_ = 0, events_ = 0;
    std::vector<Event> queue_;  ///< a heap, the next one at its front
    std::optional<std::string> failure_;
};

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
#include "sim/linearizability.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/ensure.h"
#include "base/random.h"

namespace tanist::sim {
namespace {

using State = std::optional<std::string>;

constexpr std::size_t kShownBytesMax = 24;  // of a value, in words for people

std::optional<std::int64_t> integer_of(const State& state) {
    if (!state) return 0;
    std::int64_t number = 0;
    const char* const end = state->data() + state->size();
    const auto [read, error] = std::from_chars(state->data(), end, number);
    if (error != std::errc{} || read != end) return std::nullopt;
    return number;
}

/// The state after `operation`; nullopt: in this state it would have answered something else.
std::optional<State> after(const Observed& operation, const State& state) {
    const bool is_known = operation.end.has_value();
    switch (operation.kind) {
        case Observed::Kind::kRead:
            if (is_known && operation.result != state) return std::nullopt;
            return state;
        case Observed::Kind::kWrite: return operation.value;
        case Observed::Kind::kCompare: {
            const bool equals = state == operation.expected;
            if (is_known && equals != operation.succeeded) return std::nullopt;
            return equals ? operation.value : state;
        }
        case Observed::Kind::kIncrement: {
            const auto before = integer_of(state);
            if (!before) return is_known ? std::nullopt : std::optional(state);  // it was answered with an error then
            std::string sum = std::to_string(*before + operation.by);
            if (is_known && operation.result != sum) return std::nullopt;
            return State(std::move(sum));
        }
    }
    return std::nullopt;
}

/// Beginnings and ends in the order of time, as a list from which those of an operation are taken while it is explained.
class Timeline {
public:
    static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

    explicit Timeline(std::span<const Observed> history) {
        for (std::size_t i = 0; i < history.size(); ++i) {
            points_.push_back({.time = history[i].begin, .operation = i});
            const auto end = history[i].end.value_or(std::numeric_limits<std::uint64_t>::max());
            points_.push_back({.time = end, .operation = i, .is_end = true});
        }
        // At one time, beginnings come first: what cannot be told apart counts as concurrent.
        std::ranges::sort(points_, {}, [](const Point& p) { return std::tuple(p.time, p.is_end, p.operation); });
        ends_.resize(history.size());
        for (std::size_t at = 0; at < points_.size(); ++at) {
            points_[at].previous = at == 0 ? kNone : at - 1;
            points_[at].next = at + 1 == points_.size() ? kNone : at + 1;
            if (points_[at].is_end) ends_[points_[at].operation] = at;
        }
        first_ = points_.empty() ? kNone : 0;
    }

    [[nodiscard]] std::size_t first() const { return first_; }
    [[nodiscard]] std::size_t next(std::size_t at) const { return points_[at].next; }
    [[nodiscard]] bool is_end(std::size_t at) const { return points_[at].is_end; }
    [[nodiscard]] std::size_t operation(std::size_t at) const { return points_[at].operation; }

    void take_out(std::size_t beginning) {
        unlink(beginning);
        unlink(ends_[points_[beginning].operation]);
    }
    /// In the opposite order of the taking.
    void put_back(std::size_t beginning) {
        link(ends_[points_[beginning].operation]);
        link(beginning);
    }

private:
    struct Point {
        std::uint64_t time = 0;
        std::size_t operation = 0;
        bool is_end = false;
        std::size_t previous = kNone, next = kNone;
    };
    void unlink(std::size_t at) {
        const Point& point = points_[at];
        (point.previous == kNone ? first_ : points_[point.previous].next) = point.next;
        if (point.next != kNone) points_[point.next].previous = point.previous;
    }
    void link(std::size_t at) {
        const Point& point = points_[at];
        (point.previous == kNone ? first_ : points_[point.previous].next) = at;
        if (point.next != kNone) points_[point.next].previous = at;
    }

    std::vector<Point> points_;
    std::vector<std::size_t> ends_;  ///< by operation
    std::size_t first_ = kNone;
};

/// Sets of explained operations, each with the state that they lead to, that have been reached before: going on from there again
/// would only fail again. Of a set only 128 random bits are kept (Zobrist hashing): two sets that share them by chance, which might
/// let a good history fail, are not to be expected before 2^64 of them.
class Tried {
public:
    explicit Tried(std::size_t operations) {
        Random random(1);
        for (std::size_t i = 0; i < operations; ++i) bits_.push_back({random.next(), random.next()});
    }

    void flip(std::size_t operation) {
        explained_.first ^= bits_[operation].first;
        explained_.second ^= bits_[operation].second;
    }
    /// `bound`: what may follow is restricted, so it is another place than the same set and state without. True: it is new.
    [[nodiscard]] bool add(const State& state, bool bound) {
        const auto number = states_.try_emplace(state.value_or(std::string()), states_.size()).first->second;
        return seen_.insert({explained_, {number, state.has_value(), bound}}).second;
    }

private:
    using Bits = std::pair<std::uint64_t, std::uint64_t>;
    struct Place {
        Bits explained;
        std::tuple<std::size_t, bool, bool> state;
        friend bool operator==(const Place&, const Place&) = default;
    };
    struct Hash {
        std::size_t operator()(const Place& place) const {
            const auto [number, exists, bound] = place.state;
            return place.explained.first ^ (number * 4 + (exists ? 2 : 0) + (bound ? 1 : 0)) * 0x9e3779b97f4a7c15;
        }
    };

    std::vector<Bits> bits_;
    Bits explained_;
    std::unordered_map<std::string, std::size_t> states_;
    std::unordered_set<Place, Hash> seen_;
};

}  // namespace

LinearizabilityReport check_linearizability(std::span<const Observed> history, std::uint64_t steps_max) {
    struct Step {
        std::size_t beginning;
        State before;
    };
    // Of an operation of unknown outcome it is enough to try what somebody sees: it changes the state, and no write follows at once.
    // Without it the same order explains the rest where that is not so. This keeps many of them from multiplying the orders.
    const auto is_bound = [&](std::size_t operation) { return !history[operation].end; };
    const auto may_follow = [&](std::size_t operation, bool bound) { return !bound || history[operation].kind != Observed::Kind::kWrite; };
    LinearizabilityReport report;
    Timeline timeline(history);
    Tried tried(history.size());
    std::vector<Step> steps;
    State state;
    std::size_t open = static_cast<std::size_t>(std::ranges::count_if(history, [](const Observed& o) { return o.end.has_value(); }));
    std::size_t at = timeline.first();
    while (open > 0) {
        if (++report.steps > steps_max) {
            report.verdict = Linearizability::kUndecided;
            return report;
        }
        ENSURE(at != Timeline::kNone);  // an operation that is open has its end ahead
        const std::size_t operation = timeline.operation(at);
        if (!timeline.is_end(at)) {
            const bool bound = !steps.empty() && is_bound(timeline.operation(steps.back().beginning));
            auto next = may_follow(operation, bound) ? after(history[operation], state) : std::nullopt;
            if (next && (!is_bound(operation) || *next != state)) {
                tried.flip(operation);
                if (tried.add(*next, is_bound(operation))) {
                    steps.push_back({at, std::exchange(state, std::move(*next))});
                    timeline.take_out(at);
                    open -= history[operation].end ? 1 : 0;
                    at = timeline.first();
                    continue;
                }
                tried.flip(operation);
            }
            at = timeline.next(at);
            continue;
        }
        // The end of an operation that nothing before it explains: back.
        if (report.explained.size() < steps.size() || !report.unexplained) {
            report.explained.clear();
            for (const Step& step : steps) report.explained.push_back(timeline.operation(step.beginning));
            report.unexplained = operation;
        }
        if (steps.empty()) {
            report.verdict = Linearizability::kViolated;
            return report;
        }
        Step last = std::move(steps.back());
        steps.pop_back();
        const std::size_t undone = timeline.operation(last.beginning);
        tried.flip(undone);
        state = std::move(last.before);
        open += history[undone].end ? 1 : 0;
        timeline.put_back(last.beginning);
        at = timeline.next(last.beginning);
    }
    report.explained.clear();
    report.unexplained.reset();
    return report;
}

std::string describe(const Observed& operation) {
    const auto text = [](const State& value) -> std::string {
        if (!value) return "nothing";
        const bool is_long = value->size() > kShownBytesMax;
        return fmt::format("\"{}{}\"", value->substr(0, kShownBytesMax), is_long ? "…" : "");
    };
    const std::string when =
        fmt::format("[{}, {}] ", operation.begin, operation.end ? std::to_string(*operation.end) : std::string("outcome unknown"));
    switch (operation.kind) {
        case Observed::Kind::kRead: return fmt::format("{}read {}", when, text(operation.result));
        case Observed::Kind::kWrite: return fmt::format("{}write {}", when, text(operation.value));
        case Observed::Kind::kCompare:
            return fmt::format("{}compare with {} and write {}: {}", when, text(operation.expected), text(operation.value),
                               operation.succeeded ? "done" : "refused");
        case Observed::Kind::kIncrement: return fmt::format("{}increment by {}: {}", when, operation.by, text(operation.result));
    }
    return when;
}

}  // namespace tanist::sim

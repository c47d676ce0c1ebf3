// SPDX-License-Identifier: Apache-2.0
#include "sim/key_histories.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace tanist::sim {
namespace {

using commands::OutcomeCode;

constexpr std::size_t kExplainedShown = 12;

std::uint64_t number(Instant time) { return static_cast<std::uint64_t>(time.count()); }

struct Part {
    std::string key;
    Observed observed;
};

/// What a command does to its key, and what it was answered. `condition`: what its request demands of the same key.
Part part_of(const commands::Command& command, const commands::Condition* condition) {
    using Kind = Observed::Kind;
    const auto expected = condition == nullptr ? nullptr : std::get_if<commands::ValueEquals>(condition);
    const bool must_be_absent = condition != nullptr && std::holds_alternative<commands::KeyAbsent>(*condition);
    return std::visit(
        [&](const auto& c) -> Part {
            using C = std::decay_t<decltype(c)>;
            Observed observed;
            if constexpr (std::is_same_v<C, commands::Put> || std::is_same_v<C, commands::Delete>) {
                observed.kind = expected != nullptr || must_be_absent ? Kind::kCompare : Kind::kWrite;
                if (expected != nullptr) observed.expected = expected->value;
                if constexpr (std::is_same_v<C, commands::Put>) observed.value = c.value;
            } else if constexpr (std::is_same_v<C, commands::Increment>) {
                observed.kind = Kind::kIncrement;
                observed.by = c.by;
            }
            if constexpr (requires { c.key; }) return {c.key, std::move(observed)};
            return {};  // of Redis's words: the model alone checks them
        },
        command);
}

std::vector<Part> parts_of(const commands::Request& request) {
    const commands::Condition* condition = request.conditions.empty() ? nullptr : &request.conditions.front();
    std::vector<Part> parts;
    for (const commands::Command& command : request.commands) parts.push_back(part_of(command, condition));
    return parts;
}

}  // namespace

void KeyHistories::add_write(const commands::Request& request, const commands::Outcome& outcome, Instant begin, Instant end) {
    if (outcome.code == OutcomeCode::kAnswerForgotten) return add_unknown(request, begin);
    const bool is_done = outcome.code == OutcomeCode::kDone;
    if (!is_done && outcome.code != OutcomeCode::kConditionFailed) return;  // an error: nothing was changed, nothing seen
    auto parts = parts_of(request);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Observed& observed = parts[i].observed;
        observed.begin = number(begin);
        observed.end = number(end);
        observed.succeeded = is_done;
        // That a version is another says nothing of the value.
        if (!is_done && observed.kind != Observed::Kind::kCompare) continue;
        if (is_done && observed.kind != Observed::Kind::kWrite && observed.kind != Observed::Kind::kCompare) {
            if (i >= outcome.results.size()) continue;
            observed.result = outcome.results[i].value;
        }
        keys_[parts[i].key].push_back(std::move(observed));
    }
}

void KeyHistories::add_unknown(const commands::Request& request, Instant begin) {
    for (Part& part : parts_of(request)) {
        if (part.observed.kind == Observed::Kind::kRead) continue;
        part.observed.begin = number(begin);
        keys_[part.key].push_back(std::move(part.observed));
    }
}

void KeyHistories::add_read(std::string_view begin_key, std::string_view end_key, std::span<const commands::KeyValue> rows, Instant begin,
                            Instant end) {
    const Observed nothing{.kind = Observed::Kind::kRead, .begin = number(begin), .end = number(end)};
    const bool is_one_key = end_key.size() == begin_key.size() + 1 && end_key.starts_with(begin_key) && end_key.back() == '\0';
    if (is_one_key && rows.empty()) keys_[std::string(begin_key)].push_back(nothing);
    for (const commands::KeyValue& row : rows) {
        keys_[row.key].push_back(nothing);
        keys_[row.key].back().result = row.value;
    }
}

KeyHistories::Verdict KeyHistories::check(std::uint64_t steps_max) const {
    Verdict verdict;
    for (const auto& [key, history] : keys_) {
        verdict.operations += history.size();
        const LinearizabilityReport report = check_linearizability(history, steps_max);
        if (report.verdict == Linearizability::kUndecided) ++verdict.undecided_keys;
        if (report.verdict != Linearizability::kViolated) continue;
        std::string text = fmt::format("the history of {} is not linearizable: no order explains {}; explained before it, last first:", key,
                                       describe(history[*report.unexplained]));
        const std::size_t shown = std::min(report.explained.size(), kExplainedShown);
        for (std::size_t i = 0; i < shown; ++i) {
            text += "\n    " + describe(history[report.explained[report.explained.size() - 1 - i]]);
        }
        verdict.violation = std::move(text);
        return verdict;
    }
    return verdict;
}

}  // namespace tanist::sim

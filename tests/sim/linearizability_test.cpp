// SPDX-License-Identifier: Apache-2.0
// The checker of histories is itself checked: on histories known to be good or bad, and against all orders of small random ones.
#include "sim/linearizability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/random.h"

namespace tanist::sim {
namespace {

using Kind = Observed::Kind;
using ::testing::ElementsAre;

using Value = std::optional<std::string>;

Observed read(std::uint64_t begin, std::uint64_t end, Value result) {
    return {.kind = Kind::kRead, .begin = begin, .end = end, .result = std::move(result)};
}
Observed write(std::uint64_t begin, std::optional<std::uint64_t> end, Value value) {
    return {.kind = Kind::kWrite, .begin = begin, .end = end, .value = std::move(value)};
}
Observed compare(std::uint64_t begin, std::optional<std::uint64_t> end, Value expected, Value value, bool succeeded) {
    return {.kind = Kind::kCompare,
            .begin = begin,
            .end = end,
            .expected = std::move(expected),
            .value = std::move(value),
            .succeeded = succeeded};
}
Observed increment(std::uint64_t begin, std::optional<std::uint64_t> end, Value sum) {
    return {.kind = Kind::kIncrement, .begin = begin, .end = end, .result = std::move(sum), .by = 1};
}

Linearizability verdict(std::vector<Observed> history) { return check_linearizability(history).verdict; }
constexpr auto kHolds = Linearizability::kHolds, kViolated = Linearizability::kViolated;

TEST(Linearizability, OfNothingHolds) { EXPECT_EQ(verdict({}), kHolds); }

TEST(Linearizability, AReadSeesWhatWasWrittenBeforeIt) {
    EXPECT_EQ(verdict({write(1, 2, "a"), read(3, 4, "a")}), kHolds);
    EXPECT_EQ(verdict({write(1, 2, "a"), read(3, 4, std::nullopt)}), kViolated);
    EXPECT_EQ(verdict({write(1, 2, "a"), write(3, 4, std::nullopt), read(5, 6, std::nullopt)}), kHolds);
}

TEST(Linearizability, AReadBesideAWriteMaySeeItOrNot) {
    EXPECT_EQ(verdict({write(1, 4, "a"), read(2, 3, "a")}), kHolds);
    EXPECT_EQ(verdict({write(1, 4, "a"), read(2, 3, std::nullopt)}), kHolds);
    EXPECT_EQ(verdict({write(1, 4, "a"), read(2, 2, "b")}), kViolated);
}

TEST(Linearizability, WhatWasSeenOnceIsNotUnseen) {
    EXPECT_EQ(verdict({write(1, 10, "a"), read(2, 3, "a"), read(4, 5, std::nullopt)}), kViolated);
    EXPECT_EQ(verdict({write(1, 10, "a"), read(2, 3, std::nullopt), read(4, 5, "a")}), kHolds);
}

TEST(Linearizability, TwoReadersAgreeOnTheOrderOfTwoWriters) {  // Herlihy and Wing, figure 1
    EXPECT_EQ(verdict({write(1, 10, "a"), write(1, 10, "b"), read(2, 3, "a"), read(4, 5, "b")}), kHolds);
    EXPECT_EQ(verdict({write(1, 10, "a"), write(1, 10, "b"), read(2, 3, "a"), read(4, 5, "b"), read(6, 7, "a")}), kViolated);
}

TEST(Linearizability, AnUnknownWriteMayHappenLateOrNever) {
    EXPECT_EQ(verdict({write(1, std::nullopt, "a"), read(3, 4, std::nullopt), read(5, 6, "a")}), kHolds);
    EXPECT_EQ(verdict({write(1, std::nullopt, "a"), read(3, 4, std::nullopt)}), kHolds);
    EXPECT_EQ(verdict({read(1, 2, "a"), write(3, std::nullopt, "a")}), kViolated);  // not before it began
    EXPECT_EQ(verdict({write(1, std::nullopt, "a"), read(2, 3, "a"), read(4, 5, std::nullopt)}), kViolated);
}

TEST(Linearizability, ComparesAndIncrementsCountOnce) {
    EXPECT_EQ(verdict({increment(1, 2, "1"), increment(3, 4, "2")}), kHolds);
    EXPECT_EQ(verdict({increment(1, 2, "1"), increment(3, 4, "1")}), kViolated);
    EXPECT_EQ(verdict({increment(1, std::nullopt, {}), increment(3, 4, "2"), read(5, 6, "2")}), kHolds);
    EXPECT_EQ(verdict({increment(1, std::nullopt, {}), increment(3, 4, "3")}), kViolated);
    EXPECT_EQ(verdict({compare(1, 2, std::nullopt, "a", true), compare(1, 2, std::nullopt, "b", true)}), kViolated);
    EXPECT_EQ(verdict({compare(1, 2, std::nullopt, "a", true), compare(1, 2, std::nullopt, "b", false), read(3, 4, "a")}), kHolds);
    EXPECT_EQ(verdict({write(1, 2, "x"), increment(3, std::nullopt, {}), read(4, 5, "x")}), kHolds);
}

TEST(Linearizability, AViolationTellsHowFarTheHistoryCanBeExplained) {
    const std::vector<Observed> history{write(1, 2, "a"), read(3, 4, "a"), read(5, 6, "b"), read(7, 8, "a")};
    const LinearizabilityReport report = check_linearizability(history);
    EXPECT_EQ(report.verdict, kViolated);
    EXPECT_THAT(report.explained, ElementsAre(0u, 1u));
    EXPECT_EQ(report.unexplained, 2u);
}

TEST(Linearizability, ASearchBeyondItsBoundIsUndecidedNotPassed) {
    std::vector<Observed> history;
    for (int i = 0; i < 12; ++i) history.push_back(write(1, std::nullopt, std::to_string(i)));
    history.push_back(read(2, 3, "no such value"));
    EXPECT_EQ(check_linearizability(history, 5).verdict, Linearizability::kUndecided);
    EXPECT_EQ(check_linearizability(history).verdict, kViolated);
}

// -- against all orders ----------------------------------------------------------------------------------------------------------------

/// What `operation` does to `state`, said once more; false: it would have answered something else.
bool replay(const Observed& operation, Value& state) {
    const bool known = operation.end.has_value();
    switch (operation.kind) {
        case Kind::kRead: return !known || operation.result == state;
        case Kind::kWrite: state = operation.value; return true;
        case Kind::kCompare: {
            const bool equal = state == operation.expected;
            if (equal) state = operation.value;
            return !known || equal == operation.succeeded;
        }
        case Kind::kIncrement:
            state = std::to_string((state ? std::stoll(*state) : 0) + operation.by);
            return !known || operation.result == state;
    }
    return false;
}

/// Tries every order of every choice of the unknown ones.
bool some_order_explains(const std::vector<Observed>& history) {
    std::vector<std::size_t> unknown;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (!history[i].end) unknown.push_back(i);
    }
    for (std::uint32_t left_out = 0; left_out < (1u << unknown.size()); ++left_out) {
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < history.size(); ++i) {
            const auto at = std::ranges::find(unknown, i);
            if (at == unknown.end() || (left_out >> (at - unknown.begin()) & 1) == 0) order.push_back(i);
        }
        do {
            Value state;
            bool fits = true;
            for (std::size_t i = 0; i < order.size() && fits; ++i) {
                for (std::size_t j = i + 1; j < order.size(); ++j) {  // nothing stands before what had ended when it began
                    const auto& later = history[order[j]];
                    fits &= !(later.end && *later.end < history[order[i]].begin);
                }
                fits = fits && replay(history[order[i]], state);
            }
            if (fits) return true;
        } while (std::ranges::next_permutation(order).found);
    }
    return false;
}

std::vector<Observed> draw_history(Random& random) {
    std::vector<Observed> history;
    const auto value = [&]() -> Value {
        if (random.chance(1, 4)) return std::nullopt;
        return std::to_string(random.below(3));
    };
    for (std::uint64_t i = random.between(1, 6); i > 0; --i) {
        Observed operation{.kind = static_cast<Kind>(random.below(4)), .begin = random.below(12)};
        if (!random.chance(1, 5)) operation.end = operation.begin + random.below(8);
        operation.value = value(), operation.expected = value(), operation.result = value();
        operation.by = 1;
        operation.succeeded = random.chance(1, 2);
        history.push_back(std::move(operation));
    }
    return history;
}

TEST(Linearizability, AgreesWithAllOrdersOfSmallHistories) {
    Random random(11);
    std::array<int, 2> seen{};
    for (int round = 0; round < 20'000; ++round) {
        const auto history = draw_history(random);
        const bool expected = some_order_explains(history);
        ++seen[expected ? 1 : 0];
        std::string text;
        for (const Observed& operation : history) text += "\n  " + describe(operation);
        ASSERT_EQ(verdict(history), expected ? kHolds : kViolated) << "round " << round << text;
    }
    EXPECT_GT(std::min(seen[0], seen[1]), 1000);
}

/// What one register under many clients would have answered; each operation takes effect at a moment of its own.
std::vector<Observed> true_history(Random& random, std::size_t operations) {
    std::vector<Observed> history;
    Value state;
    for (std::size_t i = 0; i < operations; ++i) {
        const std::uint64_t moment = 100 * (i + 1);
        Observed operation{.kind = static_cast<Kind>(random.below(3)), .begin = moment - random.below(500) % moment};
        if (!random.chance(1, 200)) operation.end = moment + random.below(500);
        operation.value = std::to_string(i);
        operation.expected = random.chance(1, 2) ? state : Value("none");
        operation.succeeded = operation.expected == state;
        if (operation.kind == Kind::kRead) operation.result = state;
        static_cast<void>(replay(operation, state));
        history.push_back(std::move(operation));
    }
    return history;
}

TEST(Linearizability, LongTrueHistoriesHoldAndOneReadOfTheFarPastIsFound) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Random random(seed);
        auto history = true_history(random, 1500);
        ASSERT_EQ(verdict(history), kHolds) << "seed " << seed;
        std::size_t read = 1000;
        while (history[read].kind != Kind::kRead || !history[read].end) ++read;
        history[read].result = history[100].value;
        ASSERT_EQ(verdict(history), kViolated) << "seed " << seed;
    }
}

}  // namespace
}  // namespace tanist::sim

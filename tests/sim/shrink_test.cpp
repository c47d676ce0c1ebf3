// SPDX-License-Identifier: Apache-2.0
#include "sim/shrink.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "sim/plan.h"

namespace tanist::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

bool has(const Parts& parts, const std::string& part) { return std::ranges::find(parts, part) != parts.end(); }

Parts numbers(int through) {
    Parts parts;
    for (int i = 1; i <= through; ++i) parts.push_back(std::to_string(i));
    return parts;
}

TEST(Shrink, KeepsWhatAFailureNeedsTogether) {
    std::size_t attempts = 0;
    const auto needs_three = [&](const Parts& kept) {
        ++attempts;
        return has(kept, "3") && has(kept, "50") && has(kept, "97");
    };
    EXPECT_THAT(smallest_failing(numbers(100), needs_three, 1000), ElementsAre("3", "50", "97"));
    EXPECT_LT(attempts, 200U);
}

TEST(Shrink, KeepsOneOfTwoThatDoTheSame) {
    const auto needs_either = [](const Parts& kept) { return has(kept, "7") || has(kept, "8"); };
    EXPECT_EQ(smallest_failing(numbers(30), needs_either, 1000).size(), 1U);
}

TEST(Shrink, KeepsNothingWhereNothingIsNeeded) {
    EXPECT_THAT(smallest_failing(numbers(30), [](const Parts&) { return true; }, 1000), IsEmpty());
}

TEST(Shrink, EndsAfterSoManyAttemptsWithWhatFails) {
    std::size_t attempts = 0;
    const auto needs_all = [&](const Parts& kept) {
        ++attempts;
        return kept.size() == 100;
    };
    EXPECT_EQ(smallest_failing(numbers(100), needs_all, 50).size(), 100U);
    EXPECT_LE(attempts, 50U);
}

TEST(Shrink, TellsFailuresApartByTheirWordsAlone) {
    EXPECT_EQ(kind_of_failure("node 3 cuts lsn=17"), kind_of_failure("node 1 cuts lsn=4"));
    EXPECT_NE(kind_of_failure("node 3 cuts lsn=17"), kind_of_failure("node 3 appends lsn=17"));
}

TEST(Parts, OfAPlanAreItsFaultsByNumberAndItsLoadByName) {
    const Plan plan = draw_plan(1345);
    const Parts parts = parts_of(plan);
    EXPECT_EQ(with_only(plan, parts), plan);
    for (std::size_t i = 0; i < plan.faults.size(); ++i) EXPECT_TRUE(has(parts, std::to_string(i + 1)));
    const Plan least = with_only(plan, {});
    EXPECT_THAT(least.faults, IsEmpty());
    EXPECT_EQ(least.load.clients, 1U);
    EXPECT_EQ(least.load.pipeline, 1U);
    EXPECT_THAT(parts_of(least), IsEmpty());
}

TEST(Parts, KeepTheirNumbersWhateverIsLeftOut) {
    const Plan plan = draw_plan(1345);
    ASSERT_GE(plan.faults.size(), 9U);
    const Plan less = with_only(plan, {"3", "9"});
    ASSERT_EQ(less.faults.size(), 2U);
    EXPECT_EQ(less.faults[0], plan.faults[2]);
    EXPECT_EQ(less.faults[1], plan.faults[8]);
    EXPECT_EQ(describe(less.faults[1]), describe(plan.faults[8]));
    EXPECT_THAT(parts_of(less), ElementsAre("3", "9"));
}

TEST(Parts, OfAnotherPlanAreNamed) {
    const Plan plan = draw_plan(1345);
    EXPECT_EQ(strange_part(plan, {"1", "2"}), "");
    EXPECT_EQ(strange_part(plan, {"1", "9999"}), "9999");
    EXPECT_EQ(strange_part(plan, {"thunder"}), "thunder");
}

}  // namespace
}  // namespace tanist::sim

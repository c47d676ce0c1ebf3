// SPDX-License-Identifier: Apache-2.0
#include "sim/plan.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "sim/scenario.h"

namespace tanist::sim {
namespace {

using core::ConfiguredRole;

TEST(Plan, IsTheSameForTheSameSeed) {
    EXPECT_EQ(describe(draw_plan(42)), describe(draw_plan(42)));
    EXPECT_NE(describe(draw_plan(42)), describe(draw_plan(43)));
}

TEST(Plan, KeepsTheRulesOfMembershipAndDrawsEveryTopologyAndFault) {
    std::set<std::size_t> sizes;
    std::set<FaultKind> kinds;
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        const Plan plan = draw_plan(seed);
        const auto count = [&](ConfiguredRole role) { return std::ranges::count(plan.nodes, role, &NodePlan::role); };
        const auto data_voters = count(ConfiguredRole::kMaster) + count(ConfiguredRole::kSlave);
        EXPECT_EQ(count(ConfiguredRole::kMaster), 1);
        EXPECT_LT(count(ConfiguredRole::kWitness), data_voters);
        EXPECT_TRUE(std::ranges::is_sorted(plan.faults, {}, &Fault::at));
        std::multiset<NodeId> spoiled;
        for (const Fault& fault : plan.faults) {
            if (!is_of_medium(fault.kind)) continue;
            const auto node = std::ranges::find(plan.nodes, fault.node, &NodePlan::node);
            if (node == plan.nodes.end() || node->role != ConfiguredRole::kSpare) spoiled.insert(fault.node);
        }
        const auto voters = plan.nodes.size() - static_cast<std::size_t>(count(ConfiguredRole::kSpare));
        EXPECT_LT(2 * spoiled.size(), voters) << "seed " << seed << ": committed data survive what happens to a minority of the disks";
        sizes.insert(plan.nodes.size());
        for (const Fault& fault : plan.faults) {
            EXPECT_LT(fault.at, plan.quiet_from);
            kinds.insert(fault.kind);
        }
    }
    EXPECT_THAT(sizes, testing::IsSupersetOf({1U, 3U, 5U}));
    EXPECT_EQ(kinds.size(), kFaultKinds);
}

TEST(Plan, ScenariosHaveSeedsOfTheirOwnAndSpoilAtMostOneDisk) {
    EXPECT_EQ(draw_plan(kFirstScenarioSeed - 1).scenario, "");
    std::set<std::string_view> families;
    for (std::uint64_t seed = kFirstScenarioSeed; seed < kFirstScenarioSeed + 300; ++seed) {
        const Plan plan = draw_plan(seed);
        EXPECT_EQ(describe(plan), describe(draw_plan(seed)));
        EXPECT_TRUE(std::ranges::is_sorted(plan.faults, {}, &Fault::at));
        EXPECT_LT(plan.faults.back().at, plan.quiet_from);
        EXPECT_LE(std::ranges::count_if(plan.faults, [](const Fault& f) { return is_of_medium(f.kind); }), 1);
        families.insert(plan.scenario);
    }
    EXPECT_GE(families.size(), 9U);
    EXPECT_FALSE(families.contains(""));
}

TEST(Plan, AimedScenariosWaitForTheirMoments) {
    std::set<std::string_view> families;
    std::set<Moment> moments;
    for (std::uint64_t seed = kFirstAimedSeed; seed < kFirstAimedSeed + 60; ++seed) {
        const Plan plan = draw_plan(seed);
        EXPECT_EQ(with_only(plan, parts_of(plan)), plan) << "each fault has a number of its own";
        EXPECT_LE(std::ranges::count_if(plan.faults, [](const Fault& f) { return is_of_medium(f.kind); }), 1);
        families.insert(plan.scenario);
        for (const Fault& fault : plan.faults) moments.insert(fault.waits_for);
    }
    EXPECT_EQ(families.size(), 6U);
    EXPECT_THAT(moments, testing::IsSupersetOf({Moment::kStands, Moment::kElected, Moment::kOldAcknowledged, Moment::kInstalled}));
}

TEST(Plan, EveryKindOfFaultHasAName) {
    std::set<std::string_view> names;
    for (std::size_t kind = 0; kind < kFaultKinds; ++kind) names.insert(to_string(static_cast<FaultKind>(kind)));
    EXPECT_EQ(names.size(), kFaultKinds);
    EXPECT_FALSE(names.contains(""));
    EXPECT_EQ(to_string(FaultKind::kSwitchOver), "switch_over");
}

TEST(Plan, RottenScenariosSpoilAStateOrAnOnlyLog) {
    for (std::uint64_t seed = kFirstRottenSeed; seed < kFirstRottenSeed + 40; ++seed) {
        const Plan plan = draw_plan(seed);
        const auto spoilt = std::ranges::find_if(plan.faults, [](const Fault& f) { return is_of_medium(f.kind); });
        ASSERT_NE(spoilt, plan.faults.end());
        EXPECT_THAT(spoilt->kind, testing::AnyOf(FaultKind::kDamage, FaultKind::kRotState, FaultKind::kRotVote));
        EXPECT_TRUE(plan.nodes.size() != 1 || spoilt->amount == 2) << "of an only voter's log, what a person has to give up";
        EXPECT_EQ(with_only(plan, parts_of(plan)), plan);
    }
}

TEST(Plan, StreamsOfRandomNumbersDoNotDependOnEachOther) {
    Random one = random_for(1, 1), other = random_for(1, 2);
    EXPECT_NE(one.next(), other.next());
}

}  // namespace
}  // namespace tanist::sim

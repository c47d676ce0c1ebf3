// SPDX-License-Identifier: Apache-2.0
#include "sim/coverage.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <vector>

namespace tanist::sim {
namespace {

using core::VoteFound;

std::vector<std::string> met(const Coverage& coverage) {
    const auto points = Coverage::points();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::uint64_t n = 0; n < coverage.count(i); ++n) names.push_back(points[i].name);
    }
    return names;
}

TEST(Coverage, NamesEveryPointDifferently) {
    std::set<std::string> names;
    for (const auto& point : Coverage::points()) EXPECT_TRUE(names.insert(point.name).second) << point.name;
}

TEST(Coverage, CountsFaultsMessagesWhatTheySayStartsAndDecisions) {
    Coverage coverage;
    coverage.on_fault(FaultKind::kBridge);
    coverage.on_sent(core::VoteReply{.granted = true, .rank = {}});
    coverage.on_sent(core::Hello{});
    coverage.on_started(VoteFound::kKept, Tail::kInDoubt, false);
    coverage.on_notice("stepped down node=1 epoch=3 reason=\"no majority\"");
    coverage.on_notice("a sentence that nobody listed");
    EXPECT_THAT(met(coverage),
                testing::ElementsAre("bridge", "Hello", "VoteReply", "vote_granted", "vote_kept+in_doubt", "\"stepped down\""));
}

TEST(Coverage, ARunThatMissesAPointNamesItAndFailsWhenItHadSeedsEnough) {
    const auto points = Coverage::points();
    std::vector<std::uint64_t> counts(points.size(), 1);
    EXPECT_EQ(missed(counts), std::vector<std::string>{});
    const auto refuse = std::ranges::find(points, "refuse", &Coverage::Point::name);
    counts[static_cast<std::size_t>(refuse - points.begin())] = 0;
    EXPECT_THAT(missed(counts), testing::ElementsAre("refuse"));
}

TEST(Coverage, WhatCannotHappenIsNotMissed) {
    const auto points = Coverage::points();
    std::vector<std::uint64_t> counts(points.size(), 1);
    const auto refused = std::ranges::find(points, "vote_kept+corrupt+only_voter", &Coverage::Point::name);
    ASSERT_NE(refused, points.end());
    counts[static_cast<std::size_t>(refused - points.begin())] = 0;
    EXPECT_EQ(missed(counts), std::vector<std::string>{});
    EXPECT_EQ(missed(counts, false), std::vector<std::string>{"vote_kept+corrupt+only_voter"});
}

TEST(Coverage, OnlySeedsThatDrawEverythingCount) {
    EXPECT_FALSE(must_meet_all(1, 999));
    EXPECT_FALSE(must_meet_all(1, kSeedsThatMeetAll));
    EXPECT_TRUE(must_meet_all(1, 999 + kSeedsThatMeetAll));
    EXPECT_TRUE(must_meet_all(5000, kSeedsThatMeetAll));
    EXPECT_FALSE(must_meet_all(5000, kSeedsThatMeetAll - 1));
    EXPECT_FALSE(must_meet_all(kFirstScenarioSeed, kSeedsThatMeetAll)) << "each family knows few faults";
}

}  // namespace
}  // namespace tanist::sim

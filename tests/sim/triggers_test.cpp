// SPDX-License-Identifier: Apache-2.0
#include "sim/triggers.h"

#include <gmock/gmock.h>

#include <vector>

namespace tanist::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr NodeId kNode1{1}, kNode2{2};

TEST(Triggers, BeginOnceWhenTheMomentHasComeOftenEnoughWhereItHasTo) {
    Triggers triggers;
    std::vector<NodeId> began;
    triggers.arm(Moment::kElected, kNode1, 2, [&](NodeId at) { began.push_back(at); });
    triggers.on(Moment::kElected, kNode1);
    triggers.on(Moment::kElected, kNode2);
    triggers.on(Moment::kLogCut, kNode1);
    EXPECT_THAT(began, IsEmpty());
    triggers.on(Moment::kElected, kNode1);
    triggers.on(Moment::kElected, kNode1);
    EXPECT_THAT(began, ElementsAre(kNode1));
}

TEST(Triggers, AnyNodeWillDoWhereNoneIsNamed) {
    Triggers triggers;
    std::vector<NodeId> began;
    triggers.arm(Moment::kLogCut, NodeId{}, 1, [&](NodeId at) { began.push_back(at); });
    triggers.on(Moment::kLogCut, kNode2);
    EXPECT_THAT(began, ElementsAre(kNode2));
}

TEST(Triggers, NothingBeginsOnceTheyAreDisarmed) {
    Triggers triggers;
    std::vector<NodeId> began;
    triggers.arm(Moment::kLogCut, NodeId{}, 1, [&](NodeId at) { began.push_back(at); });
    triggers.disarm();
    triggers.on(Moment::kLogCut, kNode2);
    EXPECT_THAT(began, IsEmpty());
}

}  // namespace
}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <gmock/gmock.h>

namespace tanist::sim {
namespace {

using testing::ElementsAre;

TEST(World, RunsInTheOrderOfTimeAndThenOfAsking) {
    World world(false);
    std::vector<int> ran;
    world.at(20us, [&] { ran.push_back(3); });
    world.at(10us, [&] { ran.push_back(1); });
    world.at(10us, [&] {
        ran.push_back(2);
        world.after(0us, [&] { ran.push_back(20); });
    });
    world.run_until(1s);
    EXPECT_THAT(ran, ElementsAre(1, 2, 20, 3));
    EXPECT_EQ(world.now(), 1s);
}

TEST(World, StopsAtTheFirstFailureAndKeepsIt) {
    World world(false);
    world.at(1us, [&] {
        world.fail("first {}", 1);
        world.fail("second");
    });
    world.at(2us, [&] { FAIL() << "ran on"; });
    world.run_until(1s);
    EXPECT_EQ(world.failure(), "first 1");
}

TEST(Trace, HashesWhatIsNotedWhetherItIsPrintedOrNot) {
    World one(false), same(false), other(false);
    one.note("node {} {}", 1, std::string("starts"));
    same.note("node {} {}", 1, std::string("starts"));
    other.note("node {} {}", 2, std::string("starts"));
    EXPECT_EQ(one.trace().hash(), same.trace().hash());
    EXPECT_NE(one.trace().hash(), other.trace().hash());
}

}  // namespace
}  // namespace tanist::sim

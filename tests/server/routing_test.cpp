// SPDX-License-Identifier: Apache-2.0
#include "server/routing.h"

#include <gtest/gtest.h>

#include "tests/server/views.h"

namespace tanist::server {
namespace {

constexpr NodeId kSelf{1}, kSlave{2};
constexpr std::uint64_t kUpMs = 3'600'000;

core::View master_with_a_slave(Lsn commit, Lsn applied_there) {
    core::View view = open_master();
    view.self = {kSelf, {1}};
    view.commit = view.applied = commit;
    view.peers.push_back({.id = {kSlave, {1}}, .applied = applied_there});
    return view;
}

TEST(Routing, TellsWhatTheSlavesLag) {
    Routing routing;
    std::uint64_t now_ms = kUpMs;
    for (std::uint64_t lsn = 100; lsn < 1100; lsn += 10, now_ms += 10) routing.refresh(master_with_a_slave({lsn}, {lsn - 30}), now_ms);
    EXPECT_EQ(routing.lag_ms(kSelf), std::nullopt) << "it serves no reads";
    EXPECT_EQ(routing.lag_ms(), 0U);
    ASSERT_TRUE(routing.lag_ms(kSlave));
    EXPECT_GE(*routing.lag_ms(kSlave), 30U);
    EXPECT_LE(*routing.lag_ms(kSlave), 50U) << "though it has never been seen to have applied all";
}

/// It has heard no master since it started, for it was one.
TEST(Routing, AMasterThatStepsDownLagsSinceThen) {
    Routing routing;
    routing.refresh(master_with_a_slave({100}, {100}), kUpMs);
    core::View stepped_down;
    stepped_down.self = {kSelf, {1}};
    stepped_down.commit = stepped_down.applied = stepped_down.master_commit = {100};
    stepped_down.silence_ms = kUpMs;
    routing.refresh(stepped_down, kUpMs + 70);
    EXPECT_EQ(routing.lag_ms(), 70U);
}

}  // namespace
}  // namespace tanist::server

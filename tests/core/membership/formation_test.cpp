// SPDX-License-Identifier: Apache-2.0
// How a cluster forms, and who stays out (S1, S2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/cluster.h"

namespace tanist::core::testing {
namespace {

using enum ConfiguredRole;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr NodeId k1{1}, k2{2}, k3{3};

TEST(Formation, FormsWhenAllAreThereAndTheConfiguredMasterStandsFirst) {  // S2
    Cluster c({.roles = {kSlave, kMaster, kSlave}});
    ASSERT_TRUE(c.settle(100));
    EXPECT_EQ(c.master(), k2);
    EXPECT_EQ(c.node(k2).epoch(), Epoch{1});
    EXPECT_THAT(c.failures(), IsEmpty());
}

TEST(Formation, WaitsForAllConfiguredNodes) {  // S2
    Cluster c({.roles = {kMaster, kSlave, kSlave}});
    c.kill(k3);
    c.wipe(k3);
    c.run(1);
    Cluster d({.roles = {kMaster, kSlave, kSlave}});
    d.isolate(k3);
    d.run(100);
    EXPECT_FALSE(d.master());
    EXPECT_EQ(d.node(k1).view().health, Health::kForming);
    EXPECT_THAT(d.node(k1).view().why, HasSubstr("3"));
    d.heal();
    EXPECT_TRUE(d.settle(100));
}

TEST(Formation, ASingleNodeIsACluster) {
    Cluster c({.roles = {kMaster}});
    ASSERT_TRUE(c.settle(50));
    EXPECT_EQ(c.replies[c.propose(k1, "x")], "accepted");
}

TEST(Formation, WrongNumberOfMastersStopsEveryNode) {  // exit 2
    for (const auto& roles : {std::vector{kMaster, kMaster, kSlave}, std::vector{kSlave, kSlave, kSlave}}) {
        Cluster c({.roles = roles});
        c.run(30);
        for (const NodeId node : {k1, k2, k3}) EXPECT_FALSE(c.running(node));
        std::size_t stops = 0;
        for (const std::string& line : c.take_transcript()) stops += line.find("Stop 2") != std::string::npos ? 1 : 0;
        EXPECT_EQ(stops, 3U);
    }
}

TEST(Formation, WipedNodeStaysOutAndSaysWhy) {  // S1, S2
    Cluster c({.roles = {kMaster, kSlave, kSlave}});
    ASSERT_TRUE(c.settle(100));
    c.kill(k3);
    c.wipe(k3);
    c.start(k3);
    c.run(50);
    EXPECT_EQ(c.node(k3).view().health, Health::kForming);
    EXPECT_THAT(c.node(k3).view().why, HasSubstr("another data directory"));
    for (const PeerView& peer : c.node(k1).view().peers) {
        EXPECT_THAT(peer.refusal, peer.id.node == k3 ? HasSubstr("another data directory") : HasSubstr(""));
    }
    c.kill(k2);  // and its vote counts for nothing
    c.run(100);
    EXPECT_FALSE(c.master());
}

TEST(Formation, TwoWipedDisksNeverFoundARival) {  // S2
    Cluster c({.roles = {kMaster, kSlave, kSlave}});
    ASSERT_TRUE(c.settle(100));
    c.propose(k1, "x");
    ASSERT_TRUE(c.settle(100));
    for (const NodeId node : {k1, k2}) {
        c.kill(node);
        c.wipe(node);
        c.start(node);
    }
    c.run(200);
    EXPECT_FALSE(c.master());
    EXPECT_FALSE(c.disk(k1).identity.founding);
    EXPECT_FALSE(c.disk(k2).identity.founding);
}

TEST(Formation, FounderThatMissedTheProposalIsTold) {  // S2
    Cluster c({.roles = {kMaster, kSlave, kSlave}});
    bool cut = false;
    for (int i = 0; i < 50 && !cut; ++i) {
        c.run(1);
        if (c.disk(k1).identity.founding && !c.disk(k3).identity.founding) cut = true;
    }
    c.isolate(k3);
    c.run(30);
    c.heal();
    EXPECT_TRUE(c.settle(100));
    EXPECT_TRUE(c.disk(k3).identity.founding);
}

TEST(Formation, WitnessStoresTheLogAndNeverBecomesMaster) {
    Cluster c({.roles = {kMaster, kSlave, kWitness}});
    ASSERT_TRUE(c.settle(100));
    c.propose(k1, "x");
    ASSERT_TRUE(c.settle(100));
    EXPECT_EQ(c.disk(k3).applied.lsn, Lsn{0});
    EXPECT_EQ(c.disk(k3).last(), c.disk(k1).last());
    c.kill(k1);
    ASSERT_TRUE(c.settle(100));
    EXPECT_EQ(c.master(), k2);
    c.kill(k2);
    c.run(200);
    EXPECT_FALSE(c.master());
}

TEST(Formation, SpareFollowsAndDoesNotVote) {
    Cluster c({.roles = {kMaster, kSlave, kSlave, kSpare}});
    ASSERT_TRUE(c.settle(100));
    c.kill(k1);
    ASSERT_TRUE(c.settle(100));
    EXPECT_EQ(c.disk({4}).applied.lsn, c.disk(*c.master()).applied.lsn);
    c.kill(*c.master());
    c.run(200);
    EXPECT_FALSE(c.master()) << "one voter and a spare are no majority of three";
}

}  // namespace
}  // namespace tanist::core::testing

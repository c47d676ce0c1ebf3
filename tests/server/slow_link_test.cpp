// SPDX-License-Identifier: Apache-2.0
// A large entry on slow links between the nodes: it takes many election timeouts, and deposes nobody (S13, S16).
#include <gtest/gtest.h>

#include <map>

#include "tests/server/cluster.h"
#include "tests/server/throttled_relay.h"

namespace tanist::server {
namespace {

using testing::Cluster;
using testing::RespClient;
using testing::ThrottledRelay;

constexpr std::size_t kBytesPerSecond = 20'000'000 / 8;

TEST(SlowLink, AValueThatTakesManyElectionTimeoutsDeposesNobody) {  // S13, S16
    std::map<std::pair<NodeId, NodeId>, std::unique_ptr<ThrottledRelay>> links;
    Cluster cluster(3, [&](config::Config& config) {
        for (config::ClusterNode& node : config.cluster.nodes) {
            if (node.id == config.node.id) continue;
            auto& link = links[{config.node.id, node.id}];
            if (link == nullptr) link = std::make_unique<ThrottledRelay>(node.peer.port, kBytesPerSecond);
            node.peer.port = link->port();
        }
    });
    ASSERT_EQ(cluster.await_master(), 1U);
    const Epoch before = cluster.native(1).call(testing::get("nothing")).epoch;

    RespClient writer = cluster.resp(1);
    writer.send({"SET", "large", std::string(8 << 20, 'x')});  // 3.4 s on its way to each slave
    RespClient reader = cluster.resp(1);
    ASSERT_EQ(reader.call({"TANIST.READS", "linearizable"}), "+OK\r\n");
    for (int i = 0; i < 10; ++i) EXPECT_EQ(reader.call({"GET", "nothing"}), "$-1\r\n") << "a majority is confirmed meanwhile";
    EXPECT_EQ(writer.reply(), "+OK\r\n");

    EXPECT_EQ(cluster.native(1).call(testing::get("nothing")).epoch, before) << "no election";
    ASSERT_TRUE(cluster.await_reads(2));
    EXPECT_TRUE(testing::eventually([&] { return cluster.resp(2).call({"STRLEN", "large"}) == ":8388608\r\n"; }));
}

}  // namespace
}  // namespace tanist::server

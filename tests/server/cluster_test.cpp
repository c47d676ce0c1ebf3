// SPDX-License-Identifier: Apache-2.0
// Three servers in this process: replication, redirects, failover, reads on slaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/frame.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using namespace protocol;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ThreeNodes : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(cluster_.await_master(), 1u);  // the node whose role says so stands first
        for (std::size_t node = 1; node <= 3; ++node) ASSERT_TRUE(cluster_.await_reads(node)) << node;
    }
    bool eventually_reads(std::size_t node, const std::string& key, const std::string& reply) {
        return eventually([&] { return cluster_.resp(node).call({"GET", key}) == reply; });
    }
    Cluster cluster_{3};
};

TEST_F(ThreeNodes, AWriteOnTheMasterIsReadOnEverySlave) {
    EXPECT_EQ(cluster_.resp(1).call({"SET", "k", "v"}), "+OK\r\n");
    for (std::size_t node = 1; node <= 3; ++node) EXPECT_TRUE(eventually_reads(node, "k", "$1\r\nv\r\n")) << node;
}

TEST_F(ThreeNodes, ASlaveRefusesWritesAndSaysWhereTheMasterIs) {  // S19
    EXPECT_THAT(cluster_.resp(2).call({"SET", "k", "v"}),
                AllOf(StartsWith("-READONLY"), HasSubstr(fmt::format("127.0.0.1:{}", cluster_.client_port(1)))));
    const auto reply = cluster_.native(3).call(put("k", "v"));
    ASSERT_EQ(error_code(reply), native::Code::kNotMaster);
    const auto& topology = std::get<native::ErrorReply>(reply.body).topology;
    ASSERT_TRUE(topology);
    EXPECT_EQ(topology->master, NodeId{1});
    EXPECT_EQ(topology->epoch, reply.epoch);
    ASSERT_EQ(topology->nodes.size(), 3u);
    EXPECT_EQ(topology->nodes[0].client, fmt::format("127.0.0.1:{}", cluster_.client_port(1)));
    EXPECT_THAT(cluster_.resp(2).call({"ROLE"}), StartsWith("*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n"));
}

TEST_F(ThreeNodes, ASessionTokenFromTheMasterIsHonouredOnASlave) {  // S18
    NativeClient master = cluster_.native(1), slave = cluster_.native(2);
    for (int i = 0; i < 50; ++i) {
        const std::string value = std::to_string(i);
        const Rank at = master.call(put("k", value)).at;
        native::Request read = get("k");
        read.token = at;
        const auto reply = slave.call(read);
        ASSERT_EQ(std::get<native::Value>(reply.body).value, value);
        EXPECT_GE(reply.at, at);
    }
    native::Request from_nowhere = get("k");
    from_nowhere.token = Rank{Epoch{0}, Lsn{1'000'000}};
    EXPECT_EQ(error_code(slave.call(from_nowhere)), native::Code::kStaleToken);
}

TEST_F(ThreeNodes, ALinearizableReadOnASlaveSeesWhatWasAcknowledgedBefore) {  // S18
    NativeClient master = cluster_.native(1), slave = cluster_.native(3);
    for (int i = 0; i < 50; ++i) {
        const std::string value = std::to_string(i);
        ASSERT_FALSE(error_code(master.call(put("k", value))));
        native::Request read = get("k");
        read.read_level = native::ReadLevel::kLinearizable;
        EXPECT_EQ(std::get<native::Value>(slave.call(read).body).value, value);
    }
}

TEST_F(ThreeNodes, LevelAllIsReachedWhenEveryNodeIsThereAndNamedWhenNot) {  // S20
    NativeClient master = cluster_.native(1);
    native::Request write = put("k", "v");
    write.write_level = native::WriteLevel::kAll;
    EXPECT_EQ(master.call(write).level_reached, native::WriteLevel::kAll);
    cluster_.kill(3);
    write.deadline_ms = 300;
    const auto reply = master.call(write);
    EXPECT_FALSE(error_code(reply));
    EXPECT_EQ(reply.level_reached, native::WriteLevel::kQuorum);
}

TEST_F(ThreeNodes, WhenTheMasterDiesAnotherTakesOverAndNoAcknowledgedWriteIsLost) {
    RespClient client = cluster_.resp(1);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(client.call({"SET", "key" + std::to_string(i), "v"}), "+OK\r\n");
    cluster_.kill(1);
    const std::size_t master = cluster_.await_master();
    ASSERT_NE(master, 0u);
    ASSERT_NE(master, 1u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(cluster_.resp(master).call({"GET", "key" + std::to_string(i)}), "$1\r\nv\r\n");

    EXPECT_EQ(cluster_.resp(master).call({"SET", "after", "1"}), "+OK\r\n");
    cluster_.start(1);  // comes back as a slave by itself
    ASSERT_TRUE(eventually_reads(1, "after", "$1\r\n1\r\n"));
    EXPECT_THAT(cluster_.resp(1).call({"SET", "k", "v"}), StartsWith("-READONLY"));
}

TEST_F(ThreeNodes, WithoutAMajorityWritesEndUnknownOrWithoutQuorumAndReadsGoOn) {  // S16, S19, S20
    ASSERT_EQ(cluster_.resp(1).call({"SET", "k", "v"}), "+OK\r\n");
    RespClient client = cluster_.resp(1);
    cluster_.kill(2);
    cluster_.kill(3);
    EXPECT_THAT(client.call({"SET", "k", "w"}), StartsWith("-UNKNOWN"));
    EXPECT_EQ(client.reply(), "");  // a demoted master closes its Redis clients' connections
    EXPECT_THAT(cluster_.resp(1).call({"SET", "k", "x"}), StartsWith("-NOQUORUM"));
    EXPECT_EQ(error_code(cluster_.native(1).call(put("k", "x"))), native::Code::kNoQuorum);
    EXPECT_EQ(cluster_.resp(1).call({"GET", "k"}), "$1\r\nv\r\n");
    native::Request linearizable = get("k");
    linearizable.read_level = native::ReadLevel::kLinearizable;
    EXPECT_EQ(error_code(cluster_.native(1).call(linearizable)), native::Code::kNoQuorum);
    cluster_.start(2);
    ASSERT_NE(cluster_.await_master(), 0u);  // one slave is back: writes go on
}

native::Request switchover(std::uint64_t target) { return {.body = native::Switchover{{target}}}; }

TEST_F(ThreeNodes, ASwitchoverIsAnsweredWhenTheNewMasterTakesWritesAndNoWriteFailsByIt) {  // S17
    NativeClient operator_client = cluster_.native(1), writer = cluster_.native(1);
    operator_client.send(switchover(2));
    std::size_t sent = 0;
    for (; sent < 200; ++sent) writer.send(put("key" + std::to_string(sent), "v"));
    const auto done = operator_client.reply();
    ASSERT_TRUE(done && std::holds_alternative<native::SwitchoverReply>(done->body)) << static_cast<int>(*error_code(*done));
    EXPECT_EQ(std::get<native::SwitchoverReply>(done->body).master, NodeId{2});
    EXPECT_FALSE(error_code(cluster_.native(2).call(put("after", "v"))));
    for (std::size_t i = 0; i < sent; ++i) {
        const auto reply = writer.reply();
        ASSERT_TRUE(reply);
        if (!error_code(*reply)) continue;
        ASSERT_EQ(error_code(*reply), native::Code::kNotMaster);  // nothing was executed, and the way to the new master is known
        EXPECT_EQ(std::get<native::ErrorReply>(reply->body).topology->master, NodeId{2});
    }
}

TEST_F(ThreeNodes, ASwitchoverCanBeAskedOfAnyNodeEvenOfItsTarget) {  // S17
    for (const std::uint64_t target : {3u, 1u, 2u}) {
        native::Reply done;
        ASSERT_TRUE(eventually([&] {  // the target may be catching up yet
            done = cluster_.native(3).call(switchover(target));
            return std::holds_alternative<native::SwitchoverReply>(done.body);
        })) << target;
        EXPECT_EQ(std::get<native::SwitchoverReply>(done.body).master, NodeId{target});
    }
}

TEST_F(ThreeNodes, ASwitchoverThatCannotBeIsRefusedWithTheReason) {
    EXPECT_EQ(error_code(cluster_.native(2).call(switchover(9))), native::Code::kInvalidRequest);  // its master's answer
    EXPECT_EQ(error_code(cluster_.native(1).call(switchover(9))), native::Code::kInvalidRequest);
    cluster_.kill(3);
    ASSERT_TRUE(eventually([&] { return error_code(cluster_.native(1).call(switchover(3))) == native::Code::kNotPossible; }));
    EXPECT_EQ(cluster_.resp(1).call({"SET", "k", "v"}), "+OK\r\n");
}

TEST_F(ThreeNodes, AMasterThatIsShutDownHandsOverFirstAndAnswersWhatItHolds) {  // SIGTERM
    NativeClient writer = cluster_.native(1);
    std::size_t sent = 0;
    for (; sent < 200; ++sent) writer.send(put("key" + std::to_string(sent), "v"));
    EXPECT_EQ(cluster_.running(1).shut_down(), kExitClean);
    for (std::size_t i = 0; i < sent; ++i) {
        const auto reply = writer.reply();
        if (!reply) break;  // not read any more: it came after the end
        if (error_code(*reply)) {
            EXPECT_EQ(error_code(*reply), native::Code::kNotMaster);
        }
    }
    const std::size_t master = cluster_.await_master(1);
    ASSERT_NE(master, 0u);
    EXPECT_EQ(cluster_.resp(master).call({"SET", "k", "v"}), "+OK\r\n");
}

TEST_F(ThreeNodes, StatusOnTheMasterKnowsEveryNode) {
    ASSERT_TRUE(eventually([&] {
        const auto reply = cluster_.native(1).call({.body = native::StatusRequest{}});
        const auto& status = std::get<native::StatusReply>(reply.body);
        return status.nodes.size() == 3 && std::ranges::all_of(status.nodes, [](const native::NodeStatus& node) {
                   return node.state == native::NodeState::kUp && node.applied && node.lag_entries == 0u && node.lag_ms;
               });
    }));
}

TEST_F(ThreeNodes, AStrangerOnThePeerPortIsToldWhyItIsRefused) {
    config::Config config = cluster_.config(2);  // a second node 2
    TemporaryDirectory directory;
    config.node.data_dir = directory.path() + "/twin";
    PortReservation client, peer;
    config.listen.client.port = client.port();
    config.listen.peer.port = peer.port();
    auto opened = Server::open(config);
    ASSERT_TRUE(opened) << opened.error().message;
    const RunningServer twin(std::move(*opened));
    EXPECT_EQ(cluster_.resp(1).call({"SET", "k", "v"}), "+OK\r\n");
    EXPECT_THAT(RespClient(client.port()).call({"GET", "k"}), StartsWith("-TRYAGAIN"));  // never in sync: no "not found"
}

TEST(TwoNodes, ASlaveBehindCatchesUpFromTheLogOnDisk) {
    Cluster cluster(3, [](config::Config& config) { config.replication.memory_tail_bytes = 1 << 20; });
    ASSERT_EQ(cluster.await_master(), 1u);
    ASSERT_TRUE(cluster.await_reads(3));
    cluster.kill(3);
    RespClient client = cluster.resp(1);
    const std::string value(100'000, 'x');
    for (int i = 0; i < 60; ++i) ASSERT_EQ(client.call({"SET", "key" + std::to_string(i), value}), "+OK\r\n");
    cluster.start(3);
    EXPECT_TRUE(eventually([&] { return cluster.resp(3).call({"GET", "key59"}).size() > value.size(); }));
}

}  // namespace
}  // namespace tanist::server::testing

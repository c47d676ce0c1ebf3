// SPDX-License-Identifier: Apache-2.0
#include "config/validate.h"

#include <gmock/gmock.h>

#include "tests/config/config_files.h"

namespace tanist::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kThree = "cluster.nodes=1@10.0.0.1:7501,2@10.0.0.2:7501,3@10.0.0.3:7501";

TEST(Validate, RefusesANodeThatItsClusterDoesNotKnow) {
    EXPECT_EQ(mistakes_of({"node.id=4"}), "--set: node.id = 4: must be one of the ids in cluster.nodes: 1, 2");
}

TEST(Validate, RefusesTwoNodesWithOneIdOrOneAddress) {
    EXPECT_EQ(mistakes_of({"cluster.nodes=1@127.0.0.1:7501,2@b:1,2@c:1"}),
              "--set: cluster.nodes = [\"1@127.0.0.1:7501\", \"2@b:1\", \"2@c:1\"]: must name each node once: id 2 is there twice");
    EXPECT_THAT(mistakes_of({"cluster.nodes=1@127.0.0.1:7501,2@b:1,3@b:1"}),
                HasSubstr("must give each node an address of its own: nodes 2 and 3 share b:1"));
}

TEST(Validate, NamesTheFileAndLineOfTheKeyThatDoesNotFit) {
    EXPECT_THAT(mistakes_in("[node]\nid = 3\ndata_dir = \"d\"\n[cluster]\nnodes = [\"1@127.0.0.1:7501\"]\n"),
                StartsWith("node.toml:2: node.id = 3: must be one of the ids in cluster.nodes: 1"));
}

TEST(Validate, RefusesAPeerAddressOtherThanTheClusters) {
    EXPECT_THAT(
        mistakes_of({"listen.peer=127.0.0.1:7502", "cluster.nodes=1@127.0.0.1:7501"}),
        StartsWith("--set: listen.peer = \"127.0.0.1:7502\": must be the address that cluster.nodes gives for node 1: 127.0.0.1:7501; "
                   "where other nodes reach it under another address, set advertise.peer"));
    EXPECT_THAT(mistakes_of({std::string(kThree)}), StartsWith("default: listen.peer = \"127.0.0.1:7501\": must be the address"));
    EXPECT_EQ(mistakes_of({std::string(kThree), "listen.peer=10.0.0.1:7501"}), "");
}

TEST(Validate, TakesAWildcardOrAnAdvertisedAddressForTheClusters) {
    EXPECT_EQ(mistakes_of({std::string(kThree), "listen.peer=0.0.0.0:7501"}), "");
    EXPECT_EQ(mistakes_of({std::string(kThree), "listen.peer=[::]:7501"}), "");
    EXPECT_NE(mistakes_of({std::string(kThree), "listen.peer=0.0.0.0:7999"}), "");
    EXPECT_EQ(mistakes_of({std::string(kThree), "listen.peer=0.0.0.0:7999", "advertise.peer=10.0.0.1:7501"}), "");
    EXPECT_THAT(
        mistakes_of({std::string(kThree), "advertise.peer=10.0.0.9:7501"}),
        StartsWith("--set: advertise.peer = \"10.0.0.9:7501\": must be the address that cluster.nodes gives for node 1: 10.0.0.1:7501"));
}

TEST(Validate, RefusesTwoServicesOnOnePort) {
    EXPECT_EQ(mistakes_of({"listen.http=127.0.0.1:7401"}),
              "--set: listen.http = \"127.0.0.1:7401\": must differ from listen.client: each service has a port of its own");
    EXPECT_NE(mistakes_of({"listen.http=0.0.0.0:7401"}), "");
    EXPECT_EQ(mistakes_of({"listen.http=127.0.0.2:7401"}), "");
    EXPECT_EQ(mistakes_of({"listen.http=127.0.0.1:0", "listen.client=127.0.0.1:0"}), "");
}

TEST(Validate, WantsAClientAddressUnlessTheNodeIsAWitness) {
    EXPECT_EQ(mistakes_of({"listen.client="}), "--set: listen.client = \"\": must be given: a node cannot work without it");
    EXPECT_EQ(mistakes_of({"listen.client=", "node.role=witness"}), "");
    EXPECT_NE(mistakes_of({"listen.peer="}), "");
    EXPECT_EQ(mistakes_of({"listen.http="}), "");
}

TEST(Validate, RefusesToAdvertiseWhatNobodyCanReach) {
    EXPECT_NE(mistakes_of({"advertise.client=0.0.0.0:7401"}), "");
    EXPECT_NE(mistakes_of({"advertise.client=db1:0"}), "");
    EXPECT_EQ(mistakes_of({"advertise.client=db1:7401"}), "");
    EXPECT_THAT(mistakes_of({"advertise.sentinel=db1:7701"}), HasSubstr("must be left out: listen.sentinel is not served"));
}

TEST(Validate, WantsThreeHeartbeatsWithinAnElectionTimeout) {
    EXPECT_EQ(mistakes_of({"failover.heartbeat_ms=100", "failover.election_timeout_ms=300"}), "");
    EXPECT_EQ(
        mistakes_of({"failover.heartbeat_ms=100", "failover.election_timeout_ms=299"}),
        "--set: failover.election_timeout_ms = 299: must be at least 3 x failover.heartbeat_ms = 300, or one lost heartbeat can start "
        "an election");
    EXPECT_THAT(mistakes_of({"failover.heartbeat_ms=500"}), StartsWith("default: failover.election_timeout_ms = 1000: must be at least"));
}

TEST(Validate, WantsALagThatASlaveCanKnow) {
    EXPECT_EQ(mistakes_of({"reads.max_lag_ms=200"}), "");
    EXPECT_THAT(mistakes_of({"reads.max_lag_ms=199"}), HasSubstr("must be 0 or at least 2 x failover.heartbeat_ms = 200"));
}

TEST(Validate, WantsEnoughMemoryForAHotSetOrNoneNamed) {
    EXPECT_EQ(mistakes_of({"memory.max=0"}), "");
    EXPECT_EQ(mistakes_of({"memory.max=1048576"}), "");
    EXPECT_THAT(mistakes_of({"memory.max=1048575"}), HasSubstr("must be 0, for a quarter of the machine's memory, or at least 1048576"));
}

TEST(Validate, WantsRoomForOnePutInARequestAndForOneRequestInWhatIsPending) {  // S12
    EXPECT_EQ(mistakes_of({"limits.key_bytes=1000", "limits.value_bytes=1000", "limits.request_bytes=2001"}), "");
    EXPECT_THAT(mistakes_of({"limits.key_bytes=1000", "limits.value_bytes=1000", "limits.request_bytes=2000"}),
                HasSubstr("must be more than limits.key_bytes + limits.value_bytes = 2000"));
    EXPECT_THAT(mistakes_of({"limits.pending_bytes=2000000"}), HasSubstr("must be at least limits.request_bytes = 25165824"));
}

TEST(Validate, ChecksAConfigurationPutTogetherByHand) {
    Config config;
    config.node.id = NodeId{1};
    config.cluster.nodes = {{NodeId{1}, {"127.0.0.1", 7501}}};
    EXPECT_TRUE(validate(config));
    config.node.id = NodeId{2};
    EXPECT_EQ(validate(config).error().message, "node.id = 2: must be one of the ids in cluster.nodes: 1");
}

TEST(Endpoints, AreHostAndPortWithIPv6InBrackets) {
    for (const std::string good : {"127.0.0.1:0", "localhost:65535", "db_1.example.org:7401", "[::1]:7401", "[fd00::1]:1"}) {
        const auto config = load_set({"listen.client=" + good});
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->listen.client.to_string(), good);
    }
    for (const std::string bad : {"127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", ":7401", "::1:7401", "[::1]", "[]:7401",
                                  "[1.2.3]:1", "a b:7401", "http://a:7401", "a:7401/", "7401"}) {
        EXPECT_THAT(mistakes_of({"listen.client=" + bad}), HasSubstr("must be \"host:port\" with a port of 0 .. 65535")) << bad;
    }
}

TEST(ClusterNodes, NeedAnIdAndAnAddressToConnectTo) {
    for (const std::string bad : {"127.0.0.1:7501", "0@127.0.0.1:7501", "x@127.0.0.1:7501", "1@127.0.0.1:0", "1@0.0.0.0:7501",
                                  "1@[::]:7501", "1@127.0.0.1", "4294967296@127.0.0.1:7501", "1@127.0.0.1:7501,"}) {
        EXPECT_THAT(mistakes_of({"cluster.nodes=" + bad}), HasSubstr("must be a list of 1 .. 64 times \"id@host:port\"")) << bad;
    }
}

TEST(ClusterName, IsAWordThatFitsIntoLogsAndProtocols) {
    EXPECT_EQ(mistakes_of({"cluster.name=" + std::string(64, 'a')}), "");
    for (const std::string& bad : {std::string(65, 'a'), std::string("two words"), std::string(""), std::string("a\nb")}) {
        EXPECT_THAT(mistakes_of({"cluster.name=" + bad}), HasSubstr("must be a name of 1 .. 64 letters")) << bad;
    }
}

TEST(Addresses, AreWhatListensUnlessOthersMustUseAnother) {
    const auto config =
        load_set({std::string(kThree), "listen.peer=0.0.0.0:7501", "listen.client=0.0.0.0:7401", "listen.http=127.0.0.1:7601",
                  "listen.sentinel=0.0.0.0:7701", "advertise.sentinel=public.example.org:26379"});
    ASSERT_TRUE(config) << config.error().message;
    const Addresses addresses = config->addresses();
    EXPECT_EQ(addresses.peer, "10.0.0.1:7501");
    EXPECT_EQ(addresses.client, "10.0.0.1:7401");  // a wildcard tells nobody where to go: the host of cluster.nodes does
    EXPECT_EQ(addresses.http, "127.0.0.1:7601");
    EXPECT_EQ(addresses.sentinel, "public.example.org:26379");
}

}  // namespace
}  // namespace tanist::config

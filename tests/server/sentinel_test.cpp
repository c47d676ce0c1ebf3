// SPDX-License-Identifier: Apache-2.0
// The Sentinel port: what Sentinel-aware clients ask of any node, before and after a failover.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "protocol/frame.h"
#include "server/sentinel/rows.h"
#include "server/sentinel/watch.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// -- what a view amounts to -----------------------------------------------------------------------------------------------------------

constexpr MemberId member_id(std::uint64_t node) { return {NodeId{node}, Incarnation{100 + node}}; }

Member member(std::uint64_t node, Seat seat = Seat::kVoter) {
    return {
        .id = member_id(node),
        .seat = seat,
        .addresses = {
            .peer = fmt::format("h{}:5", node), .client = fmt::format("h{}:1", node), .http = {}, .sentinel = fmt::format("h{}:2", node)}};
}

/// Node 2, a slave, that hears node 1 as master and is connected to all.
core::View view_of_a_slave() {
    core::View view{.self = member_id(2),
                    .cluster = ClusterId{7},
                    .epoch = Epoch{3},
                    .health = core::Health::kUp,
                    .master = member_id(1),
                    .in_sync = true};
    view.membership = {.cluster = ClusterId{7}, .cluster_name = "c", .members = {member(1), member(2), member(3)}};
    view.peers = {{.id = member_id(1), .connected = true}, {.id = member_id(3), .connected = true}};
    return view;
}

class WatchTest : public ::testing::Test {
protected:
    void see(core::View view) {
        routing_.refresh(std::move(view), 1'000);
        watch_.refresh();
    }
    Routing routing_;
    std::vector<std::string> events_;
    sentinel::Watch watch_{routing_, "c", [this](std::string_view event, std::string_view message) {
                               events_.push_back(fmt::format("{} {}", event, message));
                           }};
};

TEST_F(WatchTest, TellsNothingBeforeAMasterIsHeard) {
    core::View view = view_of_a_slave();
    view.master.reset();
    see(view);
    EXPECT_FALSE(watch_.topology());
    view.role = core::Role::kMaster;
    view.master = view.self;  // and not open yet
    see(view);
    EXPECT_FALSE(watch_.topology());
}

TEST_F(WatchTest, AMasterThatFallsSilentIsDownAndTheNextOneIsASwitch) {
    see(view_of_a_slave());
    EXPECT_THAT(events_, IsEmpty());
    core::View view = view_of_a_slave();
    view.master.reset();
    view.peers[0].connected = false;
    see(view);
    EXPECT_THAT(events_, ElementsAre("+sdown master c h1 1", "+odown master c h1 1 #quorum 2/2",
                                     "+sdown sentinel " + sentinel::sentinel_id(ClusterId{7}, member_id(1)) + " h1 2 @ c h1 1"));
    EXPECT_EQ(watch_.topology()->master.name(), "h1:1");
    EXPECT_TRUE(watch_.topology()->master.down);
    events_.clear();
    view.master = member_id(3);
    see(view);
    EXPECT_THAT(events_, ElementsAre("+switch-master c h1 1 h3 1", "+slave slave h1:1 h1 1 @ c h3 1", "+sdown slave h1:1 h1 1 @ c h3 1",
                                     "+slave slave h2:1 h2 1 @ c h3 1"));
    events_.clear();
    view.peers[0].connected = true;
    see(view);
    EXPECT_THAT(events_, ElementsAre("-sdown slave h1:1 h1 1 @ c h3 1",
                                     "-sdown sentinel " + sentinel::sentinel_id(ClusterId{7}, member_id(1)) + " h1 2 @ c h3 1"));
}

TEST_F(WatchTest, AMasterThatIsHeardAgainIsUp) {
    see(view_of_a_slave());
    core::View view = view_of_a_slave();
    view.master.reset();
    see(view);
    events_.clear();
    see(view_of_a_slave());
    EXPECT_THAT(events_, ElementsAre("-sdown master c h1 1", "-odown master c h1 1"));
}

TEST_F(WatchTest, ASlaveThatWouldRefuseReadsIsDownAndAWitnessIsNoSlave) {
    core::View view = view_of_a_slave();
    view.membership.members[2].seat = Seat::kWitness;
    view.in_sync = false;
    see(view);
    ASSERT_EQ(watch_.topology()->slaves.size(), 1u);
    EXPECT_EQ(watch_.topology()->slaves[0].name(), "h2:1");
    EXPECT_TRUE(watch_.topology()->slaves[0].down);
    EXPECT_EQ(watch_.topology()->sentinels.size(), 2u);
    EXPECT_EQ(watch_.topology()->reachable_voters, 3u);
}

// -- over the port --------------------------------------------------------------------------------------------------------------------

class SentinelPort : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(cluster_.await_master(), 1u);
        for (std::size_t node = 1; node <= 3; ++node) {
            ASSERT_TRUE(cluster_.await_reads(node)) << node;
            ASSERT_TRUE(eventually([&] { return ask(node, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "test"}) == address_of(1); }));
        }
    }
    RespClient sentinel(std::size_t node) { return RespClient(cluster_.server(node).sentinel_port()); }
    std::string ask(std::size_t node, const std::vector<std::string_view>& words) { return sentinel(node).call(words); }
    std::string address_of(std::size_t node) const {
        const std::string port = std::to_string(cluster_.client_port(node));
        return fmt::format("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{}\r\n", port.size(), port);
    }
    Cluster cluster_{3};
};

TEST_F(SentinelPort, EveryNodeAnswersWhatClientsAskWhenTheyStart) {
    for (std::size_t node = 1; node <= 3; ++node) {
        EXPECT_EQ(ask(node, {"PING"}), "+PONG\r\n");
        EXPECT_EQ(ask(node, {"ROLE"}), "*2\r\n$8\r\nsentinel\r\n*1\r\n$4\r\ntest\r\n");
        EXPECT_EQ(ask(node, {"sentinel", "get-master-addr-by-name", "test"}), address_of(1));
        EXPECT_EQ(ask(node, {"SENTINEL", "get-master-addr-by-name", "other"}), "*-1\r\n");
        EXPECT_EQ(ask(node, {"SENTINEL", "master", "other"}), "-ERR No such master with that name\r\n");
        EXPECT_EQ(ask(node, {"SENTINEL", "sentinels", "other"}), "*0\r\n");
        EXPECT_THAT(ask(node, {"SENTINEL", "master", "test"}),
                    AllOf(StartsWith("*40\r\n$4\r\nname\r\n$4\r\ntest\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n"),
                          HasSubstr("$5\r\nflags\r\n$6\r\nmaster\r\n"), HasSubstr("$10\r\nnum-slaves\r\n$1\r\n2\r\n"),
                          HasSubstr("$19\r\nnum-other-sentinels\r\n$1\r\n2\r\n"), HasSubstr("$6\r\nquorum\r\n$1\r\n2\r\n"),
                          HasSubstr("$13\r\nrole-reported\r\n$6\r\nmaster\r\n")));
        EXPECT_THAT(ask(node, {"SENTINEL", "masters"}), StartsWith("*1\r\n*40\r\n"));
        EXPECT_TRUE(eventually([&] {
            return ::testing::Matches(AllOf(StartsWith("*2\r\n*42\r\n"), HasSubstr("$5\r\nflags\r\n$5\r\nslave\r\n"),
                                            Not(HasSubstr("down"))))(ask(node, {"SENTINEL", "slaves", "test"}).substr(0, 200));
        }));
        EXPECT_THAT(ask(node, {"SENTINEL", "replicas", "test"}), HasSubstr("$18\r\nmaster-link-status\r\n$2\r\nok\r\n"));
        EXPECT_THAT(ask(node, {"SENTINEL", "sentinels", "test"}), StartsWith("*2\r\n*34\r\n"));
        EXPECT_THAT(ask(node, {"SENTINEL", "ckquorum", "test"}), StartsWith("+OK 3 usable Sentinels."));
        EXPECT_THAT(ask(node, {"SENTINEL", "myid"}), StartsWith("$40\r\n"));
        EXPECT_THAT(ask(node, {"INFO"}),
                    AllOf(HasSubstr("redis_mode:sentinel"), HasSubstr("master0:name=test,status=ok,address=127.0.0.1:"),
                          HasSubstr(",slaves=2,sentinels=3")));
        EXPECT_EQ(ask(node, {"GET", "k"}), "-ERR unknown command 'GET', with args beginning with: 'k' \r\n");
    }
    EXPECT_THAT(cluster_.resp(1).call({"SENTINEL", "masters"}), StartsWith("-ERR unknown command 'SENTINEL'"));
}

TEST_F(SentinelPort, InResp3RowsAreMaps) {
    RespClient client = sentinel(2);
    EXPECT_THAT(client.call({"HELLO", "3"}), HasSubstr("$4\r\nmode\r\n$8\r\nsentinel\r\n"));
    EXPECT_THAT(client.call({"SENTINEL", "masters"}), StartsWith("*1\r\n%20\r\n"));
    EXPECT_EQ(client.call({"SENTINEL", "get-master-addr-by-name", "other"}), "_\r\n");
    EXPECT_EQ(client.call({"CLIENT", "SETINFO", "LIB-NAME", "x"}), "+OK\r\n");
}

TEST_F(SentinelPort, AFailoverIsToldToWhoeverListensAndToWhoeverAsks) {
    RespClient listener = sentinel(3);
    listener.send({"SUBSCRIBE", "+switch-master"});
    ASSERT_THAT(listener.reply(), HasSubstr("subscribe"));
    cluster_.kill(1);
    const std::string told = listener.reply();
    const std::size_t master = cluster_.await_master(1);
    ASSERT_NE(master, 0u);
    EXPECT_THAT(told, HasSubstr(fmt::format("test 127.0.0.1 {} 127.0.0.1 {}\r\n", cluster_.client_port(1), cluster_.client_port(master))));
    for (const std::size_t node : {2u, 3u}) {
        EXPECT_TRUE(eventually([&] { return ask(node, {"SENTINEL", "get-master-addr-by-name", "test"}) == address_of(master); }));
        EXPECT_THAT(ask(node, {"SENTINEL", "slaves", "test"}), HasSubstr("s_down,slave,disconnected"));
        EXPECT_THAT(ask(node, {"SENTINEL", "ckquorum", "test"}), StartsWith("+OK 2 usable Sentinels."));
    }
}

TEST_F(SentinelPort, WithoutAMajorityTheLastMasterIsToldAsDown) {
    cluster_.kill(1);
    cluster_.kill(2);
    EXPECT_TRUE(eventually([&] { return ask(3, {"SENTINEL", "master", "test"}).find("o_down,s_down,master") != std::string::npos; }));
    EXPECT_THAT(ask(3, {"SENTINEL", "get-master-addr-by-name", "test"}), StartsWith("*2\r\n"));
    EXPECT_TRUE(eventually([&] { return ask(3, {"SENTINEL", "ckquorum", "test"}).starts_with("-NOQUORUM 1 usable Sentinels."); }));
    EXPECT_THAT(ask(3, {"INFO", "sentinel"}), HasSubstr("status=odown"));
}

TEST_F(SentinelPort, FailoverHandsMastershipOver) {  // S17
    RespClient listener = sentinel(3);
    listener.call({"SUBSCRIBE", "+switch-master"});
    EXPECT_EQ(ask(1, {"SENTINEL", "FAILOVER", "other"}), "-ERR No such master with that name\r\n");
    EXPECT_EQ(ask(2, {"SENTINEL", "FAILOVER", "test"}), "+OK\r\n") << "any Sentinel can be asked";
    EXPECT_THAT(listener.reply(), HasSubstr(fmt::format("test 127.0.0.1 {} 127.0.0.1 ", cluster_.client_port(1))));
    const std::size_t master = cluster_.await_master(1);
    ASSERT_NE(master, 0u);
    const std::string back = std::to_string(cluster_.client_port(1));
    EXPECT_EQ(cluster_.resp(master).call({"FAILOVER", "TO", "127.0.0.1", "1"}), "-ERR FAILOVER target HOST and PORT is not a replica.\r\n");
    RespClient client = cluster_.resp(master);
    EXPECT_EQ(client.call({"PING"}), "+PONG\r\n");
    EXPECT_TRUE(eventually([&] { return cluster_.resp(1).call({"FAILOVER", "TO", "127.0.0.1", back}) == "+OK\r\n"; })) << "so can any node";
    EXPECT_EQ(client.reply(), "");  // a master that has stepped down closes, so that its clients look for the new one
    EXPECT_EQ(cluster_.await_master(), 1u);
}

/// Connections to node 1 that send INCR after INCR, each of its own key, until they end.
class Counters {
public:
    explicit Counters(const Cluster& cluster) {
        for (std::size_t i = 0; i < kConnections; ++i)
            threads_.emplace_back([this, i, client = cluster.resp(1)]() mutable { count(i, client); });
        EXPECT_TRUE(eventually([this] { return std::ranges::all_of(counted_, [](const auto& n) { return n > 0; }); }));
    }
    /// All have ended; each of their requests was answered, and executed once.
    void expect_all(RespClient client) {
        for (std::thread& thread : threads_) thread.join();
        for (std::size_t i = 0; i < kConnections; ++i) {
            const std::string text = std::to_string(counted_[i]);
            EXPECT_EQ(client.call({"GET", fmt::format("n{}", i)}), fmt::format("${}\r\n{}\r\n", text.size(), text));
        }
    }

private:
    static constexpr std::size_t kConnections = 16;  // one of them at least has a request under way at any time

    void count(std::size_t number, RespClient& client) {
        const std::string key = fmt::format("n{}", number);
        for (;;) {
            const std::string answer = client.call({"INCR", key});
            if (answer.empty()) return;
            EXPECT_EQ(answer, fmt::format(":{}\r\n", counted_[number] + 1));
            if (answer.front() != ':') return;
            ++counted_[number];
        }
    }
    std::array<std::atomic<std::size_t>, kConnections> counted_{};
    std::vector<std::thread> threads_;
};

TEST_F(SentinelPort, NoRequestFailsByAFailoverAndConnectionsEndBehindAnAnswer) {  // S17
    Counters counters(cluster_);
    EXPECT_EQ(ask(2, {"SENTINEL", "FAILOVER", "test"}), "+OK\r\n");
    const std::size_t master = cluster_.await_master(1);
    ASSERT_NE(master, 0u);
    counters.expect_all(cluster_.resp(master));
}

TEST_F(SentinelPort, NoRequestFailsByAShutdownOfTheMaster) {  // S17
    Counters counters(cluster_);
    EXPECT_EQ(cluster_.running(1).shut_down(), kExitClean);
    const std::size_t master = cluster_.await_master(1);
    ASSERT_NE(master, 0u);
    counters.expect_all(cluster_.resp(master));
}

TEST_F(SentinelPort, AConnectionThatWatchesKeysOrHasATransactionOpenIsNotEndedBetween) {  // S17
    RespClient watcher = cluster_.resp(1), other = cluster_.resp(1);
    ASSERT_EQ(watcher.call({"SET", "k", "1"}), "+OK\r\n");
    ASSERT_EQ(other.call({"MULTI"}), "+OK\r\n");
    ASSERT_EQ(watcher.call({"WATCH", "k"}), "+OK\r\n");
    ASSERT_EQ(ask(2, {"SENTINEL", "FAILOVER", "test"}), "+OK\r\n");
    EXPECT_EQ(other.call({"SET", "k", "2"}), "+QUEUED\r\n");
    EXPECT_EQ(watcher.call({"GET", "k"}), "$1\r\n1\r\n");
    EXPECT_EQ(other.call({"EXEC"}), "*1\r\n+OK\r\n");
    EXPECT_EQ(watcher.call({"MULTI"}), "+OK\r\n");
    EXPECT_EQ(watcher.call({"SET", "k", "3"}), "+QUEUED\r\n");
    EXPECT_EQ(watcher.call({"EXEC"}), "*-1\r\n") << "the key has changed";
    EXPECT_EQ(watcher.reply(), "");
    EXPECT_EQ(other.reply(), "");
}

TEST_F(SentinelPort, SpeaksRespOnly) {
    TestSocket native(cluster_.server(1).sentinel_port());
    native.send(protocol::kClientPreamble);
    EXPECT_THAT(native.receive_all(), StartsWith("-ERR this port answers as a Redis Sentinel"));
}

}  // namespace
}  // namespace tanist::server::testing

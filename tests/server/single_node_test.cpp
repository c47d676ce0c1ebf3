// SPDX-License-Identifier: Apache-2.0
// One server in this process, spoken to over its ports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "protocol/frame.h"
#include "server/control_group.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using namespace protocol;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SingleNode : public ::testing::Test {
protected:
    explicit SingleNode(Cluster::Change change = {}) : cluster_(1, std::move(change)) {}
    void SetUp() override { ASSERT_EQ(cluster_.await_master(), 1u); }
    std::string page(std::string_view path) {
        TestSocket http(cluster_.server(1).http_port());
        http.send(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path));
        return http.receive_all();
    }

    Cluster cluster_;
};

TEST_F(SingleNode, NativeClientReadsWhatItWrote) {
    NativeClient client = cluster_.native(1);
    const auto written = client.call(put("key", "value"));
    ASSERT_TRUE(std::holds_alternative<native::Written>(written.body));
    EXPECT_GT(written.at.lsn.value, 0u);
    EXPECT_EQ(written.epoch, written.at.epoch);
    const auto read = client.call(get("key"));
    EXPECT_EQ(std::get<native::Value>(read.body), (native::Value{true, "value", std::get<native::Written>(written.body).version}));
    EXPECT_GE(read.at, written.at);
    EXPECT_FALSE(std::get<native::Value>(client.call(get("other")).body).found);
}

TEST_F(SingleNode, EveryNativeRequestHasItsAnswer) {
    NativeClient client = cluster_.native(1);
    EXPECT_TRUE(std::get<native::Compared>(client.call({.body = native::CompareAndSet{"n", native::Absent{}, "1"}}).body).done);
    const auto refused = std::get<native::Compared>(client.call({.body = native::CompareAndSet{"n", native::ValueIs{"2"}, "3"}}).body);
    EXPECT_FALSE(refused.done);
    EXPECT_EQ(refused.value, "1");
    EXPECT_EQ(std::get<native::Value>(client.call({.body = native::Increment{"n", 41}}).body).value, "42");
    EXPECT_EQ(std::get<native::Values>(client.call({.body = native::GetMany{{"n", "m"}}}).body).values.size(), 2u);
    const auto page = std::get<native::Page>(client.call({.body = native::Scan{.prefix = "n"}}).body);
    ASSERT_EQ(page.rows.size(), 1u);
    EXPECT_EQ(page.rows[0].value, "42");
    native::Batch batch{.conditions = {{"n", native::Exists{}}}, .commands = {native::Put{"a", "1"}, native::Get{"n"}}};
    const auto done = std::get<native::BatchReply>(client.call({.body = batch}).body);
    EXPECT_TRUE(done.done);
    EXPECT_EQ(done.results.at(1).value, "42");
    EXPECT_TRUE(std::get<native::Compared>(client.call({.body = native::CompareAndDelete{"a", native::ValueIs{"1"}}}).body).done);
    EXPECT_TRUE(std::get<native::Written>(client.call({.body = native::Delete{"n"}}).body).existed);
    const auto status = std::get<native::StatusReply>(client.call({.body = native::StatusRequest{}}).body);
    EXPECT_EQ(status.master, NodeId{1});
    ASSERT_EQ(status.nodes.size(), 1u);
    EXPECT_EQ(status.nodes[0].role, native::Role::kMaster);
    EXPECT_EQ(status.nodes[0].state, native::NodeState::kUp);
}

TEST_F(SingleNode, ARequestOfASessionIsExecutedOnce) {  // S21
    NativeClient client = cluster_.native(1);
    const SessionId session = std::get<native::SessionReply>(client.call({.body = native::RegisterSession{}}).body).session;
    ASSERT_FALSE(session.is_zero());
    const native::Request increment{.session = session, .sequence = 1, .lowest_unanswered = 1, .body = native::Increment{"counter", 1}};
    const auto first = client.call(increment), again = client.call(increment);
    EXPECT_EQ(std::get<native::Value>(again.body).value, "1");
    EXPECT_TRUE(again.replayed);
    EXPECT_EQ(again.at.lsn, first.at.lsn);
    native::Request of_unknown_session = increment;
    of_unknown_session.session = SessionId{999'999};
    EXPECT_EQ(error_code(client.call(of_unknown_session)), native::Code::kSessionExpired);
}

TEST_F(SingleNode, PipelinedNativeRequestsAreAllAnswered) {
    NativeClient client = cluster_.native(1);
    std::set<std::uint64_t> open;
    for (int i = 0; i < 500; ++i) {
        open.insert(client.send(put("key" + std::to_string(i), "value")));
        open.insert(client.send(get("key" + std::to_string(i))));
    }
    while (!open.empty()) {
        const auto reply = client.reply();
        ASSERT_TRUE(reply);
        EXPECT_FALSE(error_code(*reply));
        EXPECT_EQ(open.erase(reply->id), 1u);
    }
}

TEST_F(SingleNode, RespCommandsAnswerAsRedisDoes) {
    RespClient client = cluster_.resp(1);
    struct Line {
        std::vector<std::string_view> words;
        std::string_view reply;
    };
    const std::vector<Line> lines{
        {{"PING"}, "+PONG\r\n"},
        {{"ping", "hi"}, "$2\r\nhi\r\n"},
        {{"ECHO", "x"}, "$1\r\nx\r\n"},
        {{"SET", "k", "v"}, "+OK\r\n"},
        {{"get", "k"}, "$1\r\nv\r\n"},
        {{"SET", "k", "w", "NX"}, "$-1\r\n"},
        {{"SET", "k2", "w", "nx"}, "+OK\r\n"},
        {{"SETNX", "k", "w"}, ":0\r\n"},
        {{"SETNX", "k3", "w"}, ":1\r\n"},
        {{"DEL", "k", "k2", "k3", "k4"}, ":3\r\n"},
        {{"GET", "k"}, "$-1\r\n"},
        {{"INCR", "n"}, ":1\r\n"},
        {{"INCR", "n"}, ":2\r\n"},
        {{"SET", "s", "text"}, "+OK\r\n"},
        {{"INCR", "s"}, "-ERR value is not an integer or out of range\r\n"},
        {{"TANIST.CAS", "s", "other", "x"}, ":0\r\n"},
        {{"TANIST.CAS", "s", "text", "x"}, ":1\r\n"},
        {{"TANIST.CAD", "s", "text"}, ":0\r\n"},
        {{"TANIST.CAD", "s", "x"}, ":1\r\n"},
        {{"TANIST.GETV", "s"}, "*-1\r\n"},
        {{"TANIST.CASV", "s", "1", "x"}, ":0\r\n"},
        {{"TANIST.CADV", "s", "0"}, "-ERR 0 is the version of a key that does not exist\r\n"},
        {{"TANIST.CADV", "s", "one"}, "-ERR value is not an integer or out of range\r\n"},
        {{"TANIST.READS", "linearizable"}, "+OK\r\n"},
        {{"GET", "n"}, "$1\r\n2\r\n"},
        {{"TANIST.READS", "fresh"}, "-ERR TANIST.READS takes stale, session or linearizable\r\n"},
        {{"TANIST.ACK", "master"}, "+OK\r\n"},
        {{"SET", "m", "1"}, "+OK\r\n"},
        {{"TANIST.ACK", "all"}, "+OK\r\n"},
        {{"SET", "m", "2"}, "+OK\r\n"},
        {{"GET"}, "-ERR wrong number of arguments for 'get' command\r\n"},
        {{"LPUSH", "a", "b"}, "-ERR unknown command 'LPUSH', with args beginning with: 'a' 'b' \r\n"},
        {{"SELECT", "0"}, "+OK\r\n"},
        {{"SELECT", "1"}, "-ERR DB index is out of range\r\n"},
        {{"CLIENT", "SETINFO", "LIB-NAME", "x"}, "+OK\r\n"},
        {{"CLIENT", "MAINT_NOTIFICATIONS", "ON"}, "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n"},
        {{"CONFIG", "GET", "save"}, "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"},
        {{"HELLO", "9"}, "-NOPROTO unsupported protocol version\r\n"},
    };
    for (const Line& line : lines) EXPECT_EQ(client.call(line.words), line.reply) << line.words.front();
    EXPECT_THAT(client.call({"ROLE"}), StartsWith("*3\r\n$6\r\nmaster\r\n"));
    EXPECT_THAT(client.call({"INFO", "replication"}), HasSubstr("role:master\r\n"));
    EXPECT_THAT(client.call({"HELLO", "3"}), StartsWith("%7\r\n$6\r\nserver\r\n"));
    EXPECT_EQ(client.call({"GET", "nothing"}), "_\r\n");
    EXPECT_EQ(client.call({"QUIT"}), "+OK\r\n");
    EXPECT_EQ(client.reply(), "");
}

TEST_F(SingleNode, AKeyIsReadAndChangedByItsVersion) {
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"TANIST.GETV", "k"}), "*-1\r\n");
    const auto integer = [](const std::string& reply) { return reply.substr(1, reply.size() - 3); };
    const std::string first = integer(client.call({"TANIST.CASV", "k", "0", "one"}));
    EXPECT_NE(first, "0");
    EXPECT_EQ(client.call({"TANIST.CASV", "k", "0", "two"}), ":0\r\n") << "it exists by now";
    EXPECT_EQ(client.call({"TANIST.GETV", "k"}), "*2\r\n$3\r\none\r\n:" + first + "\r\n");
    const std::string second = integer(client.call({"TANIST.CASV", "k", first, "two"}));
    EXPECT_NE(second, first);
    EXPECT_EQ(client.call({"TANIST.CASV", "k", first, "three"}), ":0\r\n");
    EXPECT_EQ(client.call({"TANIST.CADV", "k", first}), ":0\r\n");
    client.send({"SET", "k", "four"});
    client.send({"TANIST.GETV", "k"});  // behind the write, in one pipeline
    EXPECT_EQ(client.reply(), "+OK\r\n");
    const std::string versioned = client.reply();
    EXPECT_THAT(versioned, StartsWith("*2\r\n$4\r\nfour\r\n:"));
    const std::string third = versioned.substr(15, versioned.size() - 17);
    EXPECT_EQ(client.call({"TANIST.CADV", "k", third}), ":1\r\n");
    EXPECT_EQ(client.call({"EXISTS", "k"}), ":0\r\n");
    EXPECT_THAT(client.call({"COMMAND", "DOCS", "TANIST.CASV"}), HasSubstr("version"));
}

TEST_F(SingleNode, APipelineIsAnsweredInOrderAndEachCommandSeesThoseBeforeIt) {
    RespClient client = cluster_.resp(1);
    for (int i = 0; i < 300; ++i) {
        const std::string value = std::to_string(i);
        client.send({"SET", "k", value});
        client.send({"GET", "k"});
        client.send({"PING", value});
        client.send({"INCR", "k"});
        client.send({"GET", "k"});
    }
    for (int i = 0; i < 300; ++i) {
        const auto bulk = [](const std::string& text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); };
        ASSERT_EQ(client.reply(), "+OK\r\n");
        ASSERT_EQ(client.reply(), bulk(std::to_string(i)));
        ASSERT_EQ(client.reply(), bulk(std::to_string(i)));
        ASSERT_EQ(client.reply(), fmt::format(":{}\r\n", i + 1));
        ASSERT_EQ(client.reply(), bulk(std::to_string(i + 1)));
    }
}

TEST_F(SingleNode, AClientThatEndsItsSendingStillGetsItsAnswers) {
    RespClient client = cluster_.resp(1);
    client.send({"SET", "k", "v"});
    client.send({"GET", "k"});
    client.socket().end_sending();
    EXPECT_EQ(client.socket().receive_all(), "+OK\r\n$1\r\nv\r\n");
}

TEST_F(SingleNode, ConnectionsThatComeAndGoDoNotEndEachOther) {
    for (int round = 0; round < 100; ++round) {
        std::vector<RespClient> clients;
        for (int i = 0; i < 20; ++i) clients.push_back(cluster_.resp(1));
        for (RespClient& client : clients) client.send({"PING"});
        for (RespClient& client : clients) ASSERT_EQ(client.reply(), "+PONG\r\n") << "in round " << round;
    }
}

TEST_F(SingleNode, GarbageIsAnsweredWithAnErrorAndClosed) {
    {
        TestSocket resp(cluster_.client_port(1));
        resp.send("*99999999999\r\n");
        EXPECT_THAT(resp.receive_all(), StartsWith("-ERR Protocol error"));
    }
    {
        NativeClient native = cluster_.native(1);
        native.socket().send(std::string("\xff\xff\xff\xff garbage", 12));
        const auto last = native.reply();
        ASSERT_TRUE(last);
        EXPECT_EQ(last->id, 0u);
        EXPECT_EQ(error_code(*last), native::Code::kTooLarge);
        EXPECT_FALSE(native.reply());
    }
    {
        TestSocket wrong_preamble(cluster_.client_port(1));
        wrong_preamble.send("\x01XYZ");
        EXPECT_THAT(wrong_preamble.receive_all(), Not(::testing::IsEmpty()));
    }
    {
        TestSocket peer(cluster_.peer_port(1));
        peer.send("GET / HTTP/1.1\r\n\r\n");
        EXPECT_THAT(peer.receive_all(), HasSubstr("connection between nodes"));
    }
    EXPECT_EQ(cluster_.resp(1).call({"PING"}), "+PONG\r\n");
}

TEST_F(SingleNode, AWrongVersionOrClusterIsToldAndClosed) {
    NativeClient wrong_version(cluster_.client_port(1), false);
    wrong_version.socket().send(kClientPreamble);
    wrong_version.send({.body = native::Hello{.protocol_version = 99}});
    EXPECT_EQ(error_code(wrong_version.reply().value()), native::Code::kUnsupportedVersion);
    EXPECT_FALSE(wrong_version.reply());

    NativeClient wrong_cluster(cluster_.client_port(1), false);
    wrong_cluster.socket().send(kClientPreamble);
    wrong_cluster.send({.body = native::Hello{.cluster_name = "another"}});
    EXPECT_EQ(error_code(wrong_cluster.reply().value()), native::Code::kWrongCluster);
    EXPECT_FALSE(wrong_cluster.reply());
}

TEST_F(SingleNode, WhatIsTooLargeIsRefusedAndTheConnectionGoesOn) {  // S12
    NativeClient native = cluster_.native(1);
    EXPECT_EQ(error_code(native.call(put(std::string(limits::kKeyBytesMax + 1, 'k'), "v"))), native::Code::kTooLarge);
    EXPECT_EQ(error_code(native.call(put("k", std::string(limits::kValueBytesMax + 1, 'v')))), native::Code::kTooLarge);
    EXPECT_FALSE(error_code(native.call(put(std::string(limits::kKeyBytesMax, 'k'), "v"))));
    EXPECT_FALSE(error_code(native.call(put("k", std::string(limits::kValueBytesMax, 'v')))));
    EXPECT_EQ(std::get<native::Value>(native.call(get("k")).body).value.size(), limits::kValueBytesMax);

    RespClient resp = cluster_.resp(1);
    EXPECT_THAT(resp.call({"SET", std::string(limits::kKeyBytesMax + 1, 'k'), "v"}), StartsWith("-ERR key of 65537 bytes"));
    EXPECT_THAT(resp.call({"SET", "k", std::string(limits::kValueBytesMax + 1, 'v')}), StartsWith("-ERR value of 16777217 bytes"));
    EXPECT_THAT(resp.call({"GET", std::string(limits::kKeyBytesMax + 1, 'k')}), StartsWith("-ERR key of 65537 bytes"));
    EXPECT_EQ(resp.call({"PING"}), "+PONG\r\n");
}

TEST_F(SingleNode, HttpAnswersHealthAndMetrics) {
    EXPECT_THAT(page("/livez"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(page("/readyz"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(page("/version"), HasSubstr("tanist"));
    const std::string metrics = page("/metrics");
    EXPECT_THAT(metrics, HasSubstr("tanist_role{role=\"master\"} 1"));
    EXPECT_THAT(metrics, HasSubstr("tanist_commands_total{command=\"put\"}"));
    EXPECT_THAT(metrics, HasSubstr("tanist_wal_sync_seconds_count"));
    EXPECT_THAT(metrics, Not(HasSubstr("tanist_write_seconds_count 0\n")));
}

class SingleNodeThatPolls : public SingleNode {
protected:
    SingleNodeThatPolls() : SingleNode([](config::Config& config) { config.node.idle_poll = std::chrono::microseconds(500); }) {}
};

TEST_F(SingleNodeThatPolls, AWriteKeepsACoreAwakeAndAReadDoesNot) {
    if (cpu_quota()) GTEST_SKIP() << "a control group limits the processor time of this test";
    const auto polled = [&] {
        const std::string metrics = page("/metrics");
        const std::string_view name = "\ntanist_idle_poll_seconds_total ";
        const std::size_t at = metrics.find(name);
        return at == std::string::npos ? -1 : std::stod(metrics.substr(at + name.size()));
    };
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(cluster_.resp(1).call({"SET", "key", "value"}), "+OK\r\n");
        return polled() > 0.001;
    }));
    EXPECT_TRUE(eventually([&] {
        const double before = polled();
        for (int i = 0; i < 100; ++i) EXPECT_EQ(cluster_.resp(1).call({"GET", "key"}), "$5\r\nvalue\r\n");
        return polled() == before;
    }));
}

TEST_F(SingleNode, ShutsDownCleanlyAndKeepsItsData) {
    EXPECT_EQ(cluster_.resp(1).call({"SET", "kept", "yes"}), "+OK\r\n");
    EXPECT_EQ(cluster_.running(1).shut_down(), kExitClean);
    cluster_.kill(1);
    cluster_.start(1);
    ASSERT_TRUE(cluster_.await_reads(1));
    EXPECT_EQ(cluster_.resp(1).call({"GET", "kept"}), "$3\r\nyes\r\n");
}

TEST_F(SingleNode, KeepsEveryAcknowledgedWriteThroughACrash) {
    RespClient client = cluster_.resp(1);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(client.call({"SET", "key" + std::to_string(i), std::to_string(i)}), "+OK\r\n");
    cluster_.kill(1);
    cluster_.start(1);
    ASSERT_TRUE(cluster_.await_reads(1));
    RespClient again = cluster_.resp(1);
    for (int i = 0; i < 100; ++i) {
        const std::string value = std::to_string(i);
        EXPECT_EQ(again.call({"GET", "key" + value}), fmt::format("${}\r\n{}\r\n", value.size(), value));
    }
}

TEST_F(SingleNode, ADataDirectoryInUseAndAPortInUseAreNamed) {
    const auto locked = Server::open(cluster_.config(1));
    ASSERT_FALSE(locked);
    EXPECT_EQ(locked.error().exit_code, kExitDataDirectory);
    EXPECT_THAT(locked.error().message, HasSubstr("node1"));

    config::Config config = cluster_.config(1);
    config.node.data_dir += "-other";
    const auto port_taken = Server::open(config);
    ASSERT_FALSE(port_taken);
    EXPECT_EQ(port_taken.error().exit_code, kExitConfiguration);
    EXPECT_THAT(port_taken.error().message, HasSubstr("listen.client"));
}

TEST_F(SingleNode, ADataDirectoryOfAnotherNodeIsRefused) {
    cluster_.kill(1);
    config::Config config = cluster_.config(1);
    config.node.id = NodeId{2};
    config.cluster.nodes[0].id = NodeId{2};
    const auto opened = Server::open(config);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().exit_code, kExitDataDirectory);
    EXPECT_THAT(opened.error().message, HasSubstr("node 1"));
}

TEST(SingleNodeLimits, ConnectionsBeyondTheLimitAreToldSo) {
    Cluster cluster(1, [](config::Config& config) { config.limits.connections = 2; });
    ASSERT_EQ(cluster.await_master(), 1u);
    std::vector<RespClient> held;
    ASSERT_TRUE(eventually([&] {  // connections of await_master() may still be closing
        held.clear();
        for (int i = 0; i < 2; ++i) held.push_back(cluster.resp(1));
        return held[0].call({"PING"}) == "+PONG\r\n" && held[1].call({"PING"}) == "+PONG\r\n";
    }));
    EXPECT_EQ(cluster.resp(1).call({"PING"}), "-ERR max number of clients reached\r\n");
    NativeClient native = cluster.native(1);
    ASSERT_TRUE(native.hello());
    EXPECT_EQ(error_code(*native.hello()), native::Code::kTryAgain);
    EXPECT_EQ(held[0].call({"PING"}), "+PONG\r\n");
}

TEST(SingleNodeLimits, AClientThatDoesNotReadIsPausedAndLaterServed) {
    Cluster cluster(1);
    ASSERT_EQ(cluster.await_master(), 1u);
    const std::string value(100'000, 'x');
    ASSERT_EQ(cluster.resp(1).call({"SET", "k", value}), "+OK\r\n");
    TestSocket lazy(cluster.client_port(1), 4096);
    const std::string get = RespClient::encode({"GET", "k"});
    constexpr int kReads = 200;
    for (int i = 0; i < kReads; ++i) ASSERT_TRUE(lazy.send(get));
    EXPECT_EQ(cluster.resp(1).call({"PING"}), "+PONG\r\n");  // others are served meanwhile
    std::size_t received = 0;
    const std::size_t expected = kReads * (value.size() + std::string_view("$100000\r\n\r\n").size());
    while (received < expected) {
        const std::string more = lazy.receive();
        ASSERT_FALSE(more.empty());
        received += more.size();
    }
    EXPECT_EQ(received, expected);
}

TEST(SingleNodeLimits, AClientWhoseRepliesPassTheLimitIsDropped) {
    Cluster cluster(1, [](config::Config& config) { config.limits.output_bytes = 200'000; });
    ASSERT_EQ(cluster.await_master(), 1u);
    ASSERT_EQ(cluster.resp(1).call({"SET", "k", std::string(8'000'000, 'x')}), "+OK\r\n");
    TestSocket lazy(cluster.client_port(1), 4096);
    lazy.send(RespClient::encode({"GET", "k"}));
    ASSERT_TRUE(eventually([&] { return !lazy.send("*1\r\n$4\r\nPING\r\n"); }));
    EXPECT_EQ(cluster.resp(1).call({"PING"}), "+PONG\r\n");
}

}  // namespace
}  // namespace tanist::server::testing

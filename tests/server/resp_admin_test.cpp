// SPDX-License-Identifier: Apache-2.0
// CLIENT, CONFIG, INFO, WAIT, SLOWLOG, MONITOR and their like: what connections, tools and operators ask a node beside its data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

class RespAdmin : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(cluster_.await_master(), 1u); }
    Cluster cluster_{1};
};

TEST_F(RespAdmin, AConnectionSaysWhatItIsCalledAndIsFoundInTheList) {
    RespClient client = cluster_.resp(1), other = cluster_.resp(1);
    EXPECT_EQ(client.call({"CLIENT", "SETNAME", "me"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CLIENT", "GETNAME"}), bulk("me"));
    EXPECT_EQ(client.call({"CLIENT", "SETINFO", "lib-name", "lib"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CLIENT", "SETINFO", "lib-age", "3"}), "-ERR Unrecognized option 'lib-age'\r\n");
    EXPECT_THAT(client.call({"CLIENT", "INFO"}),
                AllOf(HasSubstr(" name=me "), HasSubstr(" lib-name=lib "), HasSubstr(" cmd=client|info "), HasSubstr(" qbuf=26 ")));
    const std::string id = client.call({"CLIENT", "ID"});
    EXPECT_THAT(other.call({"CLIENT", "LIST"}), AllOf(HasSubstr(" name=me "), HasSubstr(" cmd=client|list ")));
    EXPECT_THAT(other.call({"CLIENT", "LIST", "ID", id.substr(1, id.size() - 3)}),
                AllOf(HasSubstr(" name=me "), Not(HasSubstr("client|list"))));
    EXPECT_EQ(other.call({"CLIENT", "LIST", "TYPE", "x"}), "-ERR Unknown client type 'x'\r\n");
    EXPECT_THAT(client.call({"CLIENT", "HELP"}), HasSubstr("+SETNAME connection-name\r\n"));
    EXPECT_EQ(client.call({"RESET"}), "+RESET\r\n");
    EXPECT_EQ(client.call({"CLIENT", "GETNAME"}), "$-1\r\n");
}

TEST_F(RespAdmin, TheListTellsWhatAConnectionIsUpTo) {
    RespClient client = cluster_.resp(1), looker = cluster_.resp(1);
    client.call({"CLIENT", "SETNAME", "busy"});
    client.call({"MULTI"});
    client.call({"GET", "a"});
    EXPECT_THAT(looker.call({"CLIENT", "LIST"}), ContainsRegex("name=busy .* flags=x .* multi=1 "));
    client.call({"DISCARD"});
    EXPECT_THAT(looker.call({"CLIENT", "LIST"}), ContainsRegex("name=busy .* flags=N .* multi=-1 "));
}

TEST_F(RespAdmin, KillEndsTheConnectionsThatFitAllFilters) {
    RespClient victim = cluster_.resp(1), killer = cluster_.resp(1);
    victim.call({"SUBSCRIBE", "c"});
    EXPECT_EQ(killer.call({"CLIENT", "KILL", "TYPE", "pubsub"}), ":1\r\n");
    EXPECT_EQ(victim.reply(), "");
    EXPECT_EQ(killer.call({"CLIENT", "KILL", "1.2.3.4:5"}), "-ERR No such client\r\n");
    EXPECT_EQ(killer.call({"CLIENT", "KILL", "ID", "x"}), "-ERR client-id should be greater than 0\r\n");
    const std::string id = killer.call({"CLIENT", "ID"});
    EXPECT_EQ(killer.call({"CLIENT", "KILL", "ID", id.substr(1, id.size() - 3), "SKIPME", "no"}), ":1\r\n");
    EXPECT_EQ(killer.reply(), "");
}

TEST_F(RespAdmin, WhoeverSpeaksHttpIsNotObeyed) {
    for (const std::string_view head : {"POST / HTTP/1.1\r\n", "host: evil\r\n"}) {
        RespClient browser = cluster_.resp(1);
        browser.socket().send(std::string(head) + "\r\nSET from:http 1\r\n");
        EXPECT_EQ(browser.socket().receive_all(), "");
    }
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"GET", "from:http"}), "$-1\r\n");
}

TEST_F(RespAdmin, RepliesCanBeTurnedOff) {
    RespClient client = cluster_.resp(1);
    client.send({"CLIENT", "REPLY", "OFF"});
    client.send({"SET", "k", "1"});
    client.send({"GET", "k"});
    client.send({"NOSUCH"});
    EXPECT_EQ(client.call({"CLIENT", "REPLY", "ON"}), "+OK\r\n");
    client.send({"CLIENT", "REPLY", "SKIP"});
    client.send({"INCR", "k"});
    EXPECT_EQ(client.call({"GET", "k"}), bulk("2"));
}

TEST_F(RespAdmin, APauseOfWritesHoldsThemAndNothingElse) {
    RespClient client = cluster_.resp(1), writer = cluster_.resp(1);
    EXPECT_EQ(client.call({"CLIENT", "PAUSE", "60000", "WRITE"}), "+OK\r\n");
    writer.send({"SET", "k", "paused"});
    writer.send({"GET", "k"});
    EXPECT_EQ(client.call({"GET", "k"}), "$-1\r\n");
    EXPECT_TRUE(eventually([&] { return client.call({"INFO", "clients"}).find("blocked_clients:1\r\n") != std::string::npos; }));
    client.call({"MULTI"});
    client.call({"GET", "k"});
    EXPECT_EQ(client.call({"EXEC"}), "*1\r\n$-1\r\n");
    EXPECT_EQ(client.call({"CLIENT", "UNPAUSE"}), "+OK\r\n");
    EXPECT_EQ(writer.reply(), "+OK\r\n");
    EXPECT_EQ(writer.reply(), bulk("paused"));
    EXPECT_EQ(client.call({"CLIENT", "PAUSE", "30", "ALL"}), "+OK\r\n");
    EXPECT_EQ(writer.call({"GET", "k"}), bulk("paused"));  // once it is over
}

TEST_F(RespAdmin, SleepingAndWaitingKeepNobodyElse) {
    RespClient sleeper = cluster_.resp(1), client = cluster_.resp(1);
    const std::string id = sleeper.call({"CLIENT", "ID"});
    sleeper.send({"DEBUG", "SLEEP", "50"});
    sleeper.send({"PING"});
    EXPECT_TRUE(eventually([&] { return client.call({"CLIENT", "UNBLOCK", id.substr(1, id.size() - 3)}) == ":1\r\n"; }));
    EXPECT_EQ(sleeper.reply(), "+OK\r\n");
    EXPECT_EQ(sleeper.reply(), "+PONG\r\n");
    EXPECT_THAT(client.call({"SLOWLOG", "GET", "1"}), HasSubstr("$5\r\nSLEEP\r\n$2\r\n50\r\n"));
    EXPECT_EQ(client.call({"SLOWLOG", "LEN"}), ":1\r\n");
    EXPECT_EQ(client.call({"SLOWLOG", "RESET"}), "+OK\r\n");
    EXPECT_EQ(client.call({"SLOWLOG", "GET"}), "*0\r\n");
    EXPECT_EQ(client.call({"DEBUG", "SLEEP", "61"}), "-ERR DEBUG SLEEP takes 0 .. 60 seconds\r\n");

    sleeper.send({"WAIT", "1", "0"});
    EXPECT_TRUE(eventually([&] { return client.call({"CLIENT", "UNBLOCK", id.substr(1, id.size() - 3), "ERROR"}) == ":1\r\n"; }));
    EXPECT_THAT(sleeper.reply(), StartsWith("-UNBLOCKED"));
    EXPECT_EQ(client.call({"WAIT", "1", "10"}), ":0\r\n");

    sleeper.send({"WAIT", "1", "0"});
    sleeper.socket().end_sending();  // nobody else would ever end that
    EXPECT_EQ(sleeper.reply(), ":0\r\n");
    EXPECT_EQ(sleeper.reply(), "");
}

TEST_F(RespAdmin, InfoHasWhatToolsRead) {
    RespClient client = cluster_.resp(1);
    client.call({"CONFIG", "RESETSTAT"});  // the cluster's coming up was asked for, too
    client.call({"SET", "k", "v"});
    client.call({"SET", "k"});
    client.call({"GET", "k"});
    EXPECT_THAT(client.call({"INFO"}), AllOf(HasSubstr("# Server\r\nredis_version:"), HasSubstr("\r\nloading:0\r\n"),
                                             HasSubstr("\r\nrole:master\r\n"), HasSubstr("\r\nmaxclients:"), HasSubstr("\r\nused_memory:"),
                                             HasSubstr("\r\ninstantaneous_ops_per_sec:"), Not(HasSubstr("cmdstat_"))));
    EXPECT_THAT(client.call({"INFO", "commandstats"}),
                AllOf(HasSubstr("cmdstat_get:calls=1,"), HasSubstr("rejected_calls=1,failed_calls=0")));
    EXPECT_THAT(client.call({"INFO", "errorstats"}), HasSubstr("errorstat_ERR:count=1"));
    EXPECT_THAT(client.call({"INFO", "cpu", "default", "CPU"}), Not(ContainsRegex("used_cpu_sys:.*used_cpu_sys:")));
    EXPECT_THAT(client.call({"MEMORY", "STATS"}), HasSubstr("$15\r\ntotal.allocated\r\n:"));
    EXPECT_EQ(client.call({"config|get", "port"}), "-ERR unknown command 'config|get', with args beginning with: 'port' \r\n");
    ASSERT_EQ(client.call({"MSET", "one", "1", "two", "2"}), "+OK\r\n");
    const std::string size = client.call({"DBSIZE"});  // ":3\r\n"
    const std::string line = fmt::format("db0:keys={},expires=0", size.substr(1, size.size() - 3));
    EXPECT_TRUE(eventually([&] { return client.call({"INFO", "keyspace"}).find(line) != std::string::npos; })) << line;
    EXPECT_EQ(client.call({"CONFIG", "RESETSTAT"}), "+OK\r\n");
    EXPECT_THAT(client.call({"INFO", "commandstats"}), Not(HasSubstr("cmdstat_get")));
}

TEST_F(RespAdmin, ACommandThatRanAndAnsweredAnErrorHasFailedAndOneThatMightNotRunWasRejected) {
    RespClient client = cluster_.resp(1);
    client.call({"SET", "k", "text"});
    client.call({"CONFIG", "RESETSTAT"});
    client.call({"INCRBY", "k", "1"});
    client.call({"AUTH", "nobody", "x"});
    client.call({"LCS", "k"});
    client.call({"MULTI"});
    client.call({"DECR", "k"});
    client.call({"EXEC"});
    client.call({"MULTI"});
    client.call({"SET", "k"});
    EXPECT_THAT(client.call({"EXEC"}), StartsWith("-EXECABORT"));
    const std::string counts = client.call({"INFO", "commandstats"});
    for (const char* each :
         {"cmdstat_incrby:calls=1,.*rejected_calls=0,failed_calls=1", "cmdstat_auth:calls=1,.*rejected_calls=0,failed_calls=1",
          "cmdstat_lcs:calls=0,.*rejected_calls=1,failed_calls=0", "cmdstat_decr:calls=1,.*rejected_calls=0,failed_calls=1",
          "cmdstat_exec:calls=2,.*rejected_calls=0,failed_calls=1", "cmdstat_set:calls=0,.*rejected_calls=1,failed_calls=0"})
        EXPECT_THAT(counts, ContainsRegex(each));
    EXPECT_THAT(client.call({"INFO", "errorstats"}),
                AllOf(HasSubstr("errorstat_ERR:count=4\r\n"), HasSubstr("errorstat_WRONGPASS:count=1\r\n"),
                      HasSubstr("errorstat_EXECABORT:count=1\r\n")));
}

TEST_F(RespAdmin, LatencyIsToldInTheWantedPercentilesWhileItIsTracked) {
    RespClient client = cluster_.resp(1);
    client.call({"SET", "k", "v"});
    EXPECT_THAT(client.call({"INFO", "latencystats"}), ContainsRegex("latency_percentiles_usec_set:p50=[0-9]+.000,p99=[0-9]+.000,p99.9="));
    EXPECT_EQ(client.call({"CONFIG", "SET", "latency-tracking-info-percentiles", "0.0 100"}), "+OK\r\n");
    EXPECT_THAT(client.call({"INFO", "latencystats"}), ContainsRegex("latency_percentiles_usec_set:p0=[0-9]+.000,p100=[0-9]+.000\r\n"));
    EXPECT_THAT(client.call({"CONFIG", "SET", "latency-tracking-info-percentiles", "10 x"}), StartsWith("-ERR CONFIG SET failed"));
    EXPECT_EQ(client.call({"CONFIG", "GET", "latency-tracking-info-percentiles"}),
              "*2\r\n" + bulk("latency-tracking-info-percentiles") + bulk("0 100"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "latency-tracking", "no"}), "+OK\r\n");
    client.call({"SET", "k", "v"});
    EXPECT_THAT(client.call({"INFO", "latencystats"}), Not(HasSubstr("usec_set")));
}

TEST_F(RespAdmin, WhatIsNotThereIsAnsweredAsRedisAnswersWhereItIsOff) {
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"MOVE", "k", "0"}), "-ERR source and destination objects are the same\r\n");
    EXPECT_EQ(client.call({"MOVE", "k", "1"}), "-ERR DB index is out of range\r\n");
    EXPECT_EQ(client.call({"SWAPDB", "0", "0"}), "+OK\r\n");
    EXPECT_EQ(client.call({"SWAPDB", "0", "x"}), "-ERR invalid second DB index\r\n");
    EXPECT_EQ(client.call({"ASKING"}), "-ERR This instance has cluster support disabled\r\n");
    EXPECT_EQ(client.call({"CLIENT", "TRACKINGINFO"}),
              "*6\r\n" + bulk("flags") + "*1\r\n" + bulk("off") + bulk("redirect") + ":-1\r\n" + bulk("prefixes") + "*0\r\n");
    EXPECT_THAT(client.call({"CLIENT", "CACHING", "YES"}), StartsWith("-ERR CLIENT CACHING can be called only when"));
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "x"}), "-ERR syntax error\r\n");
    EXPECT_EQ(client.call({"DEBUG", "JMAP"}), "-ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP.\r\n");
    EXPECT_EQ(client.call({"DEBUG", "OBJECT", "none"}), "-ERR no such key\r\n");
    client.call({"SET", "k", "12345"});
    EXPECT_THAT(client.call({"DEBUG", "OBJECT", "k"}), HasSubstr(" serializedlength:5 "));
    EXPECT_EQ(client.call({"DEBUG", "PROTOCOL", "map"}), "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n");
    client.call({"MULTI"});
    client.call({"MONITOR"});
    EXPECT_EQ(client.call({"EXEC"}), "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
}

TEST_F(RespAdmin, AMonitorSeesWhatOthersSay) {
    RespClient monitor = cluster_.resp(1), client = cluster_.resp(1);
    EXPECT_EQ(monitor.call({"MONITOR"}), "+OK\r\n");
    client.call({"SET", "k", "a \"b\"\x01"});
    EXPECT_THAT(monitor.reply(), EndsWith("] \"SET\" \"k\" \"a \\\"b\\\"\\x01\"\r\n"));
    client.call({"CONFIG", "GET", "port"});  // administrators are not shown
    client.call({"MULTI"});
    client.call({"INCR", "n"});
    client.call({"EXEC"});
    for (const char* shown : {"] \"MULTI\"\r\n", "] \"INCR\" \"n\"\r\n", "] \"EXEC\"\r\n"}) EXPECT_THAT(monitor.reply(), EndsWith(shown));
    EXPECT_EQ(monitor.call({"RESET"}).substr(0, 1), "+");
}

TEST_F(RespAdmin, LatencyTellsWhatTookLongAndHowCallsSpread) {
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"DEBUG", "SLEEP", "0.02"}), "+OK\r\n");
    EXPECT_EQ(client.call({"LATENCY", "LATEST"}), "*0\r\n");  // nothing is remembered before it is asked for
    EXPECT_EQ(client.call({"CONFIG", "SET", "latency-monitor-threshold", "20"}), "+OK\r\n");
    EXPECT_EQ(client.call({"DEBUG", "SLEEP", "0.02"}), "+OK\r\n");
    EXPECT_THAT(client.call({"LATENCY", "LATEST"}), AllOf(StartsWith("*1\r\n*4\r\n$7\r\ncommand\r\n:"), EndsWith(":20\r\n:20\r\n")));
    EXPECT_THAT(client.call({"LATENCY", "HISTORY", "command"}), AllOf(StartsWith("*1\r\n*2\r\n:"), EndsWith(":20\r\n")));
    EXPECT_THAT(client.call({"LATENCY", "GRAPH", "command"}), HasSubstr("worst 20 ms"));
    EXPECT_EQ(client.call({"LATENCY", "GRAPH", "none"}), "-ERR No samples available for event 'none'\r\n");
    EXPECT_EQ(client.call({"LATENCY", "RESET", "none", "command"}), ":1\r\n");
    EXPECT_EQ(client.call({"LATENCY", "HISTORY", "command"}), "*0\r\n");

    EXPECT_EQ(client.call({"CONFIG", "RESETSTAT"}), "+OK\r\n");
    client.call({"SET", "k", "v"});
    client.call({"GET", "k"});
    client.call({"GET", "k"});
    EXPECT_THAT(client.call({"LATENCY", "HISTOGRAM", "get", "set", "del", "nosuch"}),
                AllOf(StartsWith("*4\r\n$3\r\nget\r\n*4\r\n$5\r\ncalls\r\n:2\r\n"), HasSubstr("$3\r\nset\r\n*4\r\n$5\r\ncalls\r\n:1\r\n"),
                      HasSubstr(":2\r\n$3\r\nset")));  // cumulative: the last bucket has all
    EXPECT_THAT(client.call({"LATENCY", "HISTOGRAM", "config"}), StartsWith("*2\r\n$16\r\nconfig|resetstat\r\n"));
}

TEST_F(RespAdmin, SavingWaitsUntilTheStoreHasEverything) {
    RespClient client = cluster_.resp(1);
    client.call({"SET", "k", "v"});
    EXPECT_EQ(client.call({"SAVE"}), "+OK\r\n");
    EXPECT_EQ(client.call({"BGSAVE"}), "+Background saving started\r\n");
    EXPECT_THAT(client.call({"LASTSAVE"}), StartsWith(":1"));
    EXPECT_THAT(client.call({"TIME"}), StartsWith("*2\r\n$10\r\n"));
    EXPECT_EQ(client.call({"MODULE", "LIST"}), "*0\r\n");
    EXPECT_THAT(client.call({"MEMORY", "DOCTOR"}), StartsWith("$"));
    EXPECT_EQ(client.call({"MEMORY", "PURGE"}), "+OK\r\n");
    EXPECT_THAT(client.call({"MEMORY", "HELP"}), HasSubstr("+USAGE key"));
    EXPECT_EQ(client.call({"CLUSTER", "SLOTS"}), "-ERR This instance has cluster support disabled\r\n");
}

TEST_F(RespAdmin, ShutdownEndsTheNodeAsSigtermDoes) {
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"SHUTDOWN", "LATER"}), "-ERR syntax error\r\n");
    client.send({"SHUTDOWN", "NOSAVE"});
    EXPECT_TRUE(eventually([&] { return !TestSocket(cluster_.client_port(1)).is_connected(); }));
    EXPECT_EQ(cluster_.running(1).shut_down(), kExitClean);
}

TEST_F(RespAdmin, CommandTellsSyntaxKeysAndCategories) {
    RespClient client = cluster_.resp(1);
    EXPECT_THAT(client.call({"COMMAND", "DOCS", "get"}),
                AllOf(StartsWith("*2\r\n$3\r\nget\r\n*8\r\n"), HasSubstr(bulk("Get the value of a key"))));
    EXPECT_EQ(client.call({"COMMAND", "GETKEYS", "SET", "k", "v"}), "*1\r\n" + bulk("k"));
    EXPECT_EQ(client.call({"COMMAND", "GETKEYS", "PING", "x"}), "-ERR The command has no key arguments\r\n");
    EXPECT_EQ(client.call({"COMMAND", "GETKEYS", "NOSUCH", "k"}), "-ERR Invalid command specified\r\n");
    EXPECT_THAT(client.call({"COMMAND", "LIST", "FILTERBY", "PATTERN", "pu*sh"}), "*1\r\n" + bulk("publish"));
    EXPECT_THAT(client.call({"COMMAND", "LIST", "FILTERBY", "ACLCAT", "pubsub"}),
                AllOf(HasSubstr(bulk("subscribe")), Not(HasSubstr(bulk("get")))));
    EXPECT_THAT(client.call({"COMMAND", "INFO", "get"}), HasSubstr("+@read\r\n+@string\r\n+@fast\r\n"));
    EXPECT_THAT(client.call({"COMMAND", "INFO", "copy"}),
                AllOf(HasSubstr("*2\r\n+RO\r\n+access\r\n"), HasSubstr("*2\r\n+OW\r\n+update\r\n"), HasSubstr(bulk("lastkey"))));
    EXPECT_THAT(client.call({"COMMAND", "INFO", "del"}), HasSubstr(bulk("request_policy:multi_shard")));
    EXPECT_EQ(client.call({"COMMAND", "GETKEYSANDFLAGS", "SET", "k", "v"}), "*1\r\n*2\r\n" + bulk("k") + "*2\r\n+OW\r\n+update\r\n");
    EXPECT_EQ(client.call({"COMMAND", "GETKEYSANDFLAGS", "SET", "k", "v", "GET"}),
              "*1\r\n*2\r\n" + bulk("k") + "*3\r\n+RW\r\n+access\r\n+update\r\n");
}

TEST(RespWait, CountsSlavesThatHoldTheLastWriteDurably) {
    Cluster cluster(3);
    ASSERT_EQ(cluster.await_master(), 1u);
    for (std::size_t node = 1; node <= 3; ++node) ASSERT_TRUE(cluster.await_reads(node)) << node;
    RespClient client = cluster.resp(1);
    client.send({"SET", "k", "v"});
    client.send({"WAIT", "2", "0"});
    EXPECT_EQ(client.reply(), "+OK\r\n");
    EXPECT_EQ(client.reply(), ":2\r\n");
    EXPECT_EQ(client.call({"CONFIG", "GET", "replicaof"}), "*2\r\n" + bulk("replicaof") + bulk(""));
    EXPECT_EQ(cluster.resp(2).call({"CONFIG", "GET", "replicaof"}),
              "*2\r\n" + bulk("replicaof") + bulk(fmt::format("127.0.0.1 {}", cluster.client_port(1))));
    EXPECT_THAT(cluster.resp(2).call({"WAIT", "1", "0"}), StartsWith("-ERR WAIT cannot be used with replica instances."));
    cluster.kill(3);
    EXPECT_EQ(client.call({"SET", "k", "w"}), "+OK\r\n");
    EXPECT_EQ(client.call({"WAIT", "2", "50"}), ":1\r\n");
    EXPECT_EQ(client.call({"WAIT", "x", "50"}), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(RespAdmin, InfoTellsHitsAndMissesSinceResetstat) {
    RespClient client = cluster_.resp(1);
    client.call({"SET", "k", "1"});
    client.call({"GET", "k"});
    client.call({"MGET", "k", "none"});
    client.send({"SET", "k", "2"});
    client.send({"GET", "k"});  // logged, where it stands behind a write
    EXPECT_NE(client.reply(), "");
    EXPECT_NE(client.reply(), "");
    EXPECT_THAT(client.call({"INFO", "stats"}), AllOf(HasSubstr("keyspace_hits:3\r\n"), HasSubstr("keyspace_misses:1\r\n")));
    EXPECT_EQ(client.call({"CONFIG", "RESETSTAT"}), "+OK\r\n");
    client.call({"GET", "none"});
    EXPECT_THAT(client.call({"INFO", "stats"}),
                AllOf(HasSubstr("keyspace_hits:0\r\n"), HasSubstr("keyspace_misses:1\r\n"), HasSubstr("total_connections_received:0\r\n")));
}

TEST_F(RespAdmin, ReadsOfBothProtocolsCount) {
    RespClient client = cluster_.resp(1);
    NativeClient native = cluster_.native(1);
    client.call({"SET", "k", "1"});
    client.call({"CONFIG", "RESETSTAT"});
    native.call(get("k"));
    native.call(get("none"));
    native.call({.body = protocol::native::GetMany{{"k", "none", "k"}}});
    client.call({"TANIST.GETV", "k"});
    client.call({"WATCH", "k"});  // tells nothing of it
    EXPECT_THAT(client.call({"INFO", "stats"}), AllOf(HasSubstr("keyspace_hits:4\r\n"), HasSubstr("keyspace_misses:2\r\n")));
}

TEST_F(RespAdmin, IdleConnectionsEndAfterTheTimeoutAndListenersDoNot) {
    RespClient idle = cluster_.resp(1), listener = cluster_.resp(1), client = cluster_.resp(1);
    idle.call({"PING"});
    listener.call({"SUBSCRIBE", "c"});
    EXPECT_EQ(client.call({"CONFIG", "SET", "timeout", "1"}), "+OK\r\n");
    EXPECT_EQ(idle.reply(), "");
    RespClient later = cluster_.resp(1);
    EXPECT_EQ(later.call({"PUBLISH", "c", "m"}), ":1\r\n");
}

TEST_F(RespAdmin, AListenerThatDoesNotReadIsEndedAtTheLimitOfItsClass) {
    RespClient client = cluster_.resp(1);
    const std::string_view name = "client-output-buffer-limit";
    EXPECT_THAT(client.call({"CONFIG", "SET", name, "pubsub 1 2"}), HasSubstr("Wrong number of arguments in buffer limit"));
    EXPECT_THAT(client.call({"CONFIG", "SET", name, "nobody 1 2 3"}), HasSubstr("Invalid client class specified"));
    EXPECT_EQ(client.call({"CONFIG", "SET", name, "pubsub 100kb 0 0"}), "+OK\r\n");
    EXPECT_THAT(client.call({"CONFIG", "GET", name}), HasSubstr("normal 0 0 0 slave 268435456 67108864 60 pubsub 102400 0 0"));
    RespClient listener = cluster_.resp(1);
    listener.call({"SUBSCRIBE", "c"});
    const std::string message(1 << 20, 'x');
    EXPECT_TRUE(eventually([&] { return client.call({"PUBLISH", "c", message}) == ":0\r\n"; }));
}

}  // namespace
}  // namespace tanist::server::testing

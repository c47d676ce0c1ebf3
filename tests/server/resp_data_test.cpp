// SPDX-License-Identifier: Apache-2.0
// Redis's commands about data over the wire: transactions, cursors, deadlines, slaves. What each command answers is held against
// redis-server by tests/e2e/redis_oracle.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "server/resp/cursors.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Words = std::vector<std::string_view>;

struct Line {
    Words words;
    std::string_view reply;
};
void expect_all(RespClient& client, const std::vector<Line>& lines) {
    for (const Line& line : lines) EXPECT_EQ(client.call(line.words), line.reply) << line.words.front();
}

class RespData : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(cluster_.await_master(), 1u); }
    Cluster cluster_{1};
};

TEST_F(RespData, ATransactionRunsAsOneWithWhatIsNotAboutDataInItsPlace) {
    RespClient client = cluster_.resp(1);
    expect_all(client, {{{"MULTI"}, "+OK\r\n"},
                        {{"set", "a", "1"}, "+QUEUED\r\n"},
                        {{"PING"}, "+QUEUED\r\n"},
                        {{"INCR", "a"}, "+QUEUED\r\n"},
                        {{"GET", "a"}, "+QUEUED\r\n"},
                        {{"EXEC"}, "*4\r\n+OK\r\n+PONG\r\n:2\r\n$1\r\n2\r\n"},
                        {{"MULTI"}, "+OK\r\n"},
                        {{"PING", "x"}, "+QUEUED\r\n"},
                        {{"EXEC"}, "*1\r\n$1\r\nx\r\n"},
                        {{"MULTI"}, "+OK\r\n"},
                        {{"EXEC"}, "*0\r\n"}});
}

TEST_F(RespData, BehindAHelloInATransactionAnswersAreOfItsVersion) {
    RespClient client = cluster_.resp(1);
    for (const bool writes : {false, true}) {
        client.call({"MULTI"});
        client.call({"GET", "none"});
        client.call({"HELLO", "3"});
        client.call({"GET", "none"});
        if (writes) client.call({"SET", "k", "1"});
        const std::string answer = client.call({"EXEC"});
        EXPECT_THAT(answer, StartsWith(writes ? "*4\r\n$-1\r\n%" : "*3\r\n$-1\r\n%"));
        EXPECT_THAT(answer, EndsWith(writes ? "_\r\n+OK\r\n" : "_\r\n"));
        client.call({"HELLO", "2"});
    }
}

TEST_F(RespData, WhatCannotBeQueuedEndsTheTransaction) {
    RespClient client = cluster_.resp(1);
    constexpr std::string_view kAborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    expect_all(client, {{{"MULTI"}, "+OK\r\n"},
                        {{"SET", "a", "1"}, "+QUEUED\r\n"},
                        {{"SUBSCRIBE", "c"}, "-ERR Command not allowed inside a transaction\r\n"},
                        {{"EXEC"}, kAborted},
                        {{"MULTI"}, "+OK\r\n"},
                        {{"TANIST.CAS", "a", "1", "2"}, "-ERR Command not allowed inside a transaction\r\n"},
                        {{"EXEC"}, kAborted},
                        {{"GET", "a"}, "$-1\r\n"},
                        {{"EXEC"}, "-ERR EXEC without MULTI\r\n"}});
}

TEST_F(RespData, AWatchedKeyThatChangesStopsTheTransactionAlsoInOnePipeline) {
    RespClient client = cluster_.resp(1), other = cluster_.resp(1);
    client.send({"SET", "a", "1"});
    client.send({"WATCH", "a"});
    client.send({"MULTI"});
    client.send({"SET", "a", "2"});
    client.send({"EXEC"});
    for (const std::string_view reply : {"+OK\r\n", "+OK\r\n", "+OK\r\n", "+QUEUED\r\n", "*1\r\n+OK\r\n"}) EXPECT_EQ(client.reply(), reply);
    EXPECT_EQ(client.call({"WATCH", "a"}), "+OK\r\n");
    EXPECT_EQ(other.call({"SET", "a", "2"}), "+OK\r\n");  // the same value: a change all the same
    expect_all(client, {{{"MULTI"}, "+OK\r\n"}, {{"SET", "a", "3"}, "+QUEUED\r\n"}, {{"EXEC"}, "*-1\r\n"}, {{"GET", "a"}, "$1\r\n2\r\n"}});
}

TEST_F(RespData, NoMoreKeysAreWatchedThanCanBeChecked) {
    RespClient client = cluster_.resp(1);
    Words words{"WATCH"};
    words.resize(4098, "a");
    EXPECT_EQ(client.call(words), "-ERR too many watched keys: 4096 are allowed\r\n");
    words.pop_back();
    EXPECT_EQ(client.call(words), "+OK\r\n");
}

TEST_F(RespData, ScanReachesEveryKeyPageByPage) {
    RespClient client = cluster_.resp(1);
    for (int i = 0; i < 100; ++i) client.send({"SET", "key" + std::to_string(i), "v"});
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client.reply(), "+OK\r\n");
    std::string cursor = "0";
    std::set<std::string> found;
    for (int page = 0; page < 100; ++page) {
        const std::string reply = client.call({"SCAN", cursor, "COUNT", "9"});
        ASSERT_THAT(reply, StartsWith("*2\r\n$"));
        std::size_t at = reply.find("\r\n", 4) + 2;
        cursor = reply.substr(at, reply.find("\r\n", at) - at);
        while ((at = reply.find("key", at)) != std::string::npos) {
            found.insert(reply.substr(at, reply.find("\r\n", at) - at));
            ++at;
        }
        if (cursor == "0") break;
    }
    EXPECT_EQ(found.size(), 100u);
    EXPECT_EQ(client.call({"SCAN", "no"}), "-ERR invalid cursor\r\n");
    EXPECT_EQ(client.call({"SCAN", "17", "COUNT", "1000"}), client.call({"SCAN", "0", "COUNT", "1000"}));  // not given out: begins anew
}

TEST_F(RespData, AKeyFallsDueWithoutAnotherWrite) {  // S22
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"SET", "a", "1", "PX", "50"}), "+OK\r\n");
    EXPECT_EQ(client.call({"SET", "b", "1", "EX", "100"}), "+OK\r\n");
    EXPECT_EQ(client.call({"TTL", "b"}), ":100\r\n");
    EXPECT_TRUE(eventually([&] { return client.call({"GET", "a"}) == "$-1\r\n"; }));
    EXPECT_EQ(client.call({"EXISTS", "a", "b"}), ":1\r\n");
}

TEST_F(RespData, ARefusedGetIsAnsweredBehindThoseBeforeIt) {
    TestSocket socket(cluster_.client_port(1));
    const std::string get = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", wrong = "*3\r\n$3\r\nGET\r\n$1\r\na\r\n$1\r\nb\r\n";
    const std::string long_key(70'000, 'k');
    socket.send(get + wrong + get + fmt::format("*2\r\n$3\r\nGET\r\n${}\r\n{}\r\n", long_key.size(), long_key) + get +
                "*1\r\n$4\r\nQUIT\r\n");
    EXPECT_EQ(socket.receive_all(),
              "$-1\r\n-ERR wrong number of arguments for 'get' command\r\n$-1\r\n-ERR key of 70000 bytes: at most 65536 are allowed\r\n"
              "$-1\r\n+OK\r\n");
}

TEST_F(RespData, KeysBeyondTheirLimitAreRefusedByReadsToo) {
    RespClient client = cluster_.resp(1);
    const std::string key(limits::kKeyBytesMax + 1, 'k');
    for (const std::string_view name : {"GET", "STRLEN", "MGET", "DEL", "GETDEL"}) {
        EXPECT_THAT(client.call({name, key}), HasSubstr("-ERR key of 65537 bytes")) << name;
    }
}

TEST_F(RespData, ATransactionThatOnlyReadsIsNotLogged) {
    RespClient client = cluster_.resp(1), other = cluster_.resp(1);
    client.send({"SET", "a", "1"});
    client.send({"MULTI"});
    client.send({"GET", "a"});
    client.send({"EXEC"});  // sees the write before it in its pipeline
    for (const std::string_view reply : {"+OK\r\n", "+OK\r\n", "+QUEUED\r\n", "*1\r\n$1\r\n1\r\n"}) EXPECT_EQ(client.reply(), reply);
    const auto last_lsn = [&] {
        const std::string info = client.call({"INFO", "tanist"});
        return info.substr(info.find("last_lsn:"), 20);
    };
    const std::string before = last_lsn();
    expect_all(client, {{{"WATCH", "a", "none"}, "+OK\r\n"},
                        {{"MULTI"}, "+OK\r\n"},
                        {{"GET", "a"}, "+QUEUED\r\n"},
                        {{"PING"}, "+QUEUED\r\n"},
                        {{"STRLEN", "none"}, "+QUEUED\r\n"},
                        {{"EXEC"}, "*3\r\n$1\r\n1\r\n+PONG\r\n:0\r\n"}});
    EXPECT_EQ(last_lsn(), before);
    EXPECT_EQ(client.call({"WATCH", "a"}), "+OK\r\n");
    EXPECT_EQ(other.call({"SET", "a", "2"}), "+OK\r\n");
    expect_all(client, {{{"MULTI"}, "+OK\r\n"}, {{"GET", "a"}, "+QUEUED\r\n"}, {{"EXEC"}, "*-1\r\n"}});
}

TEST(RespSlaves, ReadOfTransactionsAndDeadlinesAreTheMasters) {
    Cluster cluster{3};
    ASSERT_EQ(cluster.await_master(), 1u);
    ASSERT_TRUE(cluster.await_reads(2));
    RespClient master = cluster.resp(1), slave = cluster.resp(2);
    EXPECT_EQ(slave.call({"MULTI"}), "+OK\r\n");
    EXPECT_THAT(slave.call({"SET", "a", "1"}), StartsWith("-READONLY"));
    EXPECT_THAT(slave.call({"EXEC"}), StartsWith("-EXECABORT"));
    EXPECT_EQ(master.call({"MSET", "x", "1", "y", "2"}), "+OK\r\n");
    EXPECT_TRUE(eventually([&] { return slave.call({"GET", "y"}) == "$1\r\n2\r\n"; }));
    expect_all(slave, {{{"WATCH", "x"}, "+OK\r\n"},
                       {{"MULTI"}, "+OK\r\n"},
                       {{"GET", "x"}, "+QUEUED\r\n"},
                       {{"MGET", "y", "z"}, "+QUEUED\r\n"},
                       {{"EXEC"}, "*2\r\n$1\r\n1\r\n*2\r\n$1\r\n2\r\n$-1\r\n"}});
    EXPECT_EQ(master.call({"SET", "a", "1", "PX", "50"}), "+OK\r\n");
    EXPECT_EQ(master.call({"SETRANGE", "b", "2", "x"}), ":3\r\n");
    EXPECT_TRUE(eventually([&] { return slave.call({"STRLEN", "b"}) == ":3\r\n"; }));
    EXPECT_TRUE(eventually([&] { return slave.call({"EXISTS", "a"}) == ":0\r\n"; }));
}

TEST(Cursors, AreForgottenOldestFirst) {
    resp::Cursors cursors(1000);
    const std::string first = std::to_string(cursors.give_out("a"));
    EXPECT_EQ(cursors.translate(first), "ka");
    EXPECT_EQ(cursors.translate("0"), "");
    EXPECT_EQ(cursors.translate("1001"), "");
    for (const char* none : {"x", " 1000", "1000 ", "99999999999999999999"}) EXPECT_EQ(cursors.translate(none), "?") << none;
    std::string last;
    for (std::size_t i = 0; i < resp::Cursors::kCursorsMax; ++i) last = std::to_string(cursors.give_out("b"));
    EXPECT_EQ(cursors.translate(first), "");
    EXPECT_EQ(cursors.translate(last), "kb");
    const std::string large(resp::Cursors::kBytesMax - 1, 'x');
    EXPECT_EQ(cursors.translate(std::to_string(cursors.give_out(large))), "k" + large);
    EXPECT_EQ(cursors.translate(last), "kb");
    static_cast<void>(cursors.give_out("cc"));
    EXPECT_EQ(cursors.translate(last), "");
}

TEST_F(RespData, KeysOfALargeStateAreGatheredWhileOthersAreServed) {
    RespClient client = cluster_.resp(1), other = cluster_.resp(1);
    constexpr std::size_t kKeys = 100'500, kPerCommand = 500;
    for (std::size_t i = 0; i < kKeys; i += kPerCommand) {
        std::vector<std::string> texts;
        for (std::size_t k = i; k < i + kPerCommand; ++k) texts.push_back(fmt::format("key:{:06}", k));
        std::vector<std::string_view> words{"MSET"};
        for (const std::string& text : texts) words.insert(words.end(), {text, "v"});
        ASSERT_EQ(client.call(words), "+OK\r\n");
    }
    client.send({"KEYS", "*"});
    EXPECT_EQ(other.call({"SET", "a", "1"}), "+OK\r\n");
    const std::string all = client.reply();
    EXPECT_TRUE(all.starts_with("*100500\r\n") || all.starts_with("*100501\r\n")) << all.substr(0, 40);
    EXPECT_LT(all.find("key:000000\r\n"), all.find("key:100499\r\n"));
    // What took several turns is one command in the slow log, and others came in between.
    EXPECT_EQ(client.call({"CONFIG", "SET", "slowlog-log-slower-than", "1000"}), "+OK\r\n");
    EXPECT_TRUE(eventually([&] {
        client.send({"KEYS", "*"});
        bool is_under_way = false;
        for (int i = 0; i < 100 && !is_under_way; ++i) {
            is_under_way = other.call({"INFO", "clients"}).find("blocked_clients:1\r\n") != std::string::npos;
        }
        EXPECT_EQ(other.call({"SET", "zz", "1"}), "+OK\r\n");  // behind all others
        const bool was_in_between = client.reply().find("zz\r\n") != std::string::npos;
        EXPECT_EQ(other.call({"DEL", "zz"}), ":1\r\n");
        return is_under_way && was_in_between;
    }));
    EXPECT_THAT(client.call({"SLOWLOG", "GET", "5"}), HasSubstr("*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "slowlog-log-slower-than", "10000"}), "+OK\r\n");
    client.send({"SET", "key:07", "1"});
    client.send({"KEYS", "key:0700*"});  // sees the writes before it, and stops behind what begins so
    EXPECT_EQ(client.reply(), "+OK\r\n");
    EXPECT_THAT(client.reply(), StartsWith("*100\r\n"));
    EXPECT_EQ(client.call({"KEYS", "none*"}), "*0\r\n");
    EXPECT_EQ(client.call({"CONFIG", "SET", "limits.output_bytes", "1048576"}), "+OK\r\n");
    EXPECT_EQ(client.call({"KEYS", "*"}), "-ERR the keys would pass 524288 bytes, half of limits.output_bytes: use SCAN\r\n");
}

}  // namespace
}  // namespace tanist::server::testing

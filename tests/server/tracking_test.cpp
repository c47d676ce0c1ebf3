// SPDX-License-Identifier: Apache-2.0
// What a node tells its own connections of what is applied: invalidations of CLIENT TRACKING, and keyspace notifications.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }
std::string invalidation(std::initializer_list<std::string_view> keys) {
    std::string text = fmt::format(">2\r\n{}*{}\r\n", bulk("invalidate"), keys.size());
    for (const std::string_view key : keys) text += bulk(key);
    return text;
}
std::string id_of(RespClient& client) {
    const std::string id = client.call({"CLIENT", "ID"});
    return id.substr(1, id.size() - 3);
}

class TrackingTest : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(cluster_.await_master(), 1u); }
    RespClient reader(std::vector<std::string_view> options) {
        RespClient client = cluster_.resp(1);
        EXPECT_THAT(client.call({"HELLO", "3"}), StartsWith("%"));
        options.insert(options.begin(), {"CLIENT", "TRACKING", "ON"});
        EXPECT_EQ(client.call(options), "+OK\r\n");
        return client;
    }
    Cluster cluster_{1};
    RespClient writer_ = cluster_.resp(1);
};

TEST_F(TrackingTest, WhoHasReadAKeyIsToldOnceWhenItChanges) {
    RespClient client = reader({});
    EXPECT_EQ(client.call({"GET", "k"}), "_\r\n");
    EXPECT_EQ(client.call({"MGET", "k", "l"}), "*2\r\n_\r\n_\r\n");
    EXPECT_THAT(writer_.call({"INFO", "stats"}), HasSubstr("tracking_total_keys:2\r\n"));
    writer_.call({"SET", "unread", "1"});
    writer_.call({"SET", "k", "1"});
    EXPECT_EQ(client.reply(), invalidation({"k"}));
    writer_.call({"SET", "k", "2"});
    writer_.call({"DEL", "l", "k"});
    EXPECT_EQ(client.call({"PING"}), "+PONG\r\n");  // l was not there: nothing has changed
    writer_.call({"SET", "l", "1"});
    EXPECT_EQ(client.reply(), invalidation({"l"}));
}

TEST_F(TrackingTest, ReadsAmongWritesOfAPipelineAndInTransactionsCount) {
    RespClient client = reader({"NOLOOP"});
    client.send({"SET", "own", "1"});
    client.send({"GET", "own"});
    EXPECT_EQ(client.reply(), "+OK\r\n");
    EXPECT_EQ(client.reply(), bulk("1"));
    writer_.call({"INCR", "own"});
    EXPECT_EQ(client.reply(), invalidation({"own"}));
    for (const bool with_write : {false, true}) {
        client.call({"MULTI"});
        client.call({"GET", "k"});
        if (with_write) client.call({"SET", "other", "1"});
        EXPECT_THAT(client.call({"EXEC"}), StartsWith("*"));
        writer_.call({"APPEND", "k", "x"});
        EXPECT_EQ(client.reply(), invalidation({"k"}));
    }
}

TEST_F(TrackingTest, OnesOwnChangesAreToldBehindTheAnswerOrNotAtAllWithNoloop) {
    RespClient client = reader({}), quiet = reader({"NOLOOP"});
    client.call({"GET", "k"});
    quiet.call({"GET", "k"});
    EXPECT_EQ(client.call({"SET", "k", "1"}), "+OK\r\n");
    EXPECT_EQ(client.reply(), invalidation({"k"}));
    EXPECT_EQ(quiet.reply(), invalidation({"k"}));
    quiet.call({"GET", "k"});
    EXPECT_EQ(quiet.call({"SET", "k", "2"}), "+OK\r\n");
    EXPECT_EQ(quiet.call({"PING"}), "+PONG\r\n");
}

TEST_F(TrackingTest, OptedInOrOutTheNextCommandCountsOrNot) {
    RespClient in = reader({"OPTIN"}), out = reader({"OPTOUT"});
    in.call({"GET", "a"});
    EXPECT_EQ(in.call({"CLIENT", "CACHING", "YES"}), "+OK\r\n");
    in.call({"GET", "b"});
    in.call({"GET", "c"});
    EXPECT_EQ(out.call({"CLIENT", "CACHING", "NO"}), "+OK\r\n");
    out.call({"GET", "a"});
    out.call({"GET", "b"});
    writer_.call({"MSET", "a", "1", "b", "1", "c", "1"});
    EXPECT_EQ(in.reply(), invalidation({"b"}));
    EXPECT_EQ(out.reply(), invalidation({"b"}));
    EXPECT_EQ(in.call({"PING"}), "+PONG\r\n");
    EXPECT_EQ(out.call({"PING"}), "+PONG\r\n");
    EXPECT_EQ(in.call({"CLIENT", "CACHING", "NO"}), "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.\r\n");
}

TEST_F(TrackingTest, ABroadcastTellsAllKeysWithThePrefixInOneMessage) {
    RespClient client = reader({"BCAST", "PREFIX", "user:", "PREFIX", "item:"});
    writer_.call({"MSET", "user:2", "1", "user:1", "1", "other", "1"});
    EXPECT_EQ(client.reply(), invalidation({"user:1", "user:2"}));
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "us"}),
              "-ERR Prefix 'us' overlaps with an existing prefix 'user:'. Prefixes for a single client must not overlap.\r\n");
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "OFF"}), "+OK\r\n");
    writer_.call({"SET", "user:1", "2"});
    EXPECT_EQ(client.call({"PING"}), "+PONG\r\n");
}

TEST_F(TrackingTest, ChangingTheModeForgetsNothing) {
    RespClient client = reader({});
    client.call({"GET", "k"});
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON", "NOLOOP"}), "+OK\r\n");
    writer_.call({"SET", "k", "1"});
    EXPECT_EQ(client.reply(), invalidation({"k"}));
}

TEST_F(TrackingTest, WhatATransactionReadAndAnswersLateIsToldAsChanged) {
    RespClient client = reader({"NOLOOP"});
    EXPECT_EQ(client.call({"TANIST.ACK", "all"}), "+OK\r\n");
    client.call({"MULTI"});
    client.call({"SET", "own", "1"});
    client.call({"MGET", "a", "b"});
    EXPECT_THAT(client.call({"EXEC"}), StartsWith("*2\r\n+OK\r\n"));
    EXPECT_EQ(client.reply(), invalidation({"a", "b"}));
}

TEST_F(TrackingTest, WhatWaitsBehindABlockedCommandIsBounded) {
    RespClient client = reader({"BCAST"});
    EXPECT_EQ(writer_.call({"CONFIG", "SET", "client-output-buffer-limit", "normal 100kb 0 0"}), "+OK\r\n");
    client.send({"WAIT", "9", "0"});
    client.send({"PING"});
    const std::string key(1000, 'k');
    for (int i = 0; i < 2000; ++i) {
        if (writer_.call({"SET", key + std::to_string(i), "1"}) != "+OK\r\n") break;
        if (i % 20 == 0 && writer_.call({"CLIENT", "LIST"}).find("cmd=wait") == std::string::npos) return;  // dropped
    }
    FAIL() << "the connection is there still, and what it is told piles up";
}

TEST_F(TrackingTest, PrefixesAreBounded) {
    RespClient client = cluster_.resp(1);
    client.call({"HELLO", "3"});
    std::vector<std::string> prefixes;
    for (int i = 100; i < 229; ++i) prefixes.push_back(std::to_string(i));
    std::vector<std::string_view> words{"CLIENT", "TRACKING", "ON", "BCAST"};
    for (const std::string& prefix : prefixes) words.insert(words.end(), {"PREFIX", prefix});
    EXPECT_EQ(client.call(words), "-ERR a client has at most 128 prefixes, of at most 256 bytes each\r\n");
    words.resize(words.size() - 2);
    EXPECT_EQ(client.call(words), "+OK\r\n");
    writer_.call({"SET", "2270", "1"});
    EXPECT_EQ(client.reply(), invalidation({"2270"}));
}

TEST_F(TrackingTest, APrefixIsBounded) {
    RespClient client = cluster_.resp(1);
    client.call({"HELLO", "3"});
    const std::string longest(256, 'p');
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", longest + "p"}),
              "-ERR a client has at most 128 prefixes, of at most 256 bytes each\r\n");
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", longest}), "+OK\r\n");
    writer_.call({"SET", longest, "1"});
    EXPECT_EQ(client.reply(), invalidation({longest}));
}

TEST_F(TrackingTest, WhatWasReadByConnectionsThatAreGoneIsForgotten) {
    RespClient stays = reader({});
    stays.call({"MGET", "a", "b"});
    {
        RespClient goes = reader({});
        for (int i = 0; i < 2000; ++i) goes.send({"GET", std::to_string(i)});
        for (int i = 0; i < 2000; ++i) EXPECT_EQ(goes.reply(), "_\r\n");
        goes.call({"GET", "b"});
        EXPECT_THAT(writer_.call({"INFO", "stats"}), HasSubstr("tracking_total_items:2003\r\n"));
    }
    EXPECT_TRUE(eventually([&] { return writer_.call({"INFO", "stats"}).find("tracking_total_items:2\r\n") != std::string::npos; }));
    EXPECT_THAT(writer_.call({"INFO", "stats"}), HasSubstr("tracking_total_keys:2\r\n"));
    writer_.call({"SET", "b", "1"});
    EXPECT_EQ(stays.reply(), invalidation({"b"}));
}

TEST_F(TrackingTest, TurnedOffAndOnAgainAConnectionIsToldOfWhatItHadRead) {  // as in Redis
    RespClient client = reader({}), other = reader({});
    client.call({"GET", "k"});
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "OFF"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON"}), "+OK\r\n");
    writer_.call({"SET", "k", "1"});
    EXPECT_EQ(client.reply(), invalidation({"k"}));
}

TEST_F(TrackingTest, InResp2AnotherConnectionIsTold) {
    RespClient listener = cluster_.resp(1), client = cluster_.resp(1);
    const std::string id = id_of(listener);
    listener.call({"SUBSCRIBE", "__redis__:invalidate"});
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON", "REDIRECT", "999999"}),
              "-ERR The client ID you want redirect to does not exist\r\n");
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON", "REDIRECT", id}), "+OK\r\n");
    EXPECT_EQ(client.call({"CLIENT", "GETREDIR"}), fmt::format(":{}\r\n", id));
    client.call({"GET", "k"});
    writer_.call({"SET", "k", "1"});
    EXPECT_EQ(listener.reply(), "*3\r\n" + bulk("message") + bulk("__redis__:invalidate") + "*1\r\n" + bulk("k"));
    client.call({"GET", "k"});
    writer_.call({"FLUSHALL"});
    EXPECT_EQ(listener.reply(), "*3\r\n" + bulk("message") + bulk("__redis__:invalidate") + "$-1\r\n");
    EXPECT_THAT(client.call({"CLIENT", "INFO"}), HasSubstr(" flags=t "));
}

TEST_F(TrackingTest, MoreKeysThanTheTableHoldsAreForgottenWithAWord) {
    RespClient client = reader({});
    writer_.call({"CONFIG", "SET", "tracking-table-max-keys", "1"});
    client.send({"MGET", "a", "b"});
    EXPECT_EQ(client.reply(), "*2\r\n_\r\n_\r\n");
    EXPECT_THAT(client.reply(), StartsWith(">2\r\n" + bulk("invalidate")));
    EXPECT_THAT(writer_.call({"INFO", "stats"}), HasSubstr("tracking_total_keys:1\r\n"));
}

TEST_F(TrackingTest, ExpiredKeysAreInvalidToo) {
    writer_.call({"SET", "k", "1", "PX", "30"});
    RespClient client = reader({});
    client.call({"GET", "k"});
    EXPECT_EQ(client.reply(), invalidation({"k"}));
    EXPECT_THAT(writer_.call({"INFO", "stats"}), HasSubstr("expired_keys:1\r\n"));
}

TEST_F(TrackingTest, KeyspaceNotificationsTellTheClassesThatAreOn) {
    RespClient by_event = cluster_.resp(1), by_key = cluster_.resp(1);
    by_event.call({"PSUBSCRIBE", "__keyevent@*"});
    by_key.call({"SUBSCRIBE", "__keyspace@0__:k"});
    writer_.call({"SET", "k", "0"});
    EXPECT_EQ(writer_.call({"CONFIG", "SET", "notify-keyspace-events", "q"}),
              "-ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use "
              "'Ag$lshzxeKEtmdn'.\r\n");
    EXPECT_EQ(writer_.call({"CONFIG", "SET", "notify-keyspace-events", "KEgx"}), "+OK\r\n");
    EXPECT_EQ(writer_.call({"CONFIG", "GET", "notify-keyspace-events"}), "*2\r\n" + bulk("notify-keyspace-events") + bulk("gxKE"));
    writer_.call({"SET", "k", "1", "PX", "20"});  // of class $, but for its deadline
    for (const std::string_view event : {"expire", "expired"}) {
        EXPECT_EQ(by_key.reply(), "*3\r\n" + bulk("message") + bulk("__keyspace@0__:k") + bulk(event));
        EXPECT_EQ(by_event.reply(),
                  "*4\r\n" + bulk("pmessage") + bulk("__keyevent@*") + bulk(fmt::format("__keyevent@0__:{}", event)) + bulk("k"));
    }
}

TEST(TrackingOnASlave, TellsItsOwnConnectionsWhatItApplies) {
    Cluster cluster(3);
    const auto master = cluster.await_master();
    ASSERT_NE(master, 0u);
    RespClient client = cluster.resp(master % 3 + 1), writer = cluster.resp(master);
    ASSERT_TRUE(cluster.await_reads(master % 3 + 1));
    client.call({"HELLO", "3"});
    EXPECT_EQ(client.call({"CLIENT", "TRACKING", "ON"}), "+OK\r\n");
    EXPECT_EQ(client.call({"GET", "k"}), "_\r\n");
    writer.call({"SET", "k", "1"});
    EXPECT_EQ(client.reply(), invalidation({"k"}));
    EXPECT_EQ(client.call({"GET", "k"}), bulk("1"));
}

TEST(TrackingOnASlave, GoesOnWhenItBecomesTheMaster) {
    Cluster cluster(3);
    const auto master = cluster.await_master();
    ASSERT_NE(master, 0u);
    std::vector<RespClient> readers;
    for (const std::size_t other : {master % 3 + 1, (master + 1) % 3 + 1}) {
        ASSERT_TRUE(cluster.await_reads(other));
        readers.push_back(cluster.resp(other));
        readers.back().call({"HELLO", "3"});
        EXPECT_EQ(readers.back().call({"CLIENT", "TRACKING", "ON"}), "+OK\r\n");
        EXPECT_EQ(readers.back().call({"GET", "before"}), "_\r\n");
    }
    cluster.kill(master);
    const auto successor = cluster.await_master(master);
    ASSERT_NE(successor, 0u);
    RespClient writer = cluster.resp(successor);
    EXPECT_EQ(writer.call({"SET", "before", "1"}), "+OK\r\n");
    for (RespClient& client : readers) {
        EXPECT_EQ(client.reply(), invalidation({"before"}));
        EXPECT_EQ(client.call({"GET", "before"}), bulk("1"));
    }
    EXPECT_EQ(writer.call({"INCR", "before"}), ":2\r\n");
    for (RespClient& client : readers) EXPECT_EQ(client.reply(), invalidation({"before"}));
}

}  // namespace
}  // namespace tanist::server::testing

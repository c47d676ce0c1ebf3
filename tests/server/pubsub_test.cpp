// SPDX-License-Identifier: Apache-2.0
// Publishing and listening on the client port of one node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class PubSubTest : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(cluster_.await_master(), 1u); }
    Cluster cluster_{1};
};

TEST_F(PubSubTest, AMessageReachesWhoListensToItsChannelOrToAPatternOfIt) {
    RespClient listener = cluster_.resp(1), by_pattern = cluster_.resp(1), speaker = cluster_.resp(1);
    listener.send({"SUBSCRIBE", "news", "other"});
    EXPECT_EQ(listener.reply(), "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    EXPECT_EQ(listener.reply(), "*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:2\r\n");
    EXPECT_EQ(by_pattern.call({"PSUBSCRIBE", "n*s"}), "*3\r\n$10\r\npsubscribe\r\n$3\r\nn*s\r\n:1\r\n");

    EXPECT_EQ(speaker.call({"PUBLISH", "news", "hello"}), ":2\r\n");
    EXPECT_EQ(listener.reply(), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    EXPECT_EQ(by_pattern.reply(), "*4\r\n$8\r\npmessage\r\n$3\r\nn*s\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    EXPECT_EQ(speaker.call({"PUBLISH", "nobody", "hello"}), ":0\r\n");

    EXPECT_EQ(speaker.call({"PUBSUB", "CHANNELS", "o*"}), "*1\r\n$5\r\nother\r\n");
    EXPECT_EQ(speaker.call({"PUBSUB", "NUMSUB", "news", "nobody"}), "*4\r\n$4\r\nnews\r\n:1\r\n$6\r\nnobody\r\n:0\r\n");
    EXPECT_EQ(speaker.call({"PUBSUB", "NUMPAT"}), ":1\r\n");

    EXPECT_EQ(listener.call({"UNSUBSCRIBE", "news"}), "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    EXPECT_EQ(listener.call({"UNSUBSCRIBE"}), "*3\r\n$11\r\nunsubscribe\r\n$5\r\nother\r\n:0\r\n");
    EXPECT_EQ(listener.call({"UNSUBSCRIBE"}), "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    EXPECT_EQ(speaker.call({"PUBLISH", "news", "hello"}), ":1\r\n");
}

TEST_F(PubSubTest, ShardChannelsHaveTheirOwnNamesListenersAndMessages) {
    RespClient listener = cluster_.resp(1), speaker = cluster_.resp(1);
    EXPECT_EQ(listener.call({"SSUBSCRIBE", "news"}), "*3\r\n$10\r\nssubscribe\r\n$4\r\nnews\r\n:1\r\n");
    EXPECT_EQ(speaker.call({"PUBLISH", "news", "m"}), ":0\r\n");
    EXPECT_EQ(speaker.call({"SPUBLISH", "news", "m"}), ":1\r\n");
    EXPECT_EQ(listener.reply(), "*3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$1\r\nm\r\n");
    EXPECT_THAT(listener.call({"GET", "k"}), StartsWith("-ERR Can't execute 'get'"));
    EXPECT_EQ(speaker.call({"PUBSUB", "SHARDCHANNELS"}), "*1\r\n$4\r\nnews\r\n");
    EXPECT_EQ(speaker.call({"PUBSUB", "SHARDNUMSUB", "news"}), "*2\r\n$4\r\nnews\r\n:1\r\n");
    EXPECT_EQ(speaker.call({"PUBSUB", "CHANNELS"}), "*0\r\n");
    EXPECT_EQ(listener.call({"SUNSUBSCRIBE"}), "*3\r\n$12\r\nsunsubscribe\r\n$4\r\nnews\r\n:0\r\n");
    EXPECT_EQ(speaker.call({"SPUBLISH", "news", "m"}), ":0\r\n");
}

TEST_F(PubSubTest, InResp2AListenerMaySayLittleElseAndInResp3Everything) {
    RespClient two = cluster_.resp(1), three = cluster_.resp(1);
    two.call({"SUBSCRIBE", "c"});
    EXPECT_EQ(two.call({"GET", "k"}),
              "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n");
    EXPECT_EQ(two.call({"PING"}), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    EXPECT_EQ(two.call({"PING", "x"}), "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");

    EXPECT_THAT(three.call({"HELLO", "3"}), StartsWith("%"));
    EXPECT_EQ(three.call({"SUBSCRIBE", "c"}), ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    EXPECT_EQ(three.call({"SET", "k", "v"}), "+OK\r\n");
    EXPECT_EQ(three.call({"PUBLISH", "c", "m"}), ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
    EXPECT_EQ(three.reply(), ":2\r\n");
}

TEST_F(PubSubTest, WhatIsListenedToIsHeardAlsoWithRepliesOff) {
    RespClient listener = cluster_.resp(1), speaker = cluster_.resp(1);
    listener.send({"CLIENT", "REPLY", "OFF"});
    EXPECT_EQ(listener.call({"SUBSCRIBE", "c"}), "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    EXPECT_EQ(speaker.call({"PUBLISH", "c", "m"}), ":1\r\n");
    EXPECT_EQ(listener.reply(), "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
}

TEST_F(PubSubTest, AListenerThatLeavesIsForgotten) {
    {
        RespClient listener = cluster_.resp(1);
        listener.call({"SUBSCRIBE", "c"});
        EXPECT_EQ(cluster_.resp(1).call({"PUBSUB", "NUMSUB", "c"}), "*2\r\n$1\r\nc\r\n:1\r\n");
    }
    EXPECT_TRUE(eventually([&] { return cluster_.resp(1).call({"PUBLISH", "c", "m"}) == ":0\r\n"; }));
}

TEST(PubSubLimits, AListenerThatDoesNotReadIsDroppedAtTheOutputLimit) {
    Cluster cluster(1, [](config::Config& config) { config.limits.output_bytes = 200'000; });
    ASSERT_EQ(cluster.await_master(), 1u);
    TestSocket lazy(cluster.client_port(1), 4096);
    lazy.send(RespClient::encode({"SUBSCRIBE", "c"}));
    RespClient speaker = cluster.resp(1);
    ASSERT_TRUE(eventually([&] { return speaker.call({"PUBLISH", "c", "m"}) == ":1\r\n"; }));
    const std::string large(100'000, 'x');
    EXPECT_TRUE(eventually([&] { return speaker.call({"PUBLISH", "c", large}) == ":0\r\n"; }));
}

}  // namespace
}  // namespace tanist::server::testing

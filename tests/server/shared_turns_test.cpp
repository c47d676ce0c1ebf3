// SPDX-License-Identifier: Apache-2.0
// A turn in which many clients have sent something, taken in by several threads: what each is answered is as if it were alone.
#include "server/shared_turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <atomic>
#include <charconv>
#include <chrono>
#include <future>
#include <vector>

#include "store/memory_store.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using namespace protocol;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kClients = 16;

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }
const std::string kOk = "+OK\r\n", kNull = "$-1\r\n";

class SharedTurnsTest : public ::testing::Test {
protected:
    explicit SharedTurnsTest(std::size_t nodes = 1, const Cluster::Change& change = {})
        : cluster_(nodes, [change](config::Config& config) {
              config.node.network_threads = 4;
              if (change) change(config);
          }) {}
    void SetUp() override {
        ASSERT_EQ(cluster_.await_master(), 1u);
        ASSERT_EQ(cluster_.resp(1).call({"SETRANGE", "dear", "1000000", "\x01"}), ":1000001\r\n");
    }

    /// The loop takes nothing in before all of this has been sent; and what it takes in seems dear enough to be shared, by what came
    /// before.
    void in_one_turn(const std::function<void()>& send) {
        std::vector<RespClient> dear = clients(4);
        const std::uint64_t before = told("shared_reads");
        for (std::uint64_t read = 0; read < kDearReads; read += dear.size()) {
            hold_up([&] {
                for (RespClient& each : dear) each.send({"BITCOUNT", "dear"});
            });
            for (RespClient& each : dear) EXPECT_EQ(each.reply(), ":1\r\n");
        }
        shared_dear_reads_ += told("shared_reads") - before;
        hold_up(send);
    }
    void hold_up(const std::function<void()>& send) {
        std::promise<void> sent, stands_still;
        asio::post(cluster_.server(1).io(), [&, until = sent.get_future().share()] {
            stands_still.set_value();
            until.wait();
        });
        stands_still.get_future().wait();
        send();
        sent.set_value();
    }
    [[nodiscard]] std::vector<RespClient> clients(std::size_t count = kClients) {
        std::vector<RespClient> all;
        all.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(cluster_.resp(1));
            EXPECT_EQ(all.back().call({"PING"}), "+PONG\r\n");
        }
        return all;
    }
    /// A number that INFO tells.
    [[nodiscard]] std::uint64_t told(std::string_view field) {
        const std::string info = cluster_.resp(1).call({"INFO", "everything"});
        const std::string begin = fmt::format("\r\n{}:", field);
        const std::size_t at = info.find(begin);
        std::uint64_t number = 0;
        EXPECT_NE(at, std::string::npos) << field;
        if (at != std::string::npos) std::from_chars(info.data() + at + begin.size(), info.data() + info.size(), number);
        return number;
    }
    /// Without the dear ones.
    [[nodiscard]] std::uint64_t shared_reads() { return told("shared_reads") - shared_dear_reads_; }

    static constexpr std::uint64_t kDearReads = 20;
    Cluster cluster_;
    std::uint64_t shared_dear_reads_ = 0;
};

/// By the clock, so on any machine.
void take(std::chrono::microseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
    }
}

TEST(SharedTurnsAlone, WorkIsSharedWhenItIsWorthAThread) {
    const auto store = store::open_memory_store(std::make_shared<store::DurableImage>());
    SharedTurns turns(2, *store);
    std::atomic<std::uint64_t> done = 0;
    for (int turn = 0; turn < 10; ++turn) {
        turns.receive(4, [&](std::size_t) { take(std::chrono::microseconds(100)), ++done; });
        turns.send(4, [&](std::size_t) { take(std::chrono::microseconds(100)), ++done; });
    }
    EXPECT_EQ(done, 80U);
    EXPECT_GE(turns.counts().turns, 8U);
    EXPECT_GE(turns.counts().sends, 8U * 4);
    EXPECT_EQ(turns.counts().receives, turns.counts().turns * 4);
    const std::uint64_t before = turns.counts().turns;
    for (int turn = 0; turn < 10; ++turn) turns.receive(1, [&](std::size_t) { take(std::chrono::microseconds(100)); });
    EXPECT_EQ(turns.counts().turns, before) << "one connection is one thread's";
    EXPECT_TRUE(eventually([&] {
        turns.receive(4, [&](std::size_t) {});
        return !turns.is_shared();
    })) << "what has become cheap";
    SharedTurns alone(1, *store);
    EXPECT_FALSE(alone.has_helpers());
    for (int turn = 0; turn < 10; ++turn) alone.send(4, [&](std::size_t) { take(std::chrono::microseconds(100)); });
    EXPECT_EQ(alone.counts().sends, 0U);
}

TEST_F(SharedTurnsTest, ReadsOfAllKindsAreAnsweredAndCounted) {
    RespClient writer = cluster_.resp(1);
    ASSERT_EQ(writer.call({"MSET", "a", "1", "b", "22"}), kOk);
    auto readers = clients();
    const std::uint64_t hits = told("keyspace_hits"), misses = told("keyspace_misses"), turns = told("io_threaded_reads_processed");
    in_one_turn([&] {
        for (RespClient& reader : readers) {
            reader.socket().send(RespClient::encode({"GET", "a"}) + RespClient::encode({"get", "none"}) +
                                 RespClient::encode({"MGET", "a", "none", "b"}) + RespClient::encode({"STRLEN", "b"}) +
                                 RespClient::encode({"OBJECT", "ENCODING", "a"}) + "GET b\r\n");
        }
    });
    for (RespClient& reader : readers) {
        EXPECT_EQ(reader.reply(), bulk("1"));
        EXPECT_EQ(reader.reply(), kNull);
        EXPECT_EQ(reader.reply(), "*3\r\n" + bulk("1") + kNull + bulk("22"));
        EXPECT_EQ(reader.reply(), ":2\r\n");
        EXPECT_EQ(reader.reply(), bulk("int"));
        EXPECT_EQ(reader.reply(), bulk("22"));
    }
    EXPECT_EQ(shared_reads(), 6 * kClients);
    EXPECT_GE(told("io_threaded_reads_processed"), turns + kClients);
    EXPECT_GT(told("io_threaded_writes_processed"), 0U);
    EXPECT_EQ(told("keyspace_hits"), hits + kDearReads + 6 * kClients);
    EXPECT_EQ(told("keyspace_misses"), misses + 2 * kClients);
    const std::string info = writer.call({"INFO", "commandstats"});
    EXPECT_THAT(info, HasSubstr(fmt::format("cmdstat_get:calls={}", 3 * kClients)));
    EXPECT_THAT(info, HasSubstr(fmt::format("cmdstat_mget:calls={}", kClients)));
    EXPECT_THAT(info, HasSubstr(fmt::format("cmdstat_object|encoding:calls={}", kClients)));
}

TEST_F(SharedTurnsTest, APipelineIsAnsweredInItsOrderAndSeesItsWrites) {
    auto all = clients();
    in_one_turn([&] {
        for (std::size_t i = 0; i < kClients; ++i) {
            const std::string key = "key" + std::to_string(i);
            all[i].socket().send(RespClient::encode({"GET", key}) + RespClient::encode({"SET", key, "1"}) +
                                 RespClient::encode({"GET", key}) + RespClient::encode({"INCR", key}) + RespClient::encode({"GET", key}));
        }
    });
    for (RespClient& each : all) {
        EXPECT_EQ(each.reply(), kNull);
        EXPECT_EQ(each.reply(), kOk);
        EXPECT_EQ(each.reply(), bulk("1"));
        EXPECT_EQ(each.reply(), ":2\r\n");
        EXPECT_EQ(each.reply(), bulk("2"));
    }
    EXPECT_EQ(shared_reads(), kClients) << "the first ones";
    in_one_turn([&] {
        for (std::size_t i = 0; i < kClients; ++i) all[i].send({"GET", "key" + std::to_string(i)});
    });
    for (RespClient& each : all) EXPECT_EQ(each.reply(), bulk("2"));
    EXPECT_EQ(shared_reads(), 2 * kClients);
}

TEST_F(SharedTurnsTest, OneClientIsServedByTheLoopAlone) {
    auto lone = clients(1);
    const std::uint64_t receives = told("io_threaded_reads_processed");
    for (int i = 0; i < 20; ++i) EXPECT_EQ(lone[0].call({"BITCOUNT", "dear"}), ":1\r\n");
    EXPECT_EQ(told("io_threaded_reads_processed"), receives);
}

TEST_F(SharedTurnsTest, WhatIsNotAPlainReadIsTheLoops) {
    RespClient admin = cluster_.resp(1);
    ASSERT_EQ(admin.call({"SET", "a", "1"}), kOk);
    const std::vector<std::vector<std::string_view>> modes{{"MULTI"}, {"TANIST.READS", "linearizable"}, {"CLIENT", "TRACKING", "ON"}};
    for (const auto& mode : modes) {
        auto all = clients();
        for (RespClient& each : all) {
            if (mode[0] == "CLIENT") {
                ASSERT_THAT(each.call({"HELLO", "3"}), StartsWith("%"));
            }
            ASSERT_EQ(each.call(mode), kOk) << mode[0];
        }
        in_one_turn([&] {
            for (RespClient& each : all) each.send({"GET", "a"});
        });
        for (RespClient& each : all) EXPECT_EQ(each.reply(), mode[0] == "MULTI" ? "+QUEUED\r\n" : bulk("1")) << mode[0];
        if (mode[0] == "CLIENT") {
            ASSERT_EQ(admin.call({"SET", "a", "1"}), kOk);
            for (RespClient& each : all) EXPECT_THAT(each.reply(), HasSubstr("invalidate")) << "its read was remembered";
        }
    }
    EXPECT_EQ(shared_reads(), 0U);
}

TEST_F(SharedTurnsTest, MonitorsSeeAllReads) {
    RespClient monitor = cluster_.resp(1);
    ASSERT_EQ(monitor.call({"MONITOR"}), kOk);
    auto all = clients();
    in_one_turn([&] {
        for (RespClient& each : all) each.send({"GET", "a"});
    });
    for (RespClient& each : all) EXPECT_EQ(each.reply(), kNull);
    std::size_t seen = 0;
    while (seen < kClients) {
        const std::string line = monitor.reply();
        ASSERT_FALSE(line.empty());
        seen += line.find("\"GET\" \"a\"") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(shared_reads(), 0U);
}

TEST_F(SharedTurnsTest, SilencedAndPausedClientsAreTheLoops) {
    auto all = clients();
    in_one_turn([&] {
        for (RespClient& each : all) {
            each.socket().send(RespClient::encode({"CLIENT", "REPLY", "SKIP"}) + RespClient::encode({"GET", "a"}) +
                               RespClient::encode({"ECHO", "x"}));
        }
    });
    for (RespClient& each : all) EXPECT_EQ(each.reply(), bulk("x"));
    for (RespClient& each : all) {
        each.socket().send(RespClient::encode({"CLIENT", "REPLY", "SKIP"}) + RespClient::encode({"APPEND", "skipped", "x"}));
    }
    ASSERT_TRUE(eventually([&] { return cluster_.resp(1).call({"STRLEN", "skipped"}) == fmt::format(":{}\r\n", kClients); }));
    in_one_turn([&] {
        for (RespClient& each : all) each.send({"SET", "said", "1"});
    });
    for (RespClient& each : all) EXPECT_EQ(each.reply(), kOk) << "only one is skipped";
    for (RespClient& each : all) each.socket().send(RespClient::encode({"CLIENT", "REPLY", "OFF"}));
    in_one_turn([&] {
        for (RespClient& each : all) each.send({"GET", "a"});
    });
    for (RespClient& each : all) EXPECT_EQ(each.call({"CLIENT", "REPLY", "ON"}), kOk);

    RespClient admin = cluster_.resp(1);
    ASSERT_EQ(admin.call({"CLIENT", "PAUSE", "100000", "ALL"}), kOk);
    hold_up([&] {
        for (RespClient& each : all) each.send({"GET", "a"});
    });
    ASSERT_EQ(admin.call({"CLIENT", "UNPAUSE"}), kOk);
    for (RespClient& each : all) EXPECT_EQ(each.reply(), kNull);
    EXPECT_EQ(shared_reads(), 0U);
}

/// Who pauses the others must be able to end that, and what a pause spares is spared, whichever of a turn's threads met the command.
TEST_F(SharedTurnsTest, APauseOfTheSameTurnHoldsWhatItShould) {
    auto all = clients();
    hold_up([&] {
        all[0].send({"CLIENT", "PAUSE", "100000", "WRITE"});
        for (std::size_t i = 1; i < kClients; ++i) all[i].send({"PING"});
    });
    for (std::size_t i = 0; i < kClients; ++i) EXPECT_EQ(all[i].reply(), i == 0 ? kOk : "+PONG\r\n");
    ASSERT_EQ(all[0].call({"CLIENT", "UNPAUSE"}), kOk);
    hold_up([&] {
        all[0].send({"CLIENT", "PAUSE", "100000", "ALL"});
        for (std::size_t i = 1; i < kClients; ++i) all[i].send({"CLIENT", "UNPAUSE"});
    });
    for (RespClient& each : all) EXPECT_EQ(each.reply(), kOk);
}

TEST_F(SharedTurnsTest, RightsHoldAndErrorsAreCounted) {
    RespClient admin = cluster_.resp(1);
    ASSERT_EQ(admin.call({"SET", "mine", "1"}), kOk);
    ASSERT_EQ(admin.call({"ACL", "SETUSER", "guest", "on", "nopass", "~mine", "+get", "+strlen", "+setrange", "+getrange"}), kOk);
    auto all = clients();
    for (RespClient& each : all) ASSERT_EQ(each.call({"AUTH", "guest", "x"}), kOk);
    in_one_turn([&] {
        for (RespClient& each : all) {
            each.socket().send(RespClient::encode({"GET", "mine"}) + RespClient::encode({"GET", "other"}) +
                               RespClient::encode({"EXISTS", "mine"}) + RespClient::encode({"GETRANGE", "mine", "x", "y"}) +
                               RespClient::encode({"GET"}) + RespClient::encode({"GET", "mine"}));
        }
    });
    for (RespClient& each : all) {
        EXPECT_EQ(each.reply(), bulk("1"));
        EXPECT_THAT(each.reply(), StartsWith("-NOPERM"));
        EXPECT_THAT(each.reply(), StartsWith("-NOPERM"));
        EXPECT_THAT(each.reply(), StartsWith("-ERR value is not an integer"));
        EXPECT_THAT(each.reply(), StartsWith("-ERR wrong number of arguments"));
        EXPECT_EQ(each.reply(), bulk("1"));
    }
    in_one_turn([&] {  // first in what came, so that a thread meets it
        for (RespClient& each : all) each.send({"GETRANGE", "mine", "x", "y"});
    });
    for (RespClient& each : all) EXPECT_THAT(each.reply(), StartsWith("-ERR value is not an integer"));
    const std::string info = admin.call({"INFO", "commandstats", "errorstats"});
    EXPECT_THAT(info, HasSubstr(fmt::format("errorstat_NOPERM:count={}", 2 * kClients)));
    EXPECT_THAT(info, ::testing::ContainsRegex(fmt::format("cmdstat_getrange:calls={},.*failed_calls={}\r", 2 * kClients, 2 * kClients)));
}

TEST_F(SharedTurnsTest, AKeyThatIsTooLongIsRefusedInItsPlace) {
    auto all = clients();
    const std::string too_long(cluster_.config(1).limits.key_bytes + 1, 'k');
    in_one_turn([&] {
        for (RespClient& each : all)
            each.socket().send(RespClient::encode({"GET", "a"}) + RespClient::encode({"GET", too_long}) + "GET b\r\n");
    });
    for (RespClient& each : all) {
        EXPECT_EQ(each.reply(), kNull);
        EXPECT_THAT(each.reply(), StartsWith("-ERR key of"));
        EXPECT_EQ(each.reply(), kNull);
    }
}

TEST_F(SharedTurnsTest, ClientsThatTalkNonsenseOrLeaveHaveTheirAnswersBefore) {
    ASSERT_EQ(cluster_.resp(1).call({"SET", "a", "1"}), kOk);
    auto all = clients();
    in_one_turn([&] {
        for (std::size_t i = 0; i < kClients; ++i) {
            all[i].send({"GET", "a"});
            if (i % 4 == 0) all[i].socket().send("*99999999999\r\n");
            if (i % 4 == 1) all[i].socket().end_sending();
            if (i % 4 == 2) all[i].send({"QUIT"});
        }
    });
    for (std::size_t i = 0; i < kClients; ++i) {
        EXPECT_EQ(all[i].reply(), bulk("1"));
        const std::string next = i % 4 == 3 ? all[i].call({"GET", "a"}) : all[i].reply();
        switch (i % 4) {
            case 0: EXPECT_THAT(next, StartsWith("-ERR Protocol error")); break;
            case 1: EXPECT_EQ(next, "") << "closed"; break;
            case 2: EXPECT_EQ(next, kOk); break;
            default: EXPECT_EQ(next, bulk("1"));
        }
        if (i % 4 < 3) {
            EXPECT_EQ(all[i].reply(), "") << "closed";
        }
    }
}

TEST_F(SharedTurnsTest, OneThatEndsAnotherInTheSameTurnDoesNoHarm) {
    auto all = clients();
    const std::string id = all[1].call({"CLIENT", "ID"}).substr(1);
    in_one_turn([&] {
        all[0].send({"CLIENT", "KILL", "ID", id.substr(0, id.size() - 2)});
        for (std::size_t i = 1; i < kClients; ++i) all[i].send({"GET", "a"});
    });
    EXPECT_EQ(all[0].reply(), ":1\r\n");
    EXPECT_EQ(all[1].reply(), "") << "closed";
    for (std::size_t i = 2; i < kClients; ++i) EXPECT_EQ(all[i].reply(), kNull);
}

/// Its output is full long before its pipeline is answered: the rest waits until it has read.
TEST_F(SharedTurnsTest, AnswersLargerThanTheOutputComeWhole) {
    constexpr int kGets = 100;
    const std::string value(100'000, 'v');
    ASSERT_EQ(cluster_.resp(1).call({"SET", "large", value}), kOk);
    auto all = clients();
    std::string pipeline;
    for (int i = 0; i < kGets; ++i) pipeline += RespClient::encode({"GET", "large"});
    in_one_turn([&] {
        for (RespClient& each : all) each.socket().send(pipeline + RespClient::encode({"SET", "done", "1"}));
    });
    for (RespClient& each : all) {
        for (int i = 0; i < kGets; ++i) ASSERT_EQ(each.reply(), bulk(value));
        EXPECT_EQ(each.reply(), kOk);
    }
    EXPECT_THAT(cluster_.resp(1).call({"INFO", "commandstats"}), HasSubstr(fmt::format("cmdstat_get:calls={}", kGets * kClients)));
}

TEST_F(SharedTurnsTest, SlowReadsAreLogged) {
    RespClient admin = cluster_.resp(1);
    ASSERT_EQ(admin.call({"CONFIG", "SET", "slowlog-log-slower-than", "0"}), kOk);
    ASSERT_EQ(admin.call({"SLOWLOG", "RESET"}), kOk);
    auto all = clients(8);
    in_one_turn([&] {
        for (RespClient& each : all) each.send({"STRLEN", "slow"});
    });
    for (RespClient& each : all) EXPECT_EQ(each.reply(), ":0\r\n");
    const std::string log = admin.call({"SLOWLOG", "GET", "100"});
    std::size_t found = 0;
    for (std::size_t at = log.find("STRLEN"); at != std::string::npos; at = log.find("STRLEN", at + 1)) ++found;
    EXPECT_EQ(found, all.size());
}

TEST_F(SharedTurnsTest, NativeClientsAreAnsweredAsWell) {
    std::vector<NativeClient> all;
    all.reserve(kClients);
    for (std::size_t i = 0; i < kClients; ++i) all.push_back(cluster_.native(1));
    const auto written = all[0].call(put("a", "1"));
    in_one_turn([&] {
        for (std::size_t i = 0; i < kClients; ++i) {
            native::Request with_token = get("a");
            with_token.token = written.at;
            all[i].send(std::move(with_token));
            all[i].send({.body = native::GetMany{{"a", "none"}}});
            all[i].send(put("key" + std::to_string(i), "2"));
            all[i].send(get("a"));
        }
    });
    for (NativeClient& each : all) {
        std::vector<std::uint64_t> ids;
        for (int i = 0; i < 4; ++i) {
            const auto reply = each.reply();
            ASSERT_TRUE(reply);
            EXPECT_EQ(reply->epoch, written.epoch);
            EXPECT_GE(reply->at, written.at);
            if (const auto* value = std::get_if<native::Value>(&reply->body)) {
                EXPECT_EQ(value->value, "1");
            } else if (const auto* values = std::get_if<native::Values>(&reply->body)) {
                ASSERT_EQ(values->values.size(), 2U);
                EXPECT_EQ(values->values[0].value, "1");
                EXPECT_FALSE(values->values[1].found);
            } else {
                EXPECT_TRUE(std::holds_alternative<native::Written>(reply->body));
            }
            ids.push_back(reply->id);
        }
        std::ranges::sort(ids);
        EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end()) << "each is answered once";
    }
    EXPECT_EQ(shared_reads(), 2 * kClients);
    in_one_turn([&] {
        for (NativeClient& each : all) {
            native::Request unseen = get("a"), fresh = get("a");
            unseen.token = Rank{written.epoch, Lsn{written.at.lsn.value + 1'000'000}};
            unseen.deadline_ms = 1;
            fresh.read_level = ReadLevel::kLinearizable;
            each.send(std::move(fresh));
            each.send(std::move(unseen));
        }
    });
    for (NativeClient& each : all) {  // in any order
        std::vector<native::Reply> replies;
        for (int i = 0; i < 2; ++i) {
            const auto reply = each.reply();
            ASSERT_TRUE(reply);
            replies.push_back(*reply);
        }
        std::ranges::sort(replies, {}, &native::Reply::id);
        ASSERT_TRUE(std::holds_alternative<native::Value>(replies[0].body));
        EXPECT_EQ(std::get<native::Value>(replies[0].body).value, "1");
        EXPECT_EQ(error_code(replies[1]), native::Code::kReadTimeout);
    }
    EXPECT_EQ(shared_reads(), 2 * kClients);
}

class SharedTurnsWithMaxLag : public SharedTurnsTest {
protected:
    SharedTurnsWithMaxLag() : SharedTurnsTest(1, [](config::Config& config) { config.reads.max_lag = std::chrono::milliseconds(1000); }) {}
};

TEST_F(SharedTurnsWithMaxLag, ABoundOfLagIsTheLoopsToProve) {  // S18
    auto all = clients();
    in_one_turn([&] {
        for (RespClient& each : all) each.send({"GET", "a"});
    });
    for (RespClient& each : all) EXPECT_EQ(each.reply(), kNull);
    EXPECT_EQ(shared_reads(), 0U);
}

class SharedTurnsOfThree : public SharedTurnsTest {
protected:
    SharedTurnsOfThree() : SharedTurnsTest(3) {}
};

/// A write that no majority takes is not answered before the master notices that; a read behind it, in another turn, waits for that.
TEST_F(SharedTurnsOfThree, AReadStandsBehindAWriteThatIsNotAnswered) {
    auto all = clients();
    for (RespClient& each : all) ASSERT_THAT(each.call({"GET", "a"}), kNull);
    cluster_.kill(2);
    cluster_.kill(3);
    hold_up([&] {
        for (RespClient& each : all) each.send({"SET", "a", "1"});
    });
    hold_up([&] {
        for (RespClient& each : all) each.send({"GET", "a"});
    });
    for (RespClient& each : all) EXPECT_THAT(each.reply(), StartsWith("-")) << "of the write";
}

}  // namespace
}  // namespace tanist::server::testing

// SPDX-License-Identifier: Apache-2.0
// Requests and replies, where requests go (S19), levels and tokens (S18), deadlines.
#include <algorithm>
#include <atomic>
#include <set>

#include "tests/client/client_fixture.h"

namespace tanist::client {
namespace {

// -- every request --------------------------------------------------------------------------------------------------------------

TEST(Client, EveryRequestComesBackAsItsReply) {
    FakeCluster cluster;
    auto client = connect(cluster);
    EXPECT_EQ(client.get("a").value(), std::nullopt);
    const auto put = client.put("a", "1").value();
    EXPECT_FALSE(put.existed);
    EXPECT_EQ(client.get("a").value(), (Value{"1", put.version}));
    EXPECT_TRUE(client.put("a", "5").value().existed);
    EXPECT_EQ(client.increment("a", -7).value().value, -2);
    EXPECT_EQ(client.increment("new").value().value, 1);

    EXPECT_TRUE(client.compare_and_set("a", ValueIs{"-2"}, "x").value().done);
    const auto refused = client.compare_and_set("a", ValueIs{"-2"}, "y").value();
    EXPECT_FALSE(refused.done);
    EXPECT_EQ(refused.found->bytes, "x");
    EXPECT_TRUE(client.compare_and_set("a", VersionIs{refused.found->version}, "z").value().done);
    EXPECT_FALSE(client.compare_and_set("a", Absent{}, "w").value().done);
    EXPECT_TRUE(client.compare_and_set("b", Absent{}, "w").value().done);
    EXPECT_FALSE(client.compare_and_delete("b", ValueIs{"v"}).value().done);
    EXPECT_TRUE(client.compare_and_delete("b", ValueIs{"w"}).value().done);

    const auto many = client.get_many({"a", "b", "new"}).value();
    EXPECT_EQ(many.size(), 3u);
    EXPECT_EQ(many[0]->bytes, "z");
    EXPECT_EQ(many[1], std::nullopt);

    const auto batch = client
                           .batch({.conditions = {{"a", Exists{}}, {"b", Absent{}}},
                                   .commands = {Put{"p", "q"}, Get{"p"}, Delete{"b"}, Increment{"n", 3}}})
                           .value();
    EXPECT_TRUE(batch.done);
    EXPECT_EQ(batch.results[1]->bytes, "q");
    EXPECT_EQ(batch.results[2], std::nullopt);
    EXPECT_EQ(batch.results[3]->bytes, "3");
    const auto failed = client.batch({.conditions = {{"a", Exists{}}, {"p", ValueIs{"r"}}}, .commands = {Delete{"a"}}}).value();
    EXPECT_FALSE(failed.done);
    EXPECT_EQ(failed.failed_condition, 1u);
    EXPECT_EQ(failed.found->bytes, "q");

    EXPECT_TRUE(client.del("a").value().existed);
    EXPECT_FALSE(client.del("a").value().existed);
    const auto status = client.status().value();
    EXPECT_EQ(status.master, 1u);
    EXPECT_EQ(status.answered_by, 1u);
    EXPECT_EQ(status.nodes.size(), 3u);
}

TEST(Client, RowsGoesThroughAllPages) {
    FakeCluster cluster;
    for (int i = 0; i < 100; ++i) cluster.set_value("key" + std::to_string(1000 + i), std::to_string(i));
    cluster.set_value("other", "");
    auto client = connect(cluster);
    auto rows = client.rows({.prefix = "key", .limit = 7});
    int seen = 0;
    for (;;) {
        const auto row = rows.next();
        ASSERT_TRUE(row) << row.error().message;
        if (!*row) break;
        EXPECT_EQ((*row)->value, std::to_string(seen++));
    }
    EXPECT_EQ(seen, 100);
}

TEST(Client, BadInputIsRefusedBeforeAnythingIsSent) {
    FakeCluster cluster;
    auto client = connect(cluster);
    EXPECT_EQ(client.compare_and_delete("k", Absent{}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(client.put("k", std::string(25 << 20, 'x')).error().code, ErrorCode::kTooLarge);
    const std::string most(24 << 20, 'x');  // with its envelope just beyond what nodes take
    EXPECT_EQ(client.put("", most.substr(20)).error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(cluster.executed(), 0u);
    EXPECT_THAT(Client::connect({.seeds = {"nowhere"}}).error().message, HasSubstr("HOST:PORT"));
    EXPECT_EQ(Client::connect({.seeds = {}}).error().code, ErrorCode::kInvalidArgument);
}

// -- where requests go (S19) ----------------------------------------------------------------------------------------------------

TEST(Routing, WritesFollowARedirectToTheMasterFromAnySeed) {
    FakeCluster cluster;
    auto client = Client::connect(quick({cluster.node(3).address()})).value();
    EXPECT_TRUE(client.put("k", "v"));
    EXPECT_EQ(cluster.node(1).requests().size(), 1u);

    cluster.promote(2);  // which the client learns from node 1's refusal
    EXPECT_TRUE(client.put("k", "w"));
    EXPECT_EQ(cluster.node(2).requests().size(), 1u);
    EXPECT_EQ(cluster.value("k"), "w");
}

TEST(Routing, ReadsAreSpreadEvenlyOverTheSlaves) {
    FakeCluster cluster;
    auto client = connect(cluster);
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(client.get("k"));
    EXPECT_EQ(cluster.node(1).requests().size(), 0u);
    EXPECT_EQ(cluster.node(2).requests().size(), 20u);
    EXPECT_EQ(cluster.node(3).requests().size(), 20u);
}

TEST(Routing, ReadsGoToTheMasterWhenNoSlaveIsHealthyAndBackWhenOneReturns) {
    FakeCluster cluster;
    auto client = connect(cluster);
    ASSERT_TRUE(client.get("k"));
    cluster.node(2).stop();
    cluster.node(3).stop();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.get("k"));
    EXPECT_GE(cluster.node(1).requests().size(), 9u);

    cluster.node(3).start();
    const auto before = cluster.node(3).requests().size();
    EXPECT_TRUE(await([&] { return client.get("k") && cluster.node(3).requests().size() > before; }));
}

TEST(Routing, SlavesThatTheMasterCallsUnhealthyAreLeftAlone) {
    FakeCluster cluster;
    cluster.set_state(2, native::NodeState::kCatchingUp);
    auto client = connect(cluster);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.get("k"));
    EXPECT_EQ(cluster.node(2).requests().size(), 0u);
    EXPECT_EQ(cluster.node(3).requests().size(), 10u);
}

TEST(Routing, ReadsGoElsewhereWhenASlaveIsTooStale) {
    FakeCluster cluster;
    cluster.set_value("k", "v");
    for (const unsigned id : {2u, 3u}) cluster.node(id).script(always<native::Get>(error_reply(native::Code::kTooStale)));
    auto client = connect(cluster);
    EXPECT_EQ(client.get("k").value()->bytes, "v");
    EXPECT_EQ(cluster.node(1).requests().size(), 1u);
}

TEST(Routing, AReadThatASlaveCouldNotServeInItsShareOfTheTimeGoesToTheMaster) {
    FakeCluster cluster;
    cluster.set_value("k", "v");
    for (const unsigned id : {2u, 3u}) cluster.node(id).script(always<native::Get>(error_reply(native::Code::kReadTimeout)));
    auto client = connect(cluster);
    EXPECT_EQ(client.get("k").value()->bytes, "v");
}

TEST(Routing, TheSameMasterInANewEpochIsTriedAtOnce) {
    FakeCluster cluster;
    auto options = quick(cluster.addresses());
    options.backoff_min = options.backoff_max = 20s;  // time alone would not bring it back before the deadline
    auto client = Client::connect(options).value();
    ASSERT_TRUE(client.put("k", "v"));
    // It refuses as what it was, and has won another election by the time that the client looks around.
    const auto refuse_once = once<native::Put>(error_reply(native::Code::kNoQuorum));
    cluster.node(1).script([&](const native::Request& request) {
        auto refusal = refuse_once(request);
        if (refusal) cluster.promote(1);
        return refusal;
    });
    EXPECT_TRUE(client.put("k", "w"));
    EXPECT_EQ(cluster.node(1).requests().size(), 3u);
}

TEST(Routing, ReadsLeaveASlaveThatFallsSilent) {
    FakeCluster cluster;
    auto client = connect(cluster, 30ms);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(client.get("k"));  // both are connected
    cluster.node(2).pause();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.get("k"));
    cluster.node(2).resume();
}

TEST(Routing, AStaleTopologyIsIgnored) {
    FakeCluster cluster;
    const auto old = cluster.topology();
    cluster.promote(2);
    auto client = connect(cluster);
    ASSERT_TRUE(client.put("k", "v"));
    // Node 3 has been asleep, and names the last epoch's master.
    native::Reply stale = error_reply(native::Code::kTooStale);
    std::get<native::ErrorReply>(stale.body).topology = old;
    cluster.node(3).script(always<native::Get>(stale));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(client.get("k"));
    ASSERT_TRUE(client.put("k", "w"));
    EXPECT_EQ(cluster.node(1).count(is<native::Put>), 0u);
    EXPECT_EQ(cluster.node(2).count(is<native::Put>), 2u);
}

TEST(Routing, DirectStaysOnItsNode) {
    FakeCluster cluster;
    cluster.set_value("k", "v");
    auto options = quick({cluster.node(2).address()});
    options.direct = true;
    auto client = Client::connect(options).value();
    EXPECT_EQ(client.get("k").value()->bytes, "v");
    const auto refused = client.put("k", "w");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kNotMaster);
    EXPECT_EQ(refused.error().outcome, Outcome::kRefused);
    EXPECT_EQ(client.status().value().answered_by, 2u);
    EXPECT_EQ(cluster.node(1).connections() + cluster.node(3).connections(), 0u);
}

TEST(Routing, AMasterThatHasSteppedDownStillReads) {  // S19: both slaves are dead
    FakeCluster cluster;
    cluster.set_value("k", "v");
    auto options = quick(cluster.addresses());
    options.backoff_min = options.backoff_max = 5s;
    auto client = Client::connect(options).value();
    ASSERT_TRUE(client.put("k", "w"));
    cluster.node(2).stop();
    cluster.node(3).stop();
    cluster.node(1).script(always<native::Put>(error_reply(native::Code::kNoQuorum, "no majority")));
    EXPECT_EQ(client.get("k").value()->bytes, "w");
    const auto write = client.put("k", "x", {.deadline = 400ms});
    ASSERT_FALSE(write);
    EXPECT_EQ(write.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(write.error().outcome, Outcome::kRefused);
    EXPECT_THAT(write.error().message,
                AllOf(HasSubstr("no majority"), HasSubstr(cluster.node(1).address()), HasSubstr(cluster.node(2).address())));
}

// -- levels, tokens, deadlines --------------------------------------------------------------------------------------------------

TEST(Levels, AreCarriedWithEachCall) {
    FakeCluster cluster;
    auto client = connect(cluster);
    ASSERT_TRUE(client.put("k", "v", {.write_level = WriteLevel::kAll, .deadline = 7s}));
    ASSERT_TRUE(client.get("k", {.read_level = ReadLevel::kLinearizable, .max_lag = 40ms}));
    const auto put = cluster.node(1).requests().at(0);
    EXPECT_EQ(put.write_level, native::WriteLevel::kAll);
    EXPECT_LE(put.deadline_ms, 7000u);
    EXPECT_GT(put.deadline_ms, 3000u);
    auto reads = cluster.node(2).requests();
    if (reads.empty()) reads = cluster.node(3).requests();
    EXPECT_EQ(reads.at(0).read_level, native::ReadLevel::kLinearizable);
    EXPECT_EQ(reads.at(0).max_lag_ms, 40u);
    EXPECT_LE(reads.at(0).deadline_ms, 10'000u);  // of 20 s: a slave that cannot do it leaves time for another
    EXPECT_EQ(reads.at(0).token, std::nullopt);
}

TEST(SessionToken, IsCarriedAndCanBeHandedOver) {  // S18
    FakeCluster cluster;
    auto writer = connect(cluster);
    ASSERT_TRUE(writer.put("k", "v"));
    const auto token = writer.token();
    EXPECT_EQ(token, (SessionToken{1, cluster.lsn()}));
    ASSERT_TRUE(writer.get("k"));
    const auto reads = [&] {
        auto all = cluster.node(2).requests();
        const auto more = cluster.node(3).requests();
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    EXPECT_EQ(reads().at(0).token, (Rank{{1}, {token.lsn}}));

    auto reader = connect(cluster);
    reader.observe({1, token.lsn + 1000});
    ASSERT_TRUE(reader.get("k"));
    EXPECT_TRUE(
        std::ranges::any_of(reads(), [&](const auto& request) { return request.token && request.token->lsn.value == token.lsn + 1000; }));
    EXPECT_EQ(reader.token().lsn, token.lsn + 1000);
}

TEST(SessionToken, ThatWasCutIsToldOnceAndStartsAnew) {  // S18
    FakeCluster cluster;
    auto client = connect(cluster);
    client.observe({9, 900});
    for (const unsigned id : {2u, 3u}) {
        cluster.node(id).script([](const native::Request& request) -> std::optional<Answer> {
            if (request.token && request.token->lsn.value == 900) return error_reply(native::Code::kStaleToken);
            return std::nullopt;
        });
    }
    EXPECT_EQ(client.get("k").error().code, ErrorCode::kStaleToken);
    EXPECT_TRUE(client.get("k"));
}

TEST(SessionToken, OfAWeakWriteThatWasCutIsToldAlsoWhenLaterWritesCameBetween) {  // S18
    FakeCluster cluster;
    auto client = connect(cluster);
    ASSERT_TRUE(client.put("k", "lost", {.write_level = WriteLevel::kMaster}));
    const SessionToken weak = client.token();
    cluster.promote(2);
    for (const unsigned id : {1u, 2u, 3u}) {
        cluster.node(id).script([weak](const native::Request& request) -> std::optional<Answer> {
            if (request.token == Rank{{weak.epoch}, {weak.lsn}}) return error_reply(native::Code::kStaleToken);
            return std::nullopt;
        });
    }
    ASSERT_TRUE(client.put("k", "new", {.write_level = WriteLevel::kQuorum}));
    EXPECT_EQ(client.get("k").error().code, ErrorCode::kStaleToken);
    const auto after = client.get("k");
    ASSERT_TRUE(after);
    EXPECT_EQ((*after)->bytes, "new");
}

TEST(SessionToken, OfAWeakWriteThatSurvivedIsAskedForOnceAndLaterWritesAreSeenToo) {  // S18
    FakeCluster cluster;
    auto client = connect(cluster);
    ASSERT_TRUE(client.put("k", "kept", {.write_level = WriteLevel::kMaster}));
    const SessionToken weak = client.token();
    cluster.promote(2);
    ASSERT_TRUE(client.put("k", "new", {.write_level = WriteLevel::kQuorum}));
    const SessionToken strong = client.token();
    bool was_behind = false;
    for (const unsigned id : {1u, 2u, 3u}) {
        cluster.node(id).script([weak, &was_behind](const native::Request& request) -> std::optional<Answer> {
            if (request.token != Rank{{weak.epoch}, {weak.lsn}}) return std::nullopt;
            was_behind = true;
            return native::Reply{.at = {{weak.epoch}, {weak.lsn}}, .body = native::Value{.found = true, .value = "kept"}};
        });
    }
    const auto read = client.get("k");
    ASSERT_TRUE(read);
    EXPECT_TRUE(was_behind);
    EXPECT_EQ((*read)->bytes, "new") << "the node that was asked about the older token had not seen the later write";
    EXPECT_GE(client.token(), strong);
}

TEST(Deadline, AWriteThatWasSentAndNeverAnsweredIsUnknown) {  // S20
    FakeCluster cluster;
    cluster.node(1).script(always<native::Put>(Silent{}));
    auto client = connect(cluster);
    const auto result = client.put("k", "v", {.deadline = 300ms});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kOutcomeUnknown);
    EXPECT_EQ(result.error().outcome, Outcome::kUnknown);
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("300 ms"), HasSubstr(cluster.node(1).address())));
}

TEST(Deadline, AWriteThatNobodyTookIsRefused) {  // S20
    FakeCluster cluster;
    auto client = connect(cluster);
    cluster.promote(0);
    const auto result = client.put("k", "v", {.deadline = 300ms});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(result.error().outcome, Outcome::kRefused);
    EXPECT_THAT(result.error().message, HasSubstr("no master known"));
    EXPECT_EQ(cluster.executed(), 0u);
}

TEST(Deadline, OfConnectingNamesEverySeedAndWhatItSaid) {
    std::string closed;
    {
        FakeCluster cluster(1);
        closed = cluster.node(1).address();
    }
    auto options = quick({closed});
    options.connect_timeout = 0ms;
    const auto result = Client::connect(options);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(result.error().message, AllOf(HasSubstr(closed), HasSubstr("refused")));
    options.connect_timeout = 50ms;
    EXPECT_EQ(Client::connect(options).error().code, ErrorCode::kUnavailable);
}

TEST(Connecting, WaitsForANodeThatIsNotUpYet) {
    FakeCluster cluster(1);
    cluster.node(1).stop();
    std::thread starter([&] { cluster.node(1).start(); });
    EXPECT_TRUE(Client::connect(quick(cluster.addresses())));
    starter.join();
}

TEST(Connecting, AnotherClusterIsRefusedAtOnce) {
    FakeCluster cluster(1);
    cluster.node(1).script(always<native::Hello>(error_reply(native::Code::kWrongCluster, "this is cluster 'fake'")));
    auto options = quick(cluster.addresses());
    options.cluster_name = "other";
    const auto result = Client::connect(options);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kWrongCluster);
    EXPECT_THAT(result.error().message, HasSubstr("this is cluster 'fake'"));
}

}  // namespace
}  // namespace tanist::client

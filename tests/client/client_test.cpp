// SPDX-License-Identifier: Apache-2.0
#include "tanist/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "tests/client/fake_node.h"

namespace tanist::client {
namespace {

namespace native = protocol::native;

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::Answer;
using testing::await;
using ::testing::ElementsAre;
using testing::error_reply;
using testing::FakeCluster;
using testing::FakeNode;
using ::testing::HasSubstr;
using testing::Held;
using testing::Reset;
using testing::Silent;

Options quick(std::vector<std::string> seeds) {
    return {.seeds = std::move(seeds), .deadline = 10s, .silence = 30ms, .refresh = 30ms, .backoff_min = 1ms, .backoff_max = 20ms};
}
Client connect(const FakeCluster& cluster) {
    auto client = Client::connect(quick(cluster.addresses()));
    EXPECT_TRUE(client) << client.error().message;
    return std::move(*client);
}
template <class Body>
bool is(const native::Request& request) {
    return std::holds_alternative<Body>(request.body);
}
/// Gives the same answer to the first request of a kind, and lets all others pass.
template <class Body>
testing::Script once(Answer answer) {
    return [answer, done = std::make_shared<std::atomic<bool>>(false)](const native::Request& request) -> std::optional<Answer> {
        if (!is<Body>(request) || done->exchange(true)) return std::nullopt;
        return answer;
    };
}
template <class Body>
testing::Script always(Answer answer) {
    return [answer](const native::Request& request) { return is<Body>(request) ? std::optional(answer) : std::nullopt; };
}

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
    cluster.node(1).script(once<native::Put>(error_reply(native::Code::kNoQuorum)));
    auto pending = client.send(Put{"k", "w"});
    ASSERT_TRUE(await([&] { return cluster.node(1).requests().size() == 2; }));
    cluster.promote(1);
    EXPECT_TRUE(pending.get());
}

TEST(Routing, ReadsLeaveASlaveThatFallsSilent) {
    FakeCluster cluster;
    auto client = connect(cluster);
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
    const auto write = client.put("k", "x", {.deadline = 200ms});
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
    ASSERT_TRUE(client.put("k", "v", {.write_level = WriteLevel::kAll, .deadline = 700ms}));
    ASSERT_TRUE(client.get("k", {.read_level = ReadLevel::kLinearizable, .max_lag = 40ms}));
    const auto put = cluster.node(1).requests().at(0);
    EXPECT_EQ(put.write_level, native::WriteLevel::kAll);
    EXPECT_LE(put.deadline_ms, 700u);
    EXPECT_GT(put.deadline_ms, 300u);
    auto reads = cluster.node(2).requests();
    if (reads.empty()) reads = cluster.node(3).requests();
    EXPECT_EQ(reads.at(0).read_level, native::ReadLevel::kLinearizable);
    EXPECT_EQ(reads.at(0).max_lag_ms, 40u);
    EXPECT_LE(reads.at(0).deadline_ms, 5000u);  // of 10 s: a slave that cannot do it leaves time for another
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

TEST(Deadline, AWriteThatWasSentAndNeverAnsweredIsUnknown) {  // S20
    FakeCluster cluster;
    cluster.node(1).script(always<native::Put>(Silent{}));
    auto client = connect(cluster);
    const auto result = client.put("k", "v", {.deadline = 100ms});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kOutcomeUnknown);
    EXPECT_EQ(result.error().outcome, Outcome::kUnknown);
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("100 ms"), HasSubstr(cluster.node(1).address())));
}

TEST(Deadline, AWriteThatNobodyTookIsRefused) {  // S20
    FakeCluster cluster;
    auto client = connect(cluster);
    cluster.promote(0);
    const auto result = client.put("k", "v", {.deadline = 100ms});
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

// -- exactly once (S21) ---------------------------------------------------------------------------------------------------------

TEST(ExactlyOnce, AWriteIsSentAgainAfterAResetUnderTheSameSessionAndNumber) {
    FakeCluster cluster;
    // Executed, but the answer is lost with the connection.
    cluster.node(1).script([&, lost = std::make_shared<std::atomic<bool>>(false)](const native::Request& request) -> std::optional<Answer> {
        if (!is<native::Increment>(request) || lost->exchange(true)) return std::nullopt;
        static_cast<void>(cluster.execute(1, request));
        return Reset{};
    });
    auto client = connect(cluster);
    const auto result = client.increment("n");
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->value, 1);
    EXPECT_EQ(cluster.value("n"), "1");
    const auto sent = cluster.node(1).requests();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_NE(sent[0].session.value, 0u);
    EXPECT_EQ(sent[0].session, sent[1].session);
    EXPECT_EQ(sent[0].sequence, sent[1].sequence);
    EXPECT_EQ(cluster.executed(), 1u);
}

TEST(ExactlyOnce, AReplayedAnswerSaysSo) {
    FakeCluster cluster;
    cluster.node(1).script([&, lost = std::make_shared<std::atomic<bool>>(false)](const native::Request& request) -> std::optional<Answer> {
        if (!is<native::Put>(request) || lost->exchange(true)) return std::nullopt;
        static_cast<void>(cluster.execute(1, request));
        return error_reply(native::Code::kOutcomeUnknown);
    });
    auto client = connect(cluster);
    EXPECT_TRUE(client.put("k", "v").value().replayed);
    EXPECT_FALSE(client.put("k", "v").value().replayed);
}

TEST(ExactlyOnce, WritesFollowAFailoverWhenTheOldMasterIsKilled) {
    FakeCluster cluster;
    auto client = connect(cluster);
    ASSERT_TRUE(client.increment("n"));
    std::vector<std::future<Result<Incremented>>> pending;
    cluster.node(1).script(always<native::Increment>(Silent{}));
    for (int i = 0; i < 20; ++i) pending.push_back(client.send(Increment{"n"}));
    ASSERT_TRUE(await([&] { return cluster.node(1).requests().size() == 21; }));
    cluster.node(1).stop();
    cluster.promote(3);
    for (auto& result : pending) EXPECT_TRUE(result.get());
    EXPECT_EQ(cluster.value("n"), "21");
}

TEST(ExactlyOnce, WritesFollowAFailoverWhenTheOldMasterFallsSilent) {
    FakeCluster cluster;
    auto client = connect(cluster);
    ASSERT_TRUE(client.increment("n"));
    cluster.node(1).pause();
    auto pending = client.send(Increment{"n"});
    cluster.promote(2);
    EXPECT_TRUE(pending.get());
    cluster.node(1).resume();
    EXPECT_TRUE(client.increment("n"));
    EXPECT_EQ(cluster.value("n"), "3");
}

TEST(ExactlyOnce, TheLowestUnansweredNumberRisesBehindTheAnswers) {
    FakeCluster cluster;
    cluster.node(1).script(
        [&, first = std::make_shared<std::atomic<bool>>(false)](const native::Request& request) -> std::optional<Answer> {
            if (!is<native::Put>(request) || first->exchange(true)) return std::nullopt;
            return Held{cluster.execute(1, request)};
        });
    auto client = connect(cluster);
    auto slow = client.send(Put{"slow", ""});
    ASSERT_TRUE(client.put("a", ""));
    ASSERT_TRUE(client.put("b", ""));
    cluster.node(1).release();
    ASSERT_TRUE(slow.get());
    ASSERT_TRUE(client.put("c", ""));
    std::vector<std::pair<std::uint64_t, std::uint64_t>> numbers;
    for (const auto& request : cluster.node(1).requests()) numbers.emplace_back(request.sequence, request.lowest_unanswered);
    EXPECT_THAT(numbers, ElementsAre(std::pair(1, 1), std::pair(2, 1), std::pair(3, 1), std::pair(4, 4)));
}

TEST(ExactlyOnce, AnExpiredSessionIsReplacedWhenNothingWasExecuted) {
    FakeCluster cluster;
    auto client = connect(cluster);
    ASSERT_TRUE(client.increment("n"));
    cluster.expire_sessions();
    EXPECT_EQ(client.increment("n").value().value, 2);
    EXPECT_EQ(cluster.executed(), 2u);
}

TEST(ExactlyOnce, AnExpiredSessionIsAnUnknownOutcomeWhenAnEarlierSendingWasLost) {
    FakeCluster cluster;
    cluster.node(1).script([&, lost = std::make_shared<std::atomic<bool>>(false)](const native::Request& request) -> std::optional<Answer> {
        if (!is<native::Increment>(request) || lost->exchange(true)) return std::nullopt;
        static_cast<void>(cluster.execute(1, request));
        cluster.expire_sessions();
        return Reset{};
    });
    auto client = connect(cluster);
    const auto result = client.increment("n");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kSessionExpired);
    EXPECT_EQ(result.error().outcome, Outcome::kUnknown);
    EXPECT_EQ(cluster.value("n"), "1");  // never a second time
    EXPECT_EQ(client.increment("n").value().value, 2);
}

TEST(ExactlyOnce, ARefusalAfterALostSendingIsNoProof) {
    FakeCluster cluster;
    auto client = connect(cluster);
    std::atomic<int> sent = 0;
    cluster.node(1).script([&](const native::Request& request) -> std::optional<Answer> {
        if (!is<native::Put>(request)) return std::nullopt;
        if (sent++ == 0) return Reset{};
        return error_reply(native::Code::kTooLarge);
    });
    const auto result = client.put("k", "v");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(result.error().outcome, Outcome::kUnknown);
}

TEST(ExactlyOnce, WithoutASessionALostAnswerIsUnknownAtOnce) {
    FakeCluster cluster;
    cluster.node(1).script(once<native::Put>(Reset{}));
    auto options = quick(cluster.addresses());
    options.exactly_once = false;
    auto client = Client::connect(options).value();
    const auto result = client.put("k", "v");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().outcome, Outcome::kUnknown);
    EXPECT_TRUE(client.put("k", "v"));
    EXPECT_EQ(cluster.node(1).count(is<native::RegisterSession>), 0u);
    EXPECT_EQ(cluster.executed(), 1u);
}

TEST(ExactlyOnce, TheSessionIsRegisteredByTheFirstWriteAndClosedAtTheEnd) {
    FakeCluster cluster;
    {
        auto client = connect(cluster);
        ASSERT_TRUE(client.get("k"));
        EXPECT_EQ(cluster.node(1).count(is<native::RegisterSession>), 0u);
        std::vector<std::future<Result<Written>>> pending;
        for (int i = 0; i < 10; ++i) pending.push_back(client.send(Put{"k", "v"}));
        for (auto& result : pending) EXPECT_TRUE(result.get());
        EXPECT_EQ(cluster.node(1).count(is<native::RegisterSession>), 1u);
    }
    EXPECT_TRUE(await([&] { return cluster.node(1).count(is<native::CloseSession>) == 1; }));
}

TEST(Errors, EachCodeOfTheProtocolSaysWhatBecameOfAWrite) {  // S20
    using native::Code;
    struct Case {
        Code code;
        ErrorCode as;
        Outcome outcome;
    };
    for (const auto& [code, as, outcome] : {
             Case{Code::kInvalidRequest, ErrorCode::kInvalidArgument, Outcome::kRefused},
             Case{Code::kTooLarge, ErrorCode::kTooLarge, Outcome::kRefused},
             Case{Code::kNotMaster, ErrorCode::kUnavailable, Outcome::kRefused},
             Case{Code::kNoQuorum, ErrorCode::kUnavailable, Outcome::kRefused},
             Case{Code::kTryAgain, ErrorCode::kUnavailable, Outcome::kRefused},
             Case{Code::kTooStale, ErrorCode::kTooStale, Outcome::kRefused},
             Case{Code::kStaleToken, ErrorCode::kStaleToken, Outcome::kRefused},
             Case{Code::kNotAnInteger, ErrorCode::kNotAnInteger, Outcome::kRefused},
             Case{Code::kOverflow, ErrorCode::kOverflow, Outcome::kRefused},
             Case{Code::kWrongCluster, ErrorCode::kWrongCluster, Outcome::kRefused},
             Case{Code::kUnsupportedVersion, ErrorCode::kUnsupported, Outcome::kRefused},
             Case{Code::kUnsupportedRequest, ErrorCode::kUnsupported, Outcome::kRefused},
             Case{Code::kReadTimeout, ErrorCode::kUnavailable, Outcome::kRefused},
             Case{Code::kSessionExpired, ErrorCode::kSessionExpired, Outcome::kRefused},  // each time of its only sending
             Case{Code::kOutcomeUnknown, ErrorCode::kOutcomeUnknown, Outcome::kUnknown},
             Case{Code::kAnswerForgotten, ErrorCode::kAnswerForgotten, Outcome::kUnknown},  // without an LSN it proves nothing
             Case{Code::kStorageFault, ErrorCode::kOutcomeUnknown, Outcome::kUnknown},
         }) {
        FakeCluster cluster(1);
        cluster.node(1).script(always<native::Put>(error_reply(code, "because")));
        auto options = quick(cluster.addresses());
        options.backoff_min = options.backoff_max = 10s;  // no second attempt within the deadline
        auto client = Client::connect(options).value();
        const auto result = client.put("k", "v", {.deadline = 200ms});
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, as) << static_cast<int>(code);
        EXPECT_EQ(result.error().outcome, outcome) << static_cast<int>(code);
        EXPECT_THAT(result.error().message, AllOf(HasSubstr("because"), HasSubstr(cluster.node(1).address())));
    }
}

TEST(Errors, AForgottenAnswerWithItsLsnIsDone) {
    FakeCluster cluster(1);
    auto forgotten = error_reply(native::Code::kAnswerForgotten);
    forgotten.at = {{1}, {5}};
    cluster.node(1).script(always<native::Put>(forgotten));
    auto client = connect(cluster);
    EXPECT_EQ(client.put("k", "v").error().outcome, Outcome::kDone);
}

// -- many at once ---------------------------------------------------------------------------------------------------------------

TEST(Pipeline, AnswersMayComeOutOfOrder) {
    FakeCluster cluster(1);
    cluster.set_value("a", "1");
    cluster.set_value("b", "2");
    cluster.node(1).script([&](const native::Request& request) -> std::optional<Answer> {
        if (!is<native::Get>(request)) return std::nullopt;
        return Held{cluster.execute(1, request)};
    });
    auto client = connect(cluster);
    auto a = client.send(Get{"a"}), b = client.send(Get{"b"}), c = client.send(Get{"c"});
    ASSERT_TRUE(await([&] { return cluster.node(1).requests().size() == 3; }));  // none waits for the one before
    cluster.node(1).release();
    EXPECT_EQ(a.get().value()->bytes, "1");
    EXPECT_EQ(b.get().value()->bytes, "2");
    EXPECT_EQ(c.get().value(), std::nullopt);
}

TEST(Pipeline, ManyThreadsShareOneClient) {
    FakeCluster cluster;
    auto client = connect(cluster);
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 100; ++i) failures += !client.increment("n") + !client.get("n");
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(cluster.value("n"), "400");
}

TEST(Pipeline, ACallbackMaySendMoreAndMustNotWait) {
    FakeCluster cluster;
    auto client = connect(cluster);
    std::promise<Result<std::optional<Value>>> done;
    std::promise<ErrorCode> synchronous;
    client.send(Put{"k", "v"}, Callback<Written>([&](Result<Written> written) {
                    ASSERT_TRUE(written);
                    synchronous.set_value(client.get("k").error().code);
                    client.send(Get{"k"}, Callback<std::optional<Value>>([&](auto value) { done.set_value(std::move(value)); }));
                }));
    EXPECT_EQ(done.get_future().get().value()->bytes, "v");
    EXPECT_EQ(synchronous.get_future().get(), ErrorCode::kInvalidArgument);
}

TEST(Pipeline, MoreThanTheLimitInFlightWaitsForRoomUntilItsDeadline) {
    FakeCluster cluster(1);
    cluster.node(1).script([&](const native::Request& request) -> std::optional<Answer> {
        if (!is<native::Get>(request)) return std::nullopt;
        return Held{cluster.execute(1, request)};
    });
    auto options = quick(cluster.addresses());
    options.in_flight_max = 2;
    auto client = Client::connect(options).value();
    auto a = client.send(Get{"a"}), b = client.send(Get{"b"});
    const auto refused = client.get("c", {.deadline = 20ms});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
    std::thread waiting([&] { EXPECT_TRUE(client.get("c")); });
    ASSERT_TRUE(await([&] { return cluster.node(1).requests().size() == 2; }));
    cluster.node(1).script(nullptr);
    cluster.node(1).release();
    waiting.join();
    EXPECT_TRUE(a.get() && b.get());
}

TEST(Destruction, EndsWhatIsInFlightAndSaysWhatIsKnownOfIt) {
    FakeCluster cluster;
    cluster.node(1).script(always<native::Put>(Silent{}));
    for (const unsigned id : {2u, 3u}) cluster.node(id).script(always<native::Get>(Silent{}));
    std::future<Result<Written>> written;
    std::future<Result<std::optional<Value>>> read;
    {
        auto client = connect(cluster);
        written = client.send(Put{"k", "v"});
        read = client.send(Get{"k"});
        ASSERT_TRUE(await([&] { return cluster.node(1).requests().size() == 1; }));
    }
    const auto put = written.get();
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ErrorCode::kClosed);
    EXPECT_EQ(put.error().outcome, Outcome::kUnknown);
    const auto get = read.get();
    ASSERT_FALSE(get);
    EXPECT_EQ(get.error().outcome, Outcome::kRefused);
}

TEST(Destruction, WhileNothingCanBeReached) {
    FakeCluster cluster;
    auto client = std::make_unique<Client>(connect(cluster));
    for (const unsigned id : {1u, 2u, 3u}) cluster.node(id).stop();
    auto put = client->send(Put{"k", "v"});
    client.reset();
    EXPECT_EQ(put.get().error().code, ErrorCode::kClosed);
}

}  // namespace
}  // namespace tanist::client

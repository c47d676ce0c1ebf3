// SPDX-License-Identifier: Apache-2.0
// What becomes of writes whose answers are lost (S20, S21), and of many requests at once.

#include <algorithm>
#include <atomic>
#include <set>

#include "tests/client/client_fixture.h"

namespace tanist::client {
namespace {

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
    auto client = connect(cluster, 30ms);
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
             Case{Code::kNotPossible, ErrorCode::kUnavailable, Outcome::kRefused},
             Case{Code::kUnauthenticated, ErrorCode::kUnauthenticated, Outcome::kRefused},
             Case{Code::kNotPermitted, ErrorCode::kNotPermitted, Outcome::kRefused},
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
        const auto result = client.put("k", "v", {.deadline = 400ms});
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

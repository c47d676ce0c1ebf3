// SPDX-License-Identifier: Apache-2.0
// What the tests of the client library share: short times, and answers for requests of one kind.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tanist/client.h"
#include "tests/client/fake_node.h"

namespace tanist::client {

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

inline Options quick(std::vector<std::string> seeds) {
    return {.seeds = std::move(seeds), .deadline = 20s, .silence = 3s, .refresh = 30ms, .backoff_min = 1ms, .backoff_max = 20ms};
}
inline Client connect(const FakeCluster& cluster, std::chrono::milliseconds silence = 3s) {
    auto options = quick(cluster.addresses());
    options.silence = silence;
    auto client = Client::connect(options);
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

}  // namespace tanist::client

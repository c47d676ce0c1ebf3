// SPDX-License-Identifier: Apache-2.0
#include "server/network_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/server/cluster.h"

namespace tanist::server {
namespace {

using testing::eventually;

TEST(NetworkThreadsTest, EachPartIsDoneOnceBeforeShareReturns) {
    for (const unsigned threads : {1u, 2u, 5u}) {
        NetworkThreads network(threads);
        EXPECT_EQ(network.threads(), threads);
        for (std::uint32_t parts : {0u, 1u, 2u, 3u, 64u, 1000u}) {
            for (int round = 0; round < 50; ++round) {
                std::vector<int> done(parts);  // no part is another's: a part that is late, or done twice, is a race
                network.share(parts, threads, [&](std::size_t part) { ++done[part]; });
                EXPECT_EQ(done, std::vector<int>(parts, 1));
            }
        }
    }
}

/// Two parts that each wait for the other's beginning need two threads.
TEST(NetworkThreadsTest, PartsAreDoneAtTheSameTime) {
    NetworkThreads network(2);
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> begun = 0;
        std::atomic<bool> together = true;
        network.share(2, 2, [&](std::size_t) {
            ++begun;
            if (!eventually([&] { return begun == 2; })) together = false;
        });
        EXPECT_TRUE(together);
    }
}

/// As the system tells of the threads of that name.
bool helpers_sleep() {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "stat");
        const std::string line((std::istreambuf_iterator<char>(file)), {});
        if (line.find("(tanist-net)") != std::string::npos && line.find(") S ") == std::string::npos) return false;
    }
    return true;
}

TEST(NetworkThreadsTest, AHelperThatSleepsIsWoken) {
    NetworkThreads network(3);
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(eventually(helpers_sleep));
        std::atomic<int> begun = 0;
        network.share(3, 3, [&](std::size_t) {
            ++begun;
            EXPECT_TRUE(eventually([&] { return begun == 3; }));
        });
    }
}

TEST(NetworkThreadsTest, WhatIsNotWorthAThreadIsDoneByTheCaller) {
    NetworkThreads network(4);
    for (const auto& [parts, threads] : {std::pair{100u, 1u}, std::pair{1u, 4u}, std::pair{100u, 0u}}) {
        std::set<std::thread::id> seen;
        const auto own = network.share(parts, threads, [&](std::size_t) { seen.insert(std::this_thread::get_id()); });
        EXPECT_EQ(seen, std::set{std::this_thread::get_id()});
        EXPECT_EQ(own.parts, parts);
    }
}

TEST(NetworkThreadsTest, TellsWhatTheCallerDidItself) {
    NetworkThreads network(2);
    std::atomic<std::uint32_t> by_caller = 0;
    const auto caller = std::this_thread::get_id();
    const auto own = network.share(1000, 2, [&](std::size_t) {
        if (std::this_thread::get_id() == caller) ++by_caller;
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(5);
        while (std::chrono::steady_clock::now() < until) {
        }
    });
    EXPECT_EQ(own.parts, by_caller);
    EXPECT_GE(own.took, by_caller.load() * std::chrono::microseconds(5));
}

}  // namespace
}  // namespace tanist::server

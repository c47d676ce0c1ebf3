// SPDX-License-Identifier: Apache-2.0
#include "server/idle_poller.h"

#include <gmock/gmock.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// What the system tells of the poller's thread.
struct Told {
    fs::path task;
    std::string stat;
};
/// nullopt: there is none.
std::optional<Told> thread() {
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "stat");
        std::string line((std::istreambuf_iterator<char>(file)), {});
        if (line.find("(tanist-idle)") != std::string::npos) return Told{task.path(), std::move(line)};
    }
    return std::nullopt;
}

/// Field by field from the thread's state on; empty: there is no thread.
std::vector<std::string> told_of_thread() {
    const auto told = thread();
    if (!told) return {};
    std::istringstream rest(told->stat.substr(told->stat.rfind(')') + 1));
    return {std::istream_iterator<std::string>(rest), {}};
}

bool sleeps() {
    const auto told = told_of_thread();
    return !told.empty() && told[0] == "S";
}

TEST(IdlePollerTest, PollsWhenItIsAskedTo) {
    IdlePoller poller(1h);
    ASSERT_TRUE(eventually(sleeps));
    const auto before = poller.polled();
    poller.stay_awake();
    EXPECT_TRUE(eventually([&] { return poller.polled() > before + 5ms; }));
}

TEST(IdlePollerTest, SleepsWhenTheTimeIsOverAndCanBeWokenAgain) {
    IdlePoller poller(100us);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(eventually(sleeps));
        const auto before = poller.polled();
        EXPECT_TRUE(eventually([&] {
            poller.stay_awake();
            return poller.polled() > before + 1ms;
        }));
    }
    EXPECT_TRUE(eventually(sleeps));
}

TEST(IdlePollerTest, TakesTheProcessorFromNobody) {
    IdlePoller poller(1h);
    constexpr std::size_t kPolicy = 38;  // counted from the state; see proc(5)
    EXPECT_TRUE(eventually([] {
        const auto told = told_of_thread();
        return told.size() > kPolicy && told[kPolicy] == std::to_string(SCHED_IDLE);
    }));
}

/// A killed process is gone for others when its files are closed, and this thread may be the last to end.
TEST(IdlePollerTest, HasNoFilesOfTheProcess) {
    IdlePoller poller(1h);
    EXPECT_TRUE(eventually([] {
        const auto told = thread();
        std::error_code it_has_ended;
        return told && fs::is_empty(told->task / "fd", it_has_ended);
    }));
    EXPECT_FALSE(fs::is_empty("/proc/self/fd"));
}

TEST(IdlePollerTest, TimeZeroIsNoThread) {
    IdlePoller poller(0us);
    poller.stay_awake();
    EXPECT_TRUE(eventually([] { return told_of_thread().empty(); })) << "those of other tests end in their own time";
    EXPECT_EQ(poller.polled(), 0ns);
}

}  // namespace
}  // namespace tanist::server::testing

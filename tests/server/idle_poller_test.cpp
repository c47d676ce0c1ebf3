// SPDX-License-Identifier: Apache-2.0
#include "server/idle_poller.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// What the system tells of the poller's thread, field by field from its state on; empty: there is none.
std::vector<std::string> told_of_thread() {
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "stat");
        const std::string line((std::istreambuf_iterator<char>(file)), {});
        if (line.find("(tanist-idle)") == std::string::npos) continue;
        std::istringstream rest(line.substr(line.rfind(')') + 1));
        return {std::istream_iterator<std::string>(rest), {}};
    }
    return {};
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

TEST(IdlePollerTest, TimeZeroIsNoThread) {
    IdlePoller poller(0us);
    poller.stay_awake();
    EXPECT_TRUE(eventually([] { return told_of_thread().empty(); })) << "those of other tests end in their own time";
    EXPECT_EQ(poller.polled(), 0ns);
}

class CpuQuotaTest : public ::testing::Test {
protected:
    CpuQuotaTest() { fs::create_directories(root_ / "machine" / "service"); }
    ~CpuQuotaTest() override { fs::remove_all(folder_); }
    [[nodiscard]] bool has_quota(const std::string& own) const {
        write(folder_ / "own", own);
        return has_cpu_quota(root_, folder_ / "own");
    }
    static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

    const fs::path folder_ = fs::temp_directory_path() / ("tanist-quota-" + std::to_string(::getpid()));
    const fs::path root_ = folder_ / "cgroup";
};

TEST_F(CpuQuotaTest, IsFoundInTheOwnGroupAndInThoseAround) {
    write(root_ / "machine" / "service" / "cpu.max", "max 100000\n");
    write(root_ / "machine" / "cpu.max", "max 100000\n");
    EXPECT_FALSE(has_quota("0::/machine/service\n"));
    write(root_ / "machine" / "cpu.max", "150000 100000\n");
    EXPECT_TRUE(has_quota("0::/machine/service\n"));
    EXPECT_TRUE(has_quota("0::/machine\n"));
    EXPECT_FALSE(has_quota("0::/\n"));
    write(root_ / "cpu.max", "20000 100000\n");  // as a container sees its own
    EXPECT_TRUE(has_quota("0::/\n"));
}

TEST_F(CpuQuotaTest, IsFoundInVersionOneToo) {
    fs::create_directories(root_ / "cpu" / "machine");
    write(root_ / "cpu" / "machine" / "cpu.cfs_quota_us", "-1\n");
    EXPECT_FALSE(has_quota("5:memory:/machine\n4:cpu,cpuacct:/machine\n"));
    write(root_ / "cpu" / "machine" / "cpu.cfs_quota_us", "20000\n");
    EXPECT_TRUE(has_quota("5:memory:/machine\n4:cpu,cpuacct:/machine\n"));
    EXPECT_TRUE(has_quota("4:cpuacct,cpu:/machine/service\n0::/\n"));
    EXPECT_FALSE(has_quota("4:cpuset:/machine\n3:cpuacct:/machine\n"));
}

TEST_F(CpuQuotaTest, IsNotThereWhereNothingTellsOfOne) {
    EXPECT_FALSE(has_quota("0::/machine/service\n"));
    EXPECT_FALSE(has_quota("12:cpu,cpuacct:/machine\n1:name=systemd:/\n"));
    EXPECT_FALSE(has_quota(""));
    EXPECT_FALSE(has_cpu_quota(folder_ / "missing", folder_ / "missing"));
}

}  // namespace
}  // namespace tanist::server::testing

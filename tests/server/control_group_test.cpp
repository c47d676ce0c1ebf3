// SPDX-License-Identifier: Apache-2.0
#include "server/control_group.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace tanist::server {
namespace {

namespace fs = std::filesystem;

class ControlGroupTest : public ::testing::Test {
protected:
    ControlGroupTest() { fs::create_directories(root_ / "machine" / "service"); }
    ~ControlGroupTest() override { fs::remove_all(folder_); }
    [[nodiscard]] ControlGroupFiles in(const std::string& own) const {
        write(folder_ / "own", own);
        return {root_, folder_ / "own"};
    }
    static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

    const fs::path folder_ = fs::temp_directory_path() / ("tanist-groups-" + std::to_string(::getpid()));
    const fs::path root_ = folder_ / "cgroup";
};

TEST_F(ControlGroupTest, TheSmallestQuotaOfTheOwnGroupAndThoseAroundCounts) {
    write(root_ / "machine" / "service" / "cpu.max", "max 100000\n");
    write(root_ / "machine" / "cpu.max", "max 100000\n");
    EXPECT_EQ(cpu_quota(in("0::/machine/service\n")), std::nullopt);
    write(root_ / "machine" / "cpu.max", "150000 100000\n");
    EXPECT_EQ(cpu_quota(in("0::/machine/service\n")), 1.5);
    EXPECT_EQ(cpu_quota(in("0::/machine\n")), 1.5);
    EXPECT_EQ(cpu_quota(in("0::/\n")), std::nullopt);
    write(root_ / "cpu.max", "20000 100000\n");  // as a container sees its own
    EXPECT_EQ(cpu_quota(in("0::/\n")), 0.2);
    EXPECT_EQ(cpu_quota(in("0::/machine/service\n")), 0.2);
}

TEST_F(ControlGroupTest, AQuotaIsFoundInVersionOneToo) {
    const fs::path machine = root_ / "cpu" / "machine";
    fs::create_directories(machine);
    write(machine / "cpu.cfs_period_us", "50000\n");
    write(machine / "cpu.cfs_quota_us", "-1\n");
    EXPECT_EQ(cpu_quota(in("5:memory:/machine\n4:cpu,cpuacct:/machine\n")), std::nullopt);
    write(machine / "cpu.cfs_quota_us", "20000\n");
    EXPECT_EQ(cpu_quota(in("5:memory:/machine\n4:cpu,cpuacct:/machine\n")), 0.4);
    EXPECT_EQ(cpu_quota(in("4:cpuacct,cpu:/machine/service\n0::/\n")), 0.4);
    EXPECT_EQ(cpu_quota(in("4:cpuset:/machine\n3:cpuacct:/machine\n")), std::nullopt);
}

TEST_F(ControlGroupTest, TheSmallestBoundOfMemoryCounts) {
    write(root_ / "machine" / "service" / "memory.max", "max\n");
    EXPECT_EQ(memory_bound(in("0::/machine/service\n")), std::nullopt);
    write(root_ / "machine" / "memory.max", "2000000\n");
    write(root_ / "machine" / "service" / "memory.max", "3000000\n");
    EXPECT_EQ(memory_bound(in("0::/machine/service\n")), 2'000'000U);
    fs::create_directories(root_ / "memory" / "machine");
    write(root_ / "memory" / "machine" / "memory.limit_in_bytes", "1000000\n");
    EXPECT_EQ(memory_bound(in("5:memory:/machine\n4:cpu,cpuacct:/machine\n")), 1'000'000U);
}

TEST_F(ControlGroupTest, NothingIsBoundWhereNothingTellsOfIt) {
    for (const char* own : {"0::/machine/service\n", "12:cpu,cpuacct:/machine\n1:name=systemd:/\n", "", "nonsense\n"}) {
        EXPECT_EQ(cpu_quota(in(own)), std::nullopt);
        EXPECT_EQ(memory_bound(in(own)), std::nullopt);
    }
    EXPECT_EQ(cpu_quota({folder_ / "missing", folder_ / "missing"}), std::nullopt);
    for (const char* nonsense : {"", "none\n", "0 100000\n", "100000\n", "100000 0\n", "-5 100000\n"}) {
        write(root_ / "cpu.max", nonsense);
        EXPECT_EQ(cpu_quota(in("0::/\n")), std::nullopt) << nonsense;
    }
}

TEST_F(ControlGroupTest, ProcessorsAreThoseThatTheProcessMayUseAndHasTimeFor) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    const auto all = static_cast<unsigned>(CPU_COUNT(&before));
    EXPECT_EQ(processors(in("0::/\n")), all);
    write(root_ / "cpu.max", "20000 100000\n");
    EXPECT_EQ(processors(in("0::/\n")), 1U);
    write(root_ / "cpu.max", "110000 100000\n");
    EXPECT_EQ(processors(in("0::/\n")), std::min(all, 2U)) << "a part of one counts as one";
    write(root_ / "cpu.max", "max 100000\n");
    int first = 0;
    while (!CPU_ISSET(first, &before)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(processors(in("0::/\n")), 1U);
    ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace tanist::server

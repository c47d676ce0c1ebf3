// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "metrics/process.h"

namespace tanist::metrics {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

TEST(Catalogue, FollowsTheNamingOfPrometheus) {
    std::set<std::string_view> names;
    for (const Description& description : catalogue()) {
        EXPECT_TRUE(names.insert(description.name).second) << description.name;
        EXPECT_THAT(std::string(description.name), MatchesRegex("(tanist|process)_[a-z_]+"));
        const bool counts = description.kind == Kind::kCounter || description.kind == Kind::kCountedTime;
        EXPECT_EQ(description.name.ends_with("_total"), counts) << description.name;
        EXPECT_TRUE(description.kind != Kind::kDurations || description.name.ends_with("_seconds")) << description.name;
        EXPECT_TRUE(description.help.ends_with(".")) << description.name;
        EXPECT_NE(description.help.find(' '), std::string_view::npos) << description.name;
    }
}

TEST(Registry, ShowsCountersAndGaugesWithHelpAndType) {
    Registry registry;
    registry.counter(Metric::kElections).add();
    registry.counter(Metric::kElections).add(2);
    registry.gauge(Metric::kCommitLsn).set(1042);
    EXPECT_THAT(registry.text(), HasSubstr("# HELP tanist_elections_total Elections that this node stood in.\n"
                                           "# TYPE tanist_elections_total counter\n"
                                           "tanist_elections_total 3\n"));
    EXPECT_THAT(registry.text(), HasSubstr("# TYPE tanist_commit_lsn gauge\ntanist_commit_lsn 1042\n"));
}

TEST(Registry, ShowsLargeLsnsExactly) {
    Registry registry;
    registry.gauge(Metric::kCommitLsn).set(9'007'199'254'740'991);
    EXPECT_THAT(registry.text(), HasSubstr("tanist_commit_lsn 9007199254740991\n"));
}

TEST(Registry, ShowsUnlabelledMetricsFromTheStartAndLabelledOnesOnceAskedFor) {
    Registry registry;
    EXPECT_THAT(registry.text(), HasSubstr("\ntanist_step_downs_total 0\n"));
    EXPECT_THAT(registry.text(), Not(HasSubstr("tanist_peer_lag_entries")));
    registry.gauge(Metric::kPeerLagEntries, "2").set(7);
    registry.gauge(Metric::kPeerLagEntries, "3").set(0);
    EXPECT_THAT(registry.text(), HasSubstr("tanist_peer_lag_entries{node=\"2\"} 7\ntanist_peer_lag_entries{node=\"3\"} 0\n"));
}

TEST(Registry, EscapesLabelValues) {
    Registry registry;
    registry.gauge(Metric::kBuildInfo, "a\"b\\c\nd").set(1);
    EXPECT_THAT(registry.text(), HasSubstr("tanist_build_info{version=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Registry, GivesTheSameMetricToEveryoneWhoAsks) {
    Registry registry;
    EXPECT_EQ(&registry.counter(Metric::kCommands, "get"), &registry.counter(Metric::kCommands, "get"));
    EXPECT_NE(&registry.counter(Metric::kCommands, "get"), &registry.counter(Metric::kCommands, "put"));
}

TEST(Registry, CollectsBeforeEachText) {
    Registry registry;
    int collected = 0;
    registry.before_text([&] { registry.gauge(Metric::kSessions).set(++collected); });
    EXPECT_THAT(registry.text(), HasSubstr("\ntanist_sessions 1\n"));
    EXPECT_THAT(registry.text(), HasSubstr("\ntanist_sessions 2\n"));
}

TEST(Histogram, CountsABoundIntoTheBucketThatItCloses) {
    Registry registry;
    Histogram& histogram = registry.histogram(Metric::kWalSyncSeconds);
    histogram.observe(std::chrono::microseconds(50));
    histogram.observe(std::chrono::nanoseconds(50'001));
    histogram.observe(std::chrono::seconds(11));
    histogram.observe(std::chrono::nanoseconds(-5));  // a clock that was set back
    const std::string text = registry.text();
    EXPECT_THAT(text, HasSubstr("# TYPE tanist_wal_sync_seconds histogram\ntanist_wal_sync_seconds_count 4\n"));
    EXPECT_THAT(text, HasSubstr("tanist_wal_sync_seconds_sum 11.0001"));
    EXPECT_THAT(text, HasSubstr("tanist_wal_sync_seconds_bucket{le=\"5e-05\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("tanist_wal_sync_seconds_bucket{le=\"0.0001\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("tanist_wal_sync_seconds_bucket{le=\"10\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("tanist_wal_sync_seconds_bucket{le=\"+Inf\"} 4\n"));
}

TEST(Histogram, CountsSizesInTheirOwnUnit) {
    Registry registry;
    registry.histogram(Metric::kWalGroupEntries).observe(std::uint64_t{3});
    EXPECT_THAT(registry.text(), HasSubstr("tanist_wal_group_entries_sum 3\n"));
    EXPECT_THAT(registry.text(), HasSubstr("tanist_wal_group_entries_bucket{le=\"2\"} 0\n"));
    EXPECT_THAT(registry.text(), HasSubstr("tanist_wal_group_entries_bucket{le=\"3\"} 1\n"));
}

TEST(Histogram, HasBoundsThatGrow) {
    EXPECT_TRUE(std::ranges::is_sorted(Histogram::kDurationBounds));
    EXPECT_TRUE(std::ranges::is_sorted(Histogram::kSizeBounds));
}

TEST(Registry, LosesNoCountWhenThreadsCountAndOneReads) {
    constexpr int kThreads = 4;
    constexpr int kCounts = 10'000;
    Registry registry;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&registry, i] {
            for (int n = 0; n < kCounts; ++n) {
                registry.counter(Metric::kWalSyncs).add();
                registry.histogram(Metric::kWalSyncSeconds).observe(std::chrono::microseconds(n));
                if (n % 1'000 == 0) registry.gauge(Metric::kPeerConnected, std::to_string(i)).set(n);
            }
        });
    }
    for (int i = 0; i < 10; ++i) EXPECT_THAT(registry.text(), HasSubstr("tanist_wal_syncs_total "));
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(registry.text(), HasSubstr("tanist_wal_syncs_total 40000\n"));
    EXPECT_THAT(registry.text(), HasSubstr("tanist_wal_sync_seconds_count 40000\n"));
}

TEST(RegistryDeathTest, EndsTheProcessWhenAMetricIsTakenForAnotherKind) {
    Registry registry;
    EXPECT_DEATH(static_cast<void>(registry.counter(Metric::kCommitLsn)), "counter != nullptr");
    EXPECT_DEATH(static_cast<void>(registry.gauge(Metric::kPeerLagEntries)), "label_value.empty");
}

TEST(ProcessMetrics, SayWhatTheProcessUses) {
    Registry registry;
    collect_process_metrics(registry);
    static_cast<void>(registry.text());
    EXPECT_GT(registry.gauge(Metric::kProcessResidentBytes).value(), 1'000'000);
    EXPECT_GE(registry.gauge(Metric::kProcessOpenFiles).value(), 3);
    EXPECT_GT(registry.gauge(Metric::kProcessStartTime).value(), 1.6e9);
    EXPECT_GT(registry.counter(Metric::kProcessCpuSeconds).value(), 0u);
    EXPECT_THAT(registry.text(), HasSubstr("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 0."));
}

}  // namespace
}  // namespace tanist::metrics

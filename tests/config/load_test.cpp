// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <gmock/gmock.h>

#include "tests/config/config_files.h"

namespace tanist::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(LoadConfig, ReadsEachKindOfValueFromAFile) {
    const auto config = load_text(R"(
[node]
id = 2
role = "master"
data_dir = "/var/lib/tanist"
[listen]
client = "[::1]:7401"
peer = "10.0.0.2:7501"
http = ""
[cluster]
name = "orders-eu.1"
nodes = ["1@10.0.0.1:7501", "2@10.0.0.2:7501", "3@[fd00::3]:7501"]
[replication]
ack = "all"
[reads]
max_lag_ms = 2_500
[log]
format = "json"
)");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->node.id, NodeId{2});
    EXPECT_EQ(config->node.role, Role::kMaster);
    EXPECT_EQ(config->node.data_dir, "/var/lib/tanist");
    EXPECT_EQ(config->listen.client, (Endpoint{"::1", 7401}));
    EXPECT_TRUE(config->listen.http.empty());
    EXPECT_EQ(config->cluster.name, "orders-eu.1");
    EXPECT_THAT(config->cluster.nodes, ElementsAre(ClusterNode{NodeId{1}, {"10.0.0.1", 7501}}, ClusterNode{NodeId{2}, {"10.0.0.2", 7501}},
                                                   ClusterNode{NodeId{3}, {"fd00::3", 7501}}));
    EXPECT_EQ(config->replication.ack, WriteLevel::kAll);
    EXPECT_EQ(config->reads.max_lag, milliseconds(2500));
    EXPECT_EQ(config->log.format, LogFormat::kJson);
}

TEST(LoadConfig, LeavesWhatIsNotSetAtItsDefault) {
    const auto config = load_text(kMinimal);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->failover, FailoverConfig{});
    EXPECT_EQ(config->limits, LimitsConfig{});
    EXPECT_EQ(config->listen, Config{}.listen);
}

TEST(LoadConfig, TakesAFlagOverTheEnvironmentOverTheFile) {
    const ConfigFile file(std::string(kMinimal) +
                          "[failover]\nelection_timeout_ms = 1001\nheartbeat_ms = 101\n[reads]\nmax_lag_ms = 1001\n");
    const auto config =
        load_config({.file = file.path(),
                     .environment = {{"TANIST_FAILOVER__ELECTION_TIMEOUT_MS", "1002"}, {"TANIST_READS__MAX_LAG_MS", "1002"}},
                     .settings = {"reads.max_lag_ms=1003"}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->failover.heartbeat, milliseconds(101));
    EXPECT_EQ(config->failover.election_timeout, milliseconds(1002));
    EXPECT_EQ(config->reads.max_lag, milliseconds(1003));
}

TEST(LoadConfig, TakesTheLastOfTwoFlags) {
    const auto config = load_set({"reads.max_lag_ms=1000", "reads.max_lag_ms=2000"});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->reads.max_lag, milliseconds(2000));
}

TEST(LoadConfig, NeedsNoFileWhenTheEnvironmentSaysEverything) {
    const auto config = load_config({.file = {},
                                     .environment = {{"TANIST_NODE__ID", "1"},
                                                     {"TANIST_NODE__DATA_DIR", "/data"},
                                                     {"TANIST_LISTEN__PEER", "0.0.0.0:7501"},
                                                     {"TANIST_CLUSTER__NODES", "1@master:7501, 2@slave1:7501,3@slave2:7501"}},
                                     .settings = {}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->cluster.nodes[1], (ClusterNode{NodeId{2}, {"slave1", 7501}}));
    EXPECT_EQ(config->cluster.nodes.size(), 3u);
}

TEST(LoadConfig, IgnoresTheEnvironmentOfOthersButNotAMisspeltKey) {
    const ConfigFile file(kMinimal);
    const std::pair<std::string, std::string> others{"TANIST_PORT_7401_TCP", "x"}, path{"PATH", "/bin"}, misspelt{"TANIST_NODE__IDD", "7"};
    EXPECT_TRUE(load_config({.file = file.path(), .environment = {others, path}, .settings = {}}));
    const auto config = load_config({.file = file.path(), .environment = {misspelt}, .settings = {}});
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().message,
              "environment TANIST_NODE__IDD: node.idd: no such key; [node] allows id, role, data_dir, idle_poll_us, network_threads; did "
              "you mean node.id?");
}

TEST(LoadConfig, OneUnderscoreInPlaceOfTwoIsRefusedWhereItIsOurs) {
    const ConfigFile file(kMinimal);
    const auto config = load_config({.file = file.path(), .environment = {{"TANIST_READS_MAX_LAG_MS", "7"}}, .settings = {}});
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().message,
              "environment TANIST_READS_MAX_LAG_MS: two underscores stand between section and key; did you mean TANIST_READS__MAX_LAG_MS?");
    const std::vector<std::pair<std::string, std::string>> others{{"TANIST_PASSWORD", "x"}, {"TANIST_USER", "x"}, {"HOME", "/"}};
    EXPECT_TRUE(load_config({.file = file.path(), .environment = others, .settings = {}}));
    EXPECT_TRUE(ignored_variables(others).empty());
    EXPECT_EQ(ignored_variables({{"TANIST_PORT", "tcp://10.0.0.1"}, {"TANIST_REDS_LEVEL", "stale"}, {"TANIST_READS__LEVEL", "stale"}}),
              (std::vector<std::string>{"TANIST_PORT", "TANIST_REDS_LEVEL (did you mean TANIST_READS__LEVEL?)"}));
}

TEST(LoadConfig, NamesFileLineKeyValueAndWhatIsAllowed) {
    EXPECT_EQ(mistakes_in(std::string(kMinimal) + "[failover]\nheartbeat_ms = 5\n"),
              "node.toml:8: failover.heartbeat_ms = 5: must be 10 .. 10000 milliseconds");
    EXPECT_EQ(mistakes_in(std::string(kMinimal) + "[log]\n\nlevel = \"loud\"\n"),
              "node.toml:9: log.level = \"loud\": must be one of \"debug\", \"info\", \"warn\", \"error\"");
    EXPECT_EQ(mistakes_of({"failover.heartbeat_ms=five"}), "--set: failover.heartbeat_ms = five: must be 10 .. 10000 milliseconds");
}

TEST(LoadConfig, ReportsEveryMistakeInTheOrderOfTheLines) {
    EXPECT_EQ(mistakes_in("[node]\nid = 0\nrole = \"leader\"\n[cluster]\nnodes = []\n"),
              "node.toml:2: node.id = 0: must be 1 .. 4294967295\n"
              "node.toml:3: node.role = \"leader\": must be one of \"master\", \"slave\", \"spare\", \"witness\"\n"
              "node.toml:5: cluster.nodes = []: must be a list of 1 .. 64 times \"id@host:port\", with an id of 1 .. 4294967295 and a "
              "port of 1 .. 65535 that the other nodes can reach\n"
              "node.toml: node.data_dir is missing: must be the path of a folder; folder of the log, the store, the vote and the identity");
}

TEST(LoadConfig, RefusesAValueOfAnotherType) {
    EXPECT_EQ(mistakes_in(std::string(kMinimal) + "[reads]\nmax_lag_ms = \"500\"\n"),
              "node.toml:8: reads.max_lag_ms = \"500\": must be 0 .. 86400000 milliseconds");
    EXPECT_THAT(mistakes_in(std::string(kMinimal) + "[reads]\nmax_lag_ms = 1.5\n"),
                StartsWith("node.toml:8: reads.max_lag_ms = 1.5: must be"));
    EXPECT_THAT(mistakes_in(std::string(kMinimal) + "[reads]\nmax_lag_ms = true\n"),
                StartsWith("node.toml:8: reads.max_lag_ms = true: must"));
    EXPECT_THAT(mistakes_in(std::string(kMinimal) + "[reads]\nlevel = 1979-05-27\n"),
                StartsWith("node.toml:8: reads.level = 1979-05-27: must"));
    EXPECT_THAT(mistakes_in("[cluster]\nnodes = [1, 2]\n"), HasSubstr("node.toml:2: cluster.nodes = [ 1, 2 ]: must be a list"));
    EXPECT_THAT(mistakes_in("[cluster]\nnodes = \"1@a:7501\"\n"), HasSubstr("node.toml:2: cluster.nodes = \"1@a:7501\": must be a list"));
}

TEST(LoadConfig, RefusesNumbersBeyondEitherEnd) {
    EXPECT_EQ(mistakes_of({"failover.heartbeat_ms=10"}), "");
    EXPECT_NE(mistakes_of({"failover.heartbeat_ms=9"}), "");
    EXPECT_EQ(mistakes_of({"limits.key_bytes=65536"}), "");
    EXPECT_NE(mistakes_of({"limits.key_bytes=65537"}), "");
    EXPECT_NE(mistakes_of({"limits.key_bytes=-1"}), "");
    EXPECT_NE(mistakes_of({"limits.key_bytes=18446744073709551617"}), "");
    EXPECT_NE(mistakes_of({"limits.key_bytes=10x"}), "");
    EXPECT_NE(mistakes_of({"limits.key_bytes="}), "");
}

TEST(LoadConfig, SuggestsTheKeyThatWasMeant) {
    EXPECT_THAT(
        mistakes_in(std::string(kMinimal) + "[failover]\nhartbeat_ms = 100\n"),
        StartsWith("node.toml:8: failover.hartbeat_ms: no such key; [failover] allows heartbeat_ms, election_timeout_ms; did you mean "
                   "failover.heartbeat_ms?"));
    EXPECT_THAT(mistakes_of({"failovr.heartbeat_ms=100"}), HasSubstr("[failovr]: no such section; allowed are [node] [listen]"));
    EXPECT_THAT(mistakes_of({"failovr.heartbeat_ms=100"}), HasSubstr("did you mean failover.heartbeat_ms?"));
    EXPECT_THAT(mistakes_of({"replication.heartbeat_ms=100"}), HasSubstr("did you mean failover.heartbeat_ms?"));
    EXPECT_THAT(mistakes_of({"node.colour=red"}), testing::Not(HasSubstr("did you mean")));
    EXPECT_THAT(mistakes_in("data_dir = \"x\"\n"), StartsWith("node.toml:1: data_dir: stands under no section; allowed are [node]"));
    EXPECT_THAT(mistakes_in("[nodes]\n"), StartsWith("node.toml:1: [nodes]: no such section"));
}

TEST(LoadConfig, RefusesATableInAKeysPlace) {
    EXPECT_THAT(mistakes_in("[node.id]\nx = 1\n"), StartsWith("node.toml:1: node.id = "));
    EXPECT_THAT(mistakes_in("[[node]]\nid = 1\n"), StartsWith("node.toml:1: node: stands under no section"));
}

TEST(LoadConfig, NamesTheLineOfWhatIsNotToml) {
    EXPECT_THAT(mistakes_in("[node]\nid = \n"), StartsWith("node.toml:2: "));
    EXPECT_THAT(mistakes_in("[node]\nid = 1\nid = 2\n"), StartsWith("node.toml:3: "));
    EXPECT_THAT(mistakes_in("\xff\xfe garbage"), StartsWith("node.toml:1: "));
}

TEST(LoadConfig, SaysWhyAFileCannotBeRead) {
    const auto missing = load_config({.file = "/nonexistent/node.toml", .environment = {}, .settings = {}});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message, "/nonexistent/node.toml: cannot be read: No such file or directory");
    const auto folder = load_config({.file = "/", .environment = {}, .settings = {}});
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().message, "/: cannot be read: Is a directory");
}

TEST(LoadConfig, RefusesAFlagThatIsNoSetting) {
    EXPECT_EQ(mistakes_of({"heartbeat_ms"}), "--set: heartbeat_ms: must be section.key=value");
    EXPECT_EQ(mistakes_of({"heartbeat_ms=1.5"}), "--set: heartbeat_ms=1.5: must be section.key=value");
}

TEST(LoadConfig, CutsALongValueShortInItsMessage) { EXPECT_LT(mistakes_of({"log.level=" + std::string(10'000, 'x')}).size(), 300u); }

TEST(ReloadableChanges, TakesOverWhatCanBeReloadedAndNamesTheRest) {
    const auto before = load_set({});
    const auto after = load_set({"reads.max_lag_ms=500", "log.level=debug", "failover.heartbeat_ms=50"});
    ASSERT_TRUE(before && after);
    const Changes changes = reloadable_changes(*before, *after);
    EXPECT_THAT(changes.applied, ElementsAre("reads.max_lag_ms: 0 -> 500", "log.level: \"info\" -> \"debug\""));
    EXPECT_THAT(changes.needs_restart, ElementsAre("failover.heartbeat_ms: 100 -> 50"));
    EXPECT_EQ(changes.merged.reads.max_lag, milliseconds(500));
    EXPECT_EQ(changes.merged.log.level, LogLevel::kDebug);
    EXPECT_EQ(changes.merged.failover.heartbeat, milliseconds(100));
}

TEST(ReloadableChanges, AreNoneWhenNothingChanged) {
    const auto config = load_set({});
    ASSERT_TRUE(config);
    const Changes changes = reloadable_changes(*config, *config);
    EXPECT_THAT(changes.applied, IsEmpty());
    EXPECT_THAT(changes.needs_restart, IsEmpty());
    EXPECT_EQ(changes.merged, *config);
}

}  // namespace
}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
// CONFIG: Redis's parameters and ours, what can be changed while the node runs, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

class RespConfig : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(cluster_.await_master(), 1u); }
    Cluster cluster_{1};
};

TEST_F(RespConfig, TellsRedissParametersAndOursAndChangesWhatCanBeChanged) {
    RespClient client = cluster_.resp(1);
    EXPECT_EQ(client.call({"CONFIG", "GET", "maxclie*"}), "*2\r\n" + bulk("maxclients") + bulk("10000"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "maxclients", "77", "slowlog-log-slower-than", "-1"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CONFIG", "GET", "limits.connections"}), "*2\r\n" + bulk("limits.connections") + bulk("77"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "reads.level", "linearizable"}), "+OK\r\n");
    EXPECT_THAT(client.call({"CONFIG", "SET", "reads.level", "fresh"}), HasSubstr("possibly related to argument 'reads.level'"));
    EXPECT_THAT(client.call({"CONFIG", "SET", "port", "1"}), EndsWith("- can't set immutable config\r\n"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "nope", "1"}), "-ERR Unknown option or number of arguments for CONFIG SET - 'nope'\r\n");
    EXPECT_THAT(client.call({"CONFIG", "SET", "maxclients", "5", "maxclients", "6"}), EndsWith("- duplicate parameter\r\n"));
    EXPECT_EQ(client.call({"CONFIG", "GET", "appendonly", "databases"}),
              "*4\r\n" + bulk("appendonly") + bulk("yes") + bulk("databases") + bulk("1"));
    EXPECT_EQ(client.call({"CONFIG", "GET", "SAVE", "appendonly"}), "*4\r\n" + bulk("appendonly") + bulk("yes") + bulk("SAVE") + bulk(""));
    EXPECT_EQ(client.call({"CONFIG", "SET", "loglevel", "debug"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CONFIG", "GET", "loglevel"}), "*2\r\n" + bulk("loglevel") + bulk("debug"));
    EXPECT_THAT(client.call({"CONFIG", "SET", "loglevel", "loud"}), EndsWith("one of the following: debug, verbose, notice, warning\r\n"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "loglevel", "warning"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CONFIG", "REWRITE"}), "-ERR Rewriting config file: this node runs without a configuration file\r\n");
}

#if TANIST_WITH_ROCKSDB
TEST(RespConfigOnDisk, SetMovesTheBoundOfMemoryAndNothingIsEvictedForGood) {
    Cluster cluster(1, [](config::Config& config) { config.store.engine = config::StoreEngine::kRocksDb; });
    ASSERT_EQ(cluster.await_master(), 1u);
    RespClient client = cluster.resp(1);
    EXPECT_EQ(client.call({"CONFIG", "GET", "maxmemory"}), "*2\r\n" + bulk("maxmemory") + bulk("0"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "maxmemory", "16mb"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CONFIG", "GET", "memory.max"}), "*2\r\n" + bulk("memory.max") + bulk("16777216"));
    EXPECT_THAT(client.call({"INFO", "memory"}), AllOf(HasSubstr("maxmemory:16777216\r\n"), HasSubstr("hot_set_bytes_max:16777216\r\n")));
    EXPECT_EQ(
        client.call({"CONFIG", "SET", "maxmemory", "1000kb"}),
        "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - memory.max must be 0, for a quarter of the machine's memory, "
        "or at least 1048576\r\n");
    EXPECT_THAT(client.call({"CONFIG", "SET", "maxmemory", "-1"}), EndsWith("- argument must be a memory value\r\n"));
    EXPECT_EQ(client.call({"CONFIG", "SET", "maxmemory-policy", "noeviction"}), "+OK\r\n");
    EXPECT_THAT(client.call({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}), HasSubstr("only noeviction is possible"));

    const std::string value(10'000, 'v');
    const auto name = [](int i) { return fmt::format("key:{}", i); };
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.call({"SET", name(i), value}), "+OK\r\n");
    EXPECT_EQ(client.call({"SAVE"}), "+OK\r\n");
    EXPECT_EQ(client.call({"CONFIG", "SET", "maxmemory", "2mb"}), "+OK\r\n");
    const auto bytes = [&] {
        const std::string info = client.call({"INFO", "memory"});
        return std::stoul(info.substr(info.find("hot_set_bytes:") + std::string_view("hot_set_bytes:").size()));
    };
    EXPECT_TRUE(eventually([&] {
        client.call({"SET", "other", "1"});  // what has arrived on disk is noticed with the next write
        return bytes() <= 2 << 20;
    }));
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.call({"STRLEN", name(i)}), ":10000\r\n");
}
#endif

}  // namespace
}  // namespace tanist::server::testing

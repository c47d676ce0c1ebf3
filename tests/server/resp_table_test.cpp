// SPDX-License-Identifier: Apache-2.0
// The table of RESP commands, and COMMAND, which tells it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/resp/command.h"
#include "tests/server/cluster.h"

namespace tanist::server::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CommandTable, FindsCommandsAndSubcommandsInAnyLetterCase) {
    const resp::CommandTable& table = resp::client_port_commands();
    ASSERT_NE(table.find("GeT"), nullptr);
    EXPECT_EQ(table.find("GeT")->name, "get");
    EXPECT_EQ(table.find("client|SETNAME")->name, "client|setname");
    EXPECT_EQ(table.find("lpush"), nullptr);
    EXPECT_EQ(table.find(std::string(10'000, 'x')), nullptr);
}

TEST(CommandTable, EveryRowSaysWhatItDoesAndWhereItsKeysAre) {
    for (const resp::CommandTable::Row& row : resp::client_port_commands().all()) {
        EXPECT_FALSE(row.has(resp::kWrite) && row.has(resp::kReadOnly)) << row.name;
        EXPECT_FALSE(row.has(resp::kWrite) && row.has(resp::kLoading)) << row.name;
        const resp::KeyWords keys = row.command->keys;
        EXPECT_EQ(keys.first > 0, keys.step > 0) << row.name;
        EXPECT_TRUE(row.command->handler != nullptr || !row.subcommands.empty()) << row.name;
    }
}

TEST(CommandTable, ALaterFamilyTakesThePlaceOfAnEarlierOneAndAFlagChooses) {
    const auto answer = [](RespSession&, resp::Arguments) {};
    const std::array first{resp::Command{"A", 1, RequestKind::kOther, answer, resp::kOnSentinel},
                           resp::Command{"B", 1, RequestKind::kOther, answer}};
    const std::array second{resp::Command{"A", 3, RequestKind::kOther, answer}};
    const resp::CommandTable table{{first, resp::kOnSentinel}, {second}};
    ASSERT_EQ(table.commands().size(), 1u);
    EXPECT_EQ(table.find("a")->command->arity, 3);
}

TEST(Command, TellsTheTable) {
    Cluster cluster(1);
    ASSERT_EQ(cluster.await_master(), 1u);
    RespClient client = cluster.resp(1);
    EXPECT_THAT(client.call({"COMMAND", "INFO", "SET", "nothing"}),
                AllOf(StartsWith("*2\r\n*10\r\n$3\r\nset\r\n:-3\r\n*2\r\n+write\r\n+denyoom\r\n:1\r\n:1\r\n:1\r\n"),
                      ::testing::EndsWith("\r\n$-1\r\n")));
    const std::string count = client.call({"COMMAND", "COUNT"});
    EXPECT_THAT(client.call({"COMMAND"}), StartsWith("*" + count.substr(1)));
    EXPECT_THAT(client.call({"COMMAND", "INFO", "client|id"}), HasSubstr("client|id"));
    EXPECT_EQ(client.call({"CLIENT"}), "-ERR wrong number of arguments for 'client' command\r\n");
    EXPECT_EQ(client.call({"CLIENT", "SETNAME"}), "-ERR wrong number of arguments for 'client|setname' command\r\n");
}

}  // namespace
}  // namespace tanist::server::testing

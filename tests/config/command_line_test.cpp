// SPDX-License-Identifier: Apache-2.0
#include "config/command_line.h"

#include <gmock/gmock.h>

#include "config/version.h"

namespace tanist::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class... Arguments>
Result<CommandLine> parse(Arguments... arguments) {
    const char* const all[] = {"tanistd", arguments...};
    return parse_command_line(static_cast<int>(std::size(all)), all);
}

TEST(CommandLine, NamesTheFileAndTheSettings) {
    const auto parsed = parse("--config", "a.toml", "--set", "node.id=3", "--set", "cluster.nodes=1@a:1,2@b:1", "--bootstrap");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->load.file, "a.toml");
    EXPECT_THAT(parsed->load.settings, ElementsAre("node.id=3", "cluster.nodes=1@a:1,2@b:1"));
    EXPECT_TRUE(parsed->bootstrap);
    EXPECT_FALSE(parsed->cut_corrupt_log);
    EXPECT_FALSE(parsed->check_only);
    EXPECT_FALSE(parsed->answer);
}

TEST(CommandLine, ChecksAFileWithoutStarting) {
    const auto parsed = parse("--check-config", "a.toml", "--set", "node.id=3");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->load.file, "a.toml");
    EXPECT_TRUE(parsed->check_only);
}

TEST(CommandLine, LeavesTheFileOutWhenTheEnvironmentSaysEverything) {
    const auto parsed = parse();
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_FALSE(parsed->load.file);
    EXPECT_FALSE(parsed->load.environment.empty());
}

TEST(CommandLine, AnswersHelpWithEveryKeyAndVersionWithTheProjects) {
    const auto help = parse("--help");
    ASSERT_TRUE(help && help->answer);
    EXPECT_THAT(*help->answer, HasSubstr("--check-config FILE"));
    EXPECT_THAT(*help->answer, HasSubstr("failover.election_timeout_ms"));
    EXPECT_EQ(parse("--version")->answer, "tanistd " + std::string(version()));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
    for (const auto& parsed :
         {parse("--confg", "a.toml"), parse("a.toml"), parse("--config"), parse("--config", "a", "--check-config", "b")}) {
        ASSERT_FALSE(parsed);
        EXPECT_THAT(parsed.error().message, HasSubstr("Usage: tanistd --config FILE"));
    }
}

}  // namespace
}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/repl.h"

namespace tanist::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Words = std::vector<std::string>;

template <class T>
T command(const Words& words) {
    auto invocation = parse_arguments(words);
    EXPECT_TRUE(invocation) << invocation.error().message;
    return std::get<T>(invocation->command);
}
std::string complaint(const Words& words) {
    const auto invocation = parse_arguments(words);
    EXPECT_FALSE(invocation);
    EXPECT_EQ(invocation.error().exit, Exit::kUsage);
    return invocation.error().message;
}

TEST(Arguments, SettingsStandBeforeOrBehindTheCommand) {
    for (const Words& words :
         {Words{"--json", "--connect", "a:1,b:2", "--direct", "--timeout", "250ms", "--read-level", "stale", "--write-level", "all",
                "status"},
          Words{"status", "--json", "--connect", "a:1,b:2", "--direct", "--timeout", "250ms", "--read-level=stale", "--write-level=all"}}) {
        const auto invocation = parse_arguments(words);
        ASSERT_TRUE(invocation) << invocation.error().message;
        const Settings& settings = invocation->settings;
        EXPECT_TRUE(settings.json && settings.direct);
        EXPECT_THAT(settings.connect, ElementsAre("a:1", "b:2"));
        EXPECT_EQ(settings.timeout, 250ms);
        EXPECT_EQ(settings.read_level, client::ReadLevel::kStale);
        EXPECT_EQ(settings.write_level, client::WriteLevel::kAll);
        EXPECT_TRUE(std::holds_alternative<StatusCommand>(invocation->command));
    }
    EXPECT_EQ(parse_arguments({"--timeout", "3"})->settings.timeout, 3s);
    EXPECT_TRUE(std::holds_alternative<ShellCommand>(parse_arguments({})->command));
    EXPECT_THAT(parse_arguments({})->settings.connect, ElementsAre("127.0.0.1:7401"));
}

TEST(Arguments, EachCommandHasItsOwn) {
    EXPECT_TRUE(command<GetCommand>({"get", "k", "--raw"}).raw);
    EXPECT_EQ(command<PutCommand>({"put", "k", "v"}).value, "v");
    EXPECT_EQ(command<PutCommand>({"put", "k", ""}).value, "");
    EXPECT_EQ(command<PutCommand>({"put", "k", "-"}).file, "-");
    EXPECT_EQ(command<PutCommand>({"put", "k", "--file", "f"}).file, "f");
    EXPECT_EQ(command<PutCommand>({"put", "get", "put"}).key, "get");
    EXPECT_EQ(command<PutCommand>({"put", "--", "k", "--json"}).value, "--json");
    EXPECT_EQ(command<DelCommand>({"del", "k", "--if-value", ""}).if_value, "");
    EXPECT_EQ(command<DelCommand>({"del", "k", "--if-version", "7"}).if_version, 7u);
    EXPECT_EQ(command<IncrCommand>({"incr", "k"}).by, 1);
    EXPECT_EQ(command<IncrCommand>({"incr", "k", "-5"}).by, -5);
    EXPECT_EQ(command<ScanCommand>({"scan", "user/", "--limit", "5"}).range.prefix, "user/");
    EXPECT_EQ(command<BatchCommand>({"batch"}).file, "-");
    EXPECT_EQ(command<ImportCommand>({"import", "f", "--format", "tsv", "--skip-bad"}).format, Format::kTsv);
    EXPECT_EQ(command<ExportCommand>({"export", "--prefix", "p"}).range.prefix, "p");
}

TEST(Arguments, CasTakesAValueAVersionOrAbsence) {
    const auto by_value = command<CasCommand>({"cas", "k", "old", "new"});
    EXPECT_EQ(std::get<client::ValueIs>(by_value.expected).bytes, "old");
    EXPECT_EQ(by_value.value, "new");
    const auto by_version = command<CasCommand>({"cas", "k", "new", "--version", "3"});
    EXPECT_EQ(std::get<client::VersionIs>(by_version.expected).version, 3u);
    EXPECT_EQ(by_version.value, "new");
    EXPECT_TRUE(std::holds_alternative<client::Absent>(command<CasCommand>({"cas", "--absent", "k", "new"}).expected));
    EXPECT_THAT(complaint({"cas", "k", "new"}), HasSubstr("cas KEY OLD NEW"));
    EXPECT_THAT(complaint({"cas", "k", "old", "new", "--absent"}), HasSubstr("in place of OLD"));
}

TEST(Arguments, ComplaintsSayWhatIsAllowed) {
    EXPECT_THAT(
        complaint({"watch", "k"}),
        HasSubstr("unknown command 'watch'; commands are get, put, del, cas, incr, scan, batch, status, switchover, import, export"));
    EXPECT_THAT(complaint({"--frob"}), HasSubstr("--frob"));
    EXPECT_THAT(complaint({"get"}), HasSubstr("KEY"));
    EXPECT_THAT(complaint({"get", "a", "b"}), HasSubstr("'b'"));
    EXPECT_THAT(complaint({"put", "a"}), HasSubstr("put KEY VALUE"));
    EXPECT_THAT(complaint({"incr", "a", "x"}), HasSubstr("x"));
    for (const char* number : {"99999999999999999999", "-99999999999999999999", "0x10", "010", "1.5", "1 "}) {
        EXPECT_THAT(complaint({"incr", "a", number}), HasSubstr("allowed are decimal whole numbers from -9223372036854775808 to"))
            << number;
    }
    EXPECT_THAT(complaint({"scan", "--limit", "-1"}), HasSubstr("from 1 to 18446744073709551615"));
    EXPECT_THAT(complaint({"scan", "--limit", "0"}), HasSubstr("from 1 to"));
    EXPECT_THAT(complaint({"cas", "a", "b", "--version", "-1"}), HasSubstr("from 0 to"));
    EXPECT_THAT(complaint({"status", "--read-level", "fresh"}), HasSubstr("linearizable|session|stale"));
    EXPECT_THAT(complaint({"status", "--timeout", "0"}), HasSubstr("500ms, 5s, 2m"));
    EXPECT_THAT(complaint({"status", "--connect", ","}), HasSubstr("HOST:PORT"));
    EXPECT_THAT(complaint({"export", "--format", "xml"}), HasSubstr("jsonl|tsv"));
}

TEST(Arguments, HelpAndVersionAreTexts) {
    EXPECT_THAT(command<ShowText>({"--help"}).text, HasSubstr("Exit codes"));
    EXPECT_THAT(command<ShowText>({"batch", "--help"}).text, HasSubstr("if-absent KEY"));
    EXPECT_THAT(command<ShowText>({"--version"}).text, HasSubstr("tanist "));
}

TEST(Completion, KnowsCommandsAndTheirOptions) {
    EXPECT_THAT(completions("ex"), ElementsAre("exit", "export"));
    EXPECT_THAT(completions("imp"), ElementsAre("import"));
    EXPECT_THAT(completions("cas k --ab"), ElementsAre("--absent"));
    EXPECT_THAT(completions("get --read"), ElementsAre("--read-level"));
    EXPECT_THAT(completions("import --"), Contains("--skip-bad"));
    EXPECT_THAT(completions("get ke"), IsEmpty());
    EXPECT_THAT(completions("frob --j"), ElementsAre("--json"));
}

}  // namespace
}  // namespace tanist::cli

// SPDX-License-Identifier: Apache-2.0
// What is changed while running goes back into the file, and nothing else in it changes.
#include "config/rewrite.h"

#include <gmock/gmock.h>

#include <iterator>

#include "tests/config/config_files.h"

namespace tanist::config {
namespace {

using ::testing::HasSubstr;

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

constexpr std::string_view kFile = R"(# my node
[node]
id = 1   # first
data_dir = "data"
[cluster]
nodes = ["1@127.0.0.1:7501", "2@127.0.0.1:7502"]
[reads]
max_lag_ms = 300 # "quoted" in a comment
)";

TEST(Rewrite, ALineKeepsItsCommentANewKeyStandsInItsSectionAndANewSectionAtTheEnd) {
    EXPECT_EQ(with_setting("[a]\nx = 1 # why\n[b]\nx = 2\n", "b", "x", "3"), "[a]\nx = 1 # why\n[b]\nx = 3\n");
    EXPECT_EQ(with_setting("[a]\nx = 1 # why\n", "a", "x", "3"), "[a]\nx = 3 # why\n");
    EXPECT_EQ(with_setting("[a]\nx=\"# no comment\"# why\n", "a", "x", "3"), "[a]\nx= 3# why\n");
    EXPECT_EQ(with_setting("[ a ] # here\ny = 1", "a", "x", "3"), "[ a ] # here\nx = 3\ny = 1\n");
    EXPECT_EQ(with_setting("[a]\n#x = 1\n", "a", "x", "3"), "[a]\nx = 3\n#x = 1\n");
    EXPECT_EQ(with_setting("[a]\ny = 1\n", "b", "x", "3"), "[a]\ny = 1\n\n[b]\nx = 3\n");
}

TEST(Rewrite, TheFileHoldsWhatHoldsAndIsReadBack) {
    const ConfigFile file(kFile);
    const LoadRequest request{.file = file.path(), .environment = {}, .settings = {}};
    Config wanted = load_config(request).value();
    EXPECT_TRUE(rewrite_file(request, wanted));
    EXPECT_EQ(content_of(file.path()), kFile);

    wanted.reads.max_lag = std::chrono::milliseconds{500};
    wanted.limits.connections = 77;
    wanted.security.requirepass.text = "a \\ \"secret\" # one";
    const Status done = rewrite_file(request, wanted);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_THAT(content_of(file.path()), HasSubstr("max_lag_ms = 500 # \"quoted\" in a comment\n"));
    EXPECT_THAT(content_of(file.path()), HasSubstr("id = 1   # first\n"));
    const Config loaded = load_config(request).value();
    EXPECT_EQ(loaded.limits.connections, 77U);
    EXPECT_EQ(loaded.security.requirepass.text, wanted.security.requirepass.text);
    EXPECT_FALSE(std::filesystem::exists(file.path().string() + ".new"));
}

TEST(Rewrite, RedissParametersAndPasswordsOfAnyBytesAreReadBack) {
    const ConfigFile file(kFile);
    const LoadRequest request{.file = file.path(), .environment = {}, .settings = {}};
    Config wanted = load_config(request).value();
    wanted.memory.max = 2 << 20;
    wanted.redis.notify_keyspace_events = EventClasses::parse("KEA").value();
    EXPECT_EQ(wanted.redis.client_output_buffer_limit.read("pubsub 1mb 2 3 normal 4 5 6"), std::nullopt);
    EXPECT_EQ(wanted.redis.latency_tracking_info_percentiles.read("0 12.5"), std::nullopt);
    wanted.redis.slowlog_log_slower_than_us = -1;
    wanted.redis.latency_tracking = Switch::kNo;
    wanted.redis.timeout_seconds = 77;
    for (const std::string_view password : {std::string_view("\0\xff\n\"", 4), std::string_view(" hex:00 "), std::string_view("hex:00"),
                                            std::string_view("\xc3\xa9"), std::string_view("# \\ '\"")}) {
        wanted.security.requirepass.text = password;
        const Status done = rewrite_file(request, wanted);
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ(load_config(request).value(), wanted);
    }
    EXPECT_THAT(content_of(file.path()), HasSubstr("notify_keyspace_events = \"AKE\"\n"));
    EXPECT_THAT(content_of(file.path()), HasSubstr("\nlatency_tracking = \"no\"\n"));
}

TEST(Rewrite, AFileThatHoldsAPasswordIsItsOwnersAlone) {
    using std::filesystem::perms;
    const ConfigFile file(kFile);
    const LoadRequest request{.file = file.path(), .environment = {}, .settings = {}};
    Config wanted = load_config(request).value();
    const auto mode_after = [&] {
        EXPECT_TRUE(rewrite_file(request, wanted));
        return std::filesystem::status(file.path()).permissions();
    };
    std::filesystem::permissions(file.path(), perms{0640});
    std::ofstream(file.path().string() + ".new") << "of a crash";
    wanted.limits.connections = 77;
    EXPECT_EQ(mode_after(), perms{0640});
    wanted.security.requirepass.text = "secret";
    EXPECT_EQ(mode_after(), perms{0600});
}

TEST(Rewrite, AFileWithThePeersPasswordBecomesItsOwnersToo) {
    const ConfigFile file(std::string(kFile) + "\n[security]\npeer_password = \"between us\"\n");
    std::filesystem::permissions(file.path(), std::filesystem::perms{0644});
    const LoadRequest request{.file = file.path(), .environment = {}, .settings = {}};
    Config wanted = load_config(request).value();
    wanted.limits.connections = 77;
    ASSERT_TRUE(rewrite_file(request, wanted));
    EXPECT_EQ(std::filesystem::status(file.path()).permissions(), std::filesystem::perms{0600});
}

TEST(Rewrite, WhatBeatsTheFileIsAnErrorAndLeavesTheFile) {
    const ConfigFile file(kFile);
    const LoadRequest request{.file = file.path(), .environment = {}, .settings = {"limits.connections=50"}};
    Config wanted = load_config(request).value();
    wanted.limits.connections = 77;
    const Status refused = rewrite_file(request, wanted);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "limits.connections: the file would say 77, and 50 holds: the environment and --set beat the file");
    EXPECT_EQ(content_of(file.path()), kFile);
    EXPECT_THAT(rewrite_file({}, wanted).error().message, HasSubstr("without a configuration file"));
}

}  // namespace
}  // namespace tanist::config

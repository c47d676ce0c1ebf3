// SPDX-License-Identifier: Apache-2.0
// Redis commands as they are logged and applied. What each one answers is held against redis-server by tests/e2e/redis_oracle.py;
// here is what that cannot see: requests, limits, content that no client of ours logs, and pages of keys.
#include <gmock/gmock.h>

#include <sstream>

#include "commands/keyspace.h"
#include "commands/redis/glob.h"
#include "tests/commands/log.h"

namespace tanist::commands {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Redis redis(std::string_view line) {
    Redis command;
    std::istringstream words{std::string(line)};
    for (std::string word; words >> word;) command.words.push_back(word);
    return command;
}

/// The replies as a line: OK (integer) "bulk" nil -error [array].
std::string show(const Reply& reply) {
    switch (reply.kind) {
        case Reply::Kind::kNil: return "nil";
        case Reply::Kind::kStatus: return reply.text;
        case Reply::Kind::kInteger: return std::to_string(reply.integer);
        case Reply::Kind::kBulk: return '"' + reply.text + '"';
        case Reply::Kind::kError: return '-' + reply.text;
        case Reply::Kind::kCursor: return "cursor:" + reply.text;
        case Reply::Kind::kArray:
        case Reply::Kind::kMap: break;
    }
    std::string text = "[";
    for (const Reply& element : reply.elements) text += (text.size() > 1 ? " " : "") + show(element);
    return text + "]";
}

class RedisCommands : public ::testing::Test {
protected:
    std::vector<std::string> run(std::vector<std::string_view> lines) {
        std::vector<Command> commands;
        for (const auto line : lines) commands.emplace_back(redis(line));
        const Outcome outcome = machine.execute(std::move(commands));
        EXPECT_EQ(outcome.code, OutcomeCode::kDone);
        std::vector<std::string> replies;
        for (const CommandResult& result : outcome.results) replies.push_back(show(*result.reply));
        return replies;
    }
    std::string one(std::string_view line) { return run({line}).at(0); }
    std::string read(std::string_view line) {
        const Redis command = redis(line);
        const std::vector<std::string_view> words(command.words.begin(), command.words.end());
        return show(machine.state->read(words, 0, 7).value());
    }
    Machine machine;
};

TEST_F(RedisCommands, OfARequestEachSeesWhatThoseBeforeItDid) {
    EXPECT_THAT(run({"SET a 1", "INCRBY a 4", "GET a", "DEL a b", "GET a"}), ElementsAre("OK", "5", "\"5\"", "1", "nil"));
}

TEST_F(RedisCommands, AnErrorChangesNothingOfItsOwnAndDoesNotStopTheOthers) {
    EXPECT_THAT(
        run({"SET a text", "INCR a", "MSET b 1 c", "SET d 1"}),
        ElementsAre("OK", "-ERR value is not an integer or out of range", "-ERR wrong number of arguments for 'mset' command", "OK"));
    EXPECT_EQ(machine.value("b"), std::nullopt);
    EXPECT_EQ(machine.value("d"), "1");
}

TEST_F(RedisCommands, AConditionThatFailsStopsAll) {
    one("SET a 1");
    const Version seen = machine.version("a");
    one("SET a 2");
    const Outcome outcome = machine.execute_if({VersionEquals{"a", seen}}, {redis("SET b 1")});
    EXPECT_EQ(outcome.code, OutcomeCode::kConditionFailed);
    EXPECT_EQ(machine.value("b"), std::nullopt);
}

TEST_F(RedisCommands, WordsThatNoClientOfOursLogsAreAnsweredAnError) {  // S12
    EXPECT_EQ(one("NOSUCH a"), "-ERR unknown command");
    EXPECT_EQ(one("set a 1"), "-ERR unknown command");
    EXPECT_EQ(one("GET"), "-ERR wrong number of arguments for 'get' command");
    EXPECT_EQ(one(""), "-ERR unknown command");
    EXPECT_EQ(one("SCAN 17"), "-ERR invalid cursor");
}

TEST_F(RedisCommands, AReplyBeyondTheLimitTakesTheWholeRequestBack) {
    const std::string large(limits::kValueBytesMax, 'v');
    machine.execute({Put{"large", large}, Put{"k", "kept"}});
    const Outcome outcome =
        machine.execute({redis("SET a 1"), redis("FLUSHALL"), Put{"large", large}, redis("GET large"), redis("GETDEL large")});
    EXPECT_EQ(outcome.code, OutcomeCode::kTooLarge);
    EXPECT_EQ(machine.value("k"), "kept");
    EXPECT_EQ(machine.value("a"), std::nullopt);
    EXPECT_EQ(machine.value("large"), large);
    EXPECT_THAT(one("MGET large large"), HasSubstr("-ERR the reply would pass its limit"));
    EXPECT_THAT(read("MGET large large"), HasSubstr("-ERR the reply would pass its limit"));
}

TEST_F(RedisCommands, KeysAndValuesBeyondTheirLimitsAreRefused) {
    machine.execute({Put{"large", std::string(limits::kValueBytesMax - 1, 'v')}});
    EXPECT_THAT(run({"APPEND large xx", "SETRANGE large 16777215 xx", "SETBIT large 134217728 1", "STRLEN large"}),
                ElementsAre(HasSubstr("exceeds maximum"), HasSubstr("exceeds maximum"), HasSubstr("bit offset"), "16777215"));
    const std::string key(limits::kKeyBytesMax + 1, 'k');
    EXPECT_EQ(machine.execute({Redis{{"APPEND", key, "x"}}}).code, OutcomeCode::kTooLarge);
    EXPECT_EQ(machine.execute({Redis{{"APPEND", "a", std::string(limits::kValueBytesMax + 1, 'x')}}}).code, OutcomeCode::kTooLarge);
    const Request request{.commands = {Redis{{"MSET", "a", "1", key, "2"}}}};
    EXPECT_FALSE(check_limits(request));
    EXPECT_EQ(largest_parts(request).key_bytes, key.size());
}

TEST_F(RedisCommands, AChangeOfOneKeyTooManyTakesTheRequestBack) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << (64 - kLsnBits);
    Keyspace keys(*machine.store);
    keys.begin_entry(Lsn{7}, 0);
    for (std::uint64_t n = 0; n < kMost; ++n) {
        keys.begin_request(false);
        ASSERT_TRUE(keys.put("a", Value::borrowed("1")));
    }
    keys.begin_request(true);
    EXPECT_FALSE(keys.put("a", Value::borrowed("2")));
    EXPECT_TRUE(keys.ran_over());
    keys.begin_request(true);
    EXPECT_FALSE(keys.ran_over());
}

TEST_F(RedisCommands, FlushAllTakesWhatWasThereAndWhatTheEntryBrought) {
    one("SET a 1 EX 100");
    const auto outcomes = machine.run_all({Request{.commands = {Put{"b", "1"}}}, Request{.commands = {redis("FLUSHALL"), redis("KEYS *")}},
                                           Request{.commands = {redis("SET b 2"), redis("KEYS *")}}});
    EXPECT_EQ(show(*outcomes[1].results[1].reply), "[]");
    EXPECT_EQ(show(*outcomes[2].results[1].reply), "[\"b\"]");
    EXPECT_EQ(machine.value("a"), std::nullopt);
    EXPECT_EQ(machine.value("b"), "2");
    EXPECT_NE(machine.version("b"), outcomes[0].results[0].version);  // nobody who compares overlooks it
    EXPECT_THAT(machine.state->scan({}).value().rows, SizeIs(1));
}

TEST_F(RedisCommands, KeysAreFoundAsTheRequestHasThemSoFar) {
    run({"SET b 1", "SET d 1", "SET f 1"});
    EXPECT_THAT(run({"DEL d", "SET a 1", "SET e 1", "KEYS *", "DBSIZE"}), ElementsAre("1", "OK", "OK", "[\"a\" \"b\" \"e\" \"f\"]", "4"));
    const Outcome pages =
        machine.execute({redis("SET c 1"), Redis{{"SCAN", "", "COUNT", "2"}}, Redis{{"SCAN", "kb", "COUNT", "2"}}, Redis{{"SCAN", "kzz"}}});
    EXPECT_EQ(show(*pages.results[1].reply), std::string("[cursor:b") + '\0' + " [\"a\" \"b\"]]");
    EXPECT_EQ(show(*pages.results[2].reply), std::string("[cursor:e") + '\0' + " [\"b\" \"c\" \"e\"]]");
    EXPECT_EQ(show(*pages.results[3].reply), "[cursor: []]");
}

TEST_F(RedisCommands, ReadsOfTheStateAnswerAsAppliedOnesAndWriteNothing) {
    run({"SET a 12", "SET b xyz PX 100000"});
    EXPECT_EQ(read("MGET a b c"), "[\"12\" \"xyz\" nil]");
    EXPECT_EQ(read("PTTL b"), "100000");
    EXPECT_THAT(read("DEL a"), HasSubstr("-ERR"));
    EXPECT_EQ(machine.value("a"), "12");
}

TEST_F(RedisCommands, ManyKeysAreCountedAndNotListed) {
    std::vector<Command> puts;
    for (int i = 0; i < 50'000; ++i) puts.emplace_back(Put{"k" + std::to_string(i), "v"});
    machine.execute(puts);
    EXPECT_EQ(read("DBSIZE"), "50000");
    EXPECT_EQ(one("DBSIZE"), "50000");
    for (auto& put : puts) std::get<Put>(put).key += "/2";
    machine.execute(puts);
    for (auto& put : puts) std::get<Put>(put).key += "3";
    machine.execute(puts);
    EXPECT_THAT(read("KEYS *"), HasSubstr("-ERR more than 100000 keys"));
    EXPECT_EQ(read("KEYS k4999*23"),
              "[\"k4999/23\" \"k49990/23\" \"k49991/23\" \"k49992/23\" \"k49993/23\" \"k49994/23\" "
              "\"k49995/23\" \"k49996/23\" \"k49997/23\" \"k49998/23\" \"k49999/23\"]");
}

TEST_F(RedisCommands, SurviveEncoding) {
    const Request request{.conditions = {VersionEquals{"k", {4}}},
                          .commands = {redis("SET a 1"), Get{"a"}, Redis{{"SET", "", std::string(3, '\0')}}}};
    std::string payload;
    append_to(payload, request);
    EXPECT_EQ(payload.size(), encoded_bytes(request));
    EXPECT_THAT(decode_payload(payload).value(), ElementsAre(Logged(request)));
    for (std::size_t bytes = 1; bytes < payload.size(); ++bytes) EXPECT_FALSE(decode_payload(payload.substr(0, bytes)));
}

TEST_F(RedisCommands, ASessionKeepsThatTheyAreDoneAndNotWhatTheyAnswered) {  // S21
    const SessionId session = machine.open_session();
    const Request request{.session = session, .sequence = 1, .lowest_unanswered = 1, .commands = {redis("APPEND a x")}};
    EXPECT_EQ(show(*machine.run(request).results.at(0).reply), "1");
    EXPECT_EQ(machine.run(request).code, OutcomeCode::kAnswerForgotten);
    EXPECT_EQ(machine.value("a"), "x");
}

TEST(Glob, MatchesAsRedisDoes) {
    using commands::redis::glob_matches;
    EXPECT_TRUE(glob_matches("h?llo*", "hello world"));
    EXPECT_TRUE(glob_matches("h[^e]llo", "hallo"));
    EXPECT_FALSE(glob_matches("h[^e]llo", "hello"));
    EXPECT_TRUE(glob_matches("h[b-a]llo", "hallo"));
    EXPECT_TRUE(glob_matches("\\*", "*"));
    EXPECT_FALSE(glob_matches("\\*", "x"));
    EXPECT_TRUE(glob_matches("[abc", "c"));
    EXPECT_TRUE(glob_matches("", ""));
    EXPECT_FALSE(glob_matches("", "x"));
    EXPECT_EQ(commands::redis::literal_prefix("user:[12]*"), "user:");
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
    std::string pattern;
    for (int i = 0; i < 30; ++i) pattern += "a*";
    EXPECT_FALSE(commands::redis::glob_matches(pattern + "b", std::string(10'000, 'a')));
}

}  // namespace
}  // namespace tanist::commands

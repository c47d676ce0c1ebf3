// SPDX-License-Identifier: Apache-2.0
#include "protocol/resp_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocol/draw.h"
#include "tests/protocol/fuzz.h"

namespace tanist::protocol {
namespace {

using Words = std::vector<std::string>;

struct Story {
    std::vector<Words> commands;
    std::string error;
    friend bool operator==(const Story&, const Story&) = default;
};
void PrintTo(const Story& story, std::ostream* out) { *out << testing::PrintToString(story.commands) << " error='" << story.error << "'"; }

/// What comes out of `bytes` when they arrive in two pieces, the second from `cut` on, or byte by byte.
Story decode(std::string_view bytes, std::size_t cut = 0, const RespLimits& limits = {}, bool each_byte = false) {
    Story story;
    ReadBuffer buffer(4096);
    RespDecoder decoder(limits);
    const auto feed = [&](std::string_view piece) {
        buffer.append(as_bytes(piece));
        for (;;) {
            if (!story.error.empty()) return;
            const auto command = decoder.next(buffer);
            if (!command) {
                EXPECT_EQ(command.error().code, ErrorCode::kInvalidArgument);
                story.error = command.error().message;
                const auto again = decoder.next(buffer);
                EXPECT_TRUE(!again && again.error().message == story.error) << "told again to who asks again: " << story.error;
                return;
            }
            if (!*command) return;
            story.commands.emplace_back((*command)->begin(), (*command)->end());
        }
    };
    if (each_byte) {
        for (std::size_t i = 0; i < bytes.size(); ++i) feed(bytes.substr(i, 1));
        return story;
    }
    feed(bytes.substr(0, cut));
    feed(bytes.substr(cut));
    return story;
}

std::string array(const Words& words) {
    std::string out = fmt::format("*{}\r\n", words.size());
    for (const std::string& word : words) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
    return out;
}

TEST(RespDecoder, TakesPipelinesWhereverTheyAreCut) {
    const std::string big(5000, 'v');
    const std::vector<Words> commands = {
        {"PING"}, {"SET", "key", "value"}, {"GET", ""}, {"ECHO", std::string("\r\n\0$5\r\n", 8)}, {"SET", "k", big}, {"INCR", "n"}};
    std::string bytes;
    for (const Words& command : commands) bytes += array(command);
    const Story expected{commands, ""};
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) ASSERT_EQ(decode(bytes, cut), expected) << "cut at " << cut;
    EXPECT_EQ(decode(bytes, 0, {}, true), expected);
}

TEST(RespDecoder, TakesInlineCommandsWhereverTheyAreCut) {
    const std::string bytes = "PING\r\nSET a 1\n\r\n  \t GET   a  \r\n" + array({"GET", "b"}) + "EXISTS a b\n";
    const Story expected{{{"PING"}, {"SET", "a", "1"}, {"GET", "a"}, {"GET", "b"}, {"EXISTS", "a", "b"}}, ""};
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) ASSERT_EQ(decode(bytes, cut), expected) << "cut at " << cut;
    EXPECT_EQ(decode(bytes, 0, {}, true), expected);
}

TEST(RespDecoder, ViewsPointIntoTheBuffer) {
    ReadBuffer buffer;
    RespDecoder decoder;
    buffer.append(as_bytes(array({"SET", "key", "value"})));
    const auto* const start = reinterpret_cast<const char*>(buffer.unread().data());
    const auto command = decoder.next(buffer).value().value();
    EXPECT_EQ(command[2].data(), start + std::string_view("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\n").size());
}

TEST(RespDecoder, QuotesInInlineCommandsAreRedissOwn) {
    EXPECT_EQ(decode("SET k \"a b\"\n").commands[0], (Words{"SET", "k", "a b"}));
    EXPECT_EQ(decode("SET k \"\\x41\\n\\r\\t\\b\\a\\\"\\\\\\q\\xzz\"\n").commands[0], (Words{"SET", "k", "A\n\r\t\b\a\"\\qxzz"}));
    EXPECT_EQ(decode("SET k 'it\\'s \\n'\n").commands[0], (Words{"SET", "k", "it's \\n"}));
    EXPECT_EQ(decode("SET k \"\"\n").commands[0], (Words{"SET", "k", ""}));
    EXPECT_EQ(decode("SET ab\"c d\"\n").commands[0], (Words{"SET", "abc d"}));
    EXPECT_EQ(decode("SET \"a\n").error, "Protocol error: unbalanced quotes in request");
    EXPECT_EQ(decode("SET 'a\n").error, "Protocol error: unbalanced quotes in request");
    EXPECT_EQ(decode("SET \"a\"b\n").error, "Protocol error: unbalanced quotes in request");
    EXPECT_EQ(decode("SET \"a\\\n").error, "Protocol error: unbalanced quotes in request");
}

TEST(RespDecoder, ArraysWithoutElementsAreNoCommands) {
    EXPECT_EQ(decode("*0\r\n*-1\r\n*-5\r\n" + array({"PING"})), (Story{{{"PING"}}, ""}));
}

TEST(RespDecoder, ErrorsAreWordedAsRedisWordsThem) {
    struct Case {
        std::string bytes;
        std::string_view error;
    };
    const std::vector<Case> cases = {
        {"*a\r\n", "Protocol error: invalid multibulk length"},
        {"*\r\n", "Protocol error: invalid multibulk length"},
        {"*01\r\n", "Protocol error: invalid multibulk length"},
        {"*+1\r\n", "Protocol error: invalid multibulk length"},
        {"*-0\r\n", "Protocol error: invalid multibulk length"},
        {"*1048577\r\n", "Protocol error: invalid multibulk length"},
        {"*99999999999999999999\r\n", "Protocol error: invalid multibulk length"},
        {"*1\r\nPING\r\n", "Protocol error: expected '$', got 'P'"},
        {"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"},
        {"*1\r\n$x\r\n", "Protocol error: invalid bulk length"},
        {"*1\r\n$25165825\r\n", "Protocol error: invalid bulk length"},
        {"*1\r\n$9223372036854775807\r\n", "Protocol error: invalid bulk length"},
        {"*1\r\n$4\r\nPINGPONG\r\n", "Protocol error: expected CRLF behind a bulk of 4 bytes"},
        {"*1\rx", "Protocol error: expected CRLF behind the multibulk length"},
        {"*2\r\n$25165000\r\n", ""},
        {std::string(64 * 1024 + 1, 'x'), "Protocol error: too big inline request"},
        {std::string(64 * 1024, 'x'), ""},
    };
    for (const auto& [bytes, error] : cases) {
        EXPECT_EQ(decode(bytes), (Story{{}, std::string(error)})) << bytes.substr(0, 40);
        EXPECT_EQ(decode(array({"PING"}) + bytes), (Story{{{"PING"}}, std::string(error)})) << bytes.substr(0, 40);
        EXPECT_EQ(decode(bytes, 0, {}, true), (Story{{}, std::string(error)})) << bytes.substr(0, 40);
    }
}

TEST(RespDecoder, WhoIsNotAuthenticatedGetsSmallerLimits) {
    const RespLimits limits{.authenticated = false};
    EXPECT_EQ(decode("*10\r\n", 0, limits).error, "");
    EXPECT_EQ(decode("*11\r\n", 0, limits).error, "Protocol error: unauthenticated multibulk length");
    EXPECT_EQ(decode("*2\r\n$16384\r\n", 0, limits).error, "");
    EXPECT_EQ(decode("*2\r\n$16385\r\n", 0, limits).error, "Protocol error: unauthenticated bulk length");
    EXPECT_EQ(decode("*2\r\n$100000000\r\n", 0, limits).error, "Protocol error: unauthenticated bulk length");
    EXPECT_EQ(decode("*2\r\n$1000000000\r\n", 0, limits).error, "Protocol error: invalid bulk length");
}

TEST(RespDecoder, RequestIsBoundedAsAWhole) {
    const RespLimits limits{.request_bytes_max = 100};
    const std::string word(30, 'x');
    EXPECT_EQ(decode(array({word, word}), 0, limits).commands.size(), 1u);
    EXPECT_EQ(decode(array({word, word, word, word}), 0, limits).error, "Protocol error: a request of more than 100 bytes");
}

TEST(RespDecoder, LargeValueIsMovedOnceAtMost) {
    ReadBuffer buffer;
    RespDecoder decoder;
    const std::string bytes = array({"SET", "k", std::string(10'000'000, 'v')});
    std::string_view left = bytes;
    const std::byte* at = nullptr;
    int moves = 0;
    while (!left.empty()) {
        const auto room = buffer.prepare();
        if (buffer.unread().data() != at) ++moves;
        at = buffer.unread().data();
        const std::size_t taken = std::min<std::size_t>({room.size(), left.size(), 50'000});
        std::memcpy(room.data(), left.data(), taken);
        buffer.commit(taken);
        left.remove_prefix(taken);
        const auto command = decoder.next(buffer).value();
        ASSERT_EQ(command.has_value(), left.empty());
        if (command) {
            EXPECT_EQ((*command)[2].size(), 10'000'000u);
        }
    }
    EXPECT_LE(moves, 2);  // the first chunk, and the one that holds all
}

TEST(RespDecoder, ManyArgumentsInSmallPiecesAreLookedAtOnce) {
    Words words(100'000, "x");
    words[0] = "MSET";
    const Story story = decode(array(words), 0, {}, true);  // byte by byte: would take hours if each began at the start
    ASSERT_EQ(story.commands.size(), 1u);
    EXPECT_EQ(story.commands[0], words);
}

TEST(RespDecoder, GarbageNeverCrashesAndPiecesDoNotMatter) {
    Random random(1);
    const std::string alphabet = "*$\r\n\r\n0123456789-+ \"'\\xPING";
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes;
        while (random.chance(1, 2)) bytes += array({draw_bytes(random, 6), draw_bytes(random, 6)});
        for (std::uint64_t n = random.below(12); n > 0; --n) bytes += alphabet[random.below(alphabet.size())];
        if (!bytes.empty() && random.chance(1, 2)) bytes[random.below(bytes.size())] = static_cast<char>(random.next());
        fuzz_resp(as_bytes(bytes));
    }
}

}  // namespace
}  // namespace tanist::protocol

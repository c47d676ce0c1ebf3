// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include <gmock/gmock.h>

#include "base/random.h"

namespace tanist::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr std::size_t kHeadBytesMax = 1024;
constexpr std::string_view kGet = "GET /metrics?a=b HTTP/1.1\r\nHost: node1:7601\r\nAccept:  text/plain \r\n\r\n";

ParseResult parse(std::string_view bytes) { return parse_request(bytes, kHeadBytesMax); }

ParsedRequest parsed(std::string_view bytes) {
    const ParseResult result = parse(bytes);
    const auto* request = std::get_if<ParsedRequest>(&result);
    EXPECT_NE(request, nullptr) << bytes;
    return request == nullptr ? ParsedRequest{} : *request;
}

int status_of(std::string_view bytes) {
    const ParseResult result = parse(bytes);
    const auto* bad = std::get_if<BadRequest>(&result);
    return bad == nullptr ? 200 : bad->status;
}

TEST(RequestParser, TakesARequestApart) {
    const ParsedRequest get = parsed(kGet);
    EXPECT_EQ(get.request.method, "GET");
    EXPECT_EQ(get.request.path, "/metrics");
    EXPECT_EQ(get.request.query, "a=b");
    EXPECT_THAT(get.request.headers, ElementsAre(Pair("host", "node1:7601"), Pair("accept", "text/plain")));
    EXPECT_EQ(*get.request.header("accept"), "text/plain");
    EXPECT_EQ(get.request.header("cookie"), nullptr);
    EXPECT_EQ(get.consumed, kGet.size());
    EXPECT_TRUE(get.keep_alive);
    EXPECT_FALSE(get.head);
}

TEST(RequestParser, WaitsForTheBlankLineWhereverTheBytesAreCut) {
    for (std::size_t size = 0; size < kGet.size(); ++size) {
        EXPECT_TRUE(std::holds_alternative<Incomplete>(parse(kGet.substr(0, size)))) << size;
    }
}

TEST(RequestParser, LeavesTheNextRequestAlone) {
    const std::string two = std::string(kGet) + "GET /livez HTTP/1.1\r\n";
    EXPECT_EQ(parsed(two).consumed, kGet.size());
}

TEST(RequestParser, TakesBareLineFeedsAndEmptyLinesInFront) {
    const ParsedRequest get = parsed("\r\n\nGET / HTTP/1.1\nHost: a\n\n");
    EXPECT_EQ(get.request.path, "/");
    EXPECT_EQ(get.consumed, 27u);
}

TEST(RequestParser, ShowsAHeadAsAGet) {
    const ParsedRequest head = parsed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(head.head);
    EXPECT_EQ(head.request.method, "GET");
}

TEST(RequestParser, KeepsTheConnectionAsVersionAndClientWish) {
    EXPECT_TRUE(parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").keep_alive);
    EXPECT_FALSE(parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n").keep_alive);
    EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST(RequestParser, FindsThePathInAnAbsoluteTarget) {
    EXPECT_EQ(parsed("GET http://node1:7601/metrics HTTP/1.1\r\nHost: a\r\n\r\n").request.path, "/metrics");
    EXPECT_EQ(parsed("GET http://node1:7601 HTTP/1.1\r\nHost: a\r\n\r\n").request.path, "/");
}

TEST(RequestParser, SaysWithWhichStatusWhatIsWrong) {
    EXPECT_EQ(status_of("\x01TAN\r\n\r\n"), 400);
    EXPECT_EQ(status_of("*1\r\n$4\r\nPING\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET /\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET  HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET metrics HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
    EXPECT_EQ(status_of("GET / FTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);                        // no Host
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);  // two of them
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
    EXPECT_EQ(status_of(std::string_view("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30)), 400);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 501);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"), 400);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
}

TEST(RequestParser, RefusesAHeadBeyondItsLimitAndNoneBelow) {
    const auto with_head_of = [](std::size_t bytes) {
        const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        return begin + std::string(bytes - begin.size() - 4, 'x') + "\r\n\r\n";
    };
    EXPECT_EQ(status_of(with_head_of(kHeadBytesMax)), 200);
    EXPECT_EQ(status_of(with_head_of(kHeadBytesMax + 1)), 431);
    EXPECT_EQ(status_of(std::string(kHeadBytesMax, 'x')), 431);
    EXPECT_TRUE(std::holds_alternative<Incomplete>(parse(std::string(kHeadBytesMax - 1, 'x'))));
}

TEST(RequestParser, AnswersSomethingToAnyBytes) {
    Random random(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(kGet);
        for (std::uint64_t change = random.below(8); change > 0; --change) {
            bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        }
        if (random.chance(1, 4)) bytes.resize(random.below(bytes.size()));
        const ParseResult result = parse(bytes);
        if (const auto* request = std::get_if<ParsedRequest>(&result)) {
            EXPECT_LE(request->consumed, bytes.size());
            EXPECT_TRUE(request->request.path.starts_with('/'));
        }
    }
}

}  // namespace
}  // namespace tanist::http

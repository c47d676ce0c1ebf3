// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <atomic>
#include <thread>

#include "base/random.h"
#include "http/standard_routes.h"

namespace tanist::http {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr int kDeadlineSeconds = 10;  // for whatever a test waits for

/// A server on a port of its own, in a thread of its own.
class Running {
public:
    explicit Running(std::vector<Route> routes, HttpLimits limits = {}) {
        auto server = HttpServer::listen(context_, "127.0.0.1", 0, std::move(routes), limits);
        EXPECT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        thread_ = std::thread([this] { context_.run(); });
    }
    ~Running() {
        asio::post(context_, [this] { server_.reset(); });
        thread_.join();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    [[nodiscard]] std::uint16_t port() const { return server_->port(); }

private:
    asio::io_context context_;
    std::unique_ptr<HttpServer> server_;
    std::thread thread_;
};

/// A client that gives up at the deadline, so that no test hangs.
class Client {
public:
    explicit Client(const Running& server) : socket_(context_) {
        asio::error_code error;
        socket_.connect({asio::ip::address_v4::loopback(), server.port()}, error);
        EXPECT_FALSE(error) << error.message();
        const timeval deadline{.tv_sec = kDeadlineSeconds, .tv_usec = 0};
        setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
        setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    }

    void send(std::string_view bytes) {
        asio::error_code ignored;  // the server may have closed already: what it said is what the test looks at
        asio::write(socket_, asio::buffer(bytes), ignored);
    }
    void half_close() { shutdown(socket_.native_handle(), SHUT_WR); }

    /// One response with its body.
    std::string response() {
        while (true) {
            const std::size_t head = received_.find("\r\n\r\n");
            if (head != std::string::npos) {
                const std::size_t length = received_.find("Content-Length: ");
                const std::size_t end = head + 4 + std::stoul(received_.substr(length + 16));
                if (received_.size() >= end) return take(end);
            }
            if (!receive()) return take(received_.size());
        }
    }
    /// Everything up to the server's close.
    std::string until_closed() {
        while (receive()) {
        }
        return take(received_.size());
    }
    [[nodiscard]] bool timed_out() const { return timed_out_; }

private:
    bool receive() {
        char buffer[4096];
        const auto bytes = recv(socket_.native_handle(), buffer, sizeof buffer, 0);
        timed_out_ = bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (bytes > 0) received_.append(buffer, static_cast<std::size_t>(bytes));
        return bytes > 0;
    }
    std::string take(std::size_t bytes) {
        std::string taken = received_.substr(0, bytes);
        received_.erase(0, bytes);
        return taken;
    }

    asio::io_context context_;
    tcp::socket socket_;
    std::string received_;
    bool timed_out_ = false;
};

std::vector<Route> hello() {
    return {{"/hello", [](const HttpRequest& request) { return HttpResponse{.body = "hello " + request.query}; }},
            {"/act", [](const HttpRequest&) { return HttpResponse{.status = 204}; }, "POST"}};
}

std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

TEST(HttpServer, AnswersAGetAndKeepsTheConnection) {
    const Running server(hello());
    Client client(server);
    client.send(get("/hello?you"));
    EXPECT_EQ(client.response(),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 9\r\nConnection: keep-alive\r\n"
              "Cache-Control: no-store\r\n\r\nhello you");
    client.send(get("/hello?again"));
    EXPECT_THAT(client.response(), HasSubstr("hello again"));
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
    const Running server(hello());
    Client client(server);
    client.send(get("/hello?1") + get("/hello?2") + get("/hello?3"));
    EXPECT_THAT(client.response(), HasSubstr("hello 1"));
    EXPECT_THAT(client.response(), HasSubstr("hello 2"));
    EXPECT_THAT(client.response(), HasSubstr("hello 3"));
}

TEST(HttpServer, TakesARequestByteByByte) {
    const Running server(hello());
    Client client(server);
    for (const char c : get("/hello?slow")) client.send(std::string_view(&c, 1));
    EXPECT_THAT(client.response(), HasSubstr("hello slow"));
}

TEST(HttpServer, LeavesTheBodyOfAHeadOut) {
    const Running server(hello());
    Client client(server);
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string answer = client.until_closed();
    EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(HttpServer, ClosesWhenTheClientWishes) {
    const Running server(hello());
    Client client(server);
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string answer = client.until_closed();
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_FALSE(client.timed_out());
}

TEST(HttpServer, AnswersAClientThatHasSentAllAndClosedItsSide) {
    const Running server(hello());
    Client client(server);
    client.send(get("/hello?last"));
    client.half_close();
    EXPECT_THAT(client.until_closed(), HasSubstr("hello last"));
}

TEST(HttpServer, SaysWhatThereIsAndWhatAPathAnswers) {
    const Running server(hello());
    Client client(server);
    client.send(get("/nothing"));
    EXPECT_THAT(client.response(), AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), HasSubstr("no such page; there are: /hello /act")));
    client.send("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.response(), AllOf(StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"), HasSubstr("Allow: GET, HEAD\r\n")));
    client.send(get("/act"));
    EXPECT_THAT(client.response(), HasSubstr("Allow: POST\r\n"));
    client.send("POST /act HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 204 No Content\r\n"));
}

TEST(HttpServer, AnswersBadInputOnceAndCloses) {
    const Running server(hello());
    for (const auto& [bytes, status] :
         {std::pair{std::string("nonsense\r\n\r\n") + get("/hello"), "400"}, std::pair{std::string(10'000, 'x'), "431"},
          std::pair{std::string("GET / HTTP/3.0\r\n\r\n"), "505"}}) {
        Client client(server);
        client.send(bytes);
        client.half_close();
        const std::string answer = client.until_closed();
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(status))) << bytes.substr(0, 20);
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
        EXPECT_THAT(answer, Not(HasSubstr("hello ")));
    }
}

TEST(HttpServer, DeliversItsAnswerToAClientThatGoesOnSending) {
    const Running server(hello());
    Client client(server);
    client.send(std::string(200'000, 'x'));
    EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 431"));
}

TEST(HttpServer, AnswersARequestWithABodyAndThenCloses) {
    const Running server(hello());
    Client client(server);
    client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /");
    client.half_close();
    const std::string answer = client.until_closed();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
    EXPECT_EQ(answer.rfind("HTTP/1.1"), 0u);  // the body was not taken for a request
}

TEST(HttpServer, ClosesAConnectionOnWhichNothingHappens) {
    const Running server(hello(), {.idle_max = std::chrono::milliseconds(20)});
    Client silent(server);
    EXPECT_EQ(silent.until_closed(), "");
    EXPECT_FALSE(silent.timed_out());
    Client half(server);
    half.send("GET /hello HTTP/1.1\r\nHos");
    EXPECT_EQ(half.until_closed(), "");
    EXPECT_FALSE(half.timed_out());
}

TEST(HttpServer, RefusesOneConnectionMoreThanItsLimitAndTakesItOnceThereIsRoom) {
    const Running server(hello(), {.connections_max = 2});
    auto first = std::make_unique<Client>(server);
    Client second(server);
    first->send(get("/hello"));
    second.send(get("/hello"));
    EXPECT_THAT(first->response(), HasSubstr("hello"));
    EXPECT_THAT(second.response(), HasSubstr("hello"));
    {
        Client third(server);
        EXPECT_THAT(third.until_closed(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("2 connections are open, which is the limit")));
    }
    first.reset();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kDeadlineSeconds);
    std::string answer;
    do {  // until the server has noticed that the first is gone
        Client next(server);
        next.send(get("/hello"));
        answer = next.response();
    } while (!answer.starts_with("HTTP/1.1 200") && std::chrono::steady_clock::now() < deadline);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, ClosesAConnectionAfterItsShareOfRequests) {
    const Running server(hello(), {.requests_max = 2});
    Client client(server);
    client.send(get("/hello?1") + get("/hello?2") + get("/hello?3"));
    const std::string answers = client.until_closed();
    EXPECT_THAT(answers, HasSubstr("hello 2"));
    EXPECT_THAT(answers, Not(HasSubstr("hello 3")));
}

TEST(HttpServer, OutlivesGarbage) {
    const Running server(hello());
    Random random(7);
    for (int round = 0; round < 200; ++round) {
        Client client(server);
        std::string bytes(random.below(300), ' ');
        for (char& c : bytes) c = static_cast<char>(random.below(256));
        if (random.chance(1, 2)) bytes = get("/hello") + bytes + "\r\n\r\n";
        client.send(bytes);
        if (random.chance(1, 2)) client.half_close();
    }
    Client client(server);
    client.send(get("/hello?still"));
    EXPECT_THAT(client.response(), HasSubstr("hello still"));
}

TEST(HttpServer, SaysWhyItCannotListen) {
    const Running server(hello());
    asio::io_context context;
    const auto taken = HttpServer::listen(context, "127.0.0.1", server.port(), {});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, ErrorCode::kLocked);
    EXPECT_THAT(taken.error().message,
                HasSubstr("http: cannot listen on 127.0.0.1 port " + std::to_string(server.port()) + ": Address already in use"));
    const auto nowhere = HttpServer::listen(context, "no such host", 0, {});
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, ErrorCode::kInvalidArgument);
}

TEST(StandardRoutes, TellHealthVersionAndMetrics) {
    metrics::Registry registry;
    std::atomic<bool> ready = false;
    const Running server(standard_routes(registry, "1.2.3", [&] { return Readiness{ready, ready ? "serves reads" : "hears no master"}; }));
    Client client(server);
    client.send(get("/livez"));
    EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 200"));
    client.send(get("/readyz"));
    EXPECT_THAT(client.response(), AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"), HasSubstr("hears no master\n")));
    ready = true;
    client.send(get("/readyz"));
    EXPECT_THAT(client.response(), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("serves reads\n")));
    client.send(get("/version"));
    EXPECT_THAT(client.response(), AllOf(HasSubstr("application/json"), HasSubstr("{\"name\":\"tanist\",\"version\":\"1.2.3\"}")));
    client.send(get("/metrics"));
    EXPECT_THAT(client.response(), AllOf(HasSubstr("text/plain; version=0.0.4"), HasSubstr("tanist_build_info{version=\"1.2.3\"} 1\n"),
                                         HasSubstr("\ntanist_ready 1\n")));
}

}  // namespace
}  // namespace tanist::http

// SPDX-License-Identifier: Apache-2.0
// One client of the HTTP server: reads requests, one after another, and answers each before it looks at the next.
#pragma once

#include <array>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/http_server.h"
#include "http/request_parser.h"

namespace tanist::http {

/// What all connections of a server share.
struct Service {
    std::vector<Route> routes;
    HttpLimits limits;
};

/// Lives as long as an operation of its is under way or its server knows it; `on_close` is called once, when it is of no more use.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(asio::ip::tcp::socket socket, std::shared_ptr<const Service> service,
               std::function<void(const std::shared_ptr<Connection>&)> on_close);

    void start();
    /// Says 503 instead of reading anything.
    void refuse();
    void close();

private:
    enum class Then { kReadOn, kClose };

    void read();
    void process();
    void answer(const ParsedRequest& parsed);
    void write(const HttpResponse& response, Then then, bool head);
    void linger();
    void discard();
    void arm_timer(std::chrono::milliseconds time);
    [[nodiscard]] HttpResponse respond(const HttpRequest& request) const;

    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    std::shared_ptr<const Service> service_;
    std::function<void(const std::shared_ptr<Connection>&)> on_close_;
    std::array<char, 4096> buffer_;
    std::string input_;   // read and not yet understood
    std::string output_;  // being written
    std::size_t requests_ = 0;
    std::size_t discarded_bytes_ = 0;
    bool closed_ = false;
};

}  // namespace tanist::http

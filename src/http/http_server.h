// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server for health, metrics and pages: no bodies, no encodings, few connections.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace tanist::http {

struct HttpLimits {
    std::size_t connections_max = 64;            ///< one more is answered 503 and closed
    std::size_t head_bytes_max = 8 * 1024;       ///< of request line and headers together; beyond: 431
    std::chrono::milliseconds idle_max{30'000};  ///< for a request to arrive whole, for a reply to be taken, and between the two
    std::size_t requests_max = 10'000;           ///< on one connection, which is then closed
};

/// Works in the thread that runs the io_context, as its handlers do; only port() may be asked from elsewhere. Destroy it before the
/// io_context, in that thread or after it has stopped.
class HttpServer {
public:
    /// Binds and begins to accept. Port 0: the system chooses. Fails with kInvalidArgument for a host that cannot be found, with
    /// kLocked when the port is in use, and with kIo otherwise.
    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(asio::io_context& context, const std::string& host, std::uint16_t port,
                                                                    std::vector<Route> routes, HttpLimits limits = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;

    /// Accepts no more and closes every connection at once.
    void close();

private:
    class Listener;
    explicit HttpServer(std::shared_ptr<Listener> listener);
    std::shared_ptr<Listener> listener_;
};

}  // namespace tanist::http

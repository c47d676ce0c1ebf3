// SPDX-License-Identifier: Apache-2.0
// A slow link: takes connections on a port of this machine and carries their bytes to another, so many a second and no more.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <thread>

namespace tanist::server::testing {

class ThrottledRelay {
public:
    ThrottledRelay(std::uint16_t target, std::size_t bytes_per_second);
    ~ThrottledRelay();
    ThrottledRelay(const ThrottledRelay&) = delete;
    ThrottledRelay& operator=(const ThrottledRelay&) = delete;

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    class Direction;
    void accept();
    void connect(asio::ip::tcp::socket dialled);

    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
    const std::uint16_t target_;
    const std::size_t bytes_per_second_;
    std::thread thread_;
};

}  // namespace tanist::server::testing

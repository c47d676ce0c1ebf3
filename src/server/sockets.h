// SPDX-License-Identifier: Apache-2.0
// What our TCP sockets have in common: options, listening, and closing so that the last words arrive.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace tanist::server {

using tcp = asio::ip::tcp;

/// Opens, binds and listens. `key` is the configuration key that the error names. An empty endpoint leaves the acceptor closed.
[[nodiscard]] Status listen_on(tcp::acceptor& acceptor, const config::Endpoint& endpoint, std::string_view key);

/// Non-blocking, no Nagle, and given up when sent data is not acknowledged for `user_timeout` (0: the system's default).
void set_options(tcp::socket& socket, std::chrono::milliseconds user_timeout = {});

/// Writes are taken only while the kernel holds less than so many bytes that it has not sent yet; what is under way is not counted.
void limit_unsent(tcp::socket& socket, std::size_t bytes);

/// The other side's kernel says that nobody holds this connection any more.
[[nodiscard]] bool is_reset(const asio::error_code& error);

/// Accepts connections and hands them over, until it is closed or destroyed. Where the process runs out of descriptors it pauses
/// instead of trying again and again.
class Acceptor {
public:
    Acceptor(tcp::acceptor acceptor, std::function<void(tcp::socket)> take);
    ~Acceptor();

    /// Does nothing when there is nothing to listen on.
    void start();
    void close();
    [[nodiscard]] std::uint16_t port() const;

private:
    void accept();

    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    const std::function<void(tcp::socket)> take_;
};

/// Sends `last_words`, ends our direction, and closes once the other side has, or after a second: closing at once with unread
/// input would reset the connection and take the last words back.
void say_goodbye(tcp::socket socket, std::string last_words);

}  // namespace tanist::server

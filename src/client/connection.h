// SPDX-License-Identifier: Apache-2.0
// One TCP connection to one node, from dialling to its end: frames out, replies in. Belongs to the client's thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "client/address.h"
#include "protocol/client_message.h"
#include "protocol/read_buffer.h"

namespace tanist::client {

namespace native = protocol::native;

class Connection : public std::enable_shared_from_this<Connection> {
public:
    struct Events {
        std::function<void()> connected;
        std::function<void(native::Reply)> replied;
        /// Last of all, once, unless close() was called: says why.
        std::function<void(std::string reason)> ended;
    };

    static std::shared_ptr<Connection> dial(asio::io_context& io, const Address& address, Events events);
    explicit Connection(asio::io_context& io) : io_(io), resolver_(io), socket_(io) {}

    /// What is sent before the handlers of one round have returned goes out in one system call. A failure is the request's: it
    /// is larger than any node takes, and nothing of it was sent.
    [[nodiscard]] Status send(const native::Request& request);
    /// Tries once to hand over to the system what is still to be written, then closes. No event comes any more.
    void close();

private:
    void connect(const asio::ip::tcp::resolver::results_type& endpoints);
    void established(const asio::error_code& error);
    void flush();
    void read();
    /// False: the connection has ended.
    bool take_replies();
    void end(std::string reason);

    asio::io_context& io_;
    asio::ip::tcp::resolver resolver_;
    asio::ip::tcp::socket socket_;
    Events events_;
    bool open_ = false;  ///< connected, and not yet ended
    bool ended_ = false;
    bool flush_scheduled_ = false;
    std::string queued_, writing_;  ///< what comes next, and what the system is being given
    protocol::ReadBuffer unread_;
};

}  // namespace tanist::client

// SPDX-License-Identifier: Apache-2.0
// Clients as plain as can be: blocking sockets with a time limit, bytes out, replies in.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/client_codec.h"
#include "protocol/client_message.h"
#include "protocol/read_buffer.h"

namespace tanist::server::testing {

/// A connection to a port of this machine. What is not there within the time limit counts as closed.
class TestSocket {
public:
    explicit TestSocket(std::uint16_t port, int receive_buffer_bytes = 0);
    ~TestSocket();
    TestSocket(TestSocket&& other) noexcept;
    TestSocket(const TestSocket&) = delete;
    TestSocket& operator=(const TestSocket&) = delete;

    [[nodiscard]] bool is_connected() const { return connected_; }
    /// False: the other side has closed.
    bool send(std::string_view bytes);
    /// As many bytes as can be had without waiting to be sent.
    std::size_t send_what_fits(std::string_view bytes);
    void end_sending();
    /// At least one byte, or nothing at the end.
    [[nodiscard]] std::string receive();
    /// Everything until the other side closes.
    [[nodiscard]] std::string receive_all();

private:
    int descriptor_ = -1;
    bool connected_ = false;
};

class RespClient {
public:
    explicit RespClient(std::uint16_t port) : socket_(port) {}

    [[nodiscard]] static std::string encode(const std::vector<std::string_view>& words);
    void send(const std::vector<std::string_view>& words) { socket_.send(encode(words)); }
    /// The next reply, as it came, line ends included: "+OK\r\n", "$1\r\nx\r\n", nested ones whole. Empty: the connection has ended.
    [[nodiscard]] std::string reply();
    std::string call(const std::vector<std::string_view>& words) {
        send(words);
        return reply();
    }
    [[nodiscard]] TestSocket& socket() { return socket_; }

private:
    [[nodiscard]] bool line(std::string& into);
    [[nodiscard]] bool element(std::string& into);
    TestSocket socket_;
    std::string unread_;
};

class NativeClient {
public:
    /// Sends preamble and Hello, and takes its answer, unless `greets` is false.
    explicit NativeClient(std::uint16_t port, bool greets = true);

    /// Gives the request the next id, which it returns.
    std::uint64_t send(protocol::native::Request request);
    [[nodiscard]] std::optional<protocol::native::Reply> reply();
    protocol::native::Reply call(protocol::native::Request request);
    [[nodiscard]] TestSocket& socket() { return socket_; }
    [[nodiscard]] const std::optional<protocol::native::Reply>& hello() const { return hello_; }

private:
    TestSocket socket_;
    protocol::ReadBuffer input_;
    std::uint64_t last_id_ = 0;
    std::optional<protocol::native::Reply> hello_;
};

// Shorthand for what tests say most.
[[nodiscard]] protocol::native::Request get(std::string key);
[[nodiscard]] protocol::native::Request put(std::string key, std::string value);
[[nodiscard]] std::optional<protocol::native::Code> error_code(const protocol::native::Reply& reply);

}  // namespace tanist::server::testing

// SPDX-License-Identifier: Apache-2.0
#include "tests/server/client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "protocol/frame.h"

namespace tanist::server::testing {

using namespace protocol;

namespace {
constexpr int kPatienceMs = 60'000;
}

TestSocket::TestSocket(std::uint16_t port, int receive_buffer_bytes) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    const int yes = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TestSocket::~TestSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

TestSocket::TestSocket(TestSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), connected_(other.connected_) {}

bool TestSocket::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::size_t TestSocket::send_what_fits(std::string_view bytes) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void TestSocket::end_sending() { ::shutdown(descriptor_, SHUT_WR); }

std::string TestSocket::receive() {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) <= 0) return {};
    std::array<char, 65536> bytes;
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string();
}

std::string TestSocket::receive_all() {
    std::string all;
    for (std::string more = receive(); !more.empty(); more = receive()) all += more;
    return all;
}

// -- RESP ---------------------------------------------------------------------------------------------------------------------------

std::string RespClient::encode(const std::vector<std::string_view>& words) {
    std::string bytes = fmt::format("*{}\r\n", words.size());
    for (const std::string_view word : words) bytes += fmt::format("${}\r\n{}\r\n", word.size(), word);
    return bytes;
}

bool RespClient::line(std::string& into) {
    std::size_t end = 0;
    while ((end = unread_.find("\r\n")) == std::string::npos) {
        const std::string more = socket_.receive();
        if (more.empty()) return false;
        unread_ += more;
    }
    into += unread_.substr(0, end + 2);
    unread_.erase(0, end + 2);
    return true;
}

bool RespClient::element(std::string& into) {
    std::string head;
    if (!line(head)) return false;
    into += head;
    const std::string_view marks = "$=*~>%";
    if (marks.find(head[0]) == std::string_view::npos) return true;
    const long count = std::stol(head.substr(1));
    if (head[0] == '$' || head[0] == '=') {
        if (count < 0) return true;
        const std::size_t bytes = static_cast<std::size_t>(count) + 2;
        while (unread_.size() < bytes) {
            const std::string more = socket_.receive();
            if (more.empty()) return false;
            unread_ += more;
        }
        into += unread_.substr(0, bytes);
        unread_.erase(0, bytes);
        return true;
    }
    for (long i = 0; i < (head[0] == '%' ? 2 * count : count); ++i) {
        if (!element(into)) return false;
    }
    return true;
}

std::string RespClient::reply() {
    std::string whole;
    return element(whole) ? whole : std::string();
}

// -- native -------------------------------------------------------------------------------------------------------------------------

NativeClient::NativeClient(std::uint16_t port, bool greets) : socket_(port) {
    if (!greets) return;
    socket_.send(kClientPreamble);
    send({.body = native::Hello{.client_name = "test"}});
    hello_ = reply();
}

std::uint64_t NativeClient::send(native::Request request) {
    request.id = ++last_id_;
    std::string frame;
    const Status encoded = native::append_to(frame, request);
    if (encoded) socket_.send(frame);
    return request.id;
}

std::optional<native::Reply> NativeClient::reply() {
    while (true) {
        const auto frame = next_frame(input_);
        if (!frame) return std::nullopt;
        if (*frame) {
            auto reply = native::decode_reply((*frame)->bytes);
            return reply ? std::optional(std::move(*reply)) : std::nullopt;
        }
        const std::string more = socket_.receive();
        if (more.empty()) return std::nullopt;
        input_.append(as_bytes(more));
    }
}

native::Reply NativeClient::call(native::Request request) {
    send(std::move(request));
    auto answer = reply();
    return answer ? std::move(*answer)
                  : native::Reply{.body = native::ErrorReply{.code = native::Code::kOutcomeUnknown, .message = "closed"}};
}

native::Request get(std::string key) { return {.body = native::Get{std::move(key)}}; }
native::Request put(std::string key, std::string value) { return {.body = native::Put{std::move(key), std::move(value)}}; }

std::optional<native::Code> error_code(const native::Reply& reply) {
    const auto* error = std::get_if<native::ErrorReply>(&reply.body);
    return error == nullptr ? std::nullopt : std::optional(error->code);
}

}  // namespace tanist::server::testing

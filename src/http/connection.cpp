// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <fmt/format.h>

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <utility>

namespace tanist::http {
namespace {

// After an error, what the client still sends is read and dropped for a while: closing a socket with unread bytes resets the
// connection, and the client might never see the answer.
constexpr std::chrono::milliseconds kLinger{1'000};
constexpr std::size_t kDiscardedBytesMax = 1024 * 1024;

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<const Service> service,
                       std::function<void(const std::shared_ptr<Connection>&)> on_close)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), service_(std::move(service)), on_close_(std::move(on_close)) {}

void Connection::start() {
    arm_timer(service_->limits.idle_max);
    read();
}

void Connection::refuse() {
    arm_timer(kLinger);
    write({.status = 503, .body = fmt::format("{} connections are open, which is the limit\n", service_->limits.connections_max)},
          Then::kClose, false);
}

void Connection::close() {
    if (std::exchange(closed_, true)) return;
    asio::error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    if (const auto on_close = std::exchange(on_close_, nullptr)) on_close(shared_from_this());
}

void Connection::read() {
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
        if (error) return self->close();
        self->input_.append(self->buffer_.data(), bytes);
        self->process();
    });
}

void Connection::process() {
    const ParseResult result = parse_request(input_, service_->limits.head_bytes_max);
    if (std::holds_alternative<Incomplete>(result)) return read();
    if (const auto* bad = std::get_if<BadRequest>(&result)) {
        return write({.status = bad->status, .body = bad->message + "\n"}, Then::kClose, false);
    }
    answer(std::get<ParsedRequest>(result));
}

void Connection::answer(const ParsedRequest& parsed) {
    input_.erase(0, parsed.consumed);
    const HttpResponse response = respond(parsed.request);
    const bool goes_on = parsed.keep_alive && parsed.body_bytes == 0 && ++requests_ < service_->limits.requests_max;
    write(response, goes_on ? Then::kReadOn : Then::kClose, parsed.head);
}

HttpResponse Connection::respond(const HttpRequest& request) const {
    std::string allowed;
    for (const Route& route : service_->routes) {
        if (route.path != request.path) continue;
        if (route.method == request.method) return route.handle(request);
        allowed += (allowed.empty() ? "" : ", ") + route.method + (route.method == "GET" ? ", HEAD" : "");
    }
    if (!allowed.empty())
        return {.status = 405, .body = fmt::format("{} answers {}\n", request.path, allowed), .headers = {{"Allow", allowed}}};
    std::string paths;
    for (const Route& route : service_->routes) paths += " " + route.path;
    return {.status = 404, .body = fmt::format("no such page; there are:{}\n", paths)};
}

void Connection::write(const HttpResponse& response, Then then, bool head) {
    output_ = encode(response, then == Then::kReadOn, head);
    arm_timer(service_->limits.idle_max);
    asio::async_write(socket_, asio::buffer(output_), [self = shared_from_this(), then](const asio::error_code& error, std::size_t) {
        if (error) return self->close();
        if (then == Then::kClose) return self->linger();
        self->arm_timer(self->service_->limits.idle_max);
        self->process();
    });
}

void Connection::linger() {
    asio::error_code error;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
    if (error) return close();
    arm_timer(kLinger);
    discard();
}

void Connection::discard() {
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
        self->discarded_bytes_ += bytes;
        if (error || self->discarded_bytes_ > kDiscardedBytesMax) return self->close();
        self->discard();
    });
}

void Connection::arm_timer(std::chrono::milliseconds time) {
    if (closed_) return;
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
        const bool overtaken = self->timer_.expiry() > asio::steady_timer::clock_type::now();  // armed anew while this was on its way
        if (!error && !overtaken) self->close();
    });
}

}  // namespace tanist::http

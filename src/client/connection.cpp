// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/ip/address.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <utility>

#include "protocol/client_codec.h"
#include "protocol/frame.h"

namespace tanist::client {

std::shared_ptr<Connection> Connection::dial(asio::io_context& io, const Address& address, Events events) {
    auto connection = std::make_shared<Connection>(io);
    connection->events_ = std::move(events);
    connection->queued_ = protocol::kClientPreamble;
    asio::error_code not_numeric;
    const auto ip = asio::ip::make_address(address.host, not_numeric);
    if (!not_numeric) {  // without the resolver's thread, which a destructor would have to wait for
        const asio::ip::tcp::endpoint endpoint(ip, static_cast<asio::ip::port_type>(std::stoul(address.port)));
        connection->connect(asio::ip::tcp::resolver::results_type::create(endpoint, address.host, address.port));
        return connection;
    }
    connection->resolver_.async_resolve(address.host, address.port, [connection](const asio::error_code& error, const auto& endpoints) {
        if (connection->ended_) return;
        if (error) return connection->end(error.message());
        connection->connect(endpoints);
    });
    return connection;
}

void Connection::connect(const asio::ip::tcp::resolver::results_type& endpoints) {
    asio::async_connect(socket_, endpoints, [self = shared_from_this()](const asio::error_code& error, const auto&) {
        if (!self->ended_) self->established(error);
    });
}

void Connection::established(const asio::error_code& error) {
    if (error) return end(error.message());
    asio::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    open_ = true;
    events_.connected();
    if (ended_) return;
    flush();
    read();
}

Status Connection::send(const native::Request& request) {
    if (auto appended = native::append_to(queued_, request); !appended) return appended;
    if (open_ && writing_.empty() && !flush_scheduled_) {
        flush_scheduled_ = true;
        asio::post(io_, [self = shared_from_this()] {
            self->flush_scheduled_ = false;
            self->flush();
        });
    }
    return {};
}

void Connection::flush() {
    if (!open_ || !writing_.empty() || queued_.empty()) return;
    std::swap(writing_, queued_);
    asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](const asio::error_code& error, std::size_t) {
        if (self->ended_) return;
        if (error) return self->end(error.message());
        constexpr std::size_t kKept = 256 * 1024;  // a large value's memory is given back
        if (self->writing_.capacity() > kKept) self->writing_.shrink_to_fit();
        self->writing_.clear();
        self->flush();
    });
}

void Connection::read() {
    const auto room = unread_.prepare();
    socket_.async_read_some(asio::buffer(room.data(), room.size()),
                            [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
                                if (self->ended_) return;
                                if (error) return self->end(error == asio::error::eof ? "the node closed the connection" : error.message());
                                self->unread_.commit(bytes);
                                if (self->take_replies()) self->read();
                            });
}

bool Connection::take_replies() {
    while (!ended_) {
        const auto frame = protocol::next_frame(unread_);
        if (!frame) {
            end(frame.error().message);
            return false;
        }
        if (!*frame) return true;
        auto reply = native::decode_reply((*frame)->bytes);
        if (!reply) {
            end(reply.error().message);
            return false;
        }
        events_.replied(std::move(*reply));
    }
    return false;
}

void Connection::close() {
    if (std::exchange(ended_, true)) return;
    asio::error_code ignored;
    if (open_ && writing_.empty() && !queued_.empty()) {
        socket_.non_blocking(true, ignored);
        socket_.write_some(asio::buffer(queued_), ignored);
    }
    resolver_.cancel();
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    socket_.close(ignored);
    open_ = false;
}

void Connection::end(std::string reason) {
    if (ended_) return;
    close();
    events_.ended(std::move(reason));
}

}  // namespace tanist::client

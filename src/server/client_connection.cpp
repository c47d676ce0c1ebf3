// SPDX-License-Identifier: Apache-2.0
#include "server/client_connection.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "base/limits.h"

namespace tanist::server {
namespace {

constexpr std::size_t kReadBytes = 16 * limits::kKiB;
/// Unsent replies at which no more requests are taken.
constexpr std::size_t kPauseBytes = limits::kMiB;
/// An output buffer larger than this is given back once it is empty.
constexpr std::size_t kKeptOutputBytes = 64 * limits::kKiB;
constexpr std::uint64_t kStalledMs = 60'000;

}  // namespace

void OutputQueue::flush() {
    std::swap(connections_, flushing_);
    for (const auto& connection : flushing_) connection->flush();
    flushing_.clear();
}

ClientConnection::ClientConnection(tcp::socket socket, ConnectionShared& shared)
    : socket_(std::move(socket)), shared_(shared), input_(kReadBytes), pause_at_(std::min(kPauseBytes, shared.limits.output_bytes_max / 2 + 1)) {}

ClientConnection::~ClientConnection() { leave(); }

std::vector<std::shared_ptr<ClientConnection>> ConnectionShared::all() const {
    std::vector<std::shared_ptr<ClientConnection>> connections;
    connections.reserve(open.size());
    for (ClientConnection* connection : open) connections.push_back(connection->shared_from_this());
    return connections;
}

void ClientConnection::start() {
    shared_.open.insert(this);
    read();
}

bool ClientConnection::leave() {
    if (!std::exchange(open_, false)) return false;
    shared_.open.erase(this);
    return true;
}

std::string ClientConnection::remote() const {
    asio::error_code error;
    const tcp::endpoint remote = socket_.remote_endpoint(error);
    return error ? "?" : fmt::format("{}:{}", remote.address().to_string(), remote.port());
}

// -- in ---------------------------------------------------------------------------------------------------------------------------

void ClientConnection::read() {
    if (reading_ || finishing_ || !open_) return;
    reading_ = true;
    const auto room = input_.prepare();
    socket_.async_read_some(asio::buffer(room.data(), room.size()), [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
        self->reading_ = false;
        if (!self->open_) return;
        if (error == asio::error::eof) return self->finish();  // the client may only have ended its own direction
        if (error) return self->drop();
        self->shared_.bytes_in += bytes;
        self->input_.commit(bytes);
        self->process();
    });
}

void ClientConnection::process() {
    if (!open_ || finishing_) return;
    if (!take_input(input_)) return finish();
    backlog_ = is_full();
    if (!backlog_) read();
}

/// Goes on with what was left when the connection was full. Not from within an answer: that may come from the core's own step.
void ClientConnection::resume() {
    if (!backlog_ || is_full()) return;
    backlog_ = false;
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->process(); });
}

// -- out --------------------------------------------------------------------------------------------------------------------------

void ClientConnection::replied() {
    if (queued_ || !open_) return;
    queued_ = true;
    shared_.output.add(shared_from_this());
}

void ClientConnection::flush() {
    queued_ = false;
    if (!open_) return;
    if (!waiting_to_write_) write_some();
    if (!open_) return;
    if (unsent() > shared_.limits.output_bytes_max) {
        spdlog::warn("client dropped: it does not read its replies from={} unsent_bytes={} output_bytes_max={}", remote(), unsent(),
                     shared_.limits.output_bytes_max);
        return drop();
    }
    resume();
    if (finishing_ && unsent() == 0 && outstanding() == 0) close();
}

void ClientConnection::write_some() {
    while (unsent() > 0) {
        asio::error_code error;
        const std::size_t written = socket_.write_some(asio::buffer(output_.data() + sent_, unsent()), error);
        if (error == asio::error::would_block) break;
        if (error) return drop();
        sent_ += written;
        shared_.bytes_out += written;
        progress_ms_ = shared_.now_ms;
    }
    if (unsent() == 0) {
        if (output_.capacity() > kKeptOutputBytes) {
            output_ = {};
        } else {
            output_.clear();
        }
        sent_ = 0;
        return;
    }
    if (sent_ > output_.size() / 2) {
        output_.erase(0, sent_);
        sent_ = 0;
    }
    waiting_to_write_ = true;
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const asio::error_code& error) {
        self->waiting_to_write_ = false;
        if (!error && self->open_) self->flush();
    });
}

// -- the end ----------------------------------------------------------------------------------------------------------------------

void ClientConnection::finish() {
    if (!open_ || std::exchange(finishing_, true)) return;
    replied();  // the flush closes, now or when the last answer is written
}

/// Everything is written: closes so that it arrives even though the client may have sent more.
void ClientConnection::close() {
    if (!leave()) return;
    say_goodbye(std::move(socket_), {});
}

void ClientConnection::drop() {
    if (!leave()) return;
    asio::error_code ignored;
    socket_.close(ignored);
    output_ = {};
    sent_ = 0;
}

void ClientConnection::tick() {
    if (!open_) return;
    if (!waiting_to_write_) {
        progress_ms_ = shared_.now_ms;
    } else if (shared_.now_ms - progress_ms_ > kStalledMs) {
        spdlog::warn("client dropped: it has read nothing for a minute from={} unsent_bytes={}", remote(), unsent());
        drop();
    }
}

}  // namespace tanist::server

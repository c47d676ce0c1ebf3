// SPDX-License-Identifier: Apache-2.0
#include "server/client_connection.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cerrno>
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

int release(tcp::socket& socket) {
    asio::error_code failed;
    return socket.release(failed);
}

template <class Ask>
std::string address_by(Ask ask, int descriptor) {
    tcp::endpoint endpoint;
    auto size = static_cast<socklen_t>(endpoint.capacity());
    if (ask(descriptor, endpoint.data(), &size) != 0) return "?";
    endpoint.resize(size);
    return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

tcp protocol_of(const tcp::socket& socket) {
    asio::error_code ignored;
    return socket.local_endpoint(ignored).protocol();
}

}  // namespace

void OutputQueue::flush(SharedTurns& turns) {
    std::swap(connections_, flushing_);
    turns.send(flushing_.size(), [this](std::size_t i) { flushing_[i]->send(); });
    for (const auto& connection : flushing_) connection->sent();
    flushing_.clear();
}

ClientConnection::ClientConnection(tcp::socket socket, ConnectionShared& shared)
    : shared_(shared),
      protocol_(protocol_of(socket)),
      descriptor_(release(socket)),
      input_(kReadBytes),
      pause_at_(std::min(kPauseBytes, shared.limits.output_bytes_max / 2 + 1)),
      opened_ms_(shared.now_ms),
      heard_ms_(shared.now_ms) {}

ClientConnection::~ClientConnection() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::vector<std::shared_ptr<ClientConnection>> ConnectionShared::all() const {
    std::vector<std::shared_ptr<ClientConnection>> connections;
    connections.reserve(open.size());
    for (const auto& [_, connection] : open) connections.push_back(connection);
    return connections;
}

void ClientConnection::start() {
    shared_.open.emplace(this, shared_from_this());
    interest_ = EPOLLIN | EPOLLRDHUP;
    if (!shared_.poller.watch(descriptor_, *this, interest_)) drop();
}

bool ClientConnection::leave() {
    if (!std::exchange(open_, false)) return false;
    shared_.poller.forget(descriptor_, *this);
    on_closed();
    shared_.open.erase(this);
    return true;
}

std::string ClientConnection::remote() const { return address_by(::getpeername, descriptor_); }

std::string ClientConnection::local() const { return address_by(::getsockname, descriptor_); }

// -- in ---------------------------------------------------------------------------------------------------------------------------

void ClientConnection::on_ready(std::uint32_t events) {
    const auto self = shared_from_this();  // what happens here may end it
    if ((events & EPOLLRDHUP) != 0) client_has_ended_ = true;
    if (received_ || is_readable(events)) {
        read();
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        drop();
    }
    if (open_ && (events & EPOLLOUT) != 0) {
        waiting_to_write_ = false;
        replied();
    }
    if (!queued_) update_interest();  // else sent() will
}

void ClientConnection::on_ready_shared(std::uint32_t events) {
    if (!open_ || !is_readable(events)) return;
    received_ = receive();
    if (received_->bytes > 0 && !finishing_) answer_shared(input_);
}

ClientConnection::Received ClientConnection::receive() {
    const auto room = input_.prepare();
    const ssize_t bytes = ::recv(descriptor_, room.data(), room.size(), 0);
    if (bytes > 0) input_.commit(static_cast<std::size_t>(bytes));
    return {bytes, errno};
}

void ClientConnection::read() {
    const bool was_shared = received_.has_value();
    const Received received = was_shared ? *std::exchange(received_, std::nullopt) : receive();
    if (received.bytes == 0) return finish();  // the client may only have ended its own direction
    if (received.bytes < 0) {
        if (received.error != EAGAIN && received.error != EINTR) drop();
        return;
    }
    heard_ms_ = shared_.now_ms;
    shared_.bytes_in += static_cast<std::uint64_t>(received.bytes);
    if (was_shared) settle_shared();
    process();
}

void ClientConnection::process() {
    if (!open_ || finishing_) return;
    if (!take_input(input_)) return finish();
    backlog_ = is_full();
    update_interest();
}

void ClientConnection::update_interest() {
    if (!open_) return;
    const std::uint32_t interest =
        (backlog_ || finishing_ ? 0u : EPOLLIN) | (waiting_to_write_ ? EPOLLOUT : 0u) | (client_has_ended_ ? 0u : EPOLLRDHUP);
    if (interest == interest_) return;
    interest_ = interest;
    shared_.poller.change(descriptor_, *this, interest);
}

/// Goes on with what was left when the connection was full. Not from within an answer: that may come from the core's own step.
void ClientConnection::resume() {
    if (!backlog_ || is_full()) return;
    backlog_ = false;
    asio::post(shared_.io, [self = shared_from_this()] { self->process(); });
}

// -- out --------------------------------------------------------------------------------------------------------------------------

void ClientConnection::replied() {
    if (queued_ || !open_) return;
    queued_ = true;
    shared_.output.add(shared_from_this());
}

void ClientConnection::send() {
    if (!open_) return;
    // The end travels with the answer: a client that has read that finds the connection closed before it sends more.
    const bool was_one_request = requests_taken() - requests_at_rest_ <= 1;
    parts_now_ = parting_ && unsent() > 0 && was_one_request && can_part();
    if (is_at_rest()) requests_at_rest_ = requests_taken();
    if (!waiting_to_write_) just_failed_ = !write_some(parts_now_);
}

void ClientConnection::sent() {
    queued_ = false;
    shared_.bytes_out += std::exchange(just_sent_bytes_, 0);
    if (!open_) return;
    if (just_failed_) return drop();
    if (parts_now_ && unsent() == 0) return close();
    update_interest();
    if (unsent() + kept_back() > output_bytes_max()) {
        spdlog::warn(
            "client dropped: it does not read its replies, or they wait for one that does not come from={} unsent_bytes={} "
            "kept_back_bytes={} output_bytes_max={}",
            remote(), unsent(), kept_back(), output_bytes_max());
        return drop();
    }
    resume();
    if (unsent() > 0 && !waiting_to_write_) return replied();  // said since send(), by one that ended
    if (finishing_ && unsent() == 0 && outstanding() == 0) close();
}

void ClientConnection::part() {
    parting_ = true;
    if (shared_.now_ms - heard_ms_ >= kRestMs && unsent() == 0 && can_part()) finish();
}

bool ClientConnection::can_part() const {
    if (!is_at_rest() || !may_part()) return false;
    char byte = 0;
    return ::recv(descriptor_, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 0;
}

bool ClientConnection::write_some(bool is_end) {
    while (unsent() > 0) {
        const ssize_t written = ::send(descriptor_, output_.data() + sent_, unsent(), MSG_NOSIGNAL | (is_end ? MSG_MORE : 0));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EAGAIN) break;
        if (written < 0) return false;
        sent_ += static_cast<std::size_t>(written);
        just_sent_bytes_ += static_cast<std::uint64_t>(written);
        progress_ms_ = shared_.now_ms;
    }
    if (unsent() == 0) {
        if (output_.capacity() > kKeptOutputBytes) {
            output_ = {};
        } else {
            output_.clear();
        }
        sent_ = 0;
        return true;
    }
    if (sent_ > output_.size() / 2) {
        output_.erase(0, sent_);
        sent_ = 0;
    }
    waiting_to_write_ = true;
    return true;
}

// -- the end ----------------------------------------------------------------------------------------------------------------------

void ClientConnection::finish() {
    if (!open_ || std::exchange(finishing_, true)) return;
    update_interest();
    replied();  // the flush closes, now or when the last answer is written
}

/// Everything is written: closes so that it arrives even though the client may have sent more.
void ClientConnection::close() {
    if (!leave()) return;
    tcp::socket socket(shared_.io);
    asio::error_code failed;
    socket.assign(protocol_, std::exchange(descriptor_, -1), failed);
    if (!failed) say_goodbye(std::move(socket), {});
}

void ClientConnection::drop() {
    if (!leave()) return;
    ::close(std::exchange(descriptor_, -1));
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

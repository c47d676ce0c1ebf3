// SPDX-License-Identifier: Apache-2.0
#include "server/peer_link.h"

#include <array>
#include <asio/connect.hpp>
#include <asio/write.hpp>
#include <utility>

#include "server/crypto.h"

namespace tanist::server {
namespace {

constexpr std::chrono::milliseconds kDialTime{2000};
constexpr std::chrono::milliseconds kBackoffMin{20}, kBackoffMax{500};
constexpr std::size_t kBuffersPerWrite = 64;
/// What the kernel holds and has not sent yet: as much again waits here, where what is urgent may still overtake it.
constexpr std::size_t kUnsentInKernelBytes = protocol::kPieceBytesMax;

std::pair<std::string, std::string> split(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return {std::move(host), address.substr(colon + 1)};
}

}  // namespace

PeerLink::PeerLink(asio::io_context& io, core::ConfiguredNode peer, std::shared_ptr<const PeerCredentials> credentials,
                   std::chrono::milliseconds user_timeout, Listener listener, std::uint64_t seed)
    : io_(io),
      peer_(std::move(peer)),
      credentials_(std::move(credentials)),
      user_timeout_(user_timeout),
      listener_(std::move(listener)),
      random_(seed),
      socket_(io),
      resolver_(io),
      timer_(io),
      input_(4096) {}

// -- dialling -------------------------------------------------------------------------------------------------------------------

void PeerLink::dial() {
    state_ = State::kDialling;
    const std::uint64_t attempt = ++attempt_;
    timer_.expires_after(kDialTime);
    timer_.async_wait([self = shared_from_this(), attempt](const asio::error_code& error) {
        if (!error && attempt == self->attempt_ && self->state_ != State::kUp) self->lose(asio::error::timed_out);
    });
    const auto [host, port] = split(peer_.peer_address);
    asio::error_code not_numeric;
    const auto address = asio::ip::make_address(host, not_numeric);
    if (!not_numeric) {
        socket_.async_connect({address, static_cast<std::uint16_t>(std::stoul(port))},
                              [self = shared_from_this(), attempt](const asio::error_code& error) {
                                  if (attempt == self->attempt_) self->on_connected(error);
                              });
        return;
    }
    resolver_.async_resolve(host, port,
                            [self = shared_from_this(), attempt](const asio::error_code& error, const tcp::resolver::results_type& found) {
                                if (attempt != self->attempt_) return;
                                error ? self->lose(asio::error::host_not_found) : self->connect(found);
                            });
}

void PeerLink::connect(const tcp::resolver::results_type& addresses) {
    asio::async_connect(socket_, addresses,
                        [self = shared_from_this(), attempt = attempt_](const asio::error_code& error, const tcp::endpoint&) {
                            if (attempt == self->attempt_) self->on_connected(error);
                        });
}

void PeerLink::on_connected(const asio::error_code& error) {
    if (error) return lose(error);
    set_options(socket_, user_timeout_);
    limit_unsent(socket_, kUnsentInKernelBytes);
    state_ = State::kGreeting;
    asio::error_code failed;
    has_preamble_ = false;
    own_ = Introduction::of(*credentials_);
    asio::write(socket_, asio::buffer(protocol::peer_preamble() + own_.encode()), failed);
    if (failed) return lose(failed);
    read();
}

void PeerLink::come_up() {
    state_ = State::kUp;
    failures_ = 0;
    knocking_ = false;
    timer_.cancel();
    listener_.event(core::PeerConnected{peer_.node});
}

void PeerLink::lose(const asio::error_code& error) {
    const bool was_up = state_ == State::kUp, was_hanging_up = state_ == State::kHangingUp;
    // A dying process's port may still take a connection, and resets it: before we are told that it was made, or before it is greeted.
    const bool before_greeting = state_ == State::kDialling || state_ == State::kGreeting || state_ == State::kProving;
    const bool nobody_there = error == asio::error::connection_refused || (before_greeting && is_reset(error));
    const bool knocked = std::exchange(knocking_, false);
    drop_connection();
    if (was_up && is_reset(error)) {
        knocking_ = true;
        dial();
        listener_.event(core::PeerLost{peer_.node, core::Loss::kReset});
        return;
    }
    ++failures_;
    dial_later();
    if (was_up || was_hanging_up || knocked) {
        listener_.event(core::PeerLost{peer_.node, knocked && nobody_there ? core::Loss::kRefused : core::Loss::kTimeout});
    }
}

void PeerLink::drop_connection() {
    asio::error_code ignored;
    ++attempt_;
    state_ = State::kIdle;
    resolver_.cancel();
    timer_.cancel();
    socket_.close(ignored);
    socket_ = tcp::socket(io_);
    input_ = protocol::ReadBuffer(4096);
    outbox_ = {};
    waiting_to_write_ = false;
}

void PeerLink::dial_later() {
    auto wait = kBackoffMin * (1u << std::min(failures_, 8u));
    if (wait > kBackoffMax) wait = kBackoffMax;
    wait += std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(wait.count()) / 2 + 1));
    timer_.expires_after(wait);
    timer_.async_wait([self = shared_from_this(), attempt = attempt_](const asio::error_code& error) {
        if (!error && attempt == self->attempt_) self->dial();
    });
}

void PeerLink::knock() {
    if (state_ == State::kGreeting || state_ == State::kProving) knocking_ = true;  // it has not answered yet: how that ends tells as much
    if (state_ != State::kIdle && state_ != State::kDialling) return;
    drop_connection();
    knocking_ = true;
    dial();
}

void PeerLink::close() {
    drop_connection();
    state_ = State::kClosed;
}

// -- what comes back --------------------------------------------------------------------------------------------------------------

void PeerLink::read() {
    const auto room = input_.prepare();
    socket_.async_read_some(asio::buffer(room.data(), room.size()),
                            [self = shared_from_this(), attempt = attempt_](const asio::error_code& error, std::size_t bytes) {
                                if (attempt == self->attempt_) self->on_read(error, bytes);
                            });
}

void PeerLink::on_read(const asio::error_code& error, std::size_t bytes) {
    if (error) return lose(error);
    input_.commit(bytes);
    const std::uint64_t attempt = attempt_;
    if (state_ == State::kGreeting) take_greeting();
    if (attempt == attempt_ && state_ == State::kProving) take_proof();
    if (attempt == attempt_ && (state_ == State::kUp || state_ == State::kUnwelcome)) take_frames();
    if (attempt == attempt_) read();
}

void PeerLink::take_greeting() {
    const auto refuse = [this](const std::string& why) {
        listener_.refused(peer_.node, why);
        lose(asio::error::operation_not_supported);
    };
    if (!has_preamble_) {
        const Result<bool> greeted = protocol::take_peer_preamble(input_);
        if (!greeted) return refuse(greeted.error().message);
        if (!*greeted) return;
        has_preamble_ = true;
    }
    auto introduced = take_introduction(input_);
    if (!introduced) return refuse(introduced.error().message);
    if (!*introduced) return;
    other_ = std::move(**introduced);
    if (!why_unwelcome(own_, other_).empty()) {
        state_ = State::kUnwelcome;
    } else if (!own_.has_password) {
        come_up();
    } else {
        state_ = State::kProving;
        asio::error_code failed;
        asio::write(socket_, asio::buffer(peer_proof(credentials_->password, PeerSide::kDialler, own_, other_)), failed);
        if (failed) lose(failed);
    }
}

/// Its byte 1 and the peer's own proof, or 0 and the frame that says why not.
void PeerLink::take_proof() {
    const std::string_view unread = as_text(input_.unread());
    if (unread.empty()) return;
    if (unread[0] == '\0') {
        input_.consume(1);
        state_ = State::kUnwelcome;
        return;
    }
    if (unread.size() < 1 + kPeerProofBytes) return;
    const std::string said(unread.substr(1, kPeerProofBytes));
    input_.consume(1 + kPeerProofBytes);
    if (same_bytes(said, peer_proof(credentials_->password, PeerSide::kReceiver, own_, other_))) return come_up();
    listener_.refused(peer_.node, wrong_proof(other_.node));
    lose(asio::error::operation_not_supported);
}

void PeerLink::take_frames() {
    while (true) {
        const auto frame = protocol::next_frame(input_);
        if (!frame) return lose(asio::error::operation_not_supported);
        if (!*frame) return;
        const auto message = protocol::decode_message(**frame);
        if (!message) continue;
        if (const auto* refusal = std::get_if<core::Refusal>(&message->body)) listener_.refused(peer_.node, refusal->reason);
        if (state_ == State::kUnwelcome) return lose(asio::error::operation_not_supported);
    }
}

// -- what we say ------------------------------------------------------------------------------------------------------------------

void PeerLink::send(const core::Message& message) {
    if (state_ != State::kUp) return;
    outbox_.push(core::lane_of(message.body), protocol::encode(message));
}

void PeerLink::flush() {
    if (waiting_to_write_ || (state_ != State::kUp && state_ != State::kHangingUp)) return;
    while (!outbox_.empty()) {
        std::array<asio::const_buffer, kBuffersPerWrite> buffers;
        asio::error_code error;
        const std::size_t written = socket_.write_some(outbox_.next(buffers), error);
        if (error == asio::error::would_block) break;
        if (error) return;  // the reading side meets the same end, and tells
        outbox_.consume(written);
        bytes_sent_ += written;
    }
    if (outbox_.empty()) {
        if (state_ == State::kHangingUp) {
            asio::error_code ignored;
            socket_.shutdown(tcp::socket::shutdown_send, ignored);  // the peer closes, and the reading side ends it
        }
        return;
    }
    if (outbox_.bytes() > kUnsentToPeerBytesMax) {
        asio::post(io_, [self = shared_from_this(), attempt = attempt_] {
            if (attempt == self->attempt_) self->lose(asio::error::no_buffer_space);
        });
        return;
    }
    write_when_ready();
}

void PeerLink::write_when_ready() {
    waiting_to_write_ = true;
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this(), attempt = attempt_](const asio::error_code& error) {
        if (error || attempt != self->attempt_) return;
        self->waiting_to_write_ = false;
        self->flush();
    });
}

void PeerLink::hang_up() {
    if (state_ != State::kUp) return;
    state_ = State::kHangingUp;
    timer_.expires_after(kDialTime);
    timer_.async_wait([self = shared_from_this(), attempt = attempt_](const asio::error_code& error) {
        if (!error && attempt == self->attempt_) self->lose(asio::error::timed_out);
    });
    flush();
}

}  // namespace tanist::server

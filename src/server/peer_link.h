// SPDX-License-Identifier: Apache-2.0
// Our own connection to one configured peer: dialled, greeted, dialled again; everything that we say to that peer goes over it.
#pragma once

#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/random.h"
#include "core/event.h"
#include "core/node.h"
#include "protocol/peer_codec.h"
#include "protocol/read_buffer.h"
#include "server/outbox.h"
#include "server/peer_introduction.h"
#include "server/sockets.h"

namespace tanist::server {

/// What is unsent to one peer at most: the core keeps far less under way, so more means that something is wrong, and the
/// connection is given up rather than the memory.
inline constexpr std::size_t kUnsentToPeerBytesMax = 2 * limits::kFrameBytesMax;

/// The two sides greet each other with the peer preamble before anything else: the kernel accepts connections for a stopped
/// process too, and only its greeting shows that somebody is there. What the peer says comes over the connection that it dials;
/// on this one it only says why it refuses us.
class PeerLink : public std::enable_shared_from_this<PeerLink> {
public:
    struct Listener {
        std::function<void(core::Event)> event;                   ///< PeerConnected and PeerLost
        std::function<void(NodeId, const std::string&)> refused;  ///< the peer said why it will not talk to us
    };
    PeerLink(asio::io_context& io, core::ConfiguredNode peer, std::shared_ptr<const PeerCredentials> credentials,
             std::chrono::milliseconds user_timeout, Listener listener, std::uint64_t seed);

    void start() { dial(); }
    /// Drops the message unless the connection is up.
    void send(const core::Message& message);
    /// Writes what was sent since the last flush. Never calls the listener: what goes wrong here is noticed by the reading side.
    void flush();
    /// The connection that the peer dialled was reset: where ours is not up, and so meets no reset of its own, what the next attempt
    /// finds is S13's evidence, and it is not waited for.
    void knock();
    /// Ends the connection once what was sent has gone out; dials again later.
    void hang_up();
    /// For good.
    void close();

    [[nodiscard]] bool is_up() const { return state_ == State::kUp; }
    [[nodiscard]] std::size_t unsent_bytes() const { return outbox_.bytes(); }
    [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

private:
    enum class State : std::uint8_t {
        kIdle,
        kDialling,
        kGreeting,   ///< awaits preamble and introduction
        kProving,    ///< awaits the peer's proof, or its refusal
        kUnwelcome,  ///< awaits the words of its refusal
        kUp,
        kHangingUp,
        kClosed
    };

    void dial();
    void connect(const tcp::resolver::results_type& addresses);
    void on_connected(const asio::error_code& error);
    void read();
    void on_read(const asio::error_code& error, std::size_t bytes);
    void take_greeting();
    void take_proof();
    void take_frames();
    void come_up();
    /// The connection, or the attempt at one, is over.
    void lose(const asio::error_code& error);
    void dial_later();
    void drop_connection();
    void write_when_ready();

    asio::io_context& io_;
    const core::ConfiguredNode peer_;
    const std::shared_ptr<const PeerCredentials> credentials_;
    const std::chrono::milliseconds user_timeout_;
    const Listener listener_;
    Random random_;

    State state_ = State::kIdle;
    bool knocking_ = false;       ///< this dial is the immediate one after a reset: how it ends is S13's evidence
    bool has_preamble_ = false;   ///< of the peer
    Introduction own_, other_;    ///< on this connection
    std::uint64_t attempt_ = 0;   ///< so that handlers of an earlier connection are told apart
    std::uint32_t failures_ = 0;  ///< since the connection was last up
    tcp::socket socket_;
    tcp::resolver resolver_;
    asio::steady_timer timer_;
    protocol::ReadBuffer input_;

    Outbox outbox_;
    bool waiting_to_write_ = false;
    std::uint64_t bytes_sent_ = 0;
};

}  // namespace tanist::server

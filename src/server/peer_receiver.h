// SPDX-License-Identifier: Apache-2.0
// A connection that a peer dialled: we greet, and from then on only listen. Its first message says who it is.
#pragma once

#include <asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/message.h"
#include "protocol/peer_codec.h"
#include "protocol/read_buffer.h"
#include "server/peer_introduction.h"
#include "server/sockets.h"

namespace tanist::server {

/// Keeps itself alive while it is connected.
class PeerReceiver : public std::enable_shared_from_this<PeerReceiver> {
public:
    struct Listener {
        /// Decides on the node that the first message names: an error is told to the other side, and ends the connection.
        std::function<Status(NodeId, PeerReceiver&)> identified;
        std::function<void(core::Message)> message;
        std::function<void(PeerReceiver&)> gone;
        std::function<void(NodeId)> reset;  ///< before gone(): by the other side's process or kernel
        std::function<void(const std::string& from, const std::string& reason)> refused;  ///< for the log
    };
    /// `self` signs the refusal that an unwelcome peer is sent.
    PeerReceiver(tcp::socket socket, core::Header self, std::shared_ptr<const PeerCredentials> credentials, Listener listener);

    void start();
    void close();

    [[nodiscard]] std::optional<NodeId> node() const { return node_; }
    [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_; }

private:
    void read();
    void on_read(const asio::error_code& error, std::size_t bytes);
    [[nodiscard]] Status take_input();
    [[nodiscard]] Status take_message(core::Message message);
    /// The peer must show that it knows the password, where there is one.
    [[nodiscard]] Status take_introduction_of_peer();
    [[nodiscard]] Status take_proof();
    void refuse(const std::string& reason);

    tcp::socket socket_;
    asio::steady_timer timer_;
    const core::Header self_;
    const Listener listener_;
    const std::string from_;
    protocol::ReadBuffer input_;
    protocol::ReadBuffer pieces_;  ///< of frames that travel in pieces
    enum class Stage : std::uint8_t { kPreamble, kIntroduction, kProof, kMessages };
    Stage stage_ = Stage::kPreamble;
    const std::shared_ptr<const PeerCredentials> credentials_;
    const Introduction own_;
    Introduction peer_;  ///< as it says, and, where there is a password, as it has proved
    bool open_ = true;
    std::optional<NodeId> node_;
    std::uint64_t bytes_received_ = 0;
};

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
#include "server/client_listener.h"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "protocol/client_codec.h"
#include "protocol/peer_codec.h"
#include "server/native/session.h"
#include "server/peer_introduction.h"
#include "server/resp/session.h"

namespace tanist::server {
namespace {

/// Beyond the limit so many more are let in to be told, in what they speak, that there is no room.
constexpr std::size_t kToBeRefused = 32;
constexpr std::string_view kRespFull = "-ERR max number of clients reached\r\n";

}  // namespace

ClientListener::ClientListener(tcp::acceptor acceptor, ClientServices& services, std::size_t connections_max)
    : acceptor_(std::move(acceptor), [this](tcp::socket socket) { listen_to_first_byte(std::move(socket)); }),
      services_(services),
      connections_max_(connections_max) {}

ClientListener::~ClientListener() {
    close();
    for (const auto& silent : std::exchange(silent_, {})) {
        asio::error_code ignored;
        silent->socket.close(ignored);
    }
}

void ClientListener::listen_to_first_byte(tcp::socket socket) {
    ++services_.counters.connections_accepted;
    set_options(socket);
    if (silent_.size() + services_.connections.open.size() >= connections_max_ + kToBeRefused)
        return refuse(std::move(socket), protocol::Dialect::kResp);
    const auto silent = std::make_shared<Silent>(Silent{std::move(socket)});
    silent_.insert(silent);
    wait_for_first_byte(silent);
}

void ClientListener::wait_for_first_byte(const std::shared_ptr<Silent>& silent) {
    silent->socket.async_wait(tcp::socket::wait_read, [this, silent](const asio::error_code& error) {
        if (error == asio::error::operation_aborted) return;  // by our end
        std::byte first{};
        asio::error_code failed;
        const std::size_t bytes = silent->socket.receive(asio::buffer(&first, 1), tcp::socket::message_peek, failed);
        // A false alarm: Asio may take an event of a connection that has just ended for one of this, which has its place in the reactor.
        if (failed == asio::error::would_block) return wait_for_first_byte(silent);
        silent_.erase(silent);
        if (!failed && bytes > 0) open(std::move(silent->socket), protocol::dialect_of(first));
    });
}

void ClientListener::open(tcp::socket socket, protocol::Dialect dialect) {
    if (services_.connections.open.size() >= connections_max_) return refuse(std::move(socket), dialect);
    if (services_.sentinel != nullptr && dialect != protocol::Dialect::kResp) {
        ++services_.counters.connections_refused;
        return say_goodbye(std::move(socket), "-ERR this port answers as a Redis Sentinel, and speaks RESP only\r\n");
    }
    switch (dialect) {
        case protocol::Dialect::kNative: std::make_shared<NativeSession>(std::move(socket), services_)->start(); return;
        case protocol::Dialect::kResp: std::make_shared<RespSession>(std::move(socket), services_, ++last_id_)->start(); return;
        case protocol::Dialect::kPeer: {
            spdlog::warn("a node dialled the client port: cluster.nodes must name peer addresses");
            std::string words =
                protocol::peer_preamble() + Introduction::of({.self = services_.routing.view().self.node, .password = {}}).encode();
            const core::Header header{.sender = services_.routing.view().self};
            protocol::encode({header, core::Refusal{"this is the port for clients: cluster.nodes must name the peer port"}})
                .append_to(words);
            say_goodbye(std::move(socket), std::move(words));
        }
    }
}

void ClientListener::refuse(tcp::socket socket, protocol::Dialect dialect) {
    ++services_.counters.connections_refused;
    std::string words(kRespFull);
    if (dialect == protocol::Dialect::kNative) {
        words.clear();
        protocol::native::append_to(
            words, {.body = protocol::native::ErrorReply{.code = FailureCode::kTryAgain,
                                                         .message = fmt::format("limits.connections = {} are open", connections_max_)}});
    }
    say_goodbye(std::move(socket), std::move(words));
}

}  // namespace tanist::server

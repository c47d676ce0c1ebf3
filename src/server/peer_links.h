// SPDX-License-Identifier: Apache-2.0
// All connections between this node and its peers: one dialled to each, one taken from each.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/event.h"
#include "core/node.h"
#include "server/loop.h"
#include "server/peer_link.h"
#include "server/peer_receiver.h"
#include "server/sockets.h"

namespace tanist::server {

struct PeerLinksOptions {
    MemberId self;
    std::string password;                      ///< that all nodes share; empty: none
    std::vector<core::ConfiguredNode> peers;   ///< all configured nodes but this one
    std::chrono::milliseconds user_timeout{};  ///< a connection whose data is not acknowledged for so long is given up
    std::uint64_t seed = 0;
};

class PeerLinks {
public:
    /// `deliver` feeds the core; it is called from handlers of the loop, never from within send(), disconnect() or flush().
    PeerLinks(Loop& loop, tcp::acceptor acceptor, PeerLinksOptions options, std::function<void(core::Event)> deliver);
    ~PeerLinks();
    PeerLinks(const PeerLinks&) = delete;
    PeerLinks& operator=(const PeerLinks&) = delete;

    void start();
    /// Queued until flush(); dropped when there is no connection: the core sends again what matters.
    void send(NodeId to, const core::Message& message);
    void disconnect(NodeId node, const std::string& reason);
    /// Writes what a turn has gathered, with one call a peer.
    void flush();

    struct Traffic {
        NodeId node;
        bool up = false;
        std::uint64_t bytes_sent = 0, bytes_received = 0;
        std::size_t unsent_bytes = 0;
    };
    [[nodiscard]] std::vector<Traffic> traffic() const;

private:
    struct Peer {
        std::shared_ptr<PeerLink> link;
        PeerReceiver* receiver = nullptr;  ///< the newest connection that it dialled
        std::uint64_t bytes_received = 0;  ///< of earlier ones
        std::string last_refusal;          ///< so that the log says it once
    };

    void take(tcp::socket socket);
    [[nodiscard]] Status identify(NodeId node, PeerReceiver& receiver);
    void forget(PeerReceiver& receiver);
    void tell_of_stranger(const std::string& from, const std::string& reason);

    Loop& loop_;
    Acceptor acceptor_;
    const PeerLinksOptions options_;
    const std::shared_ptr<const PeerCredentials> credentials_;
    const std::function<void(core::Event)> deliver_;
    std::map<NodeId, Peer> peers_;
    std::set<std::shared_ptr<PeerReceiver>> receivers_;
    /// What was logged about strangers, and when: each thing once a minute at most, and not too many things.
    std::map<std::string, std::chrono::steady_clock::time_point> told_;
};

}  // namespace tanist::server

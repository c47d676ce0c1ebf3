// SPDX-License-Identifier: Apache-2.0
#include "server/peer_links.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/random.h"

namespace tanist::server {
namespace {

/// Connections that nodes have dialled or that strangers hold, beyond one for each peer.
constexpr std::size_t kSpareReceivers = 64;
constexpr std::chrono::seconds kToldFor{60};
constexpr std::size_t kToldMax = 64;

}  // namespace

PeerLinks::PeerLinks(Loop& loop, tcp::acceptor acceptor, PeerLinksOptions options, std::function<void(core::Event)> deliver)
    : loop_(loop),
      acceptor_(std::move(acceptor), [this](tcp::socket socket) { take(std::move(socket)); }),
      options_(std::move(options)),
      credentials_(std::make_shared<PeerCredentials>(options_.self.node, options_.password)),
      deliver_(std::move(deliver)) {
    Random random(options_.seed);
    for (const core::ConfiguredNode& peer : options_.peers) {
        const auto refused = [this](NodeId node, const std::string& reason) {
            std::string& last = peers_.at(node).last_refusal;
            if (last != reason) spdlog::warn("refused by peer node={} reason=\"{}\"", node.value, reason);
            last = reason;
        };
        peers_[peer.node].link = std::make_shared<PeerLink>(loop_.io(), peer, credentials_, options_.user_timeout,
                                                            PeerLink::Listener{deliver_, refused}, random.next());
    }
}

PeerLinks::~PeerLinks() {
    acceptor_.close();
    for (auto& [node, peer] : peers_) peer.link->close();
    for (const auto& receiver : std::set(receivers_)) receiver->close();
}

void PeerLinks::start() {
    acceptor_.start();
    for (auto& [node, peer] : peers_) peer.link->start();
}

// -- what we say ------------------------------------------------------------------------------------------------------------------

void PeerLinks::send(NodeId to, const core::Message& message) {
    if (const auto peer = peers_.find(to); peer != peers_.end()) peer->second.link->send(message);
}

void PeerLinks::disconnect(NodeId node, const std::string& reason) {
    const auto peer = peers_.find(node);
    if (peer == peers_.end()) return;
    spdlog::warn("disconnecting peer node={} reason=\"{}\"", node.value, reason);
    peer->second.link->hang_up();
    if (peer->second.receiver == nullptr) return;
    // Later: this may be called while that very connection's message is being handled.
    loop_.post([receiver = peer->second.receiver->shared_from_this()] { receiver->close(); });
}

void PeerLinks::flush() {
    for (auto& [node, peer] : peers_) peer.link->flush();
}

// -- what we hear -----------------------------------------------------------------------------------------------------------------

void PeerLinks::take(tcp::socket socket) {
    if (receivers_.size() >= peers_.size() + kSpareReceivers) return;  // closed at once: strangers, who get their turn to say something
    set_options(socket, options_.user_timeout);
    const auto receiver = std::make_shared<PeerReceiver>(
        std::move(socket), core::Header{.sender = options_.self}, credentials_,
        PeerReceiver::Listener{
            .identified = [this](NodeId node, PeerReceiver& r) { return identify(node, r); },
            .message = [this](core::Message message) { deliver_(core::PeerMessage{std::move(message)}); },
            .gone = [this](PeerReceiver& r) { forget(r); },
            .reset = [this](NodeId node) { peers_.at(node).link->knock(); },
            .refused = [this](const std::string& from, const std::string& reason) { tell_of_stranger(from, reason); },
        });
    receivers_.insert(receiver);
    receiver->start();
}

void PeerLinks::tell_of_stranger(const std::string& from, const std::string& reason) {
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(told_, [&](const auto& each) { return now - each.second > kToldFor; });
    if (told_.size() >= kToldMax || !told_.emplace(reason, now).second) return;
    spdlog::warn("refused on the peer port from={} reason=\"{}\"", from, reason);
}

Status PeerLinks::identify(NodeId node, PeerReceiver& receiver) {
    if (node == options_.self.node) {
        return fail(ErrorCode::kRefused, "two nodes have node.id = {}: each needs an id of its own", node.value);
    }
    const auto peer = peers_.find(node);
    if (peer == peers_.end())
        return fail(ErrorCode::kRefused, "node {} is not in cluster.nodes of node {}", node.value, options_.self.node.value);
    if (PeerReceiver* older = std::exchange(peer->second.receiver, &receiver); older != nullptr) {
        peer->second.bytes_received += older->bytes_received();
        older->close();
    }
    return {};
}

void PeerLinks::forget(PeerReceiver& receiver) {
    if (receiver.node()) {
        Peer& peer = peers_.at(*receiver.node());
        if (peer.receiver == &receiver) {
            peer.receiver = nullptr;
            peer.bytes_received += receiver.bytes_received();
        }
    }
    receivers_.erase(receiver.shared_from_this());
}

std::vector<PeerLinks::Traffic> PeerLinks::traffic() const {
    std::vector<Traffic> traffic;
    for (const auto& [node, peer] : peers_) {
        traffic.push_back({.node = node,
                           .up = peer.link->is_up(),
                           .bytes_sent = peer.link->bytes_sent(),
                           .bytes_received = peer.bytes_received + (peer.receiver == nullptr ? 0 : peer.receiver->bytes_received()),
                           .unsent_bytes = peer.link->unsent_bytes()});
    }
    return traffic;
}

}  // namespace tanist::server

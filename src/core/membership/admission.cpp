// SPDX-License-Identifier: Apache-2.0
#include "core/membership/admission.h"

#include <algorithm>
#include <string>
#include <variant>

#include "core/state.h"

namespace tanist::core {
namespace {

std::string list(const std::vector<NodeId>& nodes) {
    std::string text;
    for (const NodeId node : nodes) text += fmt::format("{}{}", text.empty() ? "" : ", ", node.value);
    return text;
}

std::vector<NodeId> configured(const State& s) {
    std::vector<NodeId> nodes;
    for (const ConfiguredNode& node : s.options.configured) nodes.push_back(node.node);
    return nodes;
}

/// Why we do not deal with whoever says this of itself; empty: we do.
std::string why_refused(const State& s, const Peer& peer, const Header& header, const Hello& hello) {
    if (hello.cluster_name != s.options.cluster_name) {
        return fmt::format("node {} is configured for cluster \"{}\", this is \"{}\"", header.sender.node.value, hello.cluster_name,
                           s.options.cluster_name);
    }
    if (!s.identity.founding) {
        const bool is_founded = !header.cluster.is_zero();
        if (!is_founded && hello.configured != configured(s)) {
            return fmt::format("cluster.nodes differs: {} at node {}, {} here", list(hello.configured), header.sender.node.value,
                               list(configured(s)));
        }
        const bool is_double = peer.id && peer.id->incarnation != header.sender.incarnation && peer.heard_tick &&
                               s.time.ticks - *peer.heard_tick < 3 * s.options.heartbeat_ticks;
        if (is_double) return fmt::format("node id {} is used by two processes", header.sender.node.value);
        return {};
    }
    const ClusterId cluster = s.identity.founding->cluster;
    if (!header.cluster.is_zero() && header.cluster != cluster) {
        return fmt::format("node {} belongs to another cluster of the same name ({:016x}, this is {:016x})", header.sender.node.value,
                           header.cluster.value, cluster.value);
    }
    const Member* member = s.members.current().find(header.sender.node);
    if (member == nullptr) return fmt::format("node {} is no member of this cluster", header.sender.node.value);
    if (member->id != header.sender) {
        return fmt::format(
            "node {} came with another data directory (incarnation {:016x}, the member is {:016x}): a wiped or replaced one stays out "
            "until it is admitted",
            header.sender.node.value, header.sender.incarnation.value, member->id.incarnation.value);
    }
    return {};
}

void on_hello(State& s, Peer& peer, const Header& header, const Hello& hello, Actions& out) {
    const std::string reason = why_refused(s, peer, header, hello);
    if (!reason.empty()) {
        if (peer.refusal != reason)
            notice(out, NoticeLevel::kWarn, "refusing a node node={} reason=\"{}\"", header.sender.node.value, reason);
        peer.refusal = reason;
        return send(s, peer.node, Refusal{reason}, out);
    }
    const bool is_founder_without_cluster =
        s.identity.founding && header.cluster.is_zero() && s.identity.founding->find(header.sender) != nullptr;
    if (is_founder_without_cluster && !hello.pristine) {
        peer.refusal = fmt::format("node {} has lost which cluster it belongs to", peer.node.value);
        return send(s, peer.node, Refusal{peer.refusal}, out);
    }
    peer.refusal.clear();
    peer.id = header.sender;
    peer.hello = hello;
    peer.hello_cluster = header.cluster;
    peer.heard_tick = s.time.ticks;
    if (is_founder_without_cluster) send(s, peer.node, FormationProposal{*s.identity.founding}, out);
    try_to_form(s, out);
}

void on_refusal(Peer& peer, const Refusal& refusal, Actions& out) {
    if (peer.refused_us == refusal.reason) return;
    peer.refused_us = refusal.reason;
    notice(out, NoticeLevel::kWarn, "refused by a node node={} reason=\"{}\"", peer.node.value, refusal.reason);
}

/// True: the message was about the sender itself, and is dealt with.
bool take_introduction(State& s, Peer& peer, const Message& message, Actions& out) {
    const Header& header = message.header;
    if (const auto* hello = std::get_if<Hello>(&message.body)) {
        on_hello(s, peer, header, *hello, out);
    } else if (const auto* proposal = std::get_if<FormationProposal>(&message.body)) {
        on_formation_proposal(s, peer, header, *proposal, out);
    } else if (const auto* refusal = std::get_if<Refusal>(&message.body)) {
        on_refusal(peer, *refusal, out);
    } else {
        return std::holds_alternative<FormationAccept>(message.body);
    }
    return true;
}

}  // namespace

Peer* admit(State& s, const Message& message, Actions& out) {
    const Header& header = message.header;
    if (header.sender.node == s.self().node) {
        if (header.sender != s.self()) {
            notice(out, NoticeLevel::kError, "another process uses our node id node={} incarnation={:016x}", header.sender.node.value,
                   header.sender.incarnation.value);
        }
        return nullptr;
    }
    Peer* peer = s.find_peer(header.sender.node);
    if (peer == nullptr) {
        send(s, header.sender.node,
             Refusal{fmt::format("node {} is not in cluster.nodes of node {}", header.sender.node.value, s.self().node.value)}, out);
        return nullptr;
    }
    if (!s.quarantine.empty() || take_introduction(s, *peer, message, out)) return nullptr;
    if (!s.takes_part() || header.cluster != s.identity.founding->cluster) return nullptr;
    const Member* member = s.members.current().find(header.sender.node);
    if (member == nullptr || member->id != header.sender) return nullptr;  // its Hello is answered with the reason
    if (peer->id != header.sender) peer->id = header.sender;
    peer->refused_us.clear();
    return peer;
}

}  // namespace tanist::core

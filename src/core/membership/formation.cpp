// SPDX-License-Identifier: Apache-2.0
#include "core/membership/formation.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/mutant.h"
#include "core/state.h"

namespace tanist::core {
namespace {

Seat seat_of(ConfiguredRole role) {
    switch (role) {
        case ConfiguredRole::kMaster:
        case ConfiguredRole::kSlave: return Seat::kVoter;
        case ConfiguredRole::kSpare: return Seat::kSpare;
        case ConfiguredRole::kWitness: return Seat::kWitness;
    }
    return Seat::kVoter;
}

/// Peers that said, in this life of theirs, that they never held anything.
bool is_pristine(const Peer& peer) { return peer.hello && peer.hello->pristine && peer.hello_cluster.is_zero() && peer.refusal.empty(); }

std::string missing_nodes(const State& s) {
    std::string missing;
    for (const Peer& peer : s.peers) {
        if (is_pristine(peer)) continue;
        missing += fmt::format("{}{}", missing.empty() ? "" : ", ", peer.node.value);
        if (!peer.refusal.empty())
            missing += fmt::format(" ({})", peer.refusal);
        else if (peer.hello)
            missing += " (has held data before)";
    }
    return missing;
}

std::string wrong_roles(const State& s) {
    std::vector<NodeId> masters;
    std::size_t data = 1, witnesses = 0;
    const auto count = [&](NodeId node, ConfiguredRole role) {
        if (role == ConfiguredRole::kMaster) masters.push_back(node);
        if (seat_of(role) == Seat::kVoter) ++data;
        if (seat_of(role) == Seat::kWitness) ++witnesses;
    };
    data = 0;
    count(s.self().node, s.options.role);
    for (const Peer& peer : s.peers) {
        if (peer.hello) count(peer.node, peer.hello->role);
    }
    if (masters.empty()) return "no node has node.role = \"master\": exactly one must";
    if (masters.size() > 1) {
        return fmt::format("nodes {} and {} both have node.role = \"master\": exactly one must", masters[0].value, masters[1].value);
    }
    if (witnesses >= data) return "there must be more data nodes than witnesses";  // S11
    if (witnesses > 0 && data < 2) return "a cluster with a witness needs two data nodes";
    return {};
}

Membership founding_of(State& s) {
    Membership founding{.cluster = {}, .cluster_name = s.options.cluster_name};
    while (founding.cluster.is_zero()) founding.cluster = {s.random.next()};
    founding.members.push_back({s.self(), seat_of(s.options.role), s.options.addresses});
    for (const Peer& peer : s.peers) {
        if (is_pristine(peer)) founding.members.push_back({*peer.id, seat_of(peer.hello->role), peer.hello->addresses});
    }
    std::ranges::sort(founding.members, {}, [](const Member& m) { return m.id.node; });
    return founding;
}

/// Makes the cluster ours, durably.
void accept(State& s, Membership founding, bool stands_first, Actions& out) {
    s.identity.founding = std::move(founding);
    s.pristine = false;
    out.push_back(SaveIdentity{s.identity});
    s.members.start_from(*s.identity.founding, Lsn{});
    s.formation.founded_now = true;
    s.formation.waiting_for.clear();
    reset_election_timeout(s);
    if (stands_first)
        s.election.deadline = s.time.ticks;
    else
        s.election.deadline += s.options.election_timeout_ticks;  // leaves the first reign to the configured master
    notice(out, NoticeLevel::kInfo, "cluster formed name={} cluster={:016x} members={}", s.options.cluster_name,
           s.identity.founding->cluster.value, s.identity.founding->members.size());
    for (Peer& peer : s.peers) {
        if (const Member* member = s.members.current().find(peer.node)) peer.id = member->id;
        if (peer.connected) send(s, peer.node, own_hello(s), out);
    }
}

void found(State& s, bool stands_first, Actions& out) {
    Membership founding = founding_of(s);
    accept(s, founding, stands_first, out);
    for (const Peer& peer : s.peers) {
        if (s.is_member(peer)) send(s, peer.node, FormationProposal{founding}, out);
    }
}

bool is_lowest(const State& s) { return s.peers.empty() || s.self().node < s.peers.front().node; }

void bootstrap(State& s, Actions& out) {
    for (const Peer& peer : s.peers) {
        if (!peer.hello_cluster.is_zero()) {
            s.formation.waiting_for =
                fmt::format("--bootstrap: node {} already belongs to a cluster, which this would rival", peer.node.value);
            return;
        }
    }
    if (s.time.ticks >= s.options.election_timeout_ticks) found(s, true, out);  // whoever is reachable has spoken by then
}

}  // namespace

Hello own_hello(const State& s) {
    constexpr auto all_ones = std::numeric_limits<std::uint64_t>::max();
    Hello hello{.cluster_name = s.options.cluster_name, .role = s.options.role, .addresses = s.options.addresses, .pristine = s.pristine};
    for (const ConfiguredNode& node : s.options.configured) hello.configured.push_back(node.node);
    hello.intent = claimed_rank(s).value_or(Rank{{all_ones}, {all_ones}});
    return hello;
}

void try_to_form(State& s, Actions& out) {
    if (s.identity.founding || !s.pristine || s.stopped) return;
    if (s.options.bootstrap) return bootstrap(s, out);
    const std::string missing = missing_nodes(s);
    const auto pristine = static_cast<std::size_t>(std::ranges::count_if(s.peers, is_pristine)) + 1;
    const bool is_enough = mutant(Mutant::kFormedWithoutAll) && 2 * pristine > s.options.configured.size();
    if (!missing.empty() && !is_enough) {
        s.formation.wrong_since.reset();
        s.formation.waiting_for = fmt::format("forming: waiting for nodes {}", missing);
        return;
    }
    if (std::string wrong = wrong_roles(s); !wrong.empty()) {
        s.formation.waiting_for = wrong;
        if (!s.formation.wrong_since) s.formation.wrong_since = s.time.ticks;
        // The others must hear of our role before we leave, to say the same.
        if (s.peers.empty() || s.time.ticks - *s.formation.wrong_since > 3 * s.options.heartbeat_ticks) {
            s.stopped = true;
            out.push_back(Stop{2, std::move(wrong)});
        }
        return;
    }
    s.formation.waiting_for = fmt::format("forming: waiting for node {} to propose", s.peers.empty() ? 0 : s.peers.front().node.value);
    if (is_lowest(s)) found(s, s.options.role == ConfiguredRole::kMaster, out);
}

void tick_formation(State& s, Actions& out) {
    if (s.identity.founding || s.stopped) return;
    if (s.time.ticks - s.formation.hello_tick >= s.options.heartbeat_ticks) {
        s.formation.hello_tick = s.time.ticks;
        for (const Peer& peer : s.peers) {
            if (peer.connected) send(s, peer.node, own_hello(s), out);
        }
    }
    try_to_form(s, out);
}

void on_formation_proposal(State& s, Peer& from, const Header& header, const FormationProposal& m, Actions& out) {
    const Membership& founding = m.founding;
    const auto refuse = [&](std::string reason) { send(s, from.node, Refusal{std::move(reason)}, out); };
    if (s.identity.founding) {
        if (s.identity.founding->cluster == founding.cluster) return send(s, from.node, FormationAccept{}, out);
        return refuse(fmt::format("node {} already belongs to cluster {:016x}", s.self().node.value, s.identity.founding->cluster.value));
    }
    if (founding.cluster.is_zero() || founding.cluster != header.cluster || founding.find(header.sender) == nullptr) return;
    if (founding.cluster_name != s.options.cluster_name)
        return refuse(fmt::format("node {} is configured for cluster \"{}\"", s.self().node.value, s.options.cluster_name));
    if (!s.pristine) return refuse(fmt::format("node {} has held data before", s.self().node.value));
    if (founding.find(s.self()) == nullptr)
        return refuse(fmt::format("node {} has another data directory than the one listed", s.self().node.value));
    if (from.id && *from.id != header.sender) return;  // delayed, from an earlier life of that node
    accept(s, founding, s.options.role == ConfiguredRole::kMaster && !s.options.bootstrap, out);
    send(s, from.node, FormationAccept{}, out);
}

}  // namespace tanist::core

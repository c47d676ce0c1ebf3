// SPDX-License-Identifier: Apache-2.0
#include "core/viewing.h"

#include <utility>

#include "base/mutant.h"
#include "core/failover/election.h"
#include "core/state.h"

namespace tanist::core {
namespace {

std::optional<MemberId> master_in_view(const State& s) {
    if (s.is_master()) return s.self();
    return hears_master(s) ? s.following.master : std::nullopt;
}

Health health_of(const State& s) {
    if (!s.quarantine.empty()) return Health::kQuarantined;
    if (!s.takes_part()) return Health::kForming;
    if (s.hole) return Health::kInDoubt;
    if (s.copying.needed) return Health::kCopying;
    if (!s.is_master() && !s.in_sync) return Health::kCatchingUp;
    return Health::kUp;
}

std::string why_out(const State& s) {
    for (const Peer& peer : s.peers) {
        if (!peer.refused_us.empty()) return fmt::format("node {} refuses it: {}", peer.node.value, peer.refused_us);
    }
    if (s.identity.founding) return "this data directory is no member of the cluster";
    return s.formation.waiting_for;
}

std::string why(const State& s, Health health) {
    switch (health) {
        case Health::kUp: return {};
        case Health::kForming: return why_out(s);
        case Health::kCatchingUp: return "has not been in sync with a master since it started";
        case Health::kCopying: return s.copying.why;
        case Health::kInDoubt: return fmt::format("the log is damaged behind lsn {}", s.log.last().lsn.value);
        case Health::kQuarantined: return s.quarantine;
    }
    return {};
}

std::uint64_t ms_since(const State& s, std::uint64_t tick) { return (s.time.ticks - std::min(tick, s.time.ticks)) * s.options.tick_ms; }

PeerView peer_view(const State& s, const Peer& peer, const Member* member) {
    PeerView v;
    v.id = member != nullptr ? member->id : peer.id.value_or(MemberId{peer.node, {}});
    v.connected = peer.connected;
    v.silence_ms = ms_since(s, peer.heard_tick.value_or(0));
    v.refusal = peer.refusal;
    if (!s.is_master() || !peer.refusal.empty() || s.reign.pulling) return v;
    const Progress& p = peer.progress;
    if (!p.match.is_zero()) {
        if (const auto epoch = s.log.epoch_at(p.match)) v.rank = Rank{*epoch, p.match};
        v.commit = std::min(p.match, p.commit_sent);
        v.applied = p.applied;
    }
    const bool is_heard = peer.connected && s.time.ticks - peer.contact_tick < s.options.election_timeout_ticks;
    if (!is_heard) return v;
    if (p.intent == kWithoutUpperBound) {
        v.health = Health::kInDoubt;  // it follows, and acknowledges nothing before a later epoch has settled its log
    } else if (p.needs_copy || p.recycled) {
        v.health = Health::kCopying;
    } else {
        v.health = p.phase == SendPhase::kStream && p.match >= s.reign.epoch_start ? Health::kUp : Health::kCatchingUp;
    }
    return v;
}

std::uint64_t silence_ms(const State& s) {
    if (s.is_master()) return ms_since(s, majority_contact_tick(s));
    return ms_since(s, s.election.heard_tick.value_or(0));
}

}  // namespace

RoutingView routing_view(const State& s) {
    return {s.role, health_of(s), s.epoch(), master_in_view(s), s.is_master() && s.reign.open, s.switchover.is_under_way(), s.in_sync};
}

View view_of(const State& s) {
    View v;
    v.self = s.self();
    v.cluster = s.identity.founding ? s.identity.founding->cluster : ClusterId{};
    v.epoch = s.epoch();
    v.role = s.role;
    v.health = health_of(s);
    v.why = why(s, v.health);
    v.open = s.is_master() && s.reign.open;
    v.pausing = s.switchover.is_under_way();
    v.master = master_in_view(s);
    v.last = s.log.last().rank();
    v.durable = s.log.durable();
    v.commit = s.commit;
    v.applied = s.applied;
    v.master_commit = s.is_master() ? s.commit : s.following.master_commit;
    v.everywhere = s.everywhere;
    v.silence_ms = silence_ms(s);
    v.in_sync = s.in_sync;
    v.membership = s.members.current();
    for (const Peer& peer : s.peers) {
        const Member* member = s.members.current().find(peer.node);
        if (member != nullptr || !peer.refusal.empty()) v.peers.push_back(peer_view(s, peer, member));
    }
    return v;
}

bool serves_reads(const View& view) {
    if (view.health == Health::kForming || view.health == Health::kQuarantined) return false;
    if (const Member* self = view.membership.find(view.self); self != nullptr && !self->holds_data()) return false;
    if (mutant(Mutant::kReadsEndWithReign) && view.role != Role::kMaster && !view.master) return false;
    return view.in_sync || (view.role == Role::kMaster && view.open);
}

}  // namespace tanist::core

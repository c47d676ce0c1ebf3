// SPDX-License-Identifier: Apache-2.0
#include "server/sentinel/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tanist::server::sentinel {
namespace {

const core::PeerView* find_peer(const core::View& view, MemberId id) {
    const auto peer = std::ranges::find(view.peers, id, &core::PeerView::id);
    return peer == view.peers.end() ? nullptr : &*peer;
}

/// A master that is not open yet sends its clients away: it is told once it takes their writes. Others tell it when they hear it.
std::optional<MemberId> known_master(const core::View& view) {
    if (view.role == core::Role::kMaster && !view.open) return std::nullopt;
    return view.master;
}

Instance instance_of(const Routing& routing, const Member& member, const std::string& address) {
    const core::View& view = routing.view();
    Instance instance{.id = member.id, .address = split_address(address), .may_be_master = member.seat == Seat::kVoter};
    if (member.id == view.self) {
        instance.applied = view.applied;
        return instance;
    }
    const core::PeerView* peer = find_peer(view, member.id);
    instance.connected = peer != nullptr && peer->connected;
    instance.down = !instance.connected || !peer->refusal.empty();
    if (peer == nullptr) return instance;
    instance.silence_ms = peer->silence_ms;
    instance.applied = peer->applied.value_or(Lsn{});
    return instance;
}

/// Clients leave out slaves that are down: so is one that would refuse their reads.
Instance slave_of(const Routing& routing, const Member& member) {
    Instance slave = instance_of(routing, member, member.addresses.client);
    if (member.id == routing.view().self) {
        slave.down = !routing.serves_reads();
    } else if (const core::PeerView* peer = find_peer(routing.view(), member.id); peer != nullptr && peer->health) {
        slave.down |= *peer->health != core::Health::kUp;
    }
    return slave;
}

}  // namespace

std::optional<Topology> topology_of(const Routing& routing, std::optional<MemberId> last_master) {
    const core::View& view = routing.view();
    const std::optional<MemberId> known = known_master(view);
    const std::optional<MemberId> master_id = known ? known : last_master;
    const Member* master = master_id ? view.membership.find(*master_id) : nullptr;
    if (master == nullptr || master->addresses.client.empty()) return std::nullopt;
    Topology topology{.master = instance_of(routing, *master, master->addresses.client),
                      .voters = view.membership.voters(),
                      .quorum = view.membership.quorum(),
                      .epoch = view.epoch};
    topology.master.down = !known;
    for (const Member& member : view.membership.members) {
        const bool is_self = member.id == view.self;
        const core::PeerView* peer = find_peer(view, member.id);
        if (member.votes() && (is_self || (peer != nullptr && peer->connected))) ++topology.reachable_voters;
        if (member.holds_data() && member.id != master->id && !member.addresses.client.empty())
            topology.slaves.push_back(slave_of(routing, member));
        if (!is_self && !member.addresses.sentinel.empty())
            topology.sentinels.push_back(instance_of(routing, member, member.addresses.sentinel));
    }
    return topology;
}

void Watch::refresh() {
    auto now = topology_of(routing_, topology_ ? std::optional(topology_->master.id) : std::nullopt);
    if (!now) return;  // a membership that no longer has the last known master: told again once a master is heard
    const auto before = std::exchange(topology_, std::move(now));
    if (before) tell_changes(*before, *topology_);
}

void Watch::tell_changes(const Topology& before, const Topology& now) {
    const bool switched = before.master.name() != now.master.name();
    if (!before.master.down && now.master.down) {
        tell_master("+sdown", now);
        tell_master("+odown", now, fmt::format(" #quorum {}/{}", now.reachable_voters, now.quorum));
    } else if (!switched && before.master.down && !now.master.down) {
        tell_master("-sdown", now);
        tell_master("-odown", now);
    }
    if (switched) {
        publish_("+switch-master", fmt::format("{} {} {} {} {}", name_, before.master.address.host, before.master.address.port,
                                               now.master.address.host, now.master.address.port));
    }
    for (const Instance& slave : now.slaves) {
        const auto same = std::ranges::find(before.slaves, slave.id, &Instance::id);
        const bool is_new = switched || same == before.slaves.end();
        const bool was_down = !is_new && same->down;
        if (is_new) tell("+slave", now, "slave", slave);
        if (slave.down != was_down) tell(slave.down ? "+sdown" : "-sdown", now, "slave", slave);
    }
    for (const Instance& other : now.sentinels) {
        const auto same = std::ranges::find(before.sentinels, other.id, &Instance::id);
        if (same == before.sentinels.end()) tell("+sentinel", now, "sentinel", other);
        const bool was_down = same != before.sentinels.end() && same->down;
        if (other.down != was_down) tell(other.down ? "+sdown" : "-sdown", now, "sentinel", other);
    }
}

void Watch::tell(std::string_view event, const Topology& topology, std::string_view kind, const Instance& instance) {
    const std::string id = kind == "sentinel" ? sentinel_id(routing_.view().cluster, instance.id) : instance.name();
    publish_(event, fmt::format("{} {} {} {} @ {} {} {}", kind, id, instance.address.host, instance.address.port, name_,
                                topology.master.address.host, topology.master.address.port));
}

void Watch::tell_master(std::string_view event, const Topology& topology, std::string_view detail) {
    publish_(event, fmt::format("master {} {} {}{}", name_, topology.master.address.host, topology.master.address.port, detail));
}

std::string sentinel_id(ClusterId cluster, MemberId id) {
    return fmt::format("{:016x}{:08x}{:016x}", cluster.value, id.node.value, id.incarnation.value);
}

}  // namespace tanist::server::sentinel

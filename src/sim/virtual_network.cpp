// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_network.h"

#include <algorithm>
#include <variant>

#include "base/ensure.h"

namespace tanist::sim {
namespace {

constexpr Duration kDialTimeout = 1s;
constexpr Duration kSilenceBreaks = 3s;  ///< a connection whose data is not acknowledged for so long is given up
constexpr Duration kWatchEvery = 250ms;
constexpr Duration kBackOffMin = 20ms, kBackOffMax = 500ms;

std::size_t entry_bytes(const core::Message& message, bool of_fetches_too) {
    const auto* append = std::get_if<core::Append>(&message.body);
    const auto* fetched = of_fetches_too ? std::get_if<core::FetchReply>(&message.body) : nullptr;
    if (append == nullptr && fetched == nullptr) return 0;
    std::size_t bytes = 0;
    for (const Entry& entry : append != nullptr ? append->entries : fetched->entries) bytes += entry.size();
    return bytes;
}

}  // namespace

VirtualNetwork::VirtualNetwork(World& world, const Plan& plan) : world_(world), plan_(plan.network), random_(random_for(plan.seed, 2)) {
    for (const NodePlan& node : plan.nodes) {
        ends_[node.node];
        for (const NodePlan& other : plan.nodes) {
            if (other.node == node.node) continue;
            sides_[{node.node, other.node}];
            connections_[ordered(node.node, other.node)];
        }
    }
    watch_silence();
}

Duration VirtualNetwork::delay() {
    const auto low = static_cast<std::uint64_t>(plan_.delay_min.count()), high = static_cast<std::uint64_t>(plan_.delay_max.count());
    // Mostly near the lower end, as on a real network.
    const std::uint64_t drawn = low + std::min(random_.below(high - low + 1), random_.below(high - low + 1));
    return Duration(static_cast<Duration::rep>(drawn)) * slowness_;
}

Duration VirtualNetwork::back_off(const Side& s) {
    const Duration longest = std::min(kBackOffMax, kBackOffMin * (1 << std::min(s.attempts, 10U)));
    return longest / 2 + Duration(static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(longest.count() / 2))));
}

bool VirtualNetwork::passes(NodeId from, NodeId to) {
    const bool blocked = from != to && side(from, to).blocked;
    return !blocked && ends_[from].state != HostState::kDark && ends_[to].state != HostState::kDark;
}

bool VirtualNetwork::connected(NodeId from, NodeId to) { return side(from, to).up; }

// -- processes ---------------------------------------------------------------------------------------------------------------------

void VirtualNetwork::set_state(NodeId node, HostState state) {
    End& end = ends_[node];
    end.state = state;
    ++end.process;
    for (const auto& [peer, unused] : ends_) {
        if (peer == node) continue;
        Side& mine = side(node, peer);
        const bool was_up = mine.up;
        close(mine);
        mine.dialling = false;
        mine.attempts = 0;
        if (was_up && state == HostState::kNoProcess) tell_reset(node, peer);
        if (state == HostState::kListening) release_held(peer, node);  // they meet a process that knows nothing of them
    }
}

void VirtualNetwork::close(Side& s) {
    s.up = false;
    s.heard = false;
    s.held.clear();
    s.held_bytes = 0;
    s.unheard_since = 0us;
}

// -- connections -------------------------------------------------------------------------------------------------------------------

void VirtualNetwork::connect_all(NodeId from) {
    for (const auto& [to, unused] : ends_) {
        if (to != from) dial(from, to, false);
    }
}

void VirtualNetwork::dial(NodeId from, NodeId to, bool evidence) {
    Side& mine = side(from, to);
    if (mine.up || mine.dialling || ends_[from].state != HostState::kListening) return;
    mine.dialling = true;
    mine.evidence = evidence;
    const std::uint64_t process = ends_[from].process;
    if (!open_both_ways(from, to)) {
        world_.after(kDialTimeout, [=, this] { dial_failed(from, to, process, core::Loss::kTimeout); });
        return;
    }
    world_.after(delay(), [=, this] {
        if (ends_[from].process == process) arrive_dial(from, to);
    });
}

void VirtualNetwork::arrive_dial(NodeId from, NodeId to) {
    const std::uint64_t process = ends_[from].process;
    if (!open_both_ways(from, to)) {
        world_.after(kDialTimeout, [=, this] { dial_failed(from, to, process, core::Loss::kTimeout); });
        return;
    }
    const Duration back = delay();
    if (refused_.contains(ordered(from, to)) || ends_[to].state != HostState::kListening) {
        world_.after(back, [=, this] { dial_failed(from, to, process, core::Loss::kRefused); });
        return;
    }
    Side& theirs = side(to, from);
    if (theirs.up && side(from, to).up) {  // both dialled at once, and the other one's connection stands
        side(from, to).dialling = false;
        return;
    }
    const std::uint64_t number = ++connection(from, to);
    if (theirs.up) {  // an old one, of which the dialler has already learned that it is gone
        close(theirs);
        ends_[to].listener->on_lost(from, core::Loss::kReset);
    }
    theirs.dialling = theirs.evidence = false;
    theirs.up = true;
    theirs.attempts = 0;
    for (Side* s : {&theirs, &side(from, to)}) {
        s->arrives_last = s->urgent_arrives_last = world_.now() + back;
        s->entries_sent = Instant{0};
    }
    world_.note("net: {} accepts {}", to.value, from.value);
    const std::uint64_t their_process = ends_[to].process;
    ends_[to].listener->on_connected(from);
    world_.after(back, [=, this] {
        if (ends_[from].process != process || connection(from, to) != number) return;
        Side& mine = side(from, to);
        mine.dialling = false;
        mine.up = true;
        mine.attempts = 0;
        ends_[from].listener->on_connected(to);
        if (ends_[to].process != their_process) tell_reset(to, from);
    });
}

void VirtualNetwork::dial_failed(NodeId from, NodeId to, std::uint64_t process, core::Loss loss) {
    Side& mine = side(from, to);
    if (ends_[from].process != process || !mine.dialling) return;
    mine.dialling = false;
    if (mine.up) return;  // by the other side's dial
    if (mine.evidence) {
        world_.note("net: {} finds {} {}", from.value, to.value, loss == core::Loss::kRefused ? "refusing" : "unreachable");
        ends_[from].listener->on_lost(to, loss);
    }
    dial_later(from, to);
}

void VirtualNetwork::dial_later(NodeId from, NodeId to) {
    Side& mine = side(from, to);
    const std::uint64_t process = ends_[from].process;
    const Duration wait = back_off(mine);
    ++mine.attempts;
    world_.after(wait, [=, this] {
        if (ends_[from].process == process) dial(from, to, false);
    });
}

void VirtualNetwork::tell_reset(NodeId peer, NodeId node) {
    if (!passes(peer, node)) return;  // learned by silence, or by sending
    const std::uint64_t process = ends_[node].process, number = connection(peer, node);
    world_.after(delay(), [=, this] {
        if (ends_[node].process == process && connection(peer, node) == number) lose(node, peer, core::Loss::kReset);
    });
}

void VirtualNetwork::lose(NodeId node, NodeId peer, core::Loss loss) {
    Side& mine = side(node, peer);
    if (!mine.up) return;
    const bool before_hello = !mine.heard && mine.evidence && loss == core::Loss::kReset;
    close(mine);
    world_.note("net: {} loses {} loss={}", node.value, peer.value, static_cast<int>(before_hello ? core::Loss::kRefused : loss));
    ends_[node].listener->on_lost(peer, before_hello ? core::Loss::kRefused : loss);
    if (loss == core::Loss::kReset && !before_hello) {
        dial(node, peer, true);
    } else {
        dial_later(node, peer);
    }
}

void VirtualNetwork::disconnect(NodeId from, NodeId to) {
    Side& mine = side(from, to);
    if (!mine.up) return;
    close(mine);
    tell_reset(from, to);
    dial_later(from, to);
}

/// Ends connections on which something was sent and nothing gets through: the shells' own time-out.
void VirtualNetwork::watch_silence() {
    for (auto& [pair, s] : sides_) {
        if (s.up && s.unheard_since != 0us && world_.now() - s.unheard_since > kSilenceBreaks)
            lose(pair.first, pair.second, core::Loss::kTimeout);
    }
    world_.after(kWatchEvery, [this] { watch_silence(); });
}

// -- messages ------------------------------------------------------------------------------------------------------------------------

void VirtualNetwork::send(NodeId from, NodeId to, core::Message message) {
    Side& mine = side(from, to);
    if (!mine.up) return;
    if (!passes(from, to)) {
        if (mine.unheard_since == 0us) mine.unheard_since = world_.now();
        if (!plan_.streams) return;
        const std::size_t bytes = entry_bytes(message, plan_.fetches_are_narrow);
        mine.held_bytes += bytes;
        held_bytes_max_ = std::max(held_bytes_max_, mine.held_bytes);
        mine.held.push_back({std::move(message), bytes});
        return;
    }
    if (plan_.streams) {
        transmit(from, to, std::move(message), 0us);
        return;
    }
    if (random_.chance(plan_.loss, 10'000)) {
        world_.note("net: lost {} -> {} kind={}", from.value, to.value, message.body.index());
        return;
    }
    Duration extra{0};
    if (random_.chance(plan_.reorder, 10'000))
        extra = Duration(static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(plan_.reorder_by.count()))));
    if (random_.chance(plan_.duplicate, 10'000)) transmit(from, to, message, extra + delay());
    transmit(from, to, std::move(message), extra);
}

/// When the last byte of what is sent now is on the wire.
Instant VirtualNetwork::carried_at(Side& from, const core::Message& message) const {
    if (plan_.entry_bytes_per_ms == 0) return world_.now();
    const Duration takes(static_cast<Duration::rep>(1000 * entry_bytes(message, plan_.fetches_are_narrow) / plan_.entry_bytes_per_ms));
    from.entries_sent = std::max(from.entries_sent, world_.now()) + takes;
    return from.entries_sent;
}

void VirtualNetwork::transmit(NodeId from, NodeId to, core::Message message, Duration extra) {
    Side& mine = side(from, to);
    Instant when = world_.now() + delay() + extra;
    if (plan_.streams && core::lane_of(message.body) == core::Lane::kUrgent) {
        when = std::max(when, mine.urgent_arrives_last + 1us);
        mine.urgent_arrives_last = when;
        mine.arrives_last = std::max(mine.arrives_last, when);
    } else if (plan_.streams) {
        when = std::max(carried_at(mine, message) + (when - world_.now()), mine.arrives_last + 1us);
        mine.arrives_last = when;
    } else {
        when = std::max(when, side(to, from).up ? Instant(0) : mine.arrives_last);
    }
    const std::uint64_t number = connection(from, to);
    world_.at(when, [=, this, m = std::move(message)]() mutable { deliver(from, to, number, std::move(m)); });
}

void VirtualNetwork::deliver(NodeId from, NodeId to, std::uint64_t number, core::Message message) {
    if (ends_[to].state == HostState::kDark) return;
    Side& theirs = side(to, from);
    if (connection(from, to) != number) return;
    if (!theirs.up) {  // nobody there who knows this connection
        tell_reset(to, from);
        return;
    }
    theirs.heard = true;
    side(from, to).unheard_since = 0us;
    side(from, to).delivered_last = world_.now();
    ends_[to].listener->on_message(std::move(message));
}

void VirtualNetwork::release_held(NodeId from, NodeId to) {
    Side& mine = side(from, to);
    mine.unheard_since = 0us;
    std::deque<Held> held = std::move(mine.held);
    mine.held.clear();
    mine.held_bytes = 0;
    const Duration retransmission = Duration(static_cast<Duration::rep>(random_.below(200'000)));
    for (Held& h : held) transmit(from, to, std::move(h.message), retransmission);
}

// -- clients ---------------------------------------------------------------------------------------------------------------------------

void VirtualNetwork::post_to_node(NodeId beside, NodeId node, Work arrive, Work refused) {
    const bool cut_off = !beside.is_zero() && beside != node && (side(beside, node).blocked || side(node, beside).blocked);
    if (cut_off || ends_[node].state == HostState::kDark) return;
    if (ends_[node].state == HostState::kNoProcess) {
        world_.after(2 * delay(), std::move(refused));
        return;
    }
    const std::uint64_t process = ends_[node].process;
    world_.after(delay(), [this, node, process, work = std::move(arrive)] {
        if (ends_[node].process == process) work();
    });
}

void VirtualNetwork::post_to_client(NodeId node, NodeId beside, Work arrive) {
    const bool cut_off = !beside.is_zero() && beside != node && side(node, beside).blocked;
    if (!cut_off) world_.after(delay(), std::move(arrive));
}

// -- faults ----------------------------------------------------------------------------------------------------------------------------

void VirtualNetwork::block(NodeId from, NodeId to, bool blocked) {
    Side& s = side(from, to);
    if (s.blocked == blocked) return;
    s.blocked = blocked;
    if (!blocked) release_held(from, to);
}

void VirtualNetwork::refuse(NodeId a, NodeId b, bool refused) {
    if (refused) {
        refused_.insert(ordered(a, b));
        reset(a, b);
    } else {
        refused_.erase(ordered(a, b));
    }
}

void VirtualNetwork::reset(NodeId a, NodeId b) {
    tell_reset(a, b);
    tell_reset(b, a);
}

void VirtualNetwork::heal() {
    for (auto& [pair, s] : sides_) block(pair.first, pair.second, false);
    refused_.clear();
    slowness_ = 1;
    plan_.loss = plan_.duplicate = plan_.reorder = plan_.entry_bytes_per_ms = 0;
    for (auto& [pair, s] : sides_) {
        // What a narrow link has still to carry would arrive long after the healing.
        if (s.entries_sent > world_.now()) reset(pair.first, pair.second);
    }
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// How each fault begins and ends.
#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "sim/simulation.h"

namespace tanist::sim {

void Simulation::begin_or_wait(const Fault& fault) {
    if (fault.waits_for == Moment::kNone) return begin(fault);
    world_.triggers().arm(fault.waits_for, fault.waits_at, fault.times, [this, &fault](NodeId at) {
        Fault& now = triggered_.emplace_back(fault);
        if (now.node.is_zero()) now.node = at;
        if (now.nodes == 0) now.nodes = bit(at);
        world_.note("{} at node {}", to_string(fault.waits_for), at.value);
        // A power cut that counts file operations counts those of this very step; all else comes when the step is over.
        if (now.kind == FaultKind::kDiskCrash) return begin(now);
        world_.after(now.after, [this, &now] {
            if (!healed_) begin(now);
        });
    });
}

void Simulation::begin(const Fault& fault) {
    world_.note("fault {}", describe(fault));
    if (fault.lasts > 0us && world_.trace().prints()) {
        world_.after(fault.lasts, [this, &fault] {
            if (!healed_) world_.print("fault {} [{}] is over", fault.number, to_string(fault.kind));
        });
    }
    world_.coverage().on_fault(fault.kind);
    stability_.on_fault(fault);
    if (is_between_nodes(fault.kind)) return begin_between_nodes(fault);
    if (fault.kind == FaultKind::kSwitchOver) return begin_switchover(fault);
    SimNode* target = fault.node.is_zero() ? master() : &node(fault.node);
    if (target == nullptr) target = nodes_.front().get();
    is_of_medium(fault.kind) ? begin_at_medium(fault, *target) : begin_at_node(fault, *target);
}

void Simulation::begin_at_node(const Fault& fault, SimNode& target) {
    const auto later = [&](auto what) {
        world_.after(fault.lasts, [this, what, &target] {
            if (!healed_) what(target);
        });
    };
    const auto amount = static_cast<std::uint64_t>(fault.amount);
    const auto aimed_at = aim_of(fault);
    switch (fault.kind) {
        case FaultKind::kKill: target.restart_after(fault.lasts); return target.kill();
        case FaultKind::kPowerCut: target.restart_after(fault.lasts); return target.cut_power();
        case FaultKind::kDiskCrash:
            if (fault.amount % 2 == 1) {  // it meets the fault while it starts
                target.restart_after(10ms);
                target.kill();
            }
            target.restart_after(fault.lasts);
            return target.plan_disk_fault(true, amount / 2, aimed_at);
        case FaultKind::kSyncError: target.restart_after(fault.lasts); return target.plan_disk_fault(false, amount, aimed_at);
        case FaultKind::kShutDown: target.restart_after(fault.lasts); return target.shut_down();
        case FaultKind::kPause: target.pause(); return later([](SimNode& n) { n.resume(); });
        case FaultKind::kSlowNode: target.slow_work(Duration(fault.amount)); return later([](SimNode& n) { n.slow_work(0us); });
        case FaultKind::kSlowDisk: target.slow_disk(fault.amount); return later([](SimNode& n) { n.slow_disk(1); });
        case FaultKind::kDiskStall: return target.stall_disk(world_.now() + fault.lasts);
        case FaultKind::kFullDisk: {
            const bool to_the_brim = fault.variant % 4 == 0;  // what a reserve cannot help against: somebody else writes, too
            target.fill_disk(to_the_brim ? 0 : plan_.disk_reserve_bytes() * amount / 100, to_the_brim);
            target.restart_after(fault.lasts);
            return later([](SimNode& n) {
                n.empty_disk();
                n.start();
            });
        }
        case FaultKind::kClockJump: return target.jump_clock(fault.amount);
        default: ENSURE(false);
    }
}

void Simulation::begin_at_medium(const Fault& fault, SimNode& target) {
    if (fault.kind == FaultKind::kForgottenTail) return begin_forgotten_tail(fault, target);
    if (fault.kind == FaultKind::kLostWrite) return target.lose_write(static_cast<std::uint64_t>(fault.amount), fault.variant);
    if (fault.kind == FaultKind::kRotCheckpoint) {
        target.rot_checkpoints(true);
        return world_.after(fault.lasts, [&target] { target.rot_checkpoints(false); });
    }
    if (fault.kind == FaultKind::kRotState) return target.rot_state();
    // A cluster forms of all its nodes: one that cannot tell who it is keeps it from that until somebody empties its disk.
    if (fault.kind == FaultKind::kRotVote && checker_.masters() == 0) return;
    fault.nodes % 4 < 2 ? target.cut_power() : target.kill();
    switch (fault.kind) {
        case FaultKind::kWipe: target.wipe(); break;
        case FaultKind::kDamage:
            switch (fault.amount) {
                case 1: target.rot_entry(checker_.first_unlike_committed(target.id())); break;
                case 2: target.rot_entry(checker_.synced_long_ago(target.id(), fault.variant)); break;
                case 3: target.wreck_log(); break;
                default: target.damage();
            }
            break;
        case FaultKind::kRotVote:
            target.rot_votes(fault.variant);
            if (fault.variant / 4 % 4 == 0) target.damage();  // one disk, in two places
            break;
        case FaultKind::kLostState: target.lose_state(); break;
        default: ENSURE(false);
    }
    world_.after(fault.lasts, [this, &target] {
        if (!healed_) target.start();
    });
}

NodeSet Simulation::majority_with(NodeId victim, std::uint32_t variant) const {
    std::vector<NodeId> voters;
    for (const NodePlan& n : plan_.nodes) {
        if (n.role != core::ConfiguredRole::kSpare && n.node != victim) voters.push_back(n.node);
    }
    std::ranges::rotate(voters, voters.begin() + static_cast<std::ptrdiff_t>(variant % voters.size()));
    NodeSet chosen = bit(victim);
    for (std::size_t i = 0; i < (voters.size() + 1) / 2; ++i) chosen |= bit(voters[i]);
    return chosen;
}

/// What etcd does not survive: those that miss the last writes must not take the victim's word for it that there were none (S9).
void Simulation::begin_forgotten_tail(const Fault& fault, SimNode& victim) {
    const NodeSet majority = majority_with(victim.id(), fault.variant / 2);
    const Duration goes_on =
        fault.amount < 0 ? Duration(-fault.amount) : 4 * plan_.election_timeout() + std::chrono::milliseconds(fault.amount);
    split(majority, goes_on, false, NodeId{});
    world_.after(goes_on, [this, &fault, &victim, majority] {
        if (healed_) return;
        world_.note("node {} forgets, and meets those that never knew", victim.id().value);
        for (const auto& n : nodes_) {
            if (!contains(majority, n->id())) continue;
            n->restart_after(n.get() == &victim ? 10ms : fault.lasts);
            fault.variant % 2 == 0 ? n->cut_power() : n->kill();
        }
        victim.forget_tail(plan_.scenario.empty() ? Forgotten::kEnd : static_cast<Forgotten>(fault.nodes));
    });
}

void Simulation::begin_switchover(const Fault& fault) {
    SimNode* asked = master() != nullptr ? master() : nodes_.front().get();
    if (plan_.seed >= kFirstSeedOfMore && plan_.scenario.empty() && fault.number % 3 == 0) {
        asked = nodes_[fault.number / 3 % nodes_.size()].get();
        world_.note("node {} is asked for it", asked->id().value);
    }
    asked->switch_over(fault.node.is_zero() ? std::nullopt : std::optional(fault.node));
}

void Simulation::begin_between_nodes(const Fault& fault) {
    NodeSet side = fault.nodes;
    if (side == 0) side = bit(master() != nullptr ? master()->id() : nodes_.front()->id());
    switch (fault.kind) {
        case FaultKind::kSlowNetwork:
            network_.set_slowness(fault.amount);
            return world_.after(fault.lasts, [this] { network_.set_slowness(1); });
        case FaultKind::kPartition: return split(side, fault.lasts, false, NodeId{});
        case FaultKind::kOneWay: return split(side, fault.lasts, true, NodeId{});
        case FaultKind::kBridge: return split(side, fault.lasts, false, fault.node);
        case FaultKind::kFlapping: {
            const Duration each = std::chrono::milliseconds(fault.amount);
            for (Duration from{0}; from < fault.lasts; from += 2 * each) {
                world_.after(from, [this, side, each] {
                    if (!healed_) split(side, each, false, NodeId{});
                });
            }
            return;
        }
        default: break;
    }
    for (const NodePlan& a : plan_.nodes) {
        for (const NodePlan& b : plan_.nodes) {
            if (!contains(side, a.node) || contains(side, b.node)) continue;
            if (fault.kind == FaultKind::kReset) {
                network_.reset(a.node, b.node);
                continue;
            }
            network_.refuse(a.node, b.node, true);
            world_.after(fault.lasts, [this, a, b] { network_.refuse(a.node, b.node, false); });
        }
    }
}

void Simulation::split(NodeSet side, Duration lasts, bool one_way, NodeId bridge) {
    const auto block = [&](NodeId from, NodeId to) {
        if (++blocks_[{from, to}] == 1) network_.block(from, to, true);
        world_.after(lasts, [this, from, to] {
            if (!healed_ && --blocks_[{from, to}] == 0) network_.block(from, to, false);
        });
    };
    for (const NodePlan& a : plan_.nodes) {
        for (const NodePlan& b : plan_.nodes) {
            if (!contains(side, a.node) || contains(side, b.node) || a.node == bridge || b.node == bridge) continue;
            block(a.node, b.node);
            if (!one_way) block(b.node, a.node);
        }
    }
}

void Simulation::heal() {
    world_.note("everything is healed");
    healed_ = true;
    world_.triggers().disarm();
    network_.heal();
    for (const auto& n : nodes_) {
        n->calm();
        n->resume();
        n->start();
        if (plan_.nodes.size() == 1 && n->given_up()) repair_by_hand(*n);
    }
    for (const auto& client : clients_) client->finish();
    world_.after(plan_.election_timeout() * 4, [this] { begin_new_reign_for_doubt(); });
}

void Simulation::repair_by_hand(SimNode& only_voter) {
    repaired_by_hand_ = true;
    only_voter.cut_log_by_hand();
}

void Simulation::begin_new_reign_for_doubt() {
    const bool any = std::ranges::any_of(
        nodes_, [](const auto& n) { return n->current() != nullptr && n->current()->node().view().health == core::Health::kInDoubt; });
    if (!any || master() == nullptr) return;
    world_.note("a log is still in doubt: the master is started again");
    master()->restart_after(20ms);
    master()->kill();
}

}  // namespace tanist::sim

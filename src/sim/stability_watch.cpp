// SPDX-License-Identifier: Apache-2.0
#include "sim/stability_watch.h"

#include <algorithm>

namespace tanist::sim {
namespace {

bool is_voter(const NodePlan& node) { return node.role != core::ConfiguredRole::kSpare; }

/// Whether it does nothing to a master but keep others from hearing it: such a fault is seen by whose paths work.
bool only_parts(FaultKind kind) {
    switch (kind) {
        case FaultKind::kKill:
        case FaultKind::kPowerCut:
        case FaultKind::kPause:
        case FaultKind::kClockJump:
        case FaultKind::kPartition:
        case FaultKind::kOneWay:
        case FaultKind::kBridge:
        case FaultKind::kReset: return true;
        default: return false;
    }
}

}  // namespace

void StabilityWatch::on_fault(const Fault& fault) {
    // A damaged log may be settled by inquiries, whose epochs end a reign that the inquirer does not hear (S9).
    const bool is_of_log =
        fault.kind == FaultKind::kDamage || fault.kind == FaultKind::kForgottenTail || fault.kind == FaultKind::kLostWrite;
    if (is_of_log) unsteady_until_ = Instant::max();
    if (only_parts(fault.kind)) return;
    Duration settles = 4 * plan_.election_timeout();
    if (fault.kind == FaultKind::kSlowNetwork) settles += fault.amount * plan_.network.delay_max;  // what was sent last is under way
    unsteady_until_ = std::max(unsteady_until_, world_.now() + fault.lasts + settles);
}

void StabilityWatch::note_paths(std::span<const std::unique_ptr<SimNode>> nodes) {
    const auto takes_part = [&](const SimNode& node) { return node.running() && !node.paused() && !node.outcast(); };
    for (const auto& a : nodes) {
        for (const auto& b : nodes) {
            Instant& since = works_since_.try_emplace({a->id(), b->id()}, world_.now()).first->second;
            const bool works = takes_part(*a) && takes_part(*b) && network_.passes(a->id(), b->id()) && network_.passes(b->id(), a->id());
            since = works ? std::max({since, a->up_since(), b->up_since()}) : world_.now();
        }
    }
}

bool StabilityWatch::is_heard_by_majority(NodeId master, Instant since) const {
    const auto hears = [&](const NodePlan& n) { return n.node == master || works_since_.at({n.node, master}) <= since; };
    const auto voters = std::ranges::count_if(plan_.nodes, is_voter);
    return works_since_.at({master, master}) <= since &&
           2 * std::ranges::count_if(plan_.nodes, [&](const NodePlan& n) { return is_voter(n) && hears(n); }) > voters;
}

void StabilityWatch::watch(std::span<const std::unique_ptr<SimNode>> nodes) {
    note_paths(nodes);
    for (const auto& n : nodes) {
        const replica::Replica* replica = n->current();
        if (replica == nullptr || replica->node().role() != core::Role::kMaster) continue;
        const Epoch epoch = replica->node().epoch();
        if (master_ && epoch <= master_->second) continue;
        const Instant since = world_.now() - std::min(world_.now(), 3 * plan_.election_timeout());
        const bool steady = plan_.network.streams && unsteady_until_ < world_.now() && since > Instant(0);
        const bool is_another = master_ && master_->first != n->id();     // the same one stepped down by itself, for whatever reason
        const bool is_next = master_ && epoch == master_->second.next();  // otherwise somebody stood in between, and it is long ago
        if (is_another && is_next && steady && is_heard_by_majority(master_->first, since)) {
            return world_.fail("node {} became master of epoch {}, though a majority heard node {}, the master of epoch {}, all the time",
                               n->id().value, epoch.value, master_->first.value, master_->second.value);
        }
        master_ = {n->id(), epoch};
    }
}

}  // namespace tanist::sim

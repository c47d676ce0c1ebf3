// SPDX-License-Identifier: Apache-2.0
// Holds that a master whom a majority of voters hears is not deposed: not by a broken link, nor by nodes that hear nobody (S13).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "sim/plan.h"
#include "sim/sim_node.h"
#include "sim/virtual_network.h"
#include "sim/world.h"

namespace tanist::sim {

class StabilityWatch {
public:
    StabilityWatch(World& world, VirtualNetwork& network, const Plan& plan) : world_(world), network_(network), plan_(plan) {}

    /// From now on, until the fault is over, a master may be deposed for other reasons than being unheard.
    void on_fault(const Fault& fault);
    /// To be called often: at most a heartbeat apart.
    void watch(std::span<const std::unique_ptr<SimNode>> nodes);

private:
    using Pair = std::pair<NodeId, NodeId>;

    void note_paths(std::span<const std::unique_ptr<SimNode>> nodes);
    [[nodiscard]] bool is_heard_by_majority(NodeId master, Instant since) const;

    World& world_;
    VirtualNetwork& network_;
    const Plan& plan_;
    Instant unsteady_until_{0};
    std::map<Pair, Instant> works_since_;  ///< both run, and messages pass both ways
    std::optional<std::pair<NodeId, Epoch>> master_;
};

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// One history from its plan: the cluster forms, is loaded and hurt, is healed, and must then make progress and agree.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/clients.h"
#include "sim/cluster_checker.h"
#include "sim/plan.h"
#include "sim/sim_node.h"
#include "sim/stability_watch.h"
#include "sim/virtual_network.h"
#include "sim/world.h"

namespace tanist::sim {

struct Report {
    std::uint64_t seed = 0;
    std::optional<std::string> failure;
    Instant failed_at{0};
    std::uint64_t trace_hash = 0, events = 0;
    Duration simulated{0};
    Lsn committed;
    std::uint64_t masters = 0, switchovers = 0;  ///< of these, those that came to their end
    ClientStatistics clients;
    KeyHistories::Verdict histories;
    Coverage coverage;
};

class Simulation {
public:
    Simulation(Plan plan, bool print_trace);
    [[nodiscard]] Report run();

private:
    struct Outage {
        Instant since{0};  ///< a master was seen without a majority first
        Epoch epoch;       ///< of which it is master
        bool counting = false;
    };

    void begin_or_wait(const Fault& fault);
    void begin(const Fault& fault);
    void begin_at_node(const Fault& fault, SimNode& node);
    void begin_at_medium(const Fault& fault, SimNode& node);
    void begin_forgotten_tail(const Fault& fault, SimNode& victim);
    void begin_switchover(const Fault& fault);
    void begin_between_nodes(const Fault& fault);
    /// Nothing passes from `side` to the others, nor back unless `one_way`; `bridge` sees both sides.
    void split(NodeSet side, Duration lasts, bool one_way, NodeId bridge);
    /// Of the voters `victim` and a majority with it.
    [[nodiscard]] NodeSet majority_with(NodeId victim, std::uint32_t variant) const;
    void heal();
    /// What only a person may do (S27): the corrupt log of an only voter is cut. It is another history from there on, in which what
    /// clients were told before counts no longer.
    void repair_by_hand(SimNode& only_voter);
    /// A log of which no mark can be read is settled by a new reign (S9): so one begins.
    void begin_new_reign_for_doubt();
    [[nodiscard]] bool clients_are_finished() const;
    void demand_progress();
    void watch();
    void watch_masters();
    void watch_queues();
    [[nodiscard]] SimNode* master() const;
    [[nodiscard]] SimNode& node(NodeId id) const;
    /// Since when no majority of the voters runs and exchanges messages with it; nullopt: one does.
    [[nodiscard]] std::optional<Instant> alone_since(const SimNode& master, Instant noticed);
    [[nodiscard]] bool agree(std::string* why) const;
    void check_counters();
    [[nodiscard]] KeyHistories::Verdict check_histories();

    Plan plan_;
    World world_;
    VirtualNetwork network_;
    ClusterChecker checker_;
    std::vector<std::unique_ptr<SimNode>> nodes_;
    KeyHistories histories_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::map<NodeId, Outage> outages_;
    StabilityWatch stability_{world_, network_, plan_};
    std::deque<Fault> triggered_;                      ///< those whose moment has come, as they were begun
    std::map<std::pair<NodeId, NodeId>, int> blocks_;  ///< by how many faults a path is blocked
    bool healed_ = false, done_ = false, repaired_by_hand_ = false;
};

/// Draws and runs the history of a seed.
[[nodiscard]] Report simulate(Plan plan, bool print_trace);
[[nodiscard]] inline Report simulate(std::uint64_t seed, bool print_trace) { return simulate(draw_plan(seed), print_trace); }

}  // namespace tanist::sim

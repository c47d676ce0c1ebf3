// SPDX-License-Identifier: Apache-2.0
#include "sim/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/ensure.h"
#include "sim/scenario.h"

namespace tanist::sim {
namespace {

using core::ConfiguredRole;

constexpr std::array<std::string_view, kFaultKinds> kNames = {
    "kill",      "power_cut",  "disk_crash", "sync_error", "shut_down", "pause",          "slow_node",    "slow_disk",      "disk_stall",
    "full_disk", "clock_jump", "partition",  "flapping",   "one_way",   "bridge",         "slow_network", "reset",          "refuse",
    "wipe",      "damage",     "rot_vote",   "lost_state", "rot_state", "rot_checkpoint", "lost_write",   "forgotten_tail", "switch_over"};

struct Topology {
    std::uint32_t weight;
    std::uint32_t voters, witnesses, spares;
};
constexpr std::array kTopologies = {
    Topology{2, 1, 0, 0}, Topology{10, 3, 0, 0}, Topology{4, 5, 0, 0}, Topology{3, 2, 1, 0}, Topology{2, 3, 0, 1}, Topology{1, 3, 2, 1},
};

/// How often a kind comes, and how long and how strong it may be.
struct FaultShape {
    FaultKind kind;
    std::uint32_t weight;
    Duration lasts_min, lasts_max;
    std::int64_t amount_min, amount_max;
};
constexpr std::array kShapes = {
    FaultShape{FaultKind::kKill, 8, 10ms, 3s, 0, 0},
    FaultShape{FaultKind::kPowerCut, 8, 50ms, 4s, 0, 0},
    FaultShape{FaultKind::kDiskCrash, 10, 10ms, 3s, 0, 40},
    FaultShape{FaultKind::kSyncError, 2, 10ms, 2s, 0, 20},
    FaultShape{FaultKind::kShutDown, 2, 10ms, 2s, 0, 0},
    FaultShape{FaultKind::kPause, 6, 20ms, 4s, 0, 0},
    FaultShape{FaultKind::kSlowDisk, 3, 500ms, 4s, 5, 100},
    FaultShape{FaultKind::kDiskStall, 3, 200ms, 4s, 0, 0},
    FaultShape{FaultKind::kClockJump, 2, 0ms, 0ms, -100'000, 100'000},
    FaultShape{FaultKind::kPartition, 10, 50ms, 4s, 0, 0},
    FaultShape{FaultKind::kOneWay, 5, 50ms, 4s, 0, 0},
    FaultShape{FaultKind::kBridge, 3, 200ms, 4s, 0, 0},
    FaultShape{FaultKind::kSlowNetwork, 3, 200ms, 3s, 5, 300},
    FaultShape{FaultKind::kReset, 4, 0ms, 0ms, 0, 0},
    FaultShape{FaultKind::kRefuse, 3, 50ms, 2s, 0, 0},
    FaultShape{FaultKind::kWipe, 1, 50ms, 2s, 0, 0},
    FaultShape{FaultKind::kDamage, 3, 10ms, 3s, 0, 0},
};
/// Those that came later: they are drawn by themselves, so that the histories of older seeds stay what they are.
constexpr std::array kMoreShapes = {
    FaultShape{FaultKind::kSlowNode, 3, 200ms, 4s, 200, 5000},    FaultShape{FaultKind::kFullDisk, 3, 500ms, 4s, 60, 99},
    FaultShape{FaultKind::kFlapping, 4, 200ms, 4s, 5, 400},       FaultShape{FaultKind::kDiskCrash, 4, 10ms, 3s, 0, 0},
    FaultShape{FaultKind::kSyncError, 1, 10ms, 2s, 0, 0},         FaultShape{FaultKind::kDamage, 2, 10ms, 3s, 0, 0},
    FaultShape{FaultKind::kRotVote, 2, 10ms, 3s, 0, 0},           FaultShape{FaultKind::kLostState, 2, 10ms, 3s, 0, 0},
    FaultShape{FaultKind::kRotCheckpoint, 2, 3s, 12s, 0, 0},      FaultShape{FaultKind::kLostWrite, 3, 0ms, 0ms, 0, 40},
    FaultShape{FaultKind::kForgottenTail, 3, 100ms, 4s, 0, 3000}, FaultShape{FaultKind::kRotState, 2, 0ms, 0ms, 0, 0},
};
template <class Range, class Weight>
std::size_t draw_weighted(Random& random, const Range& range, Weight weight) {
    std::uint64_t sum = 0;
    for (const auto& item : range) sum += weight(item);
    std::uint64_t at = random.below(sum);
    std::size_t index = 0;
    for (const auto& item : range) {
        if (at < weight(item)) return index;
        at -= weight(item);
        ++index;
    }
    ENSURE(false);
    return 0;
}

Duration draw(Random& random, Duration low, Duration high) {
    return Duration(
        static_cast<Duration::rep>(random.between(static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count()))));
}
template <class T, std::size_t N>
T one_of(Random& random, const std::array<T, N>& values) {
    return values[random.below(N)];
}

void draw_nodes(Plan& plan, Random& random) {
    const Topology& topology = kTopologies[draw_weighted(random, kTopologies, [](const Topology& t) { return t.weight; })];
    const std::uint32_t total = topology.voters + topology.witnesses + topology.spares;
    for (std::uint32_t i = 0; i < total; ++i) {
        NodePlan node{.node = {i + 1}};
        if (i >= topology.voters) node.role = i < topology.voters + topology.witnesses ? ConfiguredRole::kWitness : ConfiguredRole::kSpare;
        if (random.chance(1, 3)) node.drift_ppm = static_cast<std::int32_t>(random.between(0, 20'000)) - 10'000;
        plan.nodes.push_back(node);
    }
    // Ids say nothing about roles: any data node may be the one that stands first, and the lowest id may be a witness.
    for (std::size_t i = plan.nodes.size(); i > 1; --i) std::swap(plan.nodes[i - 1].role, plan.nodes[random.below(i)].role);
    std::vector<std::size_t> data_voters;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        if (plan.nodes[i].role == ConfiguredRole::kSlave) data_voters.push_back(i);
    }
    plan.nodes[data_voters[random.below(data_voters.size())]].role = ConfiguredRole::kMaster;
}

void draw_times(Plan& plan, Random& random) {
    plan.election_timeout_ticks = one_of(random, std::array<std::uint32_t, 4>{30, 50, 100, 100});
    plan.heartbeat_ticks = std::max<std::uint32_t>(1, plan.election_timeout_ticks / one_of(random, std::array<std::uint32_t, 3>{4, 5, 10}));
    plan.wal_stall_ticks = 2 * plan.election_timeout_ticks;
    plan.promotion_pull_ticks = plan.election_timeout_ticks / 2;
    if (random.chance(1, 4)) plan.append_bytes_max = one_of(random, std::array<std::size_t, 2>{300, 4096});
    if (random.chance(1, 4)) plan.inflight_bytes_max = one_of(random, std::array<std::size_t, 2>{1000, 16384});
    if (random.chance(1, 3)) plan.tail_bytes_max = one_of(random, std::array<std::size_t, 3>{0, 2000, 65536});
}

void draw_network(Plan& plan, Random& random) {
    NetworkPlan& network = plan.network;
    network.streams = random.chance(1, 2);
    network.delay_max = one_of(random, std::array<Duration, 4>{200us, 1000us, 5000us, 20'000us});
    if (network.streams) return;
    if (random.chance(2, 3)) network.loss = static_cast<std::uint32_t>(random.between(1, 500));
    if (random.chance(2, 3)) network.duplicate = static_cast<std::uint32_t>(random.between(1, 1000));
    if (random.chance(2, 3)) network.reorder = static_cast<std::uint32_t>(random.between(1, 2000));
    network.reorder_by = one_of(random, std::array<Duration, 3>{5ms, 50ms, 2s});
}

void draw_disk(Plan& plan, Random& random) {
    DiskPlan& disk = plan.disk;
    disk.sync_max = one_of(random, std::array<Duration, 4>{150us, 500us, 5000us, 30'000us});
    disk.segment_bytes = one_of(random, std::array<std::uint64_t, 3>{32 << 10, 64 << 10, 256 << 10});
    disk.retention_bytes = one_of(random, std::array<std::uint64_t, 3>{0, 128 << 10, 1 << 20});
    disk.flush_bytes = one_of(random, std::array<std::uint64_t, 3>{2 << 10, 32 << 10, 1 << 20});
}

void draw_load(Plan& plan, Random& random) {
    LoadPlan& load = plan.load;
    load.clients = static_cast<std::uint32_t>(random.between(1, 6));
    load.pipeline = one_of(random, std::array<std::uint32_t, 4>{1, 1, 2, 5});
    load.think_max = one_of(random, std::array<Duration, 4>{10ms, 40ms, 100ms, 300ms});
    load.keys = static_cast<std::uint32_t>(random.between(1, 12));
    load.counters = static_cast<std::uint32_t>(random.between(1, 3));
    load.value_bytes_max = one_of(random, std::array<std::uint32_t, 4>{8, 64, 400, 2000});
    for (std::uint32_t* weight :
         {&load.puts, &load.deletes, &load.compare_and_sets, &load.increments, &load.batches, &load.reads, &load.scans}) {
        if (random.chance(1, 4)) *weight = static_cast<std::uint32_t>(random.between(0, 10));
    }
    if (random.chance(1, 4)) load.level_master = 8;
    if (random.chance(1, 4)) load.level_all = 8;
    if (random.chance(1, 4)) load.session_lifetime_ms = random.between(500, 5000);
    load.without_session = one_of(random, std::array<std::uint32_t, 3>{0, 10, 50});
    load.patience = one_of(random, std::array<Duration, 3>{100ms, 500ms, 2s});
    load.increments = std::max<std::uint32_t>(load.increments, 1);  // something must be written, or there is no progress to demand
}

void draw_more_load(Plan& plan, Random& random) {
    LoadPlan& load = plan.load;
    // Some histories know few levels.
    for (std::uint32_t* weight : {&load.level_master, &load.level_all, &load.read_stale, &load.read_session, &load.read_linearizable}) {
        if (random.chance(1, 5)) *weight = 0;
    }
    if (load.read_stale + load.read_session + load.read_linearizable == 0) load.read_linearizable = 1;
}

/// One side of a split: any set of nodes but none and all.
NodeSet draw_side(const Plan& plan, Random& random) {
    if (random.chance(1, 3)) return 0;  // the master, whoever that is then
    const std::uint64_t splits = (std::uint64_t{1} << plan.nodes.size()) - 2;
    return static_cast<NodeSet>(random.between(1, splits)) << 1;
}

void draw_faults(Plan& plan, Random& random, Instant from, Instant to) {
    // Swarm: each history has its own mix, and some have none of most kinds.
    std::array<std::uint32_t, kShapes.size()> weights{};
    for (std::size_t i = 0; i < kShapes.size(); ++i) {
        if (random.chance(1, 2)) weights[i] = kShapes[i].weight * static_cast<std::uint32_t>(random.between(1, 4));
    }
    const bool alone = plan.nodes.size() == 1;
    for (std::size_t i = 0; i < kShapes.size(); ++i) {
        const bool between_nodes = is_between_nodes(kShapes[i].kind);
        if (alone && (between_nodes || is_of_medium(kShapes[i].kind))) weights[i] = 0;
    }
    if (std::ranges::all_of(weights, [](std::uint32_t w) { return w == 0; })) weights[0] = 1;
    const Duration gap = one_of(random, std::array<Duration, 4>{100ms, 400ms, 1000ms, 2500ms});
    bool spoiled = false;
    for (Instant at = from + draw(random, 0us, gap); at < to; at += draw(random, 0us, 2 * gap)) {
        const FaultShape& shape = kShapes[draw_weighted(random, weights, [](std::uint32_t w) { return w; })];
        Fault fault{.at = at, .kind = shape.kind};
        fault.lasts = draw(random, shape.lasts_min,
                           random.chance(1, 2) ? shape.lasts_min + (shape.lasts_max - shape.lasts_min) / 8 : shape.lasts_max);
        fault.amount =
            shape.amount_min + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(shape.amount_max - shape.amount_min) + 1));
        if (!random.chance(1, 3)) fault.node = plan.nodes[random.below(plan.nodes.size())].node;
        if (!alone) fault.nodes = draw_side(plan, random);
        if (shape.kind == FaultKind::kBridge && fault.node.is_zero()) fault.node = plan.nodes.front().node;
        if (is_of_medium(shape.kind)) {
            if (spoiled) continue;  // one disk a history: a minority, whatever the topology
            spoiled = true;
        }
        plan.faults.push_back(fault);
    }
}

/// Disks that may be spoiled: fewer than half of the voters', so that committed data survive whatever happens to them.
class Spoiling {
public:
    explicit Spoiling(const Plan& plan) {
        const auto voters =
            static_cast<std::size_t>(std::ranges::count_if(plan.nodes, [](const NodePlan& n) { return n.role != ConfiguredRole::kSpare; }));
        left_ = (voters - 1) / 2;
        for (const Fault& fault : plan.faults) {
            if (!is_of_medium(fault.kind)) continue;
            spoiled_ |= fault.node.is_zero() ? ~NodeSet{0} : bit(fault.node);  // whoever is master then: it may be anybody
            left_ = fault.node.is_zero() ? 0 : left_ - std::min<std::size_t>(left_, 1);
        }
    }
    /// Takes the fault on one of them. False: it must not happen.
    bool take(Fault& fault, const Plan& plan, Random& random) {
        if (fault.node.is_zero()) fault.node = plan.nodes[random.below(plan.nodes.size())].node;  // the same one in every run
        const auto node = std::ranges::find(plan.nodes, fault.node, &NodePlan::node);
        const bool is_spare = node->role == ConfiguredRole::kSpare;
        if (contains(spoiled_, fault.node) || (!is_spare && left_ == 0)) return false;
        if (fault.kind == FaultKind::kForgottenTail && is_spare) return false;
        spoiled_ |= bit(fault.node);
        if (!is_spare) --left_;
        return true;
    }

private:
    std::size_t left_ = 0;
    NodeSet spoiled_ = 0;
};

void draw_more_faults(Plan& plan, Random& random, Instant from, Instant to) {
    const bool alone = plan.nodes.size() == 1;
    std::array<std::uint32_t, kMoreShapes.size()> weights{};
    for (std::size_t i = 0; i < kMoreShapes.size(); ++i) {
        const bool needs_others = is_between_nodes(kMoreShapes[i].kind) || is_of_medium(kMoreShapes[i].kind);
        const bool in_the_mix = random.chance(1, 2);
        if (in_the_mix && !(alone && needs_others)) weights[i] = kMoreShapes[i].weight;
    }
    if (std::ranges::all_of(weights, [](std::uint32_t w) { return w == 0; })) return;
    const Duration gap = one_of(random, std::array<Duration, 3>{400ms, 1000ms, 2500ms});
    Spoiling spoiling(plan);
    for (Instant at = from + draw(random, 0us, gap); at < to; at += draw(random, 0us, 2 * gap)) {
        const FaultShape& shape = kMoreShapes[draw_weighted(random, weights, [](std::uint32_t w) { return w; })];
        Fault fault{.at = at, .kind = shape.kind};
        fault.lasts = draw(random, shape.lasts_min, shape.lasts_max);
        fault.amount = static_cast<std::int64_t>(
            random.between(static_cast<std::uint64_t>(shape.amount_min), static_cast<std::uint64_t>(shape.amount_max)));
        fault.variant = static_cast<std::uint32_t>(random.between(1, 1 << 16));
        if (!random.chance(1, 3)) fault.node = plan.nodes[random.below(plan.nodes.size())].node;
        if (!alone) fault.nodes = draw_side(plan, random);
        if (is_of_medium(shape.kind) && !spoiling.take(fault, plan, random)) continue;
        plan.faults.push_back(fault);
    }
}

/// Most clients have no session, and count: what is executed twice, or though it was refused, shows.
void draw_load_of_handovers(Plan& plan, Random& random) {
    plan.load.clients = 6;
    plan.load.pipeline = one_of(random, std::array<std::uint32_t, 3>{1, 2, 5});
    plan.load.think_max = one_of(random, std::array<Duration, 2>{10ms, 40ms});
    plan.load.patience = one_of(random, std::array<Duration, 2>{500ms, 2s});
    plan.load.increments = 20;
    plan.load.without_session = 90;
}

/// By plan, not by chance: a stream of their own, so that the faults of a seed stay what they are.
void draw_switchovers(Plan& plan, Random& random, Instant from, Instant to, bool many) {
    if (plan.nodes.size() == 1 || (!many && random.chance(1, 2))) return;
    const Duration gap = many ? 150ms : one_of(random, std::array<Duration, 3>{150ms, 800ms, 3000ms});
    for (Instant at = from + draw(random, 0us, gap); at < to; at += draw(random, 10ms, 2 * gap)) {
        Fault switchover{.at = at, .kind = FaultKind::kSwitchOver};
        if (random.chance(1, 2)) switchover.node = plan.nodes[random.below(plan.nodes.size())].node;
        plan.faults.push_back(switchover);
    }
}

}  // namespace

std::string_view to_string(FaultKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

Plan draw_plan(std::uint64_t seed) {
    Random random = random_for(seed, 1);
    Plan plan{.seed = seed};
    draw_nodes(plan, random);
    draw_times(plan, random);
    draw_network(plan, random);
    draw_disk(plan, random);
    draw_load(plan, random);
    const Instant from = random.chance(1, 6) ? 0ms : 3 * plan.election_timeout();  // seldom does a cluster form under faults
    plan.quiet_from = from + draw(random, 3s, 12s);
    draw_faults(plan, random, from, plan.quiet_from - 200ms);
    Random planned = random_for(seed, 4);
    const bool hands_over = seed >= kFirstSeedOfHandovers && seed < kFirstScenarioSeed;
    if (hands_over) draw_load_of_handovers(plan, planned);
    draw_switchovers(plan, planned, from, plan.quiet_from, hands_over);
    if (seed >= kFirstSeedOfMore) {
        Random more = random_for(seed, 6);
        draw_more_load(plan, more);
        draw_more_faults(plan, more, from, plan.quiet_from - 200ms);
    }
    // By all that a fault is, so that the order is one whatever the library's way of sorting.
    std::ranges::sort(plan.faults, {},
                      [](const Fault& f) { return std::tuple(f.at, f.kind, f.node, f.nodes, f.lasts, f.amount, f.variant); });
    for (std::size_t i = 0; i < plan.faults.size(); ++i) plan.faults[i].number = static_cast<std::uint32_t>(i + 1);
    Random narrow = random_for(seed, 5);
    if (plan.network.streams && narrow.chance(1, 3))
        plan.network.entry_bytes_per_ms = one_of(narrow, std::array<std::uint32_t, 3>{5, 50, 1000});
    if (seed >= kFirstScenarioSeed) {
        Random directed = random_for(seed, 7);
        plan.scenario = make_scenario(plan, directed);
    }
    plan.forwards = seed >= kFirstSeedOfForwarding && seed < kFirstScenarioSeed;
    // The bound on liveness: held connections time out and are dialled again (4 s), a log is caught up or a copy made, sessions
    // that expired are made anew; and elections, which may split more than once.
    plan.end = plan.quiet_from + 8s + 12 * plan.election_timeout();
    return plan;
}

std::string describe(const Plan& plan) {
    std::string roles;
    for (const NodePlan& node : plan.nodes) roles.push_back("?msPw"[static_cast<std::size_t>(node.role)]);
    const std::string scenario = plan.scenario.empty() ? "" : fmt::format("scenario=\"{}\" ", plan.scenario);
    return scenario + fmt::format(
                          "nodes={} network={} loss={} duplicate={} reorder={} delay_us={} entry_bytes_per_ms={} sync_us={} election_ms={} "
                          "clients={}x{} "
                          "faults={} seconds={:.1f}",
                          roles, plan.network.streams ? "streams" : "datagrams", plan.network.loss, plan.network.duplicate,
                          plan.network.reorder, plan.network.delay_max.count(), plan.network.entry_bytes_per_ms, plan.disk.sync_max.count(),
                          plan.election_timeout().count() / 1000, plan.load.clients, plan.load.pipeline, plan.faults.size(),
                          static_cast<double>(plan.quiet_from.count()) / 1e6);
}

}  // namespace tanist::sim

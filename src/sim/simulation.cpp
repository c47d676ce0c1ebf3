// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"

namespace tanist::sim {
namespace {

constexpr std::uint64_t kEventsMax = 20'000'000;  ///< a history that never ends is a failure too
constexpr Duration kWatchEvery = 20ms;
constexpr std::uint64_t kStepsOfAKeyMax = 200'000;  ///< of the search for an order; most histories need a thousandth of it
constexpr std::size_t kEntryBytesMax = 1 << 16;     ///< more than any batch of the clients here makes
constexpr std::size_t kFillBytesMax = 4 << 20;      ///< more than any log here has
constexpr std::size_t kPendingMax = 20'000;         ///< of one node: questions, proposals, writes, messages that wait
/// A master that is cut off notices within one election timeout (S16): this is for ticks, pauses that just ended, and watching.
constexpr Duration kStepDownSlack = 100ms;

}  // namespace

Simulation::Simulation(Plan plan, bool print_trace)
    : plan_(std::move(plan)), world_(print_trace), network_(world_, plan_), checker_(world_, plan_) {
    for (const NodePlan& self : plan_.nodes) nodes_.push_back(std::make_unique<SimNode>(world_, network_, checker_, plan_, self));
    for (std::uint32_t i = 1; i <= plan_.load.clients; ++i) {
        clients_.push_back(std::make_unique<Client>(
            world_, network_, checker_, plan_, i, histories_,
            [this](NodeId to, Question question, Reply reply) { node(to).ask(std::move(question), std::move(reply)); }));
    }
}

SimNode& Simulation::node(NodeId id) const {
    const auto at = std::ranges::find(nodes_, id, &SimNode::id);
    ENSURE(at != nodes_.end());
    return **at;
}

SimNode* Simulation::master() const {
    SimNode* found = nullptr;
    for (const auto& n : nodes_) {
        const replica::Replica* replica = n->current();
        if (replica == nullptr || replica->node().role() != core::Role::kMaster) continue;
        if (found == nullptr || replica->node().epoch() > found->current()->node().epoch()) found = n.get();
    }
    return found;
}

Report Simulation::run() {
    world_.note("seed {}: {}", plan_.seed, describe(plan_));
    Random random = random_for(plan_.seed, 3);
    for (const auto& n : nodes_) world_.after(Duration(static_cast<Duration::rep>(random.below(100'000))), [&n] { n->start(); });
    for (const auto& client : clients_) client->start();
    for (const Fault& fault : plan_.faults) world_.at(fault.at, [this, &fault] { begin_or_wait(fault); });
    world_.at(plan_.quiet_from, [this] { heal(); });
    watch();
    while (!world_.failure() && world_.now() < plan_.end && !done_) {
        if (!world_.run_one()) break;
        if (world_.events() > kEventsMax) world_.fail("the history does not end: {} events", kEventsMax);
    }
    if (!world_.failure()) demand_progress();
    const KeyHistories::Verdict histories = check_histories();
    Report report{.seed = plan_.seed,
                  .failure = world_.failure(),
                  .failed_at = world_.now(),
                  .trace_hash = world_.trace().hash(),
                  .events = world_.events()};
    report.simulated = world_.now();
    report.committed = checker_.committed();
    report.masters = checker_.masters();
    report.coverage = world_.coverage();
    report.histories = histories;
    for (const auto& n : nodes_) report.switchovers += n->switchovers_done();
    for (const auto& client : clients_) {
        const ClientStatistics& s = client->statistics();
        report.clients.asked += s.asked, report.clients.done += s.done, report.clients.refused += s.refused,
            report.clients.unknown += s.unknown;
        report.clients.retries += s.retries, report.clients.stale_tokens += s.stale_tokens, report.clients.expired += s.expired;
    }
    return report;
}

// -- faults ------------------------------------------------------------------------------------------------------------------------

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
    // A cluster forms of all its nodes: one that cannot tell who it is keeps it from that until somebody empties its disk.
    if (fault.kind == FaultKind::kRotVote && checker_.masters() == 0) return;
    fault.nodes % 4 < 2 ? target.cut_power() : target.kill();
    switch (fault.kind) {
        case FaultKind::kWipe: target.wipe(); break;
        case FaultKind::kDamage:
            fault.amount == 1 ? target.rot_entry(checker_.first_unlike_committed(target.id())) : target.damage();
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
    }
    for (const auto& client : clients_) client->finish();
    world_.after(plan_.election_timeout() * 4, [this] { begin_new_reign_for_doubt(); });
}

void Simulation::begin_new_reign_for_doubt() {
    const bool any = std::ranges::any_of(
        nodes_, [](const auto& n) { return n->current() != nullptr && n->current()->node().view().health == core::Health::kInDoubt; });
    if (!any || master() == nullptr) return;
    world_.note("a log is still in doubt: the master is started again");
    master()->restart_after(20ms);
    master()->kill();
}

// -- watching ----------------------------------------------------------------------------------------------------------------------

void Simulation::watch() {
    watch_masters();
    watch_queues();
    stability_.watch(nodes_);
    done_ = healed_ && std::ranges::all_of(clients_, [](const auto& client) { return client->finished(); }) && agree(nullptr);
    world_.after(kWatchEvery, [this] { watch(); });
}

std::optional<Instant> Simulation::alone_since(const SimNode& master, Instant noticed) {
    std::size_t voters = 0, reached = 0;
    Instant since = noticed;
    for (const NodePlan& plan : plan_.nodes) {
        if (plan.role == core::ConfiguredRole::kSpare) continue;
        ++voters;
        const SimNode& other = node(plan.node);
        const bool works = other.running() && !other.paused();
        if (plan.node == master.id() || (works && network_.passes(master.id(), plan.node) && network_.passes(plan.node, master.id()))) {
            ++reached;
        } else {
            since = std::max(since, network_.arrived_last(plan.node, master.id()));
        }
    }
    if (2 * reached > voters) return std::nullopt;
    return since;
}

/// S16: who has no majority for an election timeout is no master any more.
void Simulation::watch_masters() {
    const Duration bound = plan_.election_timeout() + plan_.election_timeout() / 20 + kStepDownSlack;  // its clock may be slow by 1 %
    for (const auto& n : nodes_) {
        Outage& outage = outages_[n->id()];
        const replica::Replica* replica = n->current();
        const bool reigns = replica != nullptr && !n->paused() && !n->is_slow() && replica->node().role() == core::Role::kMaster;
        if (reigns && (!outage.counting || outage.epoch != replica->node().epoch())) {
            outage = {.since = world_.now(), .epoch = replica->node().epoch(), .counting = true};
        }
        const auto alone = reigns ? alone_since(*n, outage.since) : std::nullopt;
        outage.counting = alone.has_value();
        if (alone && world_.now() - *alone > bound) {
            world_.fail("node {} is master of epoch {} without a majority for {} ms", n->id().value, outage.epoch.value,
                        (world_.now() - *alone) / 1ms);
        }
        const Duration stall_limit = std::chrono::milliseconds(plan_.tick_ms) * (plan_.wal_stall_ticks + plan_.wal_stall_ticks / 20);
        if (reigns && n->log_silence() > stall_limit + kStepDownSlack) {
            world_.fail("node {} is master of epoch {}, and its log has reported nothing for {} ms", n->id().value, outage.epoch.value,
                        n->log_silence() / 1ms);
        }
    }
}

void Simulation::watch_queues() {
    for (const auto& n : nodes_) {
        if (!n->paused() && n->pending() > kPendingMax) world_.fail("node {} has {} things waiting", n->id().value, n->pending());
        const replica::Replica* replica = n->current();
        if (replica == nullptr) continue;
        const core::Holding held = replica->node().holding();
        const std::size_t sent_max = plan_.inflight_bytes_max + plan_.append_bytes_max + kEntryBytesMax;
        if (held.in_flight > sent_max) world_.fail("node {} has {} bytes in flight to one member", n->id().value, held.in_flight);
        // What is not durable yet is what a master has sent, or what clients wait for.
        if (held.tail > plan_.tail_bytes_max + sent_max) world_.fail("node {} holds {} bytes of its log", n->id().value, held.tail);
        if (held.fill > kFillBytesMax) world_.fail("node {} holds {} bytes to repair its log with", n->id().value, held.fill);
    }
}

// -- the end -----------------------------------------------------------------------------------------------------------------------

namespace {

std::string_view describe(core::Health health) {
    switch (health) {
        case core::Health::kForming: return "forming";
        case core::Health::kUp: return "up";
        case core::Health::kCatchingUp: return "catching up";
        case core::Health::kCopying: return "copying";
        case core::Health::kInDoubt: return "in doubt";
        case core::Health::kQuarantined: return "quarantined";
    }
    return "";
}

}  // namespace

bool Simulation::agree(std::string* why) const {
    const Lsn committed = checker_.committed();
    const auto disagrees = [&](const SimNode& n, std::string text) {
        if (why != nullptr) *why = fmt::format("node {} {}", n.id().value, text);
        return false;
    };
    if (master() == nullptr) return disagrees(*nodes_.front(), "and all others see no master");
    const core::View view = master()->current()->node().view();
    for (const auto& n : nodes_) {
        if (n->given_up() || n->outcast()) continue;  // it stays out until it is admitted again (S1)
        const replica::Replica* replica = n->current();
        if (replica == nullptr) return disagrees(*n, "does not run");
        const auto plan = std::ranges::find(plan_.nodes, n->id(), &NodePlan::node);
        const Lsn reached =
            plan->role == core::ConfiguredRole::kWitness ? replica->node().commit() : replica->state().position().applied.lsn;
        const auto seen = std::ranges::find(view.peers, n->id(), [](const core::PeerView& p) { return p.id.node; });
        const bool is_well = seen == view.peers.end() || seen->health == core::Health::kUp;
        if (!is_well)
            return disagrees(*n, fmt::format("is not well to its master: {}", seen->health ? describe(*seen->health) : "not heard"));
        if (reached < committed) return disagrees(*n, fmt::format("has reached lsn={} of {}", reached.value, committed.value));
    }
    return true;
}

void Simulation::demand_progress() {
    std::string why;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        if (clients_[i]->finished()) continue;
        return world_.fail("no progress: client {} waits for an answer {} ms after everything was healed", i + 1,
                           (world_.now() - plan_.quiet_from) / 1ms);
    }
    if (!agree(&why))
        return world_.fail("no agreement {} ms after everything was healed: {}", (world_.now() - plan_.quiet_from) / 1ms, why);
    check_counters();
}

/// Each acknowledged increment counted once, and each of unknown outcome at most once: by what the clients were told alone.
void Simulation::check_counters() {
    std::map<std::string, CounterTally> sum;
    for (const auto& client : clients_) {
        for (const auto& [key, tally] : client->counters()) {
            CounterTally& all = sum[key];
            all.acknowledged += tally.acknowledged;
            all.unknown += tally.unknown;
            for (const auto& [value, times] : tally.values) all.values[value] += times;
        }
    }
    for (const auto& n : nodes_) {
        const auto plan = std::ranges::find(plan_.nodes, n->id(), &NodePlan::node);
        if (n->given_up() || n->outcast() || plan->role == core::ConfiguredRole::kWitness) continue;
        for (const auto& [key, tally] : sum) {
            const auto stored = n->current()->state().get(key);
            ENSURE(stored.has_value());
            const std::uint64_t count = *stored ? std::stoull((*stored)->value) : 0;
            if (count < tally.acknowledged || count > tally.acknowledged + tally.unknown) {
                return world_.fail("node {} counts {} for {}: {} increments were acknowledged, {} have an unknown outcome", n->id().value,
                                   count, key, tally.acknowledged, tally.unknown);
            }
            for (const auto& [value, times] : tally.values) {
                if (times > 1) return world_.fail("{} increments of {} were answered {}", times, key, value);
            }
        }
    }
}

/// Also of a history that failed otherwise, whose clients were left waiting.
KeyHistories::Verdict Simulation::check_histories() {
    for (const auto& client : clients_) client->note_unanswered();
    KeyHistories::Verdict verdict = histories_.check(kStepsOfAKeyMax);
    if (verdict.violation && !world_.failure()) world_.fail("{}", *verdict.violation);
    return verdict;
}

Report simulate(Plan plan, bool print_trace) {
    Simulation simulation(std::move(plan), print_trace);
    return simulation.run();
}

}  // namespace tanist::sim

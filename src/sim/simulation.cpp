// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "core/recovery/fetch.h"

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
        clients_.push_back(
            std::make_unique<Client>(world_, network_, checker_, plan_, i, histories_, [this](NodeId to, Question question, Reply reply) {
                if (!repaired_by_hand_) node(to).ask(std::move(question), std::move(reply));
            }));
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

// -- watching ----------------------------------------------------------------------------------------------------------------------

void Simulation::watch() {
    watch_masters();
    watch_queues();
    stability_.watch(nodes_);
    done_ = healed_ && clients_are_finished() && agree(nullptr);
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
        if (held.tail > plan_.tail_bytes_max + kEntryBytesMax) world_.fail("node {} holds {} bytes of its log", n->id().value, held.tail);
        if (held.unsynced > std::max<std::size_t>(sent_max, core::kFetchBytesMax + kEntryBytesMax))
            world_.fail("node {} holds {} bytes that are not durable", n->id().value, held.unsynced);
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

bool Simulation::clients_are_finished() const {
    if (repaired_by_hand_) return master() != nullptr && master()->current()->node().open();
    return std::ranges::all_of(clients_, [](const auto& client) { return client->finished(); });
}

void Simulation::demand_progress() {
    std::string why;
    if (repaired_by_hand_) {
        if (!clients_are_finished()) world_.fail("no progress: the only voter, repaired by hand, takes no writes");
        return;
    }
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

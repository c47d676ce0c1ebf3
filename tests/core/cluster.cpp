// SPDX-License-Identifier: Apache-2.0
#include "tests/core/cluster.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"

namespace tanist::core::testing {

// -- disk -------------------------------------------------------------------------------------------------------------------------

const Entry* Disk::find(Lsn lsn) const {
    if (lsn <= base.lsn || lsn > last() || unreadable.contains(lsn)) return nullptr;
    return &log[lsn.value - base.lsn.value - 1];
}

EntryId Disk::id_of(Lsn lsn) const {
    if (lsn == base.lsn) return base;
    return log.at(lsn.value - base.lsn.value - 1).id();
}

void Disk::truncate(Lsn keep) {
    ENSURE(keep >= base.lsn);
    if (keep < last()) log.resize(keep.value - base.lsn.value);
    unreadable.erase(unreadable.upper_bound(keep), unreadable.end());
    durable = last();
    mark = {id_of(last()), id_of(last())};
    written_intent = mark.intent;
}

// -- the cluster ------------------------------------------------------------------------------------------------------------------

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)), random_(options_.seed) {
    const std::size_t count = options_.roles.size();
    std::vector<ConfiguredNode> configured;
    for (std::size_t i = 1; i <= count; ++i) configured.push_back({{i}, fmt::format("node{}:7501", i)});
    for (std::size_t i = 1; i <= count; ++i) {
        TestNode n;
        n.id = {i};
        n.options = {.cluster_name = "test",
                     .role = options_.roles[i - 1],
                     .addresses = {.peer = fmt::format("node{}:7501", i)},
                     .configured = configured,
                     .heartbeat_ticks = options_.heartbeat_ticks,
                     .election_timeout_ticks = options_.election_timeout_ticks,
                     .wal_stall_ticks = 4 * options_.election_timeout_ticks,
                     .promotion_pull_ticks = options_.election_timeout_ticks / 2,
                     .append_bytes_max = options_.append_bytes_max,
                     .tail_bytes_max = options_.tail_bytes_max};
        n.disk.identity.id = {{i}, {100 * i}};
        nodes_.push_back(std::move(n));
    }
    for (std::size_t i = 1; i <= count; ++i) start({i});
}

StartState Cluster::judge(Disk& disk) {
    StartState start;
    start.identity = disk.identity;
    start.vote = disk.vote;
    start.pristine = disk.pristine;
    start.base = disk.base;
    start.mark = disk.mark;
    Lsn bad = disk.last().next();
    if (!disk.unreadable.empty()) bad = *disk.unreadable.begin();
    if (disk.slots_unreadable)
        start.tail = Tail::kUnbounded;
    else if (bad <= disk.mark.confirmed.lsn)
        start.tail = Tail::kCorrupt;
    else if (bad <= disk.mark.intent.lsn)
        start.tail = Tail::kInDoubt;
    else if (bad <= disk.last())
        start.tail = Tail::kTorn;
    if (start.tail == Tail::kTorn || start.tail == Tail::kClean) {
        disk.truncate(bad.previous());  // copied, synced, with a mark that says so
        start.mark = disk.mark;
    }
    start.last = disk.id_of(bad.previous());
    for (Lsn lsn = disk.base.lsn.next(); lsn <= disk.last(); lsn = lsn.next()) {
        const Entry* entry = disk.find(lsn);
        if (entry == nullptr) continue;
        if (lsn > bad) {
            start.behind_hole.push_back(entry->id());
            continue;
        }
        if (start.epochs.empty() || start.epochs.back().epoch != entry->epoch()) start.epochs.push_back({entry->epoch(), lsn});
        if (entry->kind() == EntryKind::kMembership) start.memberships.push_back(*entry);
        start.last_timestamp = entry->timestamp();
    }
    disk.applied = disk.stored;
    start.applied = disk.applied;
    start.applied_timestamp = disk.applied_timestamp;
    start.applied_membership = disk.membership;
    start.tail_where = "test.wal:0";
    return start;
}

void Cluster::start(NodeId id) {
    TestNode& n = at(id);
    ENSURE(!n.node);
    ++n.life;
    n.connected.clear();
    n.syncing.clear();
    n.node = std::make_unique<Node>(n.options, judge(n.disk), random_.next());
    connect_all();
}

void Cluster::connect_all() {
    for (TestNode& a : nodes_) {
        for (TestNode& b : nodes_) {
            const bool is_open = a.node && b.node && &a != &b && passes(a.id, b.id) && passes(b.id, a.id);
            if (!is_open || !a.connected.insert(b.id).second) continue;
            step(a, PeerConnected{b.id});
        }
    }
}

void Cluster::lose(TestNode& n, NodeId peer, Loss loss) {
    if (n.node && n.connected.erase(peer) != 0) step(n, PeerLost{peer, loss});
}

void Cluster::kill(NodeId id, bool power_cut) {
    TestNode& n = at(id);
    if (!n.node) return;
    if (!power_cut) finish_syncs(n, true);  // the kernel keeps what was written
    n.node.reset();
    n.events.clear();
    for (const std::uint64_t token : std::exchange(n.unanswered, {})) accepted.erase(token);  // its clients lost their connections
    if (power_cut) {
        Disk& d = n.disk;
        const bool slot_written = random_.chance(1, 2);
        if (slot_written) d.mark.intent = d.written_intent;
        bool all_kept = true;
        for (Lsn lsn = d.durable.next(); lsn <= d.last(); lsn = lsn.next()) {
            if (random_.chance(1, 2)) continue;
            d.unreadable.insert(lsn);
            all_kept = false;
        }
        if (!slot_written && !all_kept) d.written_intent = d.mark.intent;
    }
    for (TestNode& other : nodes_) {
        if (&other == &n || !other.connected.contains(id)) continue;
        const bool heard = passes(id, other.id) && passes(other.id, id);
        lose(other, id, heard ? (power_cut ? Loss::kTimeout : Loss::kRefused) : Loss::kTimeout);
    }
    std::erase_if(flying_, [&](const Flying& f) { return f.to == id; });
}

void Cluster::isolate(NodeId id) {
    for (const TestNode& other : nodes_) {
        if (other.id == id) continue;
        cut_.insert({id, other.id});
        cut_.insert({other.id, id});
    }
}

void Cluster::heal() {
    cut_.clear();
    connect_all();
}

void Cluster::destroy(NodeId id, Lsn from, Lsn through) {
    Disk& d = disk(id);
    for (Lsn lsn = std::max(from, d.base.lsn.next()); lsn <= std::min(through, d.last()); lsn = lsn.next()) d.unreadable.insert(lsn);
}

void Cluster::wipe(NodeId id) {
    Disk fresh;
    fresh.identity.id = {id, {disk(id).identity.id.incarnation.value + 1}};
    disk(id) = std::move(fresh);
}

void Cluster::recycle(NodeId id, Lsn base) {
    TestNode& n = at(id);
    Disk& d = n.disk;
    base = std::min({base, d.stored.lsn, n.recycle_through, d.durable});
    if (!n.node || base <= d.base.lsn || !d.unreadable.empty() || d.slots_unreadable) return;
    const EntryId new_base = d.id_of(base);
    d.log.erase(d.log.begin(), d.log.begin() + static_cast<std::ptrdiff_t>(base.value - d.base.lsn.value));
    d.base = new_base;
    step(n, Stored{d.stored.lsn, base});
}

void Cluster::run(std::uint64_t ticks) {
    for (std::uint64_t i = 0; i < ticks; ++i) {
        ++now_;
        for (TestNode& n : nodes_) {
            finish_syncs(n, false);
            if (n.node) step(n, Tick{clock()});
        }
        deliver();
    }
}

void Cluster::tick(NodeId id, std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
        ++now_;
        step(at(id), Tick{clock()});
    }
}

void Cluster::deliver() {
    for (;;) {
        const auto next = std::ranges::min_element(flying_, {}, [](const Flying& f) { return std::pair(f.at, f.order); });
        if (next == flying_.end() || next->at > now_) return;
        Flying f = std::move(*next);
        flying_.erase(next);
        TestNode& to = at(f.to);
        if (!to.node || !passes(f.from, f.to)) continue;
        if (to.received.size() < 100'000) to.received.push_back(f.message);
        step(to, PeerMessage{std::move(f.message)});
    }
}

void Cluster::step(TestNode& n, const Event& event) {
    n.events.push_back(event);
    while (n.node && !n.events.empty()) {
        const Event next = std::move(n.events.front());
        n.events.pop_front();
        Actions actions;
        n.node->step(next, actions);
        for (Action& action : actions) {
            if (n.node) perform(n, action);
        }
        if (n.node) check(n);
    }
}

void Cluster::finish_syncs(TestNode& n, bool all) {
    while (!n.syncing.empty() && (all || n.syncing.front().first <= now_)) {
        const WalDurable done = n.syncing.front().second;
        n.syncing.erase(n.syncing.begin());
        Disk& d = n.disk;
        if (done.through <= d.last() && d.unreadable.empty()) {
            if (done.through > d.durable) {
                d.mark = {d.id_of(done.through), d.id_of(d.durable)};
                d.durable = done.through;
            }
        }
        if (n.node && !all) n.events.push_back(done);
    }
}

void Cluster::perform(TestNode& n, Action& action) {
    Disk& d = n.disk;
    std::visit(
        [&]<class A>(A& a) {
            if constexpr (std::is_same_v<A, SaveIdentity>) {
                d.identity = a.identity;
                d.pristine = false;
            } else if constexpr (std::is_same_v<A, SaveVote>) {
                if (d.vote && a.vote.epoch < d.vote->epoch) fail("an epoch went back");
                if (d.vote && a.vote.epoch == d.vote->epoch && !d.vote->candidate.node.is_zero() && d.vote->candidate != a.vote.candidate)
                    fail("S3: two votes in one epoch");
                d.vote = a.vote;
                d.pristine = false;
            } else if constexpr (std::is_same_v<A, ExportRescued>) {
                for (Lsn lsn = a.from; lsn <= a.through; lsn = lsn.next()) {
                    if (d.find(lsn) == nullptr)
                        fail("ExportRescued names an entry that cannot be read");
                    else
                        d.rescued.push_back(d.find(lsn)->id());
                }
            } else if constexpr (std::is_same_v<A, CutLog>) {
                if (d.slots_unreadable) fail("S9: a cut while the mark is unreadable");
                for (Lsn lsn = a.keep.next(); lsn <= d.last(); lsn = lsn.next()) {
                    if (d.find(lsn) == nullptr || std::ranges::find(d.rescued, d.find(lsn)->id()) == d.rescued.end()) {
                        if (d.find(lsn) != nullptr) fail("S8: cut without an export");
                    }
                }
                d.truncate(a.keep);
                note(n.id, fmt::format("CutLog keep={}", a.keep.value));
            } else if constexpr (std::is_same_v<A, RepairLog>) {
                repair(n, a);
            } else if constexpr (std::is_same_v<A, InstallCopy>) {
                const Disk& donor = at(*n.donor).disk;
                d.applied = d.stored = a.position;
                d.membership = donor.membership;
                if (!a.keep_log) {
                    d.base = a.position;
                    d.log.clear();
                    d.unreadable.clear();
                    d.durable = a.position.lsn;
                    d.mark = {a.position, a.position};
                    d.written_intent = a.position;
                }
                note(n.id, fmt::format("InstallCopy lsn={} keep_log={}", a.position.lsn.value, a.keep_log));
            } else if constexpr (std::is_same_v<A, AppendToWal>) {
                for (const Entry& entry : a.entries) {
                    if (!entry.follows(d.id_of(d.last()))) return fail("an append does not follow the log");
                    if (entry.epoch() > d.vote.value_or(Vote{}).epoch) fail("S3: an entry above the durable epoch");
                    const auto [known, is_new] = created_.try_emplace({entry.epoch(), entry.lsn()}, entry.id());
                    if (!is_new && known->second != entry.id()) fail("log matching: two entries with one epoch and LSN");
                    d.log.push_back(entry);
                }
                d.written_intent = d.id_of(d.last());
                const std::uint64_t later = options_.slow_disks ? random_.below(4) : 0;
                const std::uint64_t due = std::max(now_ + later, n.syncing.empty() ? 0 : n.syncing.back().first);
                n.syncing.push_back({due, WalDurable{a.generation, d.last()}});
                if (!options_.slow_disks) finish_syncs(n, false);
            } else if constexpr (std::is_same_v<A, ReadLog>) {
                std::vector<Entry> entries;
                std::size_t bytes = 0;
                for (Lsn lsn = a.from; lsn <= a.through && d.find(lsn) != nullptr && (entries.empty() || bytes < a.bytes_max);
                     lsn = lsn.next()) {
                    entries.push_back(*d.find(lsn));
                    bytes += entries.back().size();
                }
                if (!entries.empty())
                    n.events.push_back(LogRead{a.token, std::move(entries)});
                else if (a.from <= d.base.lsn)
                    n.events.push_back(LogRead{a.token, tanist::fail(ErrorCode::kRecycled, "recycled")});
                else
                    n.events.push_back(LogRead{a.token, tanist::fail(ErrorCode::kNotFound, "not there")});
            } else if constexpr (std::is_same_v<A, Apply>) {
                on_apply(n, a);
            } else if constexpr (std::is_same_v<A, StartCopy>) {
                n.donor = a.donor;
                TestNode& donor = at(a.donor);
                if (!donor.node)
                    n.events.push_back(CopyReceived{tanist::fail(ErrorCode::kUnavailable, "down"), 0, {}});
                else
                    n.events.push_back(
                        CopyReceived{donor.disk.applied, donor.disk.applied_timestamp, donor.disk.membership.value_or(Membership{})});
            } else if constexpr (std::is_same_v<A, RecycleLog>) {
                n.recycle_through = a.through;
            } else if constexpr (std::is_same_v<A, Send>) {
                if (a.message.header.epoch > d.vote.value_or(Vote{}).epoch) fail("S3: an epoch was sent before it was durable");
                if (a.to.value == 0 || a.to.value > nodes_.size()) return;
                if (!n.connected.contains(a.to) || !passes(n.id, a.to)) return;
                if (random_.below(100) < options_.network.lost_percent) return;
                const int copies = random_.below(100) < options_.network.duplicated_percent ? 2 : 1;
                for (int i = 0; i < copies; ++i) {
                    flying_.push_back({now_ + random_.below(options_.network.delay_ticks_max + 1), ++order_, n.id, a.to, a.message});
                }
            } else if constexpr (std::is_same_v<A, ProposalAccepted>) {
                accepted[a.token] = a.rank;
                n.unanswered.insert(a.token);
                replies[a.token] = "accepted";
            } else if constexpr (std::is_same_v<A, ProposalRefused>) {
                replies[a.token] = fmt::format("refused {} {}", to_string(a.code), a.reason);
                note(n.id, fmt::format("ProposalRefused {} \"{}\"", to_string(a.code), a.reason));
            } else if constexpr (std::is_same_v<A, ProposalOnAll>) {
                replies[a.token] = "on all";
            } else if constexpr (std::is_same_v<A, ProposalUnknown>) {
                replies[a.token] = "unknown";
                note(n.id, fmt::format("ProposalUnknown \"{}\"", a.reason));
            } else if constexpr (std::is_same_v<A, ReadReady>) {
                read_lsns[a.token] = a.lsn;
                replies[a.token] = "ready";
                note(n.id, fmt::format("ReadReady lsn={}", a.lsn.value));
            } else if constexpr (std::is_same_v<A, ReadRefused>) {
                replies[a.token] = "refused";
                note(n.id, fmt::format("ReadRefused {} \"{}\"", to_string(a.code), a.reason));
            } else if constexpr (std::is_same_v<A, SwitchoverEnded>) {
                replies[a.token] = a.master ? fmt::format("switched over to {}", a.master->node.value) : a.master.error().message;
                note(n.id, fmt::format("SwitchoverEnded \"{}\"", replies[a.token]));
            } else if constexpr (std::is_same_v<A, Notice>) {
                note(n.id, fmt::format("Notice \"{}\"", a.text));
            } else if constexpr (std::is_same_v<A, Stop>) {
                note(n.id, fmt::format("Stop {} \"{}\"", a.exit_code, a.reason));
                kill(n.id);
            }
        },
        action);
}

void Cluster::repair(TestNode& n, const RepairLog& action) {
    Disk& d = n.disk;
    Lsn end = d.unreadable.empty() ? d.last() : d.unreadable.begin()->previous();
    if (!action.fill.empty()) {
        const Lsn from = action.fill.front().lsn();
        if (from > end.next() || !action.fill.front().follows(d.id_of(from.previous())))
            return fail("RepairLog does not follow what is good");
        const std::vector<Entry> old = d.log;
        d.log.resize(from.previous().value - d.base.lsn.value);
        for (const Entry& entry : action.fill) d.log.push_back(entry);
        for (std::size_t i = d.log.size(); i < old.size(); ++i) {  // good records behind that chain
            if (d.unreadable.contains(old[i].lsn()) || !old[i].follows(d.log.back().id())) break;
            d.log.push_back(old[i]);
        }
        end = d.last();
        // wal::Log::repair refuses a fill that ends below what the mark claims in the same epoch.
        const bool claims_more = action.fill.back().epoch() <= d.mark.intent.epoch && d.id_of(end).rank() < d.mark.intent.rank();
        if (claims_more) fail("RepairLog ends below the intent");
    }
    d.unreadable.clear();
    d.slots_unreadable = false;
    d.truncate(end);
    note(n.id, fmt::format("RepairLog fill={} last={}", action.fill.size(), end.value));
}

void Cluster::on_apply(TestNode& n, const Apply& apply) {
    Disk& d = n.disk;
    for (const Entry& entry : apply.entries) {
        if (entry.lsn() != d.applied.lsn.next())
            fail(fmt::format("node {} applies lsn {} behind {}", n.id.value, entry.lsn().value, d.applied.lsn.value));
        if (entry.lsn() > d.durable) fail("S7: applied what is not durable");
        const auto [known, is_new] = committed_.try_emplace(entry.lsn(), entry.id());
        if (!is_new && known->second != entry.id())
            fail(fmt::format("node {} applies another entry at lsn {}", n.id.value, entry.lsn().value));
        d.applied = entry.id();
        d.applied_timestamp = entry.timestamp();
        if (entry.kind() == EntryKind::kMembership) d.membership = *decode_membership(entry.payload());
    }
    if (random_.chance(1, 2)) d.stored = d.applied;
    n.events.push_back(Applied{d.applied.lsn});
    n.events.push_back(Stored{d.stored.lsn, d.base.lsn});
}

void Cluster::check(TestNode& n) {
    if (n.node->role() == Role::kMaster) {
        const auto [known, is_new] = masters_.try_emplace(n.node->epoch(), n.disk.identity.id);
        if (!is_new && known->second != n.disk.identity.id) fail(fmt::format("two masters in epoch {}", n.node->epoch().value));
        if (n.node->open()) {
            for (const auto& [lsn, id] : committed_) {  // leader completeness
                if (lsn > n.disk.base.lsn && (lsn > n.disk.last() || n.disk.id_of(lsn) != id))
                    fail(fmt::format("the master of epoch {} lacks the committed lsn {}", n.node->epoch().value, lsn.value));
            }
        }
    }
}

std::uint64_t Cluster::propose(NodeId id, const std::string& payload, bool report_all) {
    const std::uint64_t token = ++tokens_;
    step(at(id), Proposal{.token = token, .payload = payload, .now = clock(), .report_all = report_all});
    return token;
}

std::uint64_t Cluster::read(NodeId id) {
    const std::uint64_t token = ++tokens_;
    step(at(id), ReadRequest{token});
    return token;
}

std::uint64_t Cluster::switch_over(NodeId id, std::optional<NodeId> target) {
    const std::uint64_t token = ++tokens_;
    step(at(id), SwitchoverRequested{token, target});
    return token;
}

std::optional<NodeId> Cluster::master() {
    std::optional<NodeId> found;
    Epoch highest;
    for (TestNode& n : nodes_) {
        if (n.node && n.node->open() && n.node->epoch() >= highest) {
            highest = n.node->epoch();
            found = n.id;
        }
    }
    return found;
}

bool Cluster::settle(std::uint64_t ticks_max) {
    for (std::uint64_t i = 0; i < ticks_max; ++i) {
        run(1);
        const auto id = master();
        if (!id) continue;
        const View view = node(*id).view();
        const bool all_equal = std::ranges::all_of(nodes_, [&](TestNode& n) {
            if (!n.node) return true;
            const View v = n.node->view();
            if (v.health == Health::kForming || v.health == Health::kQuarantined) return true;
            const Member* seat = view.membership.find(v.self);
            const Lsn reached = seat != nullptr && !seat->holds_data() ? v.commit : v.applied;
            return v.health == Health::kUp && reached == view.last.lsn && v.last == view.last;
        });
        if (all_equal) return true;
    }
    return false;
}

std::vector<std::string> Cluster::take_transcript() { return std::exchange(transcript_, {}); }

}  // namespace tanist::core::testing

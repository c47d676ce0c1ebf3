// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace tanist::sim {
namespace {

using core::ConfiguredRole;

/// Writes a scenario down: faults at points in time that are counted in election timeouts, on nodes named by their parts in it.
class Script {
public:
    Script(Plan& plan, Random& random) : plan_(plan), random_(random) { plan_.faults.clear(); }

    /// New nodes, in no order; the first of the voters becomes the master when the cluster forms.
    void cast(std::uint32_t voters, std::uint32_t witnesses) {
        plan_.nodes.clear();
        for (std::uint32_t i = 1; i <= voters + witnesses; ++i) {
            parts_.push_back({i});
            plan_.nodes.push_back({.node = {i}});
        }
        for (std::size_t i = parts_.size(); i > 1; --i) std::swap(parts_[i - 1], parts_[random_.below(i)]);
        for (std::uint32_t i = 0; i < parts_.size(); ++i) {
            plan_.nodes[parts_[i].value - 1].role = i == 0       ? ConfiguredRole::kMaster
                                                    : i < voters ? ConfiguredRole::kSlave
                                                                 : ConfiguredRole::kWitness;
        }
    }
    [[nodiscard]] NodeId part(std::size_t i) const { return parts_[i]; }
    [[nodiscard]] NodeId any_part() { return parts_[random_.below(parts_.size())]; }

    /// So many election timeouts, somewhere between the two.
    [[nodiscard]] Duration timeouts(double low, double high) {
        const auto us = static_cast<double>(plan_.election_timeout().count());
        return between(Duration(static_cast<Duration::rep>(low * us)), Duration(static_cast<Duration::rep>(high * us)));
    }
    [[nodiscard]] Duration between(Duration low, Duration high) {
        const auto from = static_cast<std::uint64_t>(low.count()), to = static_cast<std::uint64_t>(high.count());
        return Duration(static_cast<Duration::rep>(random_.between(from, to)));
    }
    template <class T, std::size_t N>
    [[nodiscard]] T one_of(const std::array<T, N>& values) {
        return values[random_.below(N)];
    }
    [[nodiscard]] bool chance(std::uint32_t of, std::uint32_t in) { return random_.chance(of, in); }

    void add(Instant at, FaultKind kind, NodeId node, Duration lasts, std::int64_t amount = 0) {
        plan_.faults.push_back(
            {.at = at, .kind = kind, .node = node, .nodes = static_cast<NodeSet>(random_.below(4)), .lasts = lasts, .amount = amount});
    }
    void forget(Instant at, NodeId victim, Duration others_stay_away) {
        Fault fault{.at = at, .kind = FaultKind::kForgottenTail, .node = victim, .lasts = others_stay_away};
        fault.nodes = static_cast<NodeSet>(random_.below(3));
        fault.variant = static_cast<std::uint32_t>(random_.between(1, 1 << 16));
        fault.amount = static_cast<std::int64_t>(random_.below(1000));
        plan_.faults.push_back(fault);
    }
    /// Comes when the moment does, from `from` on.
    Fault& wait(Instant from, Moment moment, FaultKind kind, Duration lasts) {
        return plan_.faults.emplace_back(Fault{.at = from, .kind = kind, .lasts = lasts, .waits_for = moment});
    }
    /// `side` 0: whoever is master then, alone.
    void split(Instant at, NodeSet side, Duration lasts, FaultKind kind = FaultKind::kPartition, NodeId bridge = {}) {
        plan_.faults.push_back({.at = at, .kind = kind, .node = bridge, .nodes = side, .lasts = lasts});
    }
    /// Nothing more happens. What a narrow connection still had to carry is gone with it.
    void end(Instant at) {
        if (plan_.network.entry_bytes_per_ms != 0) {
            for (const NodeId node : parts_) split(at - 1us, bit(node), 0ms, FaultKind::kReset);
        }
        // By time, and as they were planned where that is the same; std::stable_sort uses what C++20 has deprecated.
        auto& faults = plan_.faults;
        for (auto next = faults.begin(); next != faults.end(); ++next) {
            std::rotate(std::ranges::upper_bound(faults.begin(), next, next->at, {}, &Fault::at), next, next + 1);
        }
        for (std::size_t i = 0; i < faults.size(); ++i) faults[i].number = static_cast<std::uint32_t>(i + 1);
        plan_.quiet_from = at;
    }
    /// When the cluster has formed and has some entries.
    [[nodiscard]] Instant begin() { return 3 * plan_.election_timeout() + between(100ms, 1500ms); }

    /// Connections as TCP makes them, that carry so few entries in a millisecond.
    void narrow(std::uint32_t bytes_per_ms) {
        plan_.network = {.delay_max = one_of(std::array<Duration, 3>{200us, 1000us, 5000us}), .entry_bytes_per_ms = bytes_per_ms};
        plan_.network.fetches_are_narrow = chance(2, 3);
    }
    /// Small segments, of which none is kept for long.
    void forget_soon() {
        plan_.disk.segment_bytes = 32 << 10;
        plan_.disk.retention_bytes = 0;
        plan_.disk.flush_bytes = 2 << 10;
    }
    void write_much(std::uint32_t value_bytes_max) {
        plan_.load.clients = static_cast<std::uint32_t>(random_.between(3, 6));
        plan_.load.pipeline = one_of(std::array<std::uint32_t, 2>{1, 5});
        plan_.load.think_max = one_of(std::array<Duration, 2>{10ms, 40ms});
        plan_.load.value_bytes_max = value_bytes_max;
        plan_.load.puts = 10;
    }
    /// A master that nobody hears goes on writing, too: clients do not wait for a majority.
    void write_alone() {
        plan_.load.level_master = 10;
        plan_.load.level_quorum = 2;
        plan_.load.pipeline = 30;
        plan_.load.patience = 500ms;
    }
    /// Connections as TCP makes them, and quick.
    void hurry() { plan_.network = {.delay_max = one_of(std::array<Duration, 2>{200us, 1000us})}; }

    Plan& plan_;

private:
    Random& random_;
    std::vector<NodeId> parts_;
};

/// A long tail of an old epoch meets a shorter log of a newer one, whose master is gone (S13, S14); or a hole in it (S9).
void old_tail(Script& s) {
    s.cast(3, 0);
    s.narrow(s.one_of(std::array<std::uint32_t, 3>{2, 10, 50}));
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 400}));
    const Instant parts = s.begin(), dies = parts + s.timeouts(1.2, 4);
    s.split(parts, bit(s.part(0)), dies - parts + s.between(0ms, 100ms));
    s.add(dies, FaultKind::kPowerCut, NodeId{}, s.timeouts(3, 10));
    if (s.chance(1, 2)) s.add(dies + s.between(0ms, 50ms), FaultKind::kDamage, s.part(s.chance(1, 2) ? 1 : 2), s.between(10ms, 200ms));
    s.end(dies + s.timeouts(8, 14));
}

/// Raft's figure 8: a master of a newer epoch brings an old tail to a majority, while a third log has an entry of an epoch between (S6).
void two_tails(Script& s) {
    s.cast(3, 0);
    s.narrow(s.one_of(std::array<std::uint32_t, 3>{1, 2, 5}));
    s.write_much(8);
    s.plan_.append_bytes_max = 300;
    Instant at = s.begin();
    for (int rounds = 2; rounds > 0; --rounds) {
        const Instant second = at + s.timeouts(1, 2.5), dies = second + s.timeouts(1, 4);
        s.split(at, rounds == 2 ? bit(s.part(0)) : 0, second - at);
        s.split(second, 0, dies - second);
        s.add(dies, FaultKind::kPowerCut, NodeId{}, s.timeouts(2, 6));
        at = dies + s.timeouts(6, 9);
    }
    s.end(at);
}

/// One node does not hear its master, or connections are reset, while a majority hears it well; and logs are equal, for there is little
/// to write (S13).
void heard_by_most(Script& s) {
    s.cast(s.one_of(std::array<std::uint32_t, 3>{3, 3, 5}), 0);
    s.plan_.network = {.delay_max = s.one_of(std::array<Duration, 3>{1000us, 5000us, 20'000us})};
    s.plan_.load.clients = 1;
    s.plan_.load.pipeline = 1;
    s.plan_.load.think_max = 300ms;
    Instant at = s.begin();
    for (int rounds = 5; rounds > 0; --rounds) {
        at += s.timeouts(5, 7);
        if (s.chance(1, 2)) {
            s.split(at, bit(s.part(1)), s.timeouts(1.5, 4), FaultKind::kBridge, s.part(2));
        } else {
            Instant reset = at;
            for (std::uint32_t left = s.one_of(std::array<std::uint32_t, 4>{1, 2, 3, 5}); left > 0; --left) {
                s.split(reset, 0, 0ms, FaultKind::kReset);
                reset += s.between(1ms, 40ms);
            }
        }
    }
    s.end(at + s.timeouts(5, 7));
}

/// A data voter is away while the others write more than they keep (S11); it comes back to a full copy, in which something happens to it
/// (S25).
void far_behind(Script& s) {
    const bool has_witness = s.chance(1, 3);
    has_witness ? s.cast(2, 1) : s.cast(3, 0);
    if (s.chance(1, 2)) s.plan_.network = {.delay_max = s.one_of(std::array<Duration, 3>{1000us, 5000us, 20'000us})};
    s.forget_soon();
    s.write_much(2000);
    s.plan_.load.keys = s.one_of(std::array<std::uint32_t, 2>{12, 60});
    Instant at = s.begin();
    for (int rounds = 2; rounds > 0; --rounds) {
        const NodeId away = s.part(1);
        const Instant back = at + s.between(1500ms, 4s);
        if (s.chance(1, 2)) {
            s.split(at, bit(away), back - at);
        } else {
            s.add(at, FaultKind::kPowerCut, away, back - at);
        }
        for (Instant hurt = back + s.between(0ms, 300ms); hurt < back + 1s; hurt += s.between(20ms, 900ms)) {
            switch (s.one_of(std::array<int, 4>{0, 0, 1, 2})) {
                case 0:
                    s.add(hurt, FaultKind::kDiskCrash, away, s.between(10ms, 300ms),
                          static_cast<std::int64_t>(s.between(0us, 80us).count()));
                    break;
                case 1: s.add(hurt, FaultKind::kPause, away, s.between(100ms, 2s)); break;
                default: s.split(hurt, bit(away), s.between(100ms, 1500ms)); break;
            }
        }
        at = back + s.between(2s, 4s);
    }
    s.end(at);
}

/// Entries that a reign left behind on one or two nodes are pulled by others, slowly, while masters come and go (S14, S15).
void slow_pull(Script& s) {
    s.cast(5, 0);
    s.narrow(s.one_of(std::array<std::uint32_t, 3>{2, 5, 20}));
    s.plan_.network.fetches_are_narrow = s.chance(1, 2);
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 400}));
    const Instant parts = s.begin();
    if (s.chance(1, 2)) {  // two have a tail, and one of them dies before anybody else stands
        const Instant dies = parts + s.timeouts(0.3, 0.95);
        s.split(parts, bit(s.part(0)) | bit(s.part(1)), dies - parts + s.between(0ms, 100ms));
        s.add(dies, FaultKind::kPowerCut, s.part(0), s.timeouts(2, 6));
        s.end(dies + s.timeouts(8, 12));
    } else {  // one has a tail, and meets one who knows of the new reign, and has nothing of it
        const Instant meets = parts + s.timeouts(1.2, 3);
        const NodeSet two = bit(s.part(0)) | bit(s.part(1));
        const Duration together = s.timeouts(1, 3);
        s.split(parts, bit(s.part(0)), meets - parts);
        s.split(meets, two, together);
        s.end(meets + together + s.timeouts(6, 10));
    }
}

/// A node is parted from the others again and again, cuts what it wrote alone, and crashes while its log is rewritten (S10).
void cut_and_crash(Script& s) {
    s.cast(3, 0);
    s.plan_.network = {.delay_max = s.one_of(std::array<Duration, 2>{200us, 1000us})};
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 400}));
    s.plan_.disk.segment_bytes = 32 << 10;
    Instant at = s.begin();
    for (int rounds = 6; rounds > 0; --rounds) {
        const Duration alone = s.timeouts(1.2, 2.5);
        const NodeId node = s.any_part();
        s.split(at, bit(node), alone);
        Instant hurt = at + alone;
        for (std::uint32_t left = s.one_of(std::array<std::uint32_t, 3>{1, 2, 3}); left > 0; --left) {
            hurt += s.between(5ms, 600ms);
            s.add(hurt, s.chance(1, 2) ? FaultKind::kKill : FaultKind::kPowerCut, node, s.between(10ms, 100ms));
        }
        at = hurt + s.timeouts(1, 2);
    }
    s.end(at + 1s);
}

/// Deadlines pass while entries wait to be applied, many at once (S22).
void late_deadlines(Script& s) {
    s.cast(3, 0);
    s.write_much(8);
    s.plan_.load.batches = 60;
    Instant at = s.begin();
    for (int rounds = 6; rounds > 0; --rounds) {
        const NodeId node = s.any_part();
        const Duration away = s.between(300ms, 2500ms);
        if (s.chance(1, 2)) {
            s.add(at, FaultKind::kPowerCut, node, away);
        } else {
            s.split(at, bit(node), away);
        }
        at += away + s.timeouts(1, 3);
    }
    s.end(at + 1s);
}

/// The end of one log goes, and those that never had it are the only ones to be met: whatever goes, be it in doubt, corrupt, a whole
/// segment or the head of one, the node must know that it may have held more (S9, S10).
void forgotten_tail(Script& s) {
    s.cast(3, 0);
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 2000}));
    s.plan_.disk.segment_bytes = 32 << 10;
    s.plan_.disk.sync_max = s.one_of(std::array<Duration, 2>{500us, 5000us});
    const Instant at = s.begin();
    s.forget(at, s.part(s.chance(1, 2) ? 0 : 1), s.timeouts(6, 12));
    s.end(at + s.timeouts(16, 20));
}

/// A log without a state needs a copy, and whoever gives one is behind that log (S25).
void state_behind(Script& s) {
    s.cast(3, 0);
    s.forget_soon();
    s.write_much(2000);
    const Instant parts = s.begin(), dies = parts + s.between(1s, 3s);
    s.split(parts, bit(s.part(2)), dies - parts + s.between(0ms, 100ms));
    s.add(dies, FaultKind::kPowerCut, s.part(0), s.timeouts(6, 12));
    s.add(dies + s.between(0ms, 50ms), FaultKind::kLostState, s.part(1), s.between(10ms, 200ms));
    s.end(dies + s.timeouts(14, 18));
}

/// Figure 8 to the letter: who is elected without the old tail is cut off before anybody hears of it; the old tail comes to a majority in
/// a later reign, whose master dies before it has an entry of its own there; and then the first one returns (S6).
void counted_tail(Script& s) {
    s.cast(3, 0);
    if (s.chance(2, 3)) {
        s.narrow(s.one_of(std::array<std::uint32_t, 3>{5, 20, 50}));
        s.plan_.network.fetches_are_narrow = true;  // so that the tail is not pulled before anybody stands
    } else {
        s.hurry();
    }
    s.write_much(64);
    s.write_alone();
    s.plan_.append_bytes_max = 300;
    const Instant parts = s.begin();
    s.split(parts, bit(s.part(0)), s.timeouts(3, 5));
    s.wait(parts, Moment::kStands, FaultKind::kOneWay, s.timeouts(0.5, 0.5));
    s.wait(parts, Moment::kElected, FaultKind::kPartition, s.timeouts(7, 8));
    Fault& dies = s.wait(parts, Moment::kOldAcknowledged, FaultKind::kPowerCut, s.timeouts(10, 12));
    dies.times = s.one_of(std::array<std::uint32_t, 4>{1, 1, 2, 5});
    dies.after = s.between(0us, 2 * s.plan_.network.delay_max + s.plan_.disk.sync_max);
    s.end(parts + s.timeouts(20, 22));
}

/// An old master's long tail meets the one node that has what a newer reign committed, and is shorter (S13, S14).
void longer_and_older(Script& s) {
    s.cast(3, 0);
    s.narrow(s.one_of(std::array<std::uint32_t, 3>{2, 5, 20}));
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{8, 64}));
    s.write_alone();
    const Instant parts = s.begin(), dies = parts + s.timeouts(2.2, 4);
    s.split(parts, bit(s.part(0)), dies - parts + s.between(0ms, 100ms));
    s.add(dies, FaultKind::kPowerCut, NodeId{}, s.timeouts(4, 10));
    s.end(dies + s.timeouts(10, 14));
}

/// A node that knows of a reign and has heard nothing of its master pulls an old tail, and then hears that master (S14).
void pull_within_a_reign(Script& s) {
    s.cast(5, 0);
    s.hurry();
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{8, 64}));
    s.write_alone();
    const Instant parts = s.begin();
    s.split(parts, bit(s.part(0)), s.timeouts(2.5, 4));
    s.wait(parts, Moment::kElected, FaultKind::kPartition, s.timeouts(4, 9)).nodes = bit(s.part(0)) | bit(s.part(1));
    s.end(parts + s.timeouts(16, 18));
}

/// The power goes between a checkpoint that is installed and the log that begins anew behind it (S25).
void crash_in_install(Script& s) {
    s.cast(3, 0);
    s.hurry();
    s.forget_soon();
    s.write_much(2000);
    const NodeId away = s.part(1);
    Instant at = s.begin();
    for (int rounds = 2; rounds > 0; --rounds) {
        const Instant back = at + s.between(2s, 4s);
        s.split(at, bit(away), back - at);
        Fault& crash = s.wait(back, Moment::kInstalled, FaultKind::kDiskCrash, s.between(10ms, 300ms));
        crash.waits_at = away;
        crash.amount = 2 * s.between(0us, 12us).count();
        at = back + s.between(2s, 4s);
    }
    s.end(at);
}

/// The first entry of a reign that nobody heard of rots, where others have committed an older one; and the only node to be met has that,
/// and can not become master (S9).
void hole_where_logs_part(Script& s) {
    s.cast(2, 1);
    s.hurry();
    s.write_much(64);
    s.write_alone();
    const Instant parts = s.begin(), dies = parts + s.timeouts(7, 8.5);
    s.split(parts, bit(s.part(0)), s.timeouts(2.5, 4));
    s.wait(parts, Moment::kStands, FaultKind::kOneWay, s.timeouts(0.5, 0.5));
    s.wait(parts, Moment::kElected, FaultKind::kPartition, s.timeouts(8, 8)).waits_at = s.part(1);
    s.add(dies, FaultKind::kPowerCut, s.part(0), s.timeouts(8, 12));
    Fault& rot = s.wait(dies, Moment::kNone, FaultKind::kDamage, s.between(10ms, 200ms));
    rot.node = s.part(1);
    rot.nodes = s.chance(1, 2) ? 0 : 2;  // a power cut, or a kill
    rot.amount = 1;
    s.end(dies + s.timeouts(16, 18));
}

/// Of what a majority has just written the newest group is destroyed together with its slot; and who lacks no more than that asks for a
/// vote (S9).
void last_group_forgotten(Script& s) {
    s.cast(3, 0);
    s.hurry();
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{8, 64}));
    s.plan_.load.pipeline = 5;
    s.plan_.load.think_max = 10ms;
    s.plan_.disk.sync_min = 1ms;
    s.plan_.disk.sync_max = s.one_of(std::array<Duration, 2>{5ms, 30ms});
    const Instant at = s.begin();
    Fault& forgets = s.wait(at, Moment::kNone, FaultKind::kForgottenTail, s.timeouts(6, 12));
    forgets.node = s.part(s.chance(1, 2) ? 0 : 1);
    forgets.nodes = static_cast<NodeSet>(Forgotten::kSlotAndRecords);
    forgets.variant = static_cast<std::uint32_t>(s.between(1us, 64us).count());
    forgets.amount = -s.between(1us, 2 * s.plan_.disk.sync_max).count();
    s.end(at + s.timeouts(16, 20));
}

struct Family {
    std::string_view name;
    void (*make)(Script&);
};
constexpr std::array kFamilies = {
    Family{"old tail", old_tail},
    Family{"two tails", two_tails},
    Family{"heard by most", heard_by_most},
    Family{"far behind", far_behind},
    Family{"slow pull", slow_pull},
    Family{"cut and crash", cut_and_crash},
    Family{"late deadlines", late_deadlines},
    Family{"forgotten tail", forgotten_tail},
    Family{"state behind", state_behind},
};
/// Those in which a fault waits for its moment, or is aimed.
constexpr std::array kAimedFamilies = {
    Family{"counted tail", counted_tail},
    Family{"longer and older", longer_and_older},
    Family{"pull within a reign", pull_within_a_reign},
    Family{"crash in install", crash_in_install},
    Family{"hole where logs part", hole_where_logs_part},
    Family{"last group forgotten", last_group_forgotten},
};

}  // namespace

std::string_view make_scenario(Plan& plan, Random& random) {
    Script script(plan, random);
    const bool is_aimed = plan.seed >= kFirstAimedSeed;
    const Family& family = is_aimed ? kAimedFamilies[plan.seed % kAimedFamilies.size()] : kFamilies[plan.seed % kFamilies.size()];
    family.make(script);
    return family.name;
}

}  // namespace tanist::sim

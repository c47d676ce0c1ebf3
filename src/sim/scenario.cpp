// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include "sim/script.h"

namespace tanist::sim {
namespace {

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

}  // namespace

std::string_view make_scenario(Plan& plan, Random& random) {
    Script script(plan, random);
    const auto families = plan.seed >= kFirstRottenSeed  ? rotten_families()
                          : plan.seed >= kFirstAimedSeed ? aimed_families()
                                                         : std::span<const Family>(kFamilies);
    const Family& family = families[plan.seed % families.size()];
    family.make(script);
    return family.name;
}

}  // namespace tanist::sim

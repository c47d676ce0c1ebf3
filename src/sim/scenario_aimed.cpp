// SPDX-License-Identifier: Apache-2.0
// Scenarios in which a fault waits for its moment, or lies where it does most harm.
#include "sim/script.h"

namespace tanist::sim {
namespace {

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

constexpr std::array kAimedFamilies = {
    Family{"counted tail", counted_tail},
    Family{"longer and older", longer_and_older},
    Family{"pull within a reign", pull_within_a_reign},
    Family{"crash in install", crash_in_install},
    Family{"hole where logs part", hole_where_logs_part},
    Family{"last group forgotten", last_group_forgotten},
};

}  // namespace

std::span<const Family> aimed_families() { return kAimedFamilies; }

}  // namespace tanist::sim

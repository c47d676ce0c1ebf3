// SPDX-License-Identifier: Apache-2.0
// Scenarios about what one disk alone has: a state that rots under a log that is whole, the log of an only voter, its own vote.
#include "sim/script.h"

namespace tanist::sim {
namespace {

/// Rows of a state store can be read no more, the master's or a slave's; its log is whole, and may be all that a majority needs (S26).
void rotten_state(Script& s) {
    s.cast(s.one_of(std::array<std::uint32_t, 3>{3, 3, 5}), 0);
    s.hurry();
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 2000}));
    if (s.chance(1, 2)) s.forget_soon();
    const Instant rots = s.begin();
    const NodeId victim = s.part(s.chance(1, 2) ? 0 : 1);
    s.add(rots, FaultKind::kRotState, victim, 0ms);
    Instant at = rots;
    for (int rounds = 3; rounds > 0; --rounds) {  // others are away, so that the victim's log counts
        const NodeId away = s.any_part();
        const Duration lasts = s.timeouts(1, 3);
        if (away == victim || s.chance(1, 2)) {
            s.split(at, bit(away), lasts);
        } else {
            s.add(at, FaultKind::kPowerCut, away, lasts);
        }
        at += lasts + s.timeouts(1, 4);
    }
    s.end(at);
}

/// What the only voter had synced rots: nothing but a person may give it up (S9, S27).
void only_log(Script& s) {
    s.cast(1, 0);
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 400}));
    s.plan_.disk.flush_bytes = s.one_of(std::array<std::uint64_t, 2>{2 << 10, 256 << 10});
    const Instant at = s.begin() + s.between(0ms, 1s);
    Fault& rot = s.wait(at, Moment::kNone, FaultKind::kDamage, s.between(10ms, 500ms));
    rot.node = s.part(0);
    rot.nodes = s.chance(1, 2) ? 0 : 2;  // a power cut, or a kill
    rot.amount = 2;
    rot.variant = static_cast<std::uint32_t>(s.between(1us, 1000us).count());
    s.end(at + s.timeouts(2, 4));
}

/// One disk has lost its vote files and a part of its log: the node comes back as somebody else, whose log counts for nothing until it is
/// admitted, and which has to be told from a new one (S1, S3, S9).
void vote_and_log(Script& s) {
    s.cast(s.one_of(std::array<std::uint32_t, 3>{3, 3, 5}), 0);
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 400}));
    s.plan_.disk.sync_max = s.one_of(std::array<Duration, 2>{500us, 5000us});
    const Instant rots = s.begin();
    Fault& rot = s.wait(rots, Moment::kNone, FaultKind::kRotVote, s.timeouts(0.5, 6));
    rot.node = s.part(s.chance(1, 2) ? 0 : 1);
    rot.nodes = s.chance(1, 2) ? 0 : 2;  // a power cut, or a kill
    rot.variant = 2;                     // both files, and the log
    s.add(rots + s.timeouts(1, 4), FaultKind::kPowerCut, s.part(2), s.timeouts(1, 3));
    s.end(rots + s.timeouts(8, 12));
}

/// Who was in a short reign forgets the end of its log, or all of it, and how far that went; it meets an old master, whose tail of an
/// earlier epoch is longer, and then the master of that reign (S9).
void two_histories(Script& s) {
    s.cast(3, 0);
    s.hurry();
    s.write_much(s.one_of(std::array<std::uint32_t, 2>{64, 400}));
    s.write_alone();
    s.plan_.disk.segment_bytes = s.one_of(std::array<std::uint64_t, 2>{32 << 10, 256 << 10});
    const Instant parts = s.begin(), meets = parts + s.timeouts(2.5, 3.5);
    s.split(parts, bit(s.part(0)), meets - parts);
    Fault& dies = s.wait(parts, Moment::kElected, FaultKind::kPowerCut, s.timeouts(3, 8));
    dies.after = s.between(5ms, 200ms);
    s.add(meets, FaultKind::kDamage, s.part(1), s.between(10ms, 200ms), 3);
    s.end(meets + s.timeouts(14, 16));
}

constexpr std::array kRottenFamilies = {
    Family{"rotten state", rotten_state},
    Family{"only log", only_log},
    Family{"vote and log", vote_and_log},
    Family{"two histories", two_histories},
};

}  // namespace

std::span<const Family> rotten_families() { return kRottenFamilies; }

}  // namespace tanist::sim

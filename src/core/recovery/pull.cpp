// SPDX-License-Identifier: Apache-2.0
#include "core/recovery/pull.h"

#include <algorithm>

#include "base/mutant.h"
#include "core/replication/divergence.h"
#include "core/replication/following.h"
#include "core/state.h"

namespace tanist::core {
namespace {

void ask(State& s, Rank previous, Actions& out) {
    s.pull.id = s.next_id();
    s.pull.previous = previous;
    s.pull.sent_tick = s.time.ticks;
    send(s, *s.pull.from, FetchRequest{s.pull.id, previous, Lsn{}, kFetchBytesMax}, out);
}

void finish(State& s, Actions& out) {
    s.pull.from.reset();
    stand_if_delayed(s, out);
}

bool would_cut(const State& s, const FetchReply& m) {
    const auto differs = std::ranges::find_if(m.entries, [&](const Entry& e) { return !s.log.holds(e.rank()); });
    return differs != m.entries.end() && differs->lsn() <= s.log.last().lsn;
}

}  // namespace

void pull_from(State& s, const Peer& peer, Actions& out) {
    if (s.pull.from || s.hole || s.role != Role::kSlave || hears_master(s) || !peer.rank) return;
    if (*peer.rank <= s.log.last().rank() && !mutant(Mutant::kPullCutsCommitted)) return;
    s.pull.from = peer.node;
    s.pull.deadline = s.time.ticks + 3 * s.options.heartbeat_ticks;
    ask(s, s.log.last().rank(), out);
}

void abandon_pull(State& s) { s.pull.from.reset(); }

void tick_pull(State& s, Actions& out) {
    if (!s.pull.from) return;
    if (s.time.ticks >= s.pull.deadline) return finish(s, out);
    if (s.time.ticks - s.pull.sent_tick >= s.options.heartbeat_ticks) ask(s, s.pull.previous, out);
}

void on_pull_reply(State& s, Peer& from, const FetchReply& m, Actions& out) {
    if (s.pull.from != from.node || m.id != s.pull.id) return;
    if (s.role != Role::kSlave || hears_master(s)) return abandon_pull(s);
    if (m.status == FetchStatus::kBusy) return;  // asked again by a tick
    const bool is_no_higher = m.last <= s.log.last().rank() && !mutant(Mutant::kPullCutsCommitted);
    if (is_no_higher || m.status == FetchStatus::kRecycled) return finish(s, out);
    if (m.status == FetchStatus::kDiverged) {
        const auto common = common_point(s.log, m.last, m.epochs);
        const bool keeps_committed = common && (common->lsn >= s.commit || mutant(Mutant::kPullCutsCommitted));
        const bool is_progress = keeps_committed && *common != s.pull.previous;
        if (!is_progress) return finish(s, out);
        return ask(s, *common, out);
    }
    if (m.entries.empty() || m.previous != s.pull.previous) return finish(s, out);
    if (would_cut(s, m)) {
        // What we acknowledged to a master of this very epoch must not vanish within it (S1): leave the epoch first.
        const Pull kept = s.pull;
        adopt_epoch(s, s.epoch().next(), MemberId{}, out);
        s.pull = kept;
    }
    const Taken taken = take_entries(s, m.previous, m.entries, true, out);
    if (mutant(Mutant::kPullAcknowledged)) s.following.matched = s.log.last().lsn;
    const bool is_done = taken != Taken::kExtended || m.last <= s.log.last().rank();
    if (is_done) return finish(s, out);
    s.pull.deadline = s.time.ticks + 3 * s.options.heartbeat_ticks;  // it makes headway
    ask(s, s.log.last().rank(), out);
}

}  // namespace tanist::core

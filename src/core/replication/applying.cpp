// SPDX-License-Identifier: Apache-2.0
#include "core/replication/applying.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "core/recovery/repair.h"
#include "core/recovery/start.h"
#include "core/replication/sending.h"
#include "core/state.h"

namespace tanist::core {
namespace {

constexpr std::size_t kApplyingBytesMax = 32 << 20;  ///< handed to the state machine and not reported: what is beyond waits in the log

bool is_witness(const State& s) {
    const Member* seat = s.own_seat();
    return seat != nullptr && !seat->holds_data();
}

/// min(commit, own durable) (S7).
Lsn applicable(const State& s) {
    if (mutant(Mutant::kAppliedBeforeCommit)) return s.log.durable();
    if (mutant(Mutant::kAppliedBeforeDurable)) return s.commit;
    return std::min(s.commit, s.log.durable());
}

void hand_over(State& s, std::vector<Entry> entries, Actions& out) {
    std::size_t bytes = 0;
    for (const Entry& entry : entries) bytes += entry.size();
    const Lsn through = entries.back().lsn();
    s.applying.handed = through;
    s.applying.batches.push_back({through, bytes});
    s.applying.bytes += bytes;
    out.push_back(Apply{std::move(entries)});
    forget_applied(s, through);
}

void on_apply_read(State& s, const LogRead& e, Actions& out) {
    s.applying.read_token = 0;
    if (!e.entries) {
        if (e.entries.error().code == ErrorCode::kRecycled) return need_copy(s, "entries that were not applied yet were recycled", out);
        s.applying.retry_tick = s.time.ticks + 1;  // kNotFound: not written yet
        return;
    }
    std::vector<Entry> entries = *e.entries;
    const Lsn limit = applicable(s);
    while (!entries.empty() && entries.back().lsn() > limit) entries.pop_back();
    const bool is_next = !entries.empty() && entries.front().lsn() == s.applying.handed.next() && s.log.holds(entries.back().rank());
    if (is_next && !s.hole) hand_over(s, std::move(entries), out);
    advance_apply(s, out);
}

}  // namespace

void advance_apply(State& s, Actions& out) {
    if (s.hole || !s.takes_part() || s.copying.donor || is_witness(s) || !has_state(s)) return;
    const Lsn limit = applicable(s);
    while (s.applying.handed < limit && s.applying.bytes < kApplyingBytesMax && s.applying.read_token == 0) {
        const Lsn from = s.applying.handed.next();
        const auto bytes_max = s.options.append_bytes_max;
        if (from >= s.log.tail_begin()) {
            hand_over(s, s.log.take(from, limit, bytes_max), out);
        } else if (s.time.ticks >= s.applying.retry_tick) {
            s.applying.read_token = s.next_id();
            const Lsn through = std::min(limit, s.log.tail_begin().previous());
            out.push_back(ReadLog{s.applying.read_token, from, through, static_cast<std::uint32_t>(bytes_max)});
        } else {
            return;
        }
    }
}

void on_applied(State& s, const Applied& e, Actions& out) {
    Applying& a = s.applying;
    while (!a.batches.empty() && a.batches.front().through <= e.through) {
        a.bytes -= a.batches.front().bytes;
        a.batches.pop_front();
    }
    s.applied = std::max(s.applied, std::min(e.through, a.handed));
    open_if_applied(s, out);
    note_in_sync(s);
    advance_apply(s, out);
    tick_shutdown(s, out);
}

void note_in_sync(State& s) {
    if (s.in_sync || s.is_master() || !s.following.master) return;
    const Lsn target = s.following.master_commit;
    // Only what the master has committed in its own reign tells how far the cluster is.
    if (target > s.following.matched || s.log.epoch_at(target) != s.epoch()) return;
    s.in_sync = (is_witness(s) ? s.commit : s.applied) >= target;
}

void on_stored(State& s, const Stored& e, Actions& out) {
    if (e.log_base <= s.log.last().lsn) s.log.recycle(e.log_base);
    if (!is_witness(s)) recycle(s, mutant(Mutant::kRecycledAboveStored) ? s.applied : std::min(e.stored, s.applied), out);
}

void recycle_as_witness(State& s, Actions& out) {
    if (is_witness(s)) recycle(s, mutant(Mutant::kWitnessForgetsEarly) ? s.commit : std::min(s.everywhere, s.commit), out);
}

void recycle(State& s, Lsn through, Actions& out) {
    if (s.hole || s.copying.needed || through <= s.recycle_asked || through <= s.log.base().lsn) return;
    s.recycle_asked = through;
    out.push_back(RecycleLog{through});
}

void on_log_read(State& s, const LogRead& e, Actions& out) {
    if (!e.entries && e.entries.error().code == ErrorCode::kCorrupt) {
        // A record that was good at the start has rotted: the next start judges the log anew and repairs it from others (S9).
        s.stopped = true;
        out.push_back(Stop{4, e.entries.error().message});
        return;
    }
    if (e.token == s.applying.read_token) return on_apply_read(s, e, out);
    for (Peer& peer : s.peers) {
        if (peer.progress.read_token == e.token) return on_peer_log_read(s, peer, e, out);
    }
    if (on_fetch_log_read(s, e, out)) return;
    on_repair_log_read(s, e, out);
}

}  // namespace tanist::core

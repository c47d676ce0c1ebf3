// SPDX-License-Identifier: Apache-2.0
#include "core/recovery/repair.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/replication/divergence.h"
#include "core/replication/following.h"
#include "core/state.h"

namespace tanist::core {
namespace {

void wait(State& s) {
    s.hole->phase = RepairPhase::kWaiting;
    s.hole->source.reset();
    s.hole->sources.clear();
    abandon_inquiry(s);
    reset_election_timeout(s);
}

/// Good records behind the hole that the repair does away with, be it that another history's take their places (S8). `kept` are those
/// that stay behind the fill.
void export_lost(const Hole& hole, std::span<const EntryId> kept, Actions& out) {
    const auto stays = [&](const EntryId& id) {
        if (!kept.empty() && id.lsn >= kept.front().lsn && id.lsn <= kept.back().lsn) return true;
        if (hole.fill.empty() || id.lsn < hole.fill.front().lsn() || id.lsn > hole.fill.back().lsn()) return false;
        return hole.fill[id.lsn.value - hole.fill.front().lsn().value].id() == id;
    };
    std::optional<ExportRescued> run;
    for (const EntryId& id : hole.behind) {
        if (stays(id)) continue;
        if (run && run->through.next() == id.lsn) {
            run->through = id.lsn;
            continue;
        }
        if (run) out.push_back(*run);
        run = ExportRescued{id.lsn, id.lsn};
    }
    if (run) out.push_back(*run);
}

/// Replaces the hole by the trusted fill, and the good records that chain to it.
void finish(State& s, bool keep_behind, const char* how, Actions& out) {
    drop_untrusted(*s.hole);
    if (s.hole->fill.empty()) s.hole->start = s.log.last();
    const auto behind = keep_behind ? run_behind(*s.hole, s.hole->tip().lsn) : std::vector<EntryId>{};
    const Lsn end = behind.empty() ? s.hole->tip().lsn : behind.back().lsn;
    if (end < s.commit) {
        return enter_quarantine(
            s, fmt::format("the repaired log would end at lsn {}, below our commit lsn {} (S7)", end.value, s.commit.value), out);
    }
    const bool claims_more = s.hole->intent && !s.hole->fill.empty() && s.hole->tip().epoch <= s.hole->intent->epoch &&
                             std::max(end, s.hole->tip().lsn) < s.hole->intent->lsn;
    if (claims_more) return enter_quarantine(s, "what fills the damaged log contradicts it in its own epoch (S9)", out);
    Hole hole = std::move(*s.hole);
    s.hole.reset();
    const Lsn keep = hole.start.lsn;
    if (keep < s.log.last().lsn) out.push_back(ExportRescued{keep.next(), s.log.last().lsn});
    export_lost(hole, behind, out);
    s.log.repair(hole.fill, behind);
    s.members.cut(keep);
    for (const Entry& entry : hole.fill) {
        if (entry.kind() == EntryKind::kMembership) s.members.append(entry);
    }
    out.push_back(RepairLog{s.log.generation(), std::move(hole.fill)});
    observe_log_time(s);
    if (!behind.empty()) {  // read only for its timestamp: log time must not go back (S22)
        s.fetching.timestamp_token = s.next_id();
        out.push_back(ReadLog{s.fetching.timestamp_token, end, end, 1});
    }
    reset_election_timeout(s);
    notice(out, NoticeLevel::kInfo, "log repaired how=\"{}\" last_epoch={} last_lsn={}", how, s.log.last().epoch.value,
           s.log.last().lsn.value);
}

bool is_from_master(const State& s, NodeId node) { return s.following.master && s.following.master->node == node; }

void fetch(State& s, NodeId node, Rank previous, Actions& out) {
    Hole& h = *s.hole;
    h.source = node;
    h.fetch_id = s.next_id();
    h.fetch_tick = s.time.ticks;
    send(s, node, FetchRequest{h.fetch_id, previous, Lsn{}, kFetchBytesMax}, out);
}

/// The fetch under way led nowhere more: the next member is asked.
void next_source(State& s, Actions& out) {
    Hole& h = *s.hole;
    h.source.reset();
    if (h.phase != RepairPhase::kPulling) return;
    const bool may_keep = h.kind == Tail::kUnbounded;  // the highest log is kept in memory until an inquiry settles it
    if (!may_keep) drop_untrusted(h);
    if (h.sources.empty()) {
        if (may_inquire(h, h.tip().lsn.next(), s.applied)) return start_inquiry(s, out);
        return wait(s);
    }
    const NodeId node = h.sources.back();
    h.sources.pop_back();
    fetch(s, node, h.tip().rank(), out);
}

/// Does what the fill allows. False: the hole is gone, or own records are being read first.
bool advance(State& s, Actions& out) {
    Hole& h = *s.hole;
    switch (judge(h)) {
        case Verdict::kMore: return true;
        case Verdict::kComplete: finish(s, true, "filled", out); return false;
        case Verdict::kVoided: finish(s, false, "replaced by a later history", out); return false;
        case Verdict::kReadOwn: break;
    }
    const auto run = run_behind(h, h.tip().lsn);
    h.read_token = s.next_id();
    out.push_back(ReadLog{h.read_token, run.front().lsn, run.back().lsn, kFetchBytesMax});
    return false;
}

void start_probing(State& s, Actions& out) {
    Hole& h = *s.hole;
    h.phase = RepairPhase::kProbing;
    h.phase_deadline = s.time.ticks + 2 * s.options.heartbeat_ticks;
    h.sources.clear();
    for (const Peer& peer : s.peers) {
        if (s.is_member(peer)) send(s, peer.node, PreVoteRequest{s.epoch().next(), s.log.last().rank()}, out);
    }
}

void start_pulling(State& s, Actions& out) {
    Hole& h = *s.hole;
    h.phase = RepairPhase::kPulling;
    const auto rank = [&](NodeId node) { return s.find_peer(node)->rank.value_or(Rank{}); };
    std::ranges::sort(h.sources, [&](NodeId a, NodeId b) { return rank(a) < rank(b); });
    next_source(s, out);
}

/// A log whose newest segment is lost may end with what had been cut from it: that it parts there from the master's below our commit
/// LSN is no contradiction where the master's log has the very entry that was applied here.
bool contradicts_what_is_applied(const State& s, const FetchReply& m) {
    const EntryId& applied = s.hole->applied;
    if (s.commit != applied.lsn || m.last.lsn < applied.lsn) return true;
    const auto run = std::ranges::upper_bound(m.epochs, applied.lsn, {}, &EpochRun::first_lsn);
    return run == m.epochs.begin() || std::prev(run)->epoch != applied.epoch;
}

/// The log of a master, or of a peer, parts from ours before the fill, or before the hole.
void on_diverged(State& s, const FetchReply& m, bool trusted, Actions& out) {
    Hole& h = *s.hole;
    if (!h.fill.empty()) {  // found elsewhere, and not what this one has
        if (!trusted) {
            const bool gives_way = h.kind == Tail::kUnbounded && h.fill.size() > h.trusted && m.last > h.tip().rank();
            if (!gives_way) return next_source(s, out);
            drop_untrusted(h);  // a lower log's: the highest one is pulled
            return fetch(s, *h.source, h.tip().rank(), out);
        }
        // A master's log parts from what was here, maybe within what our own good records say: only its entries count from here on.
        h.fill.clear();
        h.fill_bytes = h.trusted = 0;
        h.original = false;
        h.voided = true;
        return fetch(s, *h.source, h.start.rank(), out);
    }
    const auto common = common_point(s.log, m.last, m.epochs);
    if (!common && trusted) need_copy(s, "the damaged log parts from the master's before one of the two begins", out);
    // The highest log is pulled: one that is merely longer may lack what was committed and can be read here.
    const bool is_higher = m.last > readable_rank(s);
    const bool may_replace = trusted || (h.kind == Tail::kUnbounded && is_higher);
    if (!common || !may_replace || common->lsn >= h.start.lsn) return next_source(s, out);
    if (common->lsn < s.commit && !trusted) return next_source(s, out);
    if (common->lsn < s.commit && contradicts_what_is_applied(s, m)) {
        return enter_quarantine(
            s,
            fmt::format("the master of epoch {} contradicts entries at or below our commit lsn {} (S7)", s.epoch().value, s.commit.value),
            out);
    }
    h.start = {common->epoch, common->lsn, 0};  // its checksum comes with the entry that follows it
    if (trusted) h.voided = true;
    fetch(s, *h.source, *common, out);
}

/// Takes what chains to the fill. False: nothing did.
bool take_fill(State& s, const FetchReply& m, bool from_master) {
    Hole& h = *s.hole;
    bool took = false;
    for (const Entry& entry : m.entries) {
        if (h.fill_bytes > kFillBytesMax || entry.epoch() > s.epoch()) break;
        if (entry.lsn() <= h.tip().lsn) continue;
        if (h.fill.empty() && h.start.checksum == 0 && entry.lsn() == h.start.lsn.next()) h.start.checksum = entry.predecessor_checksum();
        const bool chains = entry.follows(h.tip()) || (mutant(Mutant::kFillNotChecked) && entry.lsn() == h.tip().lsn.next());
        if (!chains || !extend_fill(h, entry, from_master || entry.lsn() <= m.commit)) break;
        took = true;
        if (judge(h) != Verdict::kMore) break;
    }
    return took;
}

}  // namespace

void cut_hole(State& s, const char* why, Actions& out) {
    Hole& h = *s.hole;
    if (h.kind == Tail::kUnbounded) {
        const Rank known = std::max({h.readable_intent, h.applied.rank(), readable_rank(s)});
        const bool outranks = h.fill.empty() || h.fill.back().rank() >= known;
        // One may have answered that was away when the highest log was pulled.
        const bool is_outranked = std::ranges::any_of(h.inquiry.answers, [&](const Answer& a) { return a.last > h.tip().rank(); });
        if (!outranks || (is_outranked && !mutant(Mutant::kLowerLogSettlesMark)))
            return wait(s);         // a later master settles it, or another inquiry
        h.trusted = h.fill.size();  // the highest log of all voters
        return finish(s, false, why, out);
    }
    drop_untrusted(h);
    if (h.fill.empty()) return finish(s, false, why, out);
    // Committed entries fill a part, and the rest is no longer in doubt: so far the claim falls, and whoever has them can be elected.
    // A repair up to here would leave a mark that claims more, and a cut would forget them for a moment.
    h.claimed = std::min(h.claimed, std::max(h.tip().rank(), s.log.last().rank()));
    wait(s);
}

void tick_repair(State& s, Actions& out) {
    if (!s.hole) return;
    Hole& h = *s.hole;
    if (h.fill_bytes > kFillBytesMax) need_copy(s, "more of the log is damaged than can be repaired entry by entry", out);
    if (hears_master(s)) {
        const bool is_silent = h.source && s.time.ticks - h.fetch_tick >= 2 * s.options.heartbeat_ticks;
        if (is_silent) h.source.reset();
        return repair_from_master(s, out);
    }
    switch (h.phase) {
        case RepairPhase::kMaster: return wait(s);
        case RepairPhase::kWaiting:
            if (s.time.ticks >= s.election.deadline) start_probing(s, out);
            return;
        case RepairPhase::kProbing:
            if (s.time.ticks >= h.phase_deadline) start_pulling(s, out);
            return;
        case RepairPhase::kPulling:
            if (h.read_token == 0 && s.time.ticks - h.fetch_tick >= 2 * s.options.heartbeat_ticks) next_source(s, out);
            return;
        case RepairPhase::kInquiring: return tick_inquiry(s, out);
    }
}

void repair_from_master(State& s, Actions& out) {
    Hole& h = *s.hole;
    if (!s.following.master) return;
    if (h.phase != RepairPhase::kMaster) {
        abandon_inquiry(s);
        drop_untrusted(h);
        h.phase = RepairPhase::kMaster;
        h.source.reset();
    }
    // In a reign that this node may have acknowledged in, a log whose end is unknown is not settled by its master (S9).
    const bool settles = h.kind != Tail::kUnbounded || s.epoch() > h.start_epoch || mutant(Mutant::kOwnReignSettlesMark);
    if (!settles || h.source || h.read_token != 0 || h.fill_bytes > kFillBytesMax) return;
    fetch(s, s.following.master->node, h.tip().rank(), out);
}

void on_repair_probe_reply(State& s, Peer& from, const PreVoteReply& m, Actions& out) {
    Hole& h = *s.hole;
    if (h.phase != RepairPhase::kProbing) return;
    if (m.master && m.master != s.self()) return wait(s);  // it will find us: its connection is tried again and again
    if (std::ranges::find(h.sources, from.node) == h.sources.end()) h.sources.push_back(from.node);
    const auto members = std::ranges::count_if(s.peers, [&](const Peer& p) { return s.is_member(p); });
    if (h.sources.size() == static_cast<std::size_t>(members)) start_pulling(s, out);
}

void on_repair_fetch_reply(State& s, Peer& from, const Header& header, const FetchReply& m, Actions& out) {
    Hole& h = *s.hole;
    if (h.source != from.node || m.id != h.fetch_id) return;
    const bool from_master = is_from_master(s, header.sender.node) && s.following.master == header.sender;
    switch (m.status) {
        case FetchStatus::kBusy: return;  // asked again by a tick
        case FetchStatus::kDiverged: return on_diverged(s, m, from_master, out);
        case FetchStatus::kRecycled:
            need_copy(s, "what is missing in the damaged log was recycled elsewhere", out);
            return next_source(s, out);
        case FetchStatus::kEntries: break;
    }
    const bool took = take_fill(s, m, from_master);
    if (!advance(s, out)) {
        if (s.hole) h.source.reset();
        return;
    }
    if (took && m.last > h.tip().rank()) return fetch(s, from.node, h.tip().rank(), out);
    if (h.phase == RepairPhase::kInquiring) return tick_inquiry(s, out);
    next_source(s, out);
}

bool on_repair_log_read(State& s, const LogRead& e, Actions& out) {
    if (s.fetching.timestamp_token == e.token) {
        s.fetching.timestamp_token = 0;
        if (e.entries && !e.entries->empty()) s.log.raise_timestamp(e.entries->front().timestamp());
        return true;
    }
    if (!s.hole || s.hole->read_token != e.token) return false;
    Hole& h = *s.hole;
    h.read_token = 0;
    if (!e.entries || e.entries->empty()) {
        h.behind.clear();  // good at the start, and unreadable now: nothing to go by
        return true;
    }
    for (const Entry& entry : *e.entries) {
        if (entry.lsn() != h.tip().lsn.next()) break;
        if (!entry.follows(h.tip())) {
            if (h.trusted == h.fill.size() && h.trusted > 0)
                h.voided = true;  // the record does not chain to what belongs before it
            else
                drop_untrusted(h);
            break;
        }
        extend_fill(h, entry, false);  // vouches for what it chains to
        if (judge(h) == Verdict::kComplete) break;
    }
    if (!advance(s, out)) return true;
    if (h.phase == RepairPhase::kPulling) next_source(s, out);
    if (s.hole && s.hole->phase == RepairPhase::kMaster) repair_from_master(s, out);
    return true;
}

}  // namespace tanist::core

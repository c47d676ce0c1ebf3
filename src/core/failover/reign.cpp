// SPDX-License-Identifier: Apache-2.0
#include "core/failover/reign.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/replication/divergence.h"
#include "core/replication/following.h"
#include "core/replication/quorum.h"
#include "core/replication/sending.h"
#include "core/state.h"

namespace tanist::core {
namespace {

/// Reachable, and maybe holding more than we do: who voted for us holds no more.
bool may_extend(const State& s, const Peer& peer) {
    const bool is_reachable = peer.connected && peer.heard_tick && s.time.ticks - *peer.heard_tick < s.options.election_timeout_ticks;
    const bool voted_for_us = std::ranges::find(s.election.granted, peer.node) != s.election.granted.end();
    return s.is_member(peer) && is_reachable && !voted_for_us;
}

void ask(State& s, Reign::Asked& asked, Actions& out) {
    send(s, asked.node, FetchRequest{asked.id, s.log.last().rank(), Lsn{}, kFetchBytesMax}, out);
}

/// The pull on promotion is over: from here on our log is the cluster's.
void start_reign(State& s, Actions& out) {
    ENSURE(s.is_master() && s.reign.pulling);
    s.reign.pulling = false;
    s.reign.asked.clear();
    for (Peer& peer : s.peers) {
        peer.progress = Progress{};
        peer.progress.next = s.log.last().lsn.next();
        peer.progress.sent_tick = s.time.ticks;
    }
    if (s.log.last().lsn.is_zero()) append_own(s, EntryKind::kMembership, encode(s.members.current()), s.time.now, out);
    append_own(s, EntryKind::kEpochStart, {}, s.time.now, out);
    s.reign.epoch_start = s.log.last().lsn;
    notice(out, NoticeLevel::kInfo, "promoted node={} epoch={} lsn={}", s.self().node.value, s.epoch().value, s.reign.epoch_start.value);
    pump_all(s, out);
    advance_commit(s, out);
}

void send_plain_heartbeats(State& s, Actions& out) {
    s.reign.heartbeat_tick = s.time.ticks;
    for (const Peer& peer : s.peers) {
        if (s.is_member(peer)) send(s, peer.node, Heartbeat{}, out);
    }
}

void tick_promotion(State& s, Actions& out) {
    if (s.time.ticks >= s.reign.pull_deadline) return start_reign(s, out);
    if (s.time.ticks - s.reign.heartbeat_tick >= s.options.heartbeat_ticks) send_plain_heartbeats(s, out);
    if (s.time.ticks - s.reign.asked_tick < s.options.heartbeat_ticks) return;
    s.reign.asked_tick = s.time.ticks;
    for (Reign::Asked& asked : s.reign.asked) ask(s, asked, out);  // messages get lost
}

/// What is sent from now on carries a new round number, so that its answers tell when contact was.
void begin_heartbeat_round(State& s) {
    if (s.time.ticks - s.reign.heartbeat_tick < s.options.heartbeat_ticks) return;
    s.reign.heartbeat_tick = s.time.ticks;
    s.reign.stamps.push_back({++s.reads.round, s.time.ticks});
    while (s.time.ticks - s.reign.stamps.front().tick > s.options.election_timeout_ticks) s.reign.stamps.pop_front();
}

bool wal_is_stalled(const State& s) {
    if (mutant(Mutant::kReignsOnStalledDisk)) return false;
    return s.log.durable() < s.log.last().lsn && s.time.ticks - s.writing.waiting_since > s.options.wal_stall_ticks;
}

}  // namespace

void become_master(State& s, Actions& out) {
    ENSURE(s.role == Role::kCandidate && can_stand(s));
    s.role = Role::kMaster;
    s.following = {};
    s.election.heard_tick.reset();
    s.reads.round = 0;
    s.everywhere = Lsn{};
    s.reign = Reign{.pulling = true, .pull_deadline = s.time.ticks + s.options.promotion_pull_ticks, .since = s.time.ticks};
    s.reign.heartbeat_tick = s.reign.asked_tick = s.time.ticks;
    for (Peer& peer : s.peers) peer.contact_tick = s.time.ticks;
    for (const Peer& peer : s.peers) {
        if (may_extend(s, peer)) s.reign.asked.push_back({peer.node, s.next_id()});
    }
    if (s.reign.asked.empty()) return start_reign(s, out);
    send_plain_heartbeats(s, out);
    for (Reign::Asked& asked : s.reign.asked) ask(s, asked, out);
}

void on_promotion_fetch_reply(State& s, Peer& from, const FetchReply& m, Actions& out) {
    from.contact_tick = s.time.ticks;
    if (mutant(Mutant::kPromotionPullLate) && s.is_master() && !s.reign.pulling && m.status == FetchStatus::kEntries) {
        static_cast<void>(take_entries(s, m.previous, m.entries, true, out));
        return;
    }
    if (!s.is_master() || !s.reign.pulling) return;  // too late: our log is the cluster's already
    const auto asked = std::ranges::find_if(s.reign.asked, [&](const Reign::Asked& a) { return a.node == from.node && a.id == m.id; });
    if (asked == s.reign.asked.end() || m.status == FetchStatus::kBusy) return;
    if (mutant(Mutant::kPromotionPullCuts) && m.status == FetchStatus::kDiverged) {
        const auto common = common_point(s.log, m.last, m.epochs);
        if (common) return send(s, from.node, FetchRequest{m.id, *common, Lsn{}, kFetchBytesMax}, out);
    }
    const bool may_cut = mutant(Mutant::kPromotionPullCuts);
    const bool extends = m.status == FetchStatus::kEntries && !m.entries.empty() && m.entries.back().epoch() < s.epoch() &&
                         s.log.holds(m.previous) && take_entries(s, m.previous, m.entries, may_cut, out) == Taken::kExtended;
    if (extends && m.last > s.log.last().rank()) {
        asked->id = s.next_id();
        return ask(s, *asked, out);
    }
    s.reign.asked.erase(asked);
    if (s.reign.asked.empty()) start_reign(s, out);
}

void note_contact(const State& s, Peer& from, std::uint64_t round) {
    const auto& stamps = s.reign.stamps;
    const auto behind = std::ranges::upper_bound(stamps, round, {}, &Reign::Stamp::round);
    if (behind != stamps.begin()) from.contact_tick = std::max(from.contact_tick, std::prev(behind)->tick);
}

void step_down(State& s, const std::string& why, Actions& out) {
    ENSURE(s.is_master());
    s.role = Role::kSlave;
    s.reign = Reign{};
    s.following = {};
    report_unknown(s, why, out);
    refuse_reads(s, why, out);
    for (Peer& peer : s.peers) peer.progress = Progress{};
    reset_election_timeout(s);
    const NoticeLevel level = s.switchover.is_under_way() ? NoticeLevel::kInfo : NoticeLevel::kWarn;  // as asked for, or not
    notice(out, level, "stepped down node={} epoch={} reason=\"{}\"", s.self().node.value, s.epoch().value, why);
}

std::uint64_t majority_contact_tick(const State& s) {
    std::vector<std::uint64_t> contacts;
    for (const Member& member : s.members.current().members) {
        if (!member.votes()) continue;
        std::uint64_t contact = member.id == s.self() ? s.time.ticks : s.reign.since;
        for (const Peer& peer : s.peers) {
            if (peer.id == member.id) contact = std::max(contact, peer.contact_tick);
        }
        contacts.push_back(contact);
    }
    return contacts.empty() ? s.time.ticks : quorum_value(std::span(contacts));
}

void tick_reign(State& s, Actions& out) {
    if (!s.is_master()) return;
    if (s.time.ticks - majority_contact_tick(s) >= s.options.election_timeout_ticks && !mutant(Mutant::kReignsAlone)) {
        return step_down(s, fmt::format("no majority for {} ticks", s.options.election_timeout_ticks), out);
    }
    if (wal_is_stalled(s)) return step_down(s, fmt::format("the log's disk has not answered for {} ticks", s.options.wal_stall_ticks), out);
    if (s.reign.pulling) return tick_promotion(s, out);
    begin_heartbeat_round(s);
    send_heartbeats(s, false, out);
    log_due_tick(s, out);
    tick_renewal(s, out);
}

void open_if_applied(State& s, Actions& out) {
    if (!s.is_master() || s.reign.open || s.reign.pulling) return;
    if (s.applied < s.reign.epoch_start && !mutant(Mutant::kOpenTooEarly)) return;
    s.reign.open = true;
    s.in_sync = true;
    notice(out, NoticeLevel::kInfo, "open for writes node={} epoch={} lsn={}", s.self().node.value, s.epoch().value, s.applied.value);
}

}  // namespace tanist::core

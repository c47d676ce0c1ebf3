// SPDX-License-Identifier: Apache-2.0
#include "core/replication/sending.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/replication/divergence.h"
#include "core/replication/quorum.h"
#include "core/state.h"

namespace tanist::core {
namespace {

constexpr std::size_t kVotersMax = 64;  // membership.cpp

/// One value for each voter, without an allocation on the path of every acknowledgement.
class VoterValues {
public:
    void add(Lsn value) {
        ENSURE(count_ < kVotersMax);
        values_[count_++] = value;
    }
    [[nodiscard]] std::span<Lsn> span() { return {values_.data(), count_}; }

private:
    std::array<Lsn, kVotersMax> values_;
    std::size_t count_ = 0;
};

Lsn durable_at(const State& s, const Member& member) {
    if (member.id == s.self()) return s.log.durable();
    for (const Peer& peer : s.peers) {
        if (peer.id == member.id) return peer.progress.match;
    }
    return Lsn{};
}

/// The next one to be sent has a predecessor that we still know; otherwise only a checkpoint helps (S25).
bool can_name_predecessor(const State& s, const Progress& p) { return p.next.previous() >= s.log.base().lsn; }

void send_append(State& s, Peer& peer, std::vector<Entry> entries, Actions& out) {
    Progress& p = peer.progress;
    const Lsn before = p.next.previous();
    ENSURE(entries.empty() || entries.front().lsn() == p.next);
    Append append{.previous = {*s.log.epoch_at(before), before},
                  .entries = std::move(entries),
                  .commit = s.commit,
                  .round = s.reads.round,
                  .acknowledged = p.match,
                  .everywhere = s.everywhere};
    if (!append.entries.empty()) {
        const bool is_sent_again = append.entries.front().lsn() <= p.sent;
        if (is_sent_again) p.repeats_until = s.time.ticks + 2 * s.options.election_timeout_ticks;
        p.sent = std::max(p.sent, append.entries.back().lsn());
    }
    p.commit_sent = s.commit;
    p.sent_tick = s.time.ticks;
    send(s, peer.node, std::move(append), out);
}

/// Its next entries are gone: it stays heard by appends that it cannot place, and learns that it needs a checkpoint.
void tell_recycled(State& s, Peer& peer, Actions& out) {
    peer.progress.probe_from(s.log.base().lsn.next());
    peer.progress.recycled = true;
    peer.progress.awaiting = true;
    peer.progress.probe_through = s.log.base().lsn;
    send_append(s, peer, {}, out);
    send(s, peer.node,
         FetchReply{.status = FetchStatus::kRecycled, .previous = s.log.base(), .commit = s.commit, .last = s.log.last().rank()}, out);
}

std::size_t bytes_of(const std::vector<Entry>& entries) {
    std::size_t bytes = 0;
    for (const Entry& entry : entries) bytes += entry.size();
    return bytes;
}

/// False: there is nothing to send, or not now.
bool send_next_entries(State& s, Peer& peer, Actions& out) {
    Progress& p = peer.progress;
    const Lsn last = s.log.last().lsn;
    if (p.next > last || p.flight_bytes >= s.options.inflight_bytes_max || p.read_token != 0) return false;
    if (!can_name_predecessor(s, p)) {
        tell_recycled(s, peer, out);
        return false;
    }
    if (p.next < s.log.tail_begin()) {  // has left memory: a slow member never makes it grow
        p.read_token = s.next_id();
        const Lsn through = std::min(s.log.tail_begin().previous(), last);
        out.push_back(ReadLog{p.read_token, p.next, through, static_cast<std::uint32_t>(s.options.append_bytes_max)});
        return false;
    }
    auto entries = s.log.take(p.next, last, s.options.append_bytes_max);
    const Lsn through = entries.back().lsn();
    const std::size_t bytes = bytes_of(entries);
    send_append(s, peer, std::move(entries), out);
    if (p.phase == SendPhase::kProbe) {
        p.awaiting = true;
        p.probe_through = through;
        return false;
    }
    p.add_flight(through, bytes);
    return true;
}

bool is_heartbeat_due(const State& s, std::uint64_t last_tick) { return s.time.ticks - last_tick >= s.options.heartbeat_ticks; }

bool may_send(const State& s, const Peer& peer) { return s.is_master() && !s.reign.pulling && peer.connected && s.is_member(peer); }

/// What each answer to an Append tells, whatever it says of the log.
void note_answer(const State& s, Peer& from, std::uint64_t round) {
    note_contact(s, from, round);
    from.progress.commit_awaiting = false;
    from.progress.round = std::max(from.progress.round, std::min(round, s.reads.round));
}

void advance_everywhere(State& s, Actions& out) {
    Lsn lowest = s.log.durable();
    for (const Member& member : s.members.current().members) {
        if (member.seat == Seat::kVoter) lowest = std::min(lowest, durable_at(s, member));
    }
    if (lowest <= s.everywhere) return;
    s.everywhere = lowest;
    report_on_all(s, out);
}

}  // namespace

void write_entries(State& s, std::vector<Entry> entries, Actions& out) {
    ENSURE(!entries.empty());
    const bool was_idle = s.log.durable() >= entries.front().lsn().previous();
    if (was_idle) s.writing.waiting_since = s.time.ticks;
    out.push_back(AppendToWal{s.log.generation(), std::move(entries)});
}

void append_own(State& s, EntryKind kind, std::string_view payload, const Clock& now, Actions& out) {
    ENSURE(s.is_master() && !s.reign.pulling);
    const std::uint64_t time = mutant(Mutant::kWallTimeLogged) ? now.wall_ms : s.clock.read(now);
    const std::uint64_t timestamp = mutant(Mutant::kLogTimeGoesBack) ? now.wall_ms : std::max(time, s.log.timestamp());
    Entry entry = Entry::make(s.epoch(), s.log.last(), timestamp, kind, payload);
    s.log.append(entry);
    if (kind == EntryKind::kMembership) ENSURE(s.members.append(entry));
    std::vector<Entry> entries;
    entries.push_back(std::move(entry));
    write_entries(s, std::move(entries), out);
}

void pump(State& s, Peer& peer, Actions& out) {
    if (!may_send(s, peer)) return;
    Progress& p = peer.progress;
    if (p.phase == SendPhase::kProbe) {
        if (!p.awaiting) send_next_entries(s, peer, out);
        return;
    }
    bool sent = false;
    while (send_next_entries(s, peer, out)) sent = true;
    const bool commit_is_news = p.commit_sent < s.commit && !p.commit_awaiting && p.read_token == 0;
    if (sent || !commit_is_news || !can_name_predecessor(s, p)) return;
    p.commit_awaiting = true;
    send_append(s, peer, {}, out);
}

void pump_all(State& s, Actions& out) {
    for (Peer& peer : s.peers) pump(s, peer, out);
}

void send_heartbeats(State& s, bool now, Actions& out) {
    for (Peer& peer : s.peers) send_heartbeat(s, peer, now, out);
}

void send_heartbeat(State& s, Peer& peer, bool now, Actions& out) {
    if (!may_send(s, peer)) return;
    Progress& p = peer.progress;
    // On a slow link an Append waits behind the entries under way, for longer than an election timeout: life is shown beside them. What
    // was sent again without need may still be on its way when all is acknowledged.
    const bool are_entries_under_way = p.sent > p.match || s.time.ticks < p.repeats_until;
    if (are_entries_under_way && (now || is_heartbeat_due(s, p.heartbeat_tick))) {
        p.heartbeat_tick = s.time.ticks;
        send(s, peer.node, Heartbeat{.commit = s.commit, .round = s.reads.round}, out);
    }
    if (!is_heartbeat_due(s, p.sent_tick) && (are_entries_under_way || !now)) return;
    p.commit_awaiting = false;  // whatever was under way may be lost
    if (p.phase == SendPhase::kProbe) p.awaiting = false;
    if (p.recycled || !can_name_predecessor(s, p)) return tell_recycled(s, peer, out);
    send_append(s, peer, {}, out);
    if (p.phase == SendPhase::kProbe) {
        p.awaiting = true;
        p.probe_through = p.next.previous();
    }
}

void on_append_ack(State& s, Peer& from, const AppendAck& m, Actions& out) {
    if (!s.is_master() || s.reign.pulling) {
        if (s.is_master()) from.contact_tick = s.time.ticks;
        return;
    }
    note_answer(s, from, m.round);
    Progress& p = from.progress;
    if (m.acknowledged > s.log.last().lsn) {
        notice(out, NoticeLevel::kError, "a member acknowledges what was never sent to it node={} acknowledged={} last_lsn={}",
               from.node.value, m.acknowledged.value, s.log.last().lsn.value);
        return;
    }
    p.applied = m.applied;
    p.intent = m.intent;
    const bool is_news = m.acknowledged > p.match;
    p.acknowledged(m.acknowledged);
    if (p.phase == SendPhase::kProbe && p.awaiting && m.acknowledged >= p.next.previous()) {
        const bool has_been_rejected = p.restart_tick == s.time.ticks;  // what else was sent then may be rejected still: one at a time
        if (!has_been_rejected) p.phase = SendPhase::kStream;
        p.awaiting = false;
        p.needs_copy = p.recycled = false;
        p.next = std::max(p.probe_through, p.match).next();
    }
    if (p.next <= p.match) p.next = p.match.next();
    if (is_news) advance_commit(s, out);
    confirm_round(s, out);
    pump(s, from, out);
}

void on_append_reject(State& s, Peer& from, const AppendReject& m, Actions& out) {
    if (!s.is_master() || s.reign.pulling) return;
    note_answer(s, from, m.round);
    confirm_round(s, out);
    Progress& p = from.progress;
    const bool is_stale =
        p.phase == SendPhase::kProbe ? m.previous.lsn != p.next.previous() : m.previous.lsn <= p.match || m.previous.lsn >= p.next;
    if (is_stale) return;
    // Of a window that arrives out of order each Append is rejected: one restart of the stream answers for all, else they would multiply.
    const bool has_restarted = p.phase == SendPhase::kStream && p.restart_tick == s.time.ticks;
    if (has_restarted) return;
    if (m.needs_copy) p.needs_copy = true;
    const auto common = common_point(s.log, m.last, m.epochs);
    const Lsn from_lsn = common ? std::max(common->lsn, p.match).next() : Lsn{};
    if (!common) {
        if (!p.recycled) tell_recycled(s, from, out);
        return;  // otherwise with the next heartbeat
    }
    p.recycled = false;
    const bool is_repeated = p.phase == SendPhase::kProbe && p.next == from_lsn;
    if (p.phase == SendPhase::kStream) p.restart_tick = s.time.ticks;
    p.probe_from(from_lsn);
    if (is_repeated) {
        p.awaiting = true;  // it refused the very same: not again before the next heartbeat
        p.probe_through = p.next.previous();
        return;
    }
    pump(s, from, out);
}

void on_peer_log_read(State& s, Peer& peer, const LogRead& e, Actions& out) {
    Progress& p = peer.progress;
    p.read_token = 0;
    if (!may_send(s, peer)) return;
    if (!e.entries) {
        if (e.entries.error().code == ErrorCode::kRecycled) tell_recycled(s, peer, out);
        return;  // kNotFound: not written yet; asked for again by the next pump
    }
    const auto& entries = *e.entries;
    if (entries.empty() || entries.front().lsn() != p.next || !s.log.holds(entries.back().rank())) return;
    if (!can_name_predecessor(s, p)) return tell_recycled(s, peer, out);
    const Lsn through = entries.back().lsn();
    const std::size_t bytes = bytes_of(entries);
    send_append(s, peer, entries, out);
    if (p.phase == SendPhase::kProbe) {
        p.awaiting = true;
        p.probe_through = through;
        return;
    }
    p.add_flight(through, bytes);
    pump(s, peer, out);
}

void advance_commit(State& s, Actions& out) {
    if (!s.is_master() || s.reign.pulling) return;
    advance_everywhere(s, out);  // our own disk may be the last, behind a majority that committed without it
    VoterValues durable;
    for (const Member& member : s.members.current().members) {
        if (member.votes()) durable.add(durable_at(s, member));
    }
    const Lsn reached = mutant(Mutant::kMinorityCommits) ? std::ranges::max(durable.span()) : quorum_value(durable.span());
    // By number alone only entries of the own epoch are committed, and with them what came before (S6).
    const bool is_own = s.log.epoch_at(reached) == s.epoch() || mutant(Mutant::kOldEpochCommitted);
    if (reached <= s.commit || !is_own) return;
    s.commit = reached;
    advance_apply(s, out);
    pump_all(s, out);
}

void log_due_tick(State& s, Actions& out) {
    const bool is_logged = s.due_tick > s.applied;  // one at a time: applying it tells what is due next
    if (s.due == 0 || !s.reign.open || is_logged || s.stopping_since || s.switchover.is_under_way() || s.clock.read(s.time.now) < s.due)
        return;
    append_own(s, EntryKind::kTick, {}, s.time.now, out);
    s.due_tick = s.log.last().lsn;
    pump_all(s, out);
}

}  // namespace tanist::core

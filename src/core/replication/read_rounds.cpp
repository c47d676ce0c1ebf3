// SPDX-License-Identifier: Apache-2.0
#include "core/replication/read_rounds.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/replication/quorum.h"
#include "core/replication/sending.h"
#include "core/state.h"

namespace tanist::core {
namespace {

/// Voters who were quick and do not answer for so long are quick no more.
constexpr std::uint64_t kAnswerTicks = 2;
/// So often, or once a heartbeat, all are asked at a time, and who answers first is quick from then on.
constexpr std::uint64_t kRaceTicks = 10;

// -- at the master -----------------------------------------------------------------------------------------------------------------

void answer(State& s, const ReadRounds::Waiter& waiter, std::optional<Lsn> lsn, const std::string& why, Actions& out) {
    if (!waiter.node.is_zero()) {
        send(s, waiter.node, ReadIndexReply{waiter.id, lsn}, out);
    } else if (lsn) {
        out.push_back(ReadReady{waiter.id, *lsn});
    } else {
        out.push_back(ReadRefused{waiter.id, ErrorCode::kUnavailable, why});
    }
}

std::uint64_t confirmed_round(const State& s) {
    std::vector<std::uint64_t> rounds;
    for (const Member& member : s.members.current().members) {
        if (!member.votes()) continue;
        std::uint64_t round = member.id == s.self() ? s.reads.round : 0;
        for (const Peer& peer : s.peers) {
            if (peer.id == member.id) round = peer.progress.round;
        }
        rounds.push_back(round);
    }
    return quorum_value(std::span(rounds));
}

/// Whether the voters among those of `peers` for which `is_one` holds are a majority, this node counted in.
template <class IsOne>
bool are_majority(const State& s, IsOne is_one) {
    std::vector<bool> votes;
    for (const Member& member : s.members.current().members) {
        if (!member.votes()) continue;
        votes.push_back(member.id == s.self() ||
                        std::ranges::any_of(s.peers, [&](const Peer& peer) { return peer.id == member.id && is_one(peer); }));
    }
    return 2 * std::ranges::count(votes, true) > std::ssize(votes);
}

/// Its answer to the last round may have come after our connection to it was lost: by its own one to us.
bool is_quick(const Peer& peer) { return peer.connected && peer.progress.is_quick; }

void ask_those(State& s, bool who_were_quick, Actions& out) {
    for (Peer& peer : s.peers) {
        if (is_quick(peer) == who_were_quick) send_heartbeat(s, peer, true, out);
    }
}

/// Those who were quick to answer are enough, until a while later others may be quicker (docs/decisions/0017).
void ask(State& s, Actions& out) {
    ReadRounds& r = s.reads;
    const std::uint64_t race_ticks = std::min<std::uint64_t>(s.options.heartbeat_ticks, kRaceTicks);
    const bool is_race_due = s.time.ticks - r.raced_tick >= race_ticks;
    if (s.options.rounds_ask_few && !is_race_due && are_majority(s, is_quick)) {
        r.widens_tick = s.time.ticks + kAnswerTicks;
        return ask_those(s, true, out);
    }
    r.raced_tick = s.time.ticks;
    r.widens_tick = 0;
    send_heartbeats(s, true, out);
}

/// Who was quick is silent: the others may be quicker. That is no race: who is asked later has no fair chance of being first.
void widen(State& s, Actions& out) {
    s.reads.widens_tick = 0;
    ask_those(s, false, out);
}

void start_round(State& s, Actions& out) {
    ReadRounds& r = s.reads;
    r.waiting = std::exchange(r.joining, {});
    r.lsn = s.commit;  // taken before the round, and after each of its reads arrived
    r.running = ++r.round;
    ask(s, out);
    confirm_round(s, out);
}

void note_who_was_quick(State& s) {
    for (Peer& peer : s.peers) {
        const Member* member = peer.id ? s.members.current().find(*peer.id) : nullptr;
        peer.progress.is_quick = member != nullptr && member->votes() && peer.progress.round >= s.reads.running;
    }
}

void join(State& s, ReadRounds::Waiter waiter, Actions& out) {
    ENSURE(s.is_master() && s.reign.open);  // its commit LSN may lack what an earlier epoch committed until its own first entry is
    if (mutant(Mutant::kReadJoinsRunningRound) && s.reads.running != 0) return s.reads.waiting.push_back(waiter);
    s.reads.joining.push_back(waiter);
    if (s.reads.running == 0) start_round(s, out);
}

// -- at a slave ----------------------------------------------------------------------------------------------------------------------

void ask_master(State& s, Actions& out) {
    ReadRounds& r = s.reads;
    if (r.asked_id != 0 || r.queued.empty()) return;
    r.asked = std::exchange(r.queued, {});
    r.asked_id = s.next_id();
    r.asked_tick = r.sent_tick = s.time.ticks;
    send(s, s.following.master->node, ReadIndexRequest{r.asked_id}, out);
}

void refuse_asked(State& s, const std::string& why, Actions& out) {
    s.reads.asked_id = 0;
    for (const std::uint64_t token : std::exchange(s.reads.asked, {})) out.push_back(ReadRefused{token, ErrorCode::kUnavailable, why});
}

/// Reads of our own clients wait for the master that takes over, or for our reign to go on (S17).
bool is_held(const State& s) {
    return s.switchover.phase == SwitchoverPhase::kOrdered || s.switchover.phase == SwitchoverPhase::kSucceeded;
}

}  // namespace

void on_switchover_ended(State& s, Actions& out) {
    if (s.is_master() && !s.reign.open) {
        refuse_reads(s, kNotOpen, out);
    } else if (s.is_master()) {
        for (const std::uint64_t token : std::exchange(s.reads.queued, {})) join(s, {NodeId{}, token}, out);
    } else if (hears_master(s)) {
        ask_master(s, out);
    } else {
        refuse_reads(s, "no master is known since a switchover began", out);
    }
}

void on_read_request(State& s, const ReadRequest& e, Actions& out) {
    ReadRounds& r = s.reads;
    const auto refuse = [&](ErrorCode code, std::string why) { out.push_back(ReadRefused{e.token, code, std::move(why)}); };
    if (r.joining.size() + r.queued.size() >= kReadersMax) return refuse(ErrorCode::kOverloaded, "too many reads are waiting");
    if (is_held(s)) return r.queued.push_back(e.token);
    if (s.is_master()) {
        if (!s.reign.open) return refuse(ErrorCode::kOverloaded, kNotOpen);
        return join(s, {NodeId{}, e.token}, out);
    }
    if (!hears_master(s) || !s.takes_part())
        return refuse(ErrorCode::kUnavailable, "no master is known: no quorum, or an election is under way");
    if (mutant(Mutant::kSlaveReadsUnconfirmed)) return out.push_back(ReadReady{e.token, s.commit});
    r.queued.push_back(e.token);
    ask_master(s, out);
}

void on_read_index_request(State& s, Peer& from, const ReadIndexRequest& m, Actions& out) {
    if (!s.is_master() || !s.reign.open || s.reads.joining.size() >= kReadersMax)
        return send(s, from.node, ReadIndexReply{m.id, std::nullopt}, out);
    // It asked when its reads had arrived, and asking is an answer: until then no majority had left this epoch (S18).
    // What it sends in this epoch, it sends before it takes part in a later one.
    const auto asks = [&](const Peer& peer) { return peer.node == from.node; };
    if (s.options.asking_answers && are_majority(s, asks)) return send(s, from.node, ReadIndexReply{m.id, s.commit}, out);
    join(s, {from.node, m.id}, out);
}

void on_read_index_reply(State& s, const ReadIndexReply& m, Actions& out) {
    ReadRounds& r = s.reads;
    if (r.asked_id == 0 || m.id != r.asked_id) return;
    if (m.lsn) {
        r.asked_id = 0;
        for (const std::uint64_t token : std::exchange(r.asked, {})) out.push_back(ReadReady{token, *m.lsn});
    } else {
        refuse_asked(s, "the master cannot confirm its majority now", out);
    }
    if (s.following.master) ask_master(s, out);
}

void confirm_round(State& s, Actions& out) {
    ReadRounds& r = s.reads;
    if (r.running != 0 && (confirmed_round(s) >= r.running || mutant(Mutant::kStaleMasterAnswers))) {
        note_who_was_quick(s);
        r.running = 0;
        for (const auto& waiter : std::exchange(r.waiting, {})) answer(s, waiter, r.lsn, {}, out);
        if (!r.joining.empty()) start_round(s, out);
    }
}

void tick_reads(State& s, Actions& out) {
    ReadRounds& r = s.reads;
    if (r.running != 0 && r.widens_tick != 0 && s.time.ticks >= r.widens_tick) widen(s, out);
    if (r.asked_id == 0) return;
    if (!hears_master(s) || s.time.ticks - r.asked_tick >= s.options.election_timeout_ticks) {
        refuse_reads(s, "the master did not answer in time", out);
    } else if (s.time.ticks - r.sent_tick >= s.options.heartbeat_ticks) {
        r.sent_tick = s.time.ticks;
        send(s, s.following.master->node, ReadIndexRequest{r.asked_id}, out);
    }
}

void refuse_reads(State& s, const std::string& why, Actions& out) {
    ReadRounds& r = s.reads;
    r.running = 0;
    for (auto* waiters : {&r.waiting, &r.joining}) {
        for (const auto& waiter : std::exchange(*waiters, {})) {
            is_held(s) && waiter.node.is_zero() ? r.queued.push_back(waiter.id) : answer(s, waiter, std::nullopt, why, out);
        }
    }
    refuse_asked(s, why, out);
    if (is_held(s)) return;
    for (const std::uint64_t token : std::exchange(r.queued, {})) out.push_back(ReadRefused{token, ErrorCode::kUnavailable, why});
}

}  // namespace tanist::core

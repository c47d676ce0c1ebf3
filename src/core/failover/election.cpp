// SPDX-License-Identifier: Apache-2.0
#include "core/failover/election.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/recovery/repair.h"
#include "core/state.h"

namespace tanist::core {
namespace {

std::size_t quorum(const State& s) { return s.members.current().quorum(); }

void grant(std::vector<NodeId>& granted, NodeId node) {
    if (std::ranges::find(granted, node) == granted.end()) granted.push_back(node);
}

bool is_granted(const State& s, NodeId node) { return std::ranges::find(s.election.granted, node) != s.election.granted.end(); }

void send_to_voters(State& s, const Body& body, Actions& out) {
    s.election.sent_tick = s.time.ticks;
    for (const Peer& peer : s.peers) {
        if (s.is_voter(peer)) send(s, peer.node, body, out);
    }
}

/// How long an attempt may take before the next one begins. Asking for pre-votes disturbs nobody, so it is repeated often.
std::uint64_t retry_ticks(State& s) { return s.options.heartbeat_ticks + s.random.between(0, 2 * s.options.heartbeat_ticks); }

void ask_for_votes(State& s, Actions& out) { send_to_voters(s, VoteRequest{s.log.last().rank(), s.election.ordered_in}, out); }

/// A candidate claims no more than its disk holds: what is written and not synced is waited for.
bool is_synced(const State& s) { return s.log.durable() == s.log.last().lsn || mutant(Mutant::kStandsUnsynced); }

void stand(State& s, std::optional<Epoch> ordered_in, Actions& out) {
    ENSURE(can_stand(s));
    ENSURE(is_synced(s));
    abandon_pull(s);
    s.election.asking = false;
    s.election.delayed = false;
    adopt_epoch(s, s.epoch().next(), s.self(), out);  // our own vote is durable before it counts (S3)
    s.role = Role::kCandidate;
    s.election.ordered_in = ordered_in;
    s.election.granted = {s.self().node};
    s.election.deadline = s.time.ticks + retry_ticks(s) + s.options.heartbeat_ticks;
    notice(out, NoticeLevel::kInfo, "standing for election node={} epoch={} last_epoch={} last_lsn={}", s.self().node.value,
           s.epoch().value, s.log.last().epoch.value, s.log.last().lsn.value);
    if (s.election.granted.size() >= quorum(s)) return become_master(s, out);
    ask_for_votes(s, out);
    if (mutant(Mutant::kOwnVoteCountedEarly)) {
        const auto behind =
            std::find_if(out.rbegin(), out.rend(), [](const Action& a) { return std::holds_alternative<SaveVote>(a); }).base();
        std::rotate(behind - 1, behind, out.end());
    }
}

void on_pre_vote_quorum(State& s, Actions& out) {
    if (s.pull.from || !is_synced(s)) {
        s.election.delayed = true;  // a peer of higher rank is being pulled from, with a short deadline (S14), or the disk is waited for
        return;
    }
    stand(s, std::nullopt, out);
}

/// Of two that ask each other, the more up to date goes first, or the lower id: the other one grants it.
bool goes_before(const State& s, NodeId asker, Rank rank) {
    const Rank ours = s.log.last().rank();
    return s.election.asking && can_stand(s) && (ours > rank || (ours == rank && s.self().node < asker));
}

bool may_vote_for(const State& s, Rank rank) {
    const Member* seat = s.own_seat();
    const auto claimed = claimed_rank(s);
    const bool is_as_new = claimed && (mutant(Mutant::kRankByLsn) ? rank.lsn >= claimed->lsn : rank >= *claimed);
    return seat != nullptr && seat->votes() && is_as_new;
}

}  // namespace

bool hears_master(const State& s) {
    if (s.is_master()) return true;
    if (mutant(Mutant::kVoteWhileHearing)) return false;
    return s.following.master && s.election.heard_tick && s.time.ticks - *s.election.heard_tick < s.options.election_timeout_ticks;
}

bool can_stand(const State& s) {
    if (!s.takes_part() || (s.own_seat()->seat != Seat::kVoter && !mutant(Mutant::kSpareStands))) return false;
    if (s.time.ticks == 0) return false;  // no clock has been read yet, and an entry of ours needs a timestamp (S22)
    if (s.hole || s.stopping_since || s.copying.needed || !has_state(s)) return false;
    if (s.applied > s.log.last().lsn || s.fetching.timestamp_token != 0) return false;
    const bool is_stalled = s.log.durable() < s.log.last().lsn && s.time.ticks - s.writing.waiting_since > s.options.wal_stall_ticks;
    return !is_stalled;
}

void reset_election_timeout(State& s) {
    const std::uint64_t timeout = s.options.election_timeout_ticks;
    s.election.deadline = s.time.ticks + timeout + s.random.below(std::max<std::uint64_t>(timeout, 1));
    if (is_only_voter(s)) s.election.deadline = s.time.ticks;
}

void hear_master(State& s, MemberId master, Actions& out) {
    ENSURE(!s.is_master());
    s.role = Role::kSlave;  // a candidate of this epoch has lost
    s.election.heard_tick = s.time.ticks;
    s.election.asking = false;
    s.election.delayed = false;
    reset_election_timeout(s);
    abandon_pull(s);
    if (s.following.master == master) return;
    s.following.master = master;
    notice(out, NoticeLevel::kInfo, "following a master node={} epoch={} last_epoch={} last_lsn={}", master.node.value, s.epoch().value,
           s.log.last().epoch.value, s.log.last().lsn.value);
}

void adopt_epoch(State& s, Epoch epoch, MemberId vote, Actions& out) {
    ENSURE(epoch > s.epoch());
    s.vote = {epoch, vote};
    s.pristine = false;
    if (!mutant(Mutant::kEpochNotSaved) || !vote.node.is_zero()) out.push_back(SaveVote{s.vote});
    if (s.is_master()) step_down(s, "a higher epoch exists", out);
    s.role = Role::kSlave;
    s.following = {};
    s.election.heard_tick.reset();
    s.election.asking = false;
    s.election.delayed = false;
    s.election.granted.clear();
    s.election.ordered_in.reset();
    abandon_inquiry(s);
    refuse_reads(s, "the epoch has changed", out);
}

void ask_for_pre_votes(State& s, Actions& out) {
    Election& e = s.election;
    e.asking = true;
    e.delayed = false;
    e.proposed = s.epoch().next();
    e.granted = {s.self().node};
    e.deadline = s.time.ticks + retry_ticks(s);
    if (e.granted.size() >= quorum(s)) return on_pre_vote_quorum(s, out);
    send_to_voters(s, PreVoteRequest{e.proposed, s.log.last().rank()}, out);
    for (const Peer& peer : s.peers) {  // spares do not vote, but may hold more than we do (S14)
        if (s.is_member(peer) && !s.is_voter(peer)) send(s, peer.node, PreVoteRequest{e.proposed, s.log.last().rank()}, out);
    }
}

void stand_if_delayed(State& s, Actions& out) {
    if (!s.election.delayed || s.pull.from || !is_synced(s)) return;
    s.election.delayed = false;
    if (can_stand(s)) stand(s, std::nullopt, out);
}

void stand_as_ordered(State& s, Actions& out) {
    if (is_synced(s)) stand(s, s.epoch(), out);  // otherwise with the next order: it is repeated
}

void tick_election(State& s, Actions& out) {
    if (s.is_master() || s.hole) return;
    if (mutant(Mutant::kEpochResumed) && s.time.ticks == 1 && s.vote.candidate == s.self() && can_stand(s)) {
        s.role = Role::kCandidate;
        return become_master(s, out);
    }
    if (s.role == Role::kCandidate && s.time.ticks - s.election.sent_tick >= s.options.heartbeat_ticks) {
        ask_for_votes(s, out);  // messages get lost
    }
    if (s.time.ticks < s.election.deadline || (s.election.delayed && s.pull.from)) return;
    if (s.role == Role::kCandidate) {
        s.role = Role::kSlave;  // gives up for good: votes of this epoch that come later are not counted
        s.election.granted.clear();
    }
    if (!can_stand(s)) {
        s.election.asking = false;
        return reset_election_timeout(s);
    }
    ask_for_pre_votes(s, out);
}

void on_master_dead(State& s, Actions& out) {
    if (!s.following.master || s.is_master()) return;
    const bool is_news = s.election.heard_tick.has_value();
    s.election.heard_tick.reset();
    if (!is_news) return;
    notice(out, NoticeLevel::kWarn, "the master's process is gone node={} epoch={}", s.following.master->node.value, s.epoch().value);
    s.election.deadline = s.time.ticks;
    if (!s.hole && can_stand(s)) ask_for_pre_votes(s, out);
}

void on_pre_vote_request(State& s, Peer& from, const Header& header, const PreVoteRequest& m, Actions& out) {
    from.rank = m.rank;
    // The very node that we take for the master of this epoch asks: its reign is over, and nobody knows better than itself.
    if (header.epoch == s.epoch() && s.following.master == header.sender) on_master_dead(s, out);
    PreVoteReply reply{.proposed = m.proposed, .rank = readable_rank(s)};
    if (hears_master(s)) reply.master = s.is_master() ? s.self() : s.following.master;
    reply.granted =
        !reply.master && m.proposed > s.epoch() && s.is_voter(from) && may_vote_for(s, m.rank) && !goes_before(s, from.node, m.rank);
    send(s, from.node, reply, out);
    // It may have refused us while it still heard the master. By now it does not, or it would not ask: that refusal has lapsed.
    const bool ask_again = !reply.master && goes_before(s, from.node, m.rank) && s.is_voter(from) && !is_granted(s, from.node);
    if (ask_again) send(s, from.node, PreVoteRequest{s.election.proposed, s.log.last().rank()}, out);
}

void on_pre_vote_reply(State& s, Peer& from, const PreVoteReply& m, Actions& out) {
    from.rank = m.rank;
    if (s.hole) return on_repair_probe_reply(s, from, m, out);
    Election& e = s.election;
    if (!e.asking || m.proposed != e.proposed) return;
    if (m.rank > s.log.last().rank() || mutant(Mutant::kPullCutsCommitted)) pull_from(s, from, out);
    if (!m.granted || !s.is_voter(from)) return;
    grant(e.granted, from.node);
    if (!e.delayed && e.granted.size() >= quorum(s) && can_stand(s)) on_pre_vote_quorum(s, out);
}

void on_vote_request(State& s, Peer& from, const Header& header, const VoteRequest& m, Actions& out) {
    if (header.epoch < s.epoch()) return send(s, from.node, HigherEpoch{}, out);
    const bool is_ordered = m.switchover_of == s.epoch() && header.epoch > s.epoch();
    const bool may_vote = s.is_voter(from) && may_vote_for(s, m.rank);
    // Not adopted (S3a): our master is well (S13), and it has not ordered this candidate, or one that cannot win, to stand (S17).
    if (header.epoch > s.epoch() && hears_master(s) && !(is_ordered && may_vote)) return;
    from.rank = m.rank;
    const bool is_free = header.epoch > s.epoch() || s.vote.candidate.node.is_zero() || mutant(Mutant::kTwoVotesInAnEpoch);
    const bool is_repeated = header.epoch == s.epoch() && s.vote.candidate == header.sender;
    const bool granted = may_vote && (is_repeated || (is_free && !hears_master(s)) || (is_free && is_ordered));
    if (header.epoch > s.epoch()) {
        adopt_epoch(s, header.epoch, granted ? header.sender : MemberId{}, out);
    } else if (granted && !is_repeated) {
        s.vote.candidate = header.sender;
        out.push_back(SaveVote{s.vote});
    }
    if (granted) {
        s.election.asking = false;
        s.election.delayed = false;
        abandon_pull(s);
        reset_election_timeout(s);
    }
    send(s, from.node, VoteReply{granted, readable_rank(s)}, out);
}

void on_vote_reply(State& s, Peer& from, const VoteReply& m, Actions& out) {
    from.rank = m.rank;
    if (s.role != Role::kCandidate || !m.granted || !s.is_voter(from)) return;
    if (!can_stand(s)) return;  // no longer: asked to stop meanwhile, or its disk stalls
    grant(s.election.granted, from.node);
    from.contact_tick = s.time.ticks;
    if (s.election.granted.size() >= quorum(s)) become_master(s, out);
}

}  // namespace tanist::core

// SPDX-License-Identifier: Apache-2.0
#include "core/failover/switchover.h"

#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/state.h"

namespace tanist::core {
namespace {

bool is_heard(const State& s, const Peer& peer) {
    return peer.connected && s.time.ticks - peer.contact_tick < s.options.election_timeout_ticks;
}

/// Why it cannot take over now; empty: it can.
std::string why_unfit(const State& s, const Peer& peer) {
    const Member* member = peer.id ? s.members.current().find(*peer.id) : nullptr;
    if (member == nullptr) return "is no member of this cluster";
    if (member->seat != Seat::kVoter) return "does not hold data and vote: only a master's equal can become master";
    if (!is_heard(s, peer)) return "cannot be reached";
    const Progress& p = peer.progress;
    const bool is_close = p.phase == SendPhase::kStream && p.match >= s.reign.epoch_start && !p.needs_copy && !p.recycled;
    return is_close ? "" : "is catching up";
}

/// The most up-to-date of those that can take over; nullptr: there is none.
const Peer* best_target(const State& s) {
    const auto rank = [](const Peer& peer) { return std::tuple(peer.progress.match, peer.progress.applied); };
    const Peer* best = nullptr;
    for (const Peer& peer : s.peers) {  // ascending by node: of equals the lowest
        if (why_unfit(s, peer).empty() && (best == nullptr || rank(peer) > rank(*best))) best = &peer;
    }
    return best;
}

void answer(State& s, const Switchover::Asker& asker, Result<MemberId> result, Actions& out) {
    if (asker.token == 0) return;
    if (asker.node.is_zero()) return out.push_back(SwitchoverEnded{asker.token, std::move(result)});
    SwitchoverAnswer told{.id = asker.token};
    if (result) {
        told.master = *result;
    } else {
        told.refused = {result.error().code, std::move(result.error().message)};
    }
    send(s, asker.node, std::move(told), out);
}

void begin(State& s, const Peer& target, const Switchover::Asker& asker, bool is_named, Actions& out) {
    s.switchover = {.phase = SwitchoverPhase::kCatchingUp,
                    .asker = asker,
                    .target = *target.id,
                    .is_named = is_named,
                    .epoch = s.epoch(),
                    .deadline = s.time.ticks + s.options.election_timeout_ticks};
    notice(out, NoticeLevel::kInfo, "switching over: writes pause node={} epoch={} target={} lsn={}", s.self().node.value, s.epoch().value,
           target.node.value, s.log.last().lsn.value);
}

void end(State& s, Result<MemberId> result, Actions& out) {
    const Switchover over = std::exchange(s.switchover, {});
    if (result) {
        notice(out, NoticeLevel::kInfo, "switched over from={} to={} epoch={}", s.self().node.value, result->node.value, s.epoch().value);
    } else {
        notice(out, NoticeLevel::kWarn, "not switched over target={} reason=\"{}\"", over.target.node.value, result.error().message);
    }
    answer(s, over.asker, std::move(result), out);
    on_switchover_ended(s, out);
}

/// Nothing is pending that the end of our reign would leave unknown, and the target's log equals ours.
bool is_ready(const State& s, const Peer& target) {
    if (mutant(Mutant::kOrderedTooEarly)) return true;
    const Lsn last = s.log.last().lsn;
    return target.progress.match == last && s.commit == last && s.applied == last && s.proposals.pending.empty();
}

void order(State& s, const Peer& target, Actions& out) {
    s.switchover.phase = SwitchoverPhase::kOrdered;
    s.switchover.sent_tick = s.time.ticks;
    s.reign.has_ordered_successor = true;
    send(s, target.node, StandNow{s.switchover.target}, out);
}

/// Voters that would vote for us in a new epoch, ourselves included.
std::size_t supporters(const State& s) {
    std::size_t count = 1;
    for (const Peer& peer : s.peers) {
        const bool is_in_step =
            is_heard(s, peer) && peer.progress.phase == SendPhase::kStream && peer.progress.intent <= s.log.last().rank();
        if (s.is_voter(peer) && is_in_step) ++count;
    }
    return count;
}

/// The first member in contact that cannot tell how far its log went; nullptr: there is none.
const Peer* unsettled_member(const State& s) {
    for (const Peer& peer : s.peers) {
        if (s.is_member(peer) && is_heard(s, peer) && peer.progress.intent == kWithoutUpperBound) return &peer;
    }
    return nullptr;
}

void advance_renewal(State& s, Actions& out) {
    Switchover& w = s.switchover;
    if (s.time.ticks >= w.deadline) {
        return end(s, fail(ErrorCode::kRefused, "the epoch was not renewed: what is pending was not answered in time"), out);
    }
    const Lsn last = s.log.last().lsn;
    const bool is_quiet = s.log.durable() == last && s.commit == last && s.applied == last && s.proposals.pending.empty();
    if (!is_quiet) return;
    w.phase = SwitchoverPhase::kOrdered;
    stand_as_ordered(s, out);
}

void advance_reign(State& s, Actions& out) {
    Switchover& w = s.switchover;
    if (w.target == s.self()) return advance_renewal(s, out);
    const Peer* target = s.find_peer(w.target.node);
    if (target == nullptr || !target->connected || target->id != w.target) {
        return end(s, fail(ErrorCode::kRefused, "node {} was lost: this node stays master", w.target.node.value), out);
    }
    if (s.time.ticks >= w.deadline) {
        return end(s,
                   fail(ErrorCode::kRefused, "node {} did not {} within {} ms: this node stays master", w.target.node.value,
                        w.phase == SwitchoverPhase::kOrdered ? "take over" : "get all that it lacks",
                        s.options.election_timeout_ticks * s.options.tick_ms),
                   out);
    }
    const bool is_overdue = w.phase == SwitchoverPhase::kOrdered && s.time.ticks - w.sent_tick >= s.options.heartbeat_ticks;
    if (is_overdue || (w.phase == SwitchoverPhase::kCatchingUp && is_ready(s, *target))) order(s, *target, out);
}

/// The master of the later epoch, once it has committed an entry of its own: it takes writes.
std::optional<MemberId> open_successor(const State& s) {
    if (s.is_master()) return s.reign.open ? std::optional(s.self()) : std::nullopt;
    const auto& f = s.following;
    const bool is_open = f.master && f.master_commit <= f.matched && s.log.epoch_at(f.master_commit) == s.epoch();
    return is_open ? f.master : std::nullopt;
}

void await_successor(State& s, Actions& out) {
    Switchover& w = s.switchover;
    if (w.phase != SwitchoverPhase::kSucceeded) {
        w.phase = SwitchoverPhase::kSucceeded;
        w.deadline = s.time.ticks + s.options.election_timeout_ticks;
    }
    if (const auto master = open_successor(s)) {
        const bool is_other = w.is_named ? *master != w.target : *master == s.self();
        if (!is_other) return end(s, *master, out);
        return end(s, fail(ErrorCode::kOutcomeUnknown, "node {} was elected in place of node {}", master->node.value, w.target.node.value),
                   out);
    }
    if (s.time.ticks < w.deadline) return;
    end(s, fail(ErrorCode::kOutcomeUnknown, "node {} stood for election, and no master has been heard since", w.target.node.value), out);
}

/// At the master.
void take(State& s, std::optional<NodeId> wanted, const Switchover::Asker& asker, Actions& out) {
    const auto refuse = [&](tl::unexpected<Error> why) { answer(s, asker, std::move(why), out); };
    if (wanted == s.self().node) return answer(s, asker, s.self(), out);
    if (s.stopping_since || s.switchover.is_under_way()) return refuse(fail(ErrorCode::kRefused, "a switchover is under way already"));
    if (!s.reign.open) return refuse(fail(ErrorCode::kOverloaded, "{}", kNotOpen));
    if (!wanted) {
        const Peer* best = best_target(s);
        if (best == nullptr) return refuse(fail(ErrorCode::kRefused, "no other data node is connected and in sync"));
        return begin(s, *best, asker, false, out);
    }
    const Peer* target = s.find_peer(*wanted);
    if (target == nullptr) return refuse(fail(ErrorCode::kInvalidArgument, "node {} is no member of this cluster", wanted->value));
    if (const std::string why = why_unfit(s, *target); !why.empty())
        return refuse(fail(ErrorCode::kRefused, "node {} {}", wanted->value, why));
    begin(s, *target, asker, true, out);
}

/// A copy of an ask that was taken, or one that was overtaken. Ids of one process rise from a number drawn at random: the ids of its next
/// life are not just below.
bool is_repeated(const Peer& from, const SwitchoverAsk& m) { return from.newest_ask - m.id <= std::numeric_limits<std::uint32_t>::max(); }

}  // namespace

void on_switchover_requested(State& s, const SwitchoverRequested& e, Actions& out) {
    const auto refuse = [&](tl::unexpected<Error> why) { out.push_back(SwitchoverEnded{e.token, std::move(why)}); };
    if (s.is_master()) return take(s, e.target, {.token = e.token}, out);
    if (!s.takes_part() || !hears_master(s)) return refuse(fail(ErrorCode::kUnavailable, "no master is known"));
    auto& pending = s.switchover_asks.pending;
    if (pending.size() == kSwitchoverAsksMax) {
        return refuse(fail(ErrorCode::kOverloaded, "the master was asked for {} switchovers and has not answered yet", pending.size()));
    }
    const std::uint64_t id = s.next_id();
    pending[id] = {e.token, s.time.ticks + kSwitchoverAskTimeouts * s.options.election_timeout_ticks};
    send(s, s.following.master->node, SwitchoverAsk{id, e.target.value_or(NodeId{})}, out);
}

void on_switchover_ask(State& s, Peer& from, const SwitchoverAsk& m, Actions& out) {
    if (!s.is_member(from) || is_repeated(from, m)) return;
    from.newest_ask = m.id;
    const Switchover::Asker asker{m.id, from.node};
    if (s.is_master()) return take(s, m.target.is_zero() ? std::nullopt : std::optional(m.target), asker, out);
    // The asker is of our epoch: whatever this node may have begun in an earlier life, it has not come about.
    answer(s, asker, fail(ErrorCode::kNotMaster, "node {} is not the master any more", s.self().node.value), out);
}

void on_switchover_answer(State& s, const SwitchoverAnswer& m, Actions& out) {
    const auto asked = s.switchover_asks.pending.extract(m.id);
    if (asked.empty()) return;
    const std::uint64_t token = asked.mapped().token;
    if (m.master) return out.push_back(SwitchoverEnded{token, *m.master});
    out.push_back(SwitchoverEnded{token, fail(m.refused.code, "{}", m.refused.reason)});
}

void tick_switchover_asks(State& s, Actions& out) {
    std::erase_if(s.switchover_asks.pending, [&](const auto& asked) {
        if (s.time.ticks < asked.second.deadline) return false;
        out.push_back(SwitchoverEnded{asked.second.token, fail(ErrorCode::kOutcomeUnknown, "the master has not answered in time")});
        return true;
    });
}

void switch_over_before_shutdown(State& s, Actions& out) {
    if (!s.is_master() || !s.reign.open || s.switchover.is_under_way()) return;
    if (const Peer* best = best_target(s)) begin(s, *best, {}, false, out);
}

void tick_renewal(State& s, Actions& out) {
    const bool may_begin = s.is_master() && s.reign.open && !s.stopping_since && !s.switchover.is_under_way();
    if (!may_begin) return;
    const Peer* unsettled = unsettled_member(s);
    if (unsettled == nullptr) {
        s.reign.unsettled_since.reset();
        return;
    }
    if (!s.reign.unsettled_since) s.reign.unsettled_since = s.time.ticks;
    const std::uint64_t patience = s.options.election_timeout_ticks;
    const bool is_due = s.time.ticks - *s.reign.unsettled_since >= patience && s.time.ticks - s.reign.since >= kRenewalTimeouts * patience;
    if (!is_due || supporters(s) < s.members.current().quorum()) return;
    notice(out, NoticeLevel::kWarn,
           "a member's log is settled only in a later epoch: beginning one, writes pause node={} epoch={} member={}", s.self().node.value,
           s.epoch().value, unsettled->node.value);
    s.switchover = {.phase = SwitchoverPhase::kCatchingUp,
                    .target = s.self(),
                    .is_named = true,
                    .epoch = s.epoch(),
                    .deadline = s.time.ticks + patience};
}

void advance_switchover(State& s, Actions& out) {
    if (!s.switchover.is_under_way()) return;
    if (s.is_master() && s.epoch() == s.switchover.epoch) return advance_reign(s, out);
    await_successor(s, out);
}

void on_stand_now(State& s, const Peer& from, const StandNow& m, Actions& out) {
    const bool is_by_own_master = s.following.master && s.following.master == from.id;
    if (m.target != s.self() || !is_by_own_master || s.role != Role::kSlave || !can_stand(s)) return;
    stand_as_ordered(s, out);
}

}  // namespace tanist::core

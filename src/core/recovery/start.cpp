// SPDX-License-Identifier: Apache-2.0
#include "core/recovery/start.h"

#include <string>

#include "core/recovery/repair.h"
#include "core/recovery/start_plan.h"
#include "core/state.h"

namespace tanist::core {
namespace {

void stop(State& s, int exit_code, std::string reason, Actions& out) {
    s.stopped = true;
    out.push_back(Stop{exit_code, std::move(reason)});
}

Epoch claimed_epoch(const State& s) { return s.hole ? std::max(s.hole->claimed.epoch, s.log.last().epoch) : s.log.last().epoch; }

/// The vote file tells nothing, or is not the newest one: the log, or its mark, is of a later epoch (S3).
VoteFound vote_found(State& s) {
    const bool is_old = s.identity.founding && claimed_epoch(s) > s.epoch();
    if (is_old && s.vote_lost.empty()) s.vote_lost = "the log is of a later epoch than the vote file";
    return s.vote_lost.empty() ? VoteFound::kKept : VoteFound::kLost;
}

void become_new_incarnation(State& s, Actions& out) {
    s.identity.id.incarnation = {s.random.next() | 1};
    s.identity.founding.reset();
    out.push_back(SaveIdentity{s.identity});
    s.vote = {std::max(s.epoch(), claimed_epoch(s)), MemberId{}};
    out.push_back(SaveVote{s.vote});
    notice(out, NoticeLevel::kError,
           "vote file lost: starting as a new incarnation, which the cluster must admit node={} incarnation={:016x} reason=\"{}\"",
           s.self().node.value, s.self().incarnation.value, s.vote_lost);
}

std::string why_refused(const State& s) {
    if (s.vote_lost.empty()) return fmt::format("the only voter's data directory is damaged: {}", s.start_notice);
    return fmt::format("the vote file is lost ({}), and the only voter cannot be admitted anew: restore a backup", s.vote_lost);
}

void warn_of_role(const State& s, Actions& out) {
    const Member* seat = s.own_seat();
    if (seat == nullptr) return;
    const ConfiguredRole role = s.options.role;
    const Seat configured = role == ConfiguredRole::kWitness ? Seat::kWitness
                            : role == ConfiguredRole::kSpare ? Seat::kSpare
                                                             : Seat::kVoter;
    if (configured != seat->seat)
        notice(out, NoticeLevel::kWarn, "node.role differs from the log, which wins node={}", s.self().node.value);
}

}  // namespace

void start_node(State& s, Actions& out) {
    s.started = true;
    reset_election_timeout(s);
    if (!s.start_notice.empty()) notice(out, NoticeLevel::kWarn, "{}", s.start_notice);
    const Tail tail = s.hole ? s.hole->kind : Tail::kClean;
    switch (start_plan(vote_found(s), tail, is_only_voter(s))) {
        case StartPlan::kJoin: break;
        case StartPlan::kRepairThenJoin: break;
        case StartPlan::kCutThenJoin: cut_hole(s, "the only voter has nobody to ask", out); break;
        case StartPlan::kNewIncarnation: become_new_incarnation(s, out); break;
        case StartPlan::kRefuseToStart: return stop(s, 3, why_refused(s), out);
    }
    const bool store_is_ahead = !s.hole && has_state(s) && s.applied > s.log.last().lsn;
    if (store_is_ahead) {
        enter_quarantine(
            s, fmt::format("the log ends at lsn {}, below what the store has applied (lsn {})", s.log.last().lsn.value, s.applied.value),
            out);
    }
    warn_of_role(s, out);
    if (s.options.bootstrap && !s.pristine)
        notice(out, NoticeLevel::kWarn, "--bootstrap is ignored: this data directory has held data node={}", s.self().node.value);
}

void tick_shutdown(State& s, Actions& out) {
    if (!s.stopping_since || s.stopped || s.switchover.is_under_way()) return;
    if (s.is_master()) {
        const bool is_answered = s.proposals.pending.empty() && s.applied == s.applying.handed && s.reads.running == 0;
        const bool is_overdue = s.time.ticks - *s.stopping_since >= s.options.election_timeout_ticks;
        if (!is_answered && !is_overdue) return;
        step_down(s, "shutting down", out);
    } else if (s.reads.asked_id != 0 && s.time.ticks - *s.stopping_since < s.options.election_timeout_ticks) {
        return;  // reads that a switchover has sent on to the new master
    }
    refuse_reads(s, "shutting down", out);
    stop(s, 0, "asked to stop", out);
}

}  // namespace tanist::core

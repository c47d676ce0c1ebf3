// SPDX-License-Identifier: Apache-2.0
#include "core/replication/proposals.h"

#include <algorithm>

#include "base/mutant.h"
#include "core/replication/sending.h"
#include "core/state.h"

namespace tanist::core {
namespace {

struct Why {
    ErrorCode code;
    std::string reason;
};

std::optional<Why> why_refused(const State& s, const Proposal& e) {
    if (s.is_master() && s.switchover.is_under_way()) return Why{ErrorCode::kOverloaded, "pausing: another node takes over"};
    if (s.is_master() && s.stopping_since) return Why{ErrorCode::kOverloaded, "shutting down: no more writes are taken here"};
    if (s.is_master() && !s.reign.open) return Why{ErrorCode::kOverloaded, kNotOpen};
    if (s.is_master() && s.proposals.pending_bytes + e.payload.size() > s.options.uncommitted_bytes_max && !s.proposals.pending.empty()) {
        return Why{ErrorCode::kOverloaded, "too much is waiting to be committed"};
    }
    if (e.payload.size() > kPayloadBytesMax) return Why{ErrorCode::kInvalidArgument, "the batch is larger than an entry may be"};
    if (s.is_master()) return std::nullopt;
    if (!s.quarantine.empty()) return Why{ErrorCode::kUnavailable, s.quarantine};
    if (!s.takes_part()) return Why{ErrorCode::kUnavailable, "this node belongs to no cluster yet"};
    if (hears_master(s)) return Why{ErrorCode::kNotMaster, fmt::format("node {} is master", s.following.master->node.value)};
    return Why{ErrorCode::kUnavailable, "no master is known: no quorum, or an election is under way"};
}

}  // namespace

void on_proposal(State& s, const Proposal& e, Actions& out) {
    if (auto why = why_refused(s, e)) {
        out.push_back(ProposalRefused{e.token, why->code, std::move(why->reason)});
        return;
    }
    append_own(s, EntryKind::kCommands, e.payload, e.now, out);
    const EntryId entry = s.log.last();
    out.push_back(ProposalAccepted{e.token, entry.rank()});
    s.proposals.pending.push_back({e.token, entry.lsn, e.payload.size()});
    s.proposals.pending_bytes += e.payload.size();
    if (e.report_durable) s.proposals.for_durable.push_back({e.token, entry.lsn});
    if (e.report_all) {
        s.proposals.for_all.push_back({e.token, entry.lsn});
        if (s.proposals.for_all.size() > kWaitersForAllMax) s.proposals.for_all.pop_front();
    }
    pump_all(s, out);
}

void on_forward_writes(State& s, const ForwardWrites& e, Actions& out) {
    if (s.is_master() || !s.takes_part() || !hears_master(s)) return;
    send(s, s.following.master->node, ForwardedWrites{e.payload}, out);
}

void on_forwarded_writes(State& s, const Peer& from, const ForwardedWrites& m, Actions& out) {
    const bool takes_writes = s.is_master() && s.reign.open && !s.switchover.is_under_way() && !s.stopping_since;
    if (takes_writes && s.is_member(from)) out.push_back(TakeForwarded{from.node, m.payload});
}

void report_durable(State& s, Actions& out) {
    auto& waiters = s.proposals.for_durable;
    while (!waiters.empty() && waiters.front().lsn <= s.log.durable()) {
        if (!s.reign.has_ordered_successor || mutant(Mutant::kLevelMasterAfterOrder))
            out.push_back(ProposalDurable{waiters.front().token});  // S17: then only its commit tells
        waiters.pop_front();
    }
}

void report_on_all(State& s, Actions& out) {
    auto& waiters = s.proposals.for_all;
    const Lsn reached = mutant(Mutant::kAllAtQuorum) ? s.commit : s.everywhere;
    while (!waiters.empty() && waiters.front().lsn <= reached) {
        out.push_back(ProposalOnAll{waiters.front().token});
        waiters.pop_front();
    }
}

void forget_applied(State& s, Lsn through) {
    auto& pending = s.proposals.pending;
    while (!pending.empty() && pending.front().lsn <= through) {
        s.proposals.pending_bytes -= pending.front().bytes;
        pending.pop_front();
    }
}

void report_unknown(State& s, const std::string& why, Actions& out) {
    for (const auto& pending : s.proposals.pending) {
        if (mutant(Mutant::kPendingAnsweredRefused)) {
            out.push_back(ProposalRefused{pending.token, ErrorCode::kUnavailable, why});
            continue;
        }
        out.push_back(ProposalUnknown{pending.token, fmt::format("the write is in the log, but its outcome is unknown: {}", why)});
    }
    s.proposals = Proposals{};
}

}  // namespace tanist::core

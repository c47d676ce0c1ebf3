// SPDX-License-Identifier: Apache-2.0
#include "core/recovery/copy.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/mutant.h"
#include "core/replication/following.h"
#include "core/replication/sending.h"
#include "core/state.h"

namespace tanist::core {
namespace {

/// Data members that can be asked, slaves first, so that the master is spared.
std::vector<NodeId> donors(const State& s) {
    std::vector<NodeId> nodes;
    const auto master = s.following.master;
    for (const Peer& peer : s.peers) {
        const Member* member = peer.id ? s.members.current().find(*peer.id) : nullptr;
        const bool is_usable = member != nullptr && member->holds_data() && peer.connected && peer.refusal.empty();
        if (is_usable && !(master && master->node == peer.node)) nodes.push_back(peer.node);
    }
    const Peer* last = nullptr;
    for (const Peer& peer : s.peers) {
        if (master && peer.node == master->node && peer.connected) last = &peer;
    }
    if (last != nullptr) nodes.push_back(last->node);
    return nodes;
}

/// Whether the log above the checkpoint stays: the checkpoint's entry is in it.
bool keeps_log(const State& s, const EntryId& position) { return !s.hole && s.log.holds(position.rank()); }

/// Why a checkpoint must not be installed: nothing that this node may have acknowledged is forgotten by it, and its state does
/// not go back (S25). Empty: it may.
std::string why_not(const State& s, const EntryId& position) {
    if (position.lsn <= s.applied && has_state(s)) return "it is no newer than the state here";
    if (position.epoch > s.epoch()) return "it is of an epoch that is unknown here";
    if (keeps_log(s, position)) return position.lsn <= s.log.durable() ? "" : "the log here is not durable up to it yet";  // S7
    if (mutant(Mutant::kCheckpointForgets)) return "";
    const auto claimed = claimed_rank(s);
    if (!claimed) return position.epoch > s.start_epoch ? "" : "the log's end is unknown, and the checkpoint is of no later epoch";
    return position.rank() >= *claimed ? "" : "the log here may have reached further";
}

void install(State& s, const CopyReceived& e, Actions& out) {
    const EntryId position = *e.position;
    const bool keep_log = keeps_log(s, position);
    const bool settles = s.hole && s.hole->kind == Tail::kUnbounded;
    if (!keep_log) {
        const Lsn from = std::max(s.commit, s.log.base().lsn).next();
        if (from <= s.log.last().lsn) out.push_back(ExportRescued{from, s.log.last().lsn});
        s.log.reset(position);
        s.members.cut(Lsn{});
        s.members.start_from(e.membership, position.lsn);
        s.hole.reset();
        if (s.following.master) s.following.matched = position.lsn;  // committed, so it is in every later master's log
    }
    out.push_back(InstallCopy{s.log.generation(), position, keep_log});
    if (settles) out.push_back(RepairLog{s.log.generation(), {}});  // the mark may be readable again
    s.log.raise_timestamp(e.timestamp);
    observe_log_time(s);
    s.applied = std::max(s.applied, position.lsn);
    s.commit = std::max(s.commit, position.lsn);
    s.applying = Applying{};
    s.applying.handed = s.applied;
    s.copying = Copying{};
    notice(out, NoticeLevel::kInfo, "checkpoint installed epoch={} lsn={} log_kept={}", position.epoch.value, position.lsn.value, keep_log);
}

void retry_later(State& s) {
    s.copying.donor.reset();
    ++s.copying.attempts;
    s.copying.retry_tick = s.time.ticks + s.options.election_timeout_ticks / 2 + 1;
}

}  // namespace

bool has_state(const State& s) {
    const Member* seat = s.own_seat();
    if (seat != nullptr && !seat->holds_data()) return true;
    return s.applied >= s.log.base().lsn;
}

void need_copy(State& s, std::string why, Actions& out) {
    if (s.copying.needed) return;
    s.copying.needed = true;
    s.copying.why = std::move(why);
    notice(out, NoticeLevel::kWarn, "a full copy is needed reason=\"{}\" last_lsn={} applied_lsn={}", s.copying.why, s.log.last().lsn.value,
           s.applied.value);
}

void tick_copy(State& s, Actions& out) {
    if (s.is_master()) return;
    if (!has_state(s)) need_copy(s, "the state ends before the log begins", out);
    if (!s.copying.needed) return;
    // The master may still have served what was missing, from its log.
    const bool reached_by_log = has_state(s) && !s.hole && s.in_sync && s.following.master &&
                                s.following.matched >= s.following.master_commit && !s.following.matched.is_zero();
    if (reached_by_log) {
        if (s.copying.donor) out.push_back(StopCopy{});
        s.copying = Copying{};
        return;
    }
    if (s.copying.donor || s.time.ticks < s.copying.retry_tick) return;
    if (!s.applying.batches.empty()) return;  // the state must not move under the copy
    const auto nodes = donors(s);
    if (nodes.empty()) return retry_later(s);
    s.copying.donor = nodes[s.copying.attempts % nodes.size()];
    notice(out, NoticeLevel::kInfo, "copying a checkpoint donor={}", s.copying.donor->value);
    out.push_back(StartCopy{*s.copying.donor});
}

void on_copy_received(State& s, const CopyReceived& e, Actions& out) {
    if (!s.copying.donor) return;
    if (!e.position) {
        notice(out, NoticeLevel::kWarn, "a copy failed donor={} reason=\"{}\"", s.copying.donor->value, e.position.error().message);
        return retry_later(s);
    }
    if (const std::string why = why_not(s, *e.position); !why.empty()) {
        out.push_back(StopCopy{});
        notice(out, NoticeLevel::kWarn, "a copy is not installed donor={} position_lsn={} reason=\"{}\"", s.copying.donor->value,
               e.position->lsn.value, why);
        return retry_later(s);
    }
    install(s, e, out);
    advance_apply(s, out);
}

}  // namespace tanist::core

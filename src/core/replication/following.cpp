// SPDX-License-Identifier: Apache-2.0
#include "core/replication/following.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/recovery/repair.h"
#include "core/replication/sending.h"
#include "core/state.h"

namespace tanist::core {
namespace {

/// The master says that we acknowledged up to `acknowledged` in this epoch. If our log and its mark know nothing of that, entries
/// were lost unnoticed, and whatever this node says is not to be trusted (S1). A hole is known, and claims what it may have held.
bool lost_what_it_acknowledged(const State& s, Lsn acknowledged) {
    const auto claimed = claimed_rank(s);
    if (!claimed) return false;
    return acknowledged > std::max(claimed->lsn, s.log.last().lsn);
}

void note_news(State& s, std::uint64_t round, Lsn commit) {
    s.following.round = std::max(s.following.round, round);
    s.following.master_commit = std::max(s.following.master_commit, commit);
}

/// Committed here is what the master says, as far as our log is known to equal its (S6).
void raise_commit(State& s, Lsn commit) {
    const Lsn known = mutant(Mutant::kSlaveCommitsUnmatched) ? s.log.last().lsn : s.following.matched;
    s.commit = std::max(s.commit, std::min(commit, known));
}

void reject(State& s, Peer& from, const Append& m, Actions& out) {
    send(s, from.node,
         AppendReject{.previous = m.previous,
                      .base = s.log.base().lsn,
                      .last = s.log.last().rank(),
                      .epochs = s.log.newest_epochs(kEpochRunsMax),
                      .round = s.following.round,
                      .needs_copy = s.copying.needed},
         out);
}

/// Whether the entries can be placed: behind something that we hold, or across our base, below which all is committed.
bool connects(const State& s, const Append& m) {
    if (mutant(Mutant::kPredecessorNotChecked) && m.previous.lsn <= s.log.last().lsn) return true;
    if (m.previous.lsn >= s.log.base().lsn) return s.log.holds(m.previous);
    if (m.entries.empty() || m.entries.back().lsn() <= s.log.base().lsn) return false;
    const std::uint64_t at = s.log.base().lsn.value - m.previous.lsn.value - 1;
    return at < m.entries.size() && m.entries[at].rank() == s.log.base();
}

/// The first entry that we do not hold; `entries.size()` when we hold them all. They follow `before` and each other.
std::size_t first_new(const State& s, std::span<const Entry> entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].lsn() >= s.log.base().lsn && !s.log.holds(entries[i].rank())) return i;
    }
    return entries.size();
}

bool chain(const State& s, Rank previous, std::span<const Entry> entries) {
    if (entries.empty()) return true;
    if (entries.front().lsn() != previous.lsn.next() || entries.back().epoch() > s.epoch()) return false;
    for (std::size_t i = 1; i < entries.size(); ++i) {
        if (!entries[i].follows(entries[i - 1].id())) return false;
    }
    return true;
}

bool follows_what_we_hold(const State& s, const Entry& first) {
    const Lsn keep = first.lsn().previous();
    if (const auto id = s.log.id_of(keep)) return first.follows(*id);
    const auto epoch = s.log.epoch_at(keep);  // has left memory: its checksum is the one that `first` names
    return epoch && first.epoch() >= *epoch;
}

}  // namespace

void cut_log(State& s, Lsn keep, std::uint32_t checksum, Actions& out) {
    ENSURE(keep >= s.commit);  // S7
    if (!mutant(Mutant::kCutNotExported)) out.push_back(ExportRescued{keep.next(), s.log.last().lsn});
    notice(out, NoticeLevel::kWarn, "cutting a diverged log tail from_lsn={} through_lsn={} last_epoch={}", keep.next().value,
           s.log.last().lsn.value, s.log.last().epoch.value);
    s.log.cut(keep, checksum);
    s.members.cut(keep);
    s.following.matched = std::min(s.following.matched, keep);
    out.push_back(CutLog{s.log.generation(), keep});
}

void observe_log_time(State& s) {
    const bool has_read_clocks = s.time.ticks != 0;
    has_read_clocks ? s.clock.observe(s.log.timestamp(), s.time.now) : s.clock.resume(s.log.timestamp());
}

Taken take_entries(State& s, Rank previous, std::span<const Entry> entries, bool may_cut, Actions& out) {
    if (!chain(s, previous, entries)) return Taken::kRefused;
    const std::size_t skip = first_new(s, entries);
    if (skip == entries.size()) return Taken::kHeld;
    const auto fresh = entries.subspan(skip);
    const Lsn keep = fresh.front().lsn().previous();
    if (keep < s.log.last().lsn) {
        if (!may_cut) return Taken::kRefused;
        if (keep < s.log.base().lsn || (keep < s.commit && !mutant(Mutant::kPullCutsCommitted))) return Taken::kForbidden;
    }
    if (!follows_what_we_hold(s, fresh.front())) return Taken::kRefused;
    if (keep < s.log.last().lsn) cut_log(s, keep, fresh.front().predecessor_checksum(), out);
    for (const Entry& entry : fresh) {
        s.log.append(entry);
        if (entry.kind() == EntryKind::kMembership && !s.members.append(entry)) {
            notice(out, NoticeLevel::kError, "a membership entry cannot be decoded lsn={}", entry.lsn().value);
        }
    }
    observe_log_time(s);
    write_entries(s, {fresh.begin(), fresh.end()}, out);
    return Taken::kExtended;
}

/// min(durable, matched); a log with a hole acknowledges nothing (S5, S9).
Lsn acknowledged(const State& s) {
    if (s.hole) return mutant(Mutant::kHoleAcknowledged) ? claimed_rank(s).value_or(Rank{}).lsn : Lsn{};
    if (mutant(Mutant::kAckNotMatched)) return s.log.durable();
    if (mutant(Mutant::kAckNotDurable)) return s.following.matched;
    return std::min(s.log.durable(), s.following.matched);
}

void acknowledge(State& s, Actions& out) {
    const auto claimed = claimed_rank(s);
    s.following.owes_answer = false;
    send(s, s.following.master->node,
         AppendAck{.acknowledged = acknowledged(s),
                   .applied = s.applied,
                   .intent = claimed.value_or(kWithoutUpperBound),
                   .round = s.following.round},
         out);
}

void tick_following(State& s, Actions& out) {
    if (s.following.owes_answer && s.following.master) acknowledge(s, out);
}

void on_heartbeat(State& s, Peer& from, const Heartbeat& m, Actions& out) {
    if (s.is_master()) return;
    hear_master(s, *from.id, out);
    note_news(s, m.round, m.commit);
    if (!s.hole) raise_commit(s, m.commit);
    acknowledge(s, out);
    advance_apply(s, out);
    recycle_as_witness(s, out);
    note_in_sync(s);
}

void on_append(State& s, Peer& from, const Append& m, Actions& out) {
    if (s.is_master()) {
        notice(out, NoticeLevel::kError, "another node claims to be master of our own epoch node={} epoch={}", from.node.value,
               s.epoch().value);
        return;
    }
    hear_master(s, *from.id, out);
    if (lost_what_it_acknowledged(s, m.acknowledged)) {
        return enter_quarantine(
            s,
            fmt::format("the log ends at lsn {}, but lsn {} was acknowledged in epoch {}: entries were lost unnoticed (S1)",
                        s.log.last().lsn.value, m.acknowledged.value, s.epoch().value),
            out);
    }
    const bool is_new_round = m.round > s.following.round, are_new_commits = m.commit > s.following.master_commit;
    note_news(s, m.round, m.commit);
    s.everywhere = std::max(s.everywhere, m.everywhere);
    if (s.hole) {
        acknowledge(s, out);
        return repair_from_master(s, out);
    }
    if (!connects(s, m)) return reject(s, from, m, out);
    const Taken taken = take_entries(s, m.previous, m.entries, true, out);
    if (taken == Taken::kForbidden) {
        return enter_quarantine(
            s,
            fmt::format("the master of epoch {} contradicts entries at or below our commit lsn {} (S7)", s.epoch().value, s.commit.value),
            out);
    }
    if (taken == Taken::kRefused) {
        notice(out, NoticeLevel::kError, "an append does not chain to our log: ignored node={} previous_lsn={}", from.node.value,
               m.previous.lsn.value);
        return;
    }
    const Lsn through = m.entries.empty() ? m.previous.lsn : m.entries.back().lsn();
    if (mutant(Mutant::kShorterAppendCuts) && through < s.log.last().lsn && through >= s.commit && s.log.id_of(through))
        cut_log(s, through, s.log.id_of(through)->checksum, out);
    s.following.matched = std::max(s.following.matched, std::min(through, s.log.last().lsn));
    raise_commit(s, m.commit);
    // Its sender knows what is acknowledged, and has told that all of it is committed: nothing waits for the answer.
    const bool is_news_to_us_alone =
        m.entries.empty() && are_new_commits && !is_new_round && m.acknowledged == acknowledged(s) && m.commit >= m.acknowledged;
    if (is_news_to_us_alone && s.options.answers_wait) {
        s.following.owes_answer = true;
    } else if (taken == Taken::kHeld || is_new_round) {
        acknowledge(s, out);  // otherwise once it is durable
    }
    advance_apply(s, out);
    recycle_as_witness(s, out);
    note_in_sync(s);
}

}  // namespace tanist::core

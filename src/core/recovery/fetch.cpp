// SPDX-License-Identifier: Apache-2.0
#include "core/recovery/fetch.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "core/state.h"

namespace tanist::core {
namespace {

FetchReply reply_to(const State& s, std::uint64_t id, Rank previous, FetchStatus status) {
    FetchReply reply{.id = id, .status = status, .previous = previous, .commit = s.commit, .last = readable_rank(s)};
    if (status == FetchStatus::kDiverged) {
        reply.epochs = s.log.newest_epochs(kEpochRunsMax);
        reply.last = s.log.last().rank();  // what `epochs` speaks of
    }
    return reply;
}

/// What to read for an asker that holds `previous`: nullopt where nothing follows. Of a damaged log single good entries behind
/// the hole are given too: the asker checks that they chain (S9).
std::optional<std::pair<Lsn, Lsn>> range_behind(const State& s, Lsn previous) {
    if (previous < s.log.last().lsn) return std::pair{previous.next(), s.log.last().lsn};
    if (!s.hole) return std::nullopt;
    const auto record = std::ranges::upper_bound(s.hole->behind, previous, {}, &EntryId::lsn);
    if (record == s.hole->behind.end()) return std::nullopt;
    const auto run = run_behind(*s.hole, record->lsn.previous());
    return std::pair{run.front().lsn, run.back().lsn};
}

FetchStatus judge_request(const State& s, const FetchRequest& m) {
    const bool speaks_of_no_position = s.is_master() && s.reign.pulling;  // S15
    if (speaks_of_no_position) return FetchStatus::kBusy;
    if (m.previous.lsn < s.log.base().lsn) return FetchStatus::kRecycled;
    const bool is_behind_hole = s.hole && m.previous.lsn > s.log.last().lsn;
    if (is_behind_hole || s.log.holds(m.previous) || mutant(Mutant::kFillNotChecked)) return FetchStatus::kEntries;
    return FetchStatus::kDiverged;
}

}  // namespace

void on_fetch_request(State& s, Peer& from, const FetchRequest& m, Actions& out) {
    FetchReply reply = reply_to(s, m.id, m.previous, judge_request(s, m));
    const auto range = reply.status == FetchStatus::kEntries ? range_behind(s, m.previous.lsn) : std::nullopt;
    if (!range) return send(s, from.node, std::move(reply), out);
    const Lsn first = range->first;
    const Lsn through = m.through.is_zero() ? range->second : std::min(m.through, range->second);
    if (through < first) return send(s, from.node, std::move(reply), out);
    const std::uint32_t bytes_max = std::min(m.bytes_max, kFetchBytesMax);
    if (first >= s.log.tail_begin() && through <= s.log.last().lsn) {
        reply.entries = s.log.take(first, through, bytes_max);
        return send(s, from.node, std::move(reply), out);
    }
    std::erase_if(s.fetching.readings, [&](const Fetching::Reading& r) { return r.node == from.node; });
    s.fetching.readings.push_back({s.next_id(), from.node, m.id, m.previous});
    out.push_back(ReadLog{s.fetching.readings.back().token, first, through, bytes_max});
}

bool on_fetch_log_read(State& s, const LogRead& e, Actions& out) {
    const auto at = std::ranges::find(s.fetching.readings, e.token, &Fetching::Reading::token);
    if (at == s.fetching.readings.end()) return false;
    const Fetching::Reading reading = *at;
    s.fetching.readings.erase(at);
    if (!s.takes_part()) return true;
    if (!e.entries) {
        const bool is_gone = e.entries.error().code == ErrorCode::kRecycled;
        send(s, reading.node, reply_to(s, reading.id, reading.previous, is_gone ? FetchStatus::kRecycled : FetchStatus::kBusy), out);
        return true;
    }
    FetchReply reply = reply_to(s, reading.id, reading.previous, FetchStatus::kEntries);
    // A cut may have overtaken the reading: what it gave must still be ours. (Behind a hole nothing is cut before it is repaired.)
    const bool is_ours = e.entries->empty() || s.hole || s.log.holds(e.entries->back().rank());
    if (is_ours)
        reply.entries = *e.entries;
    else
        reply.status = FetchStatus::kBusy;
    send(s, reading.node, std::move(reply), out);
    return true;
}

}  // namespace tanist::core

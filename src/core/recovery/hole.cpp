// SPDX-License-Identifier: Apache-2.0
#include "core/recovery/hole.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/mutant.h"

namespace tanist::core {

std::optional<EntryId> known_id(const Hole& hole, Lsn lsn) {
    if (hole.intent && hole.intent->lsn == lsn) return hole.intent;
    const auto record = std::ranges::lower_bound(hole.behind, lsn, {}, &EntryId::lsn);
    if (record != hole.behind.end() && record->lsn == lsn) return *record;
    if (!lsn.is_zero() && hole.confirmed.lsn == lsn) return hole.confirmed;
    return std::nullopt;
}

bool extend_fill(Hole& hole, const Entry& entry, bool trusted) {
    ENSURE(entry.follows(hole.tip()));
    const auto known = mutant(Mutant::kHoleFilledByAnyEpoch) ? entry.id() : known_id(hole, entry.lsn());
    const bool is_original = known == entry.id();
    if (known && !is_original && !trusted) return false;
    hole.fill.push_back(entry);
    hole.fill_bytes += entry.size();
    if (!trusted && !is_original) return true;
    hole.trusted = hole.fill.size();  // by the chain of checksums this vouches for all entries before it too
    hole.original = is_original;
    if (known && !is_original) hole.voided = true;
    if (hole.intent && entry.epoch() > hole.intent->epoch) hole.voided = true;  // what was here was of older epochs
    return true;
}

void drop_untrusted(Hole& hole) {
    while (hole.fill.size() > hole.trusted) {
        hole.fill_bytes -= hole.fill.back().size();
        hole.fill.pop_back();
    }
}

std::vector<EntryId> run_behind(const Hole& hole, Lsn lsn) {
    std::vector<EntryId> run;
    for (auto record = std::ranges::upper_bound(hole.behind, lsn, {}, &EntryId::lsn); record != hole.behind.end(); ++record) {
        if (record->lsn != lsn.next()) break;
        run.push_back(*record);
        lsn = record->lsn;
    }
    return run;
}

Verdict judge(const Hole& hole) {
    const Rank found = hole.trusted > 0 ? hole.fill[hole.trusted - 1].rank() : Rank{};
    if (hole.kind == Tail::kUnbounded) {
        // Settled by an entry of a reign that began after this start, with everything before it: the first of them is its epoch-start.
        const bool is_own_reign = mutant(Mutant::kOwnReignSettlesMark) && found.epoch == hole.start_epoch;
        if (found.epoch > hole.start_epoch || is_own_reign) return Verdict::kVoided;
        if (hole.voided) return Verdict::kMore;
    } else if (hole.voided) {
        // The repaired log must outrank what may have been here: a master's epoch-start entry sees to that.
        return found.epoch > hole.intent->epoch || found >= hole.intent->rank() ? Verdict::kVoided : Verdict::kMore;
    }
    const Lsn tip = hole.tip().lsn;
    const bool is_original = hole.original && hole.trusted == hole.fill.size();
    const auto run = run_behind(hole, tip);
    const bool reaches_intent = hole.intent && (run.empty() ? tip : run.back().lsn) >= hole.intent->lsn;
    if (is_original && reaches_intent) return Verdict::kComplete;
    return run.empty() ? Verdict::kMore : Verdict::kReadOwn;
}

bool may_give(const Hole& hole, Rank last) { return hole.kind != Tail::kUnbounded || last > hole.tip().rank(); }

Settled settle(const Hole& hole, std::size_t voters, std::size_t quorum) {
    std::size_t answered = 1, deny = 0;  // this node answers itself, and does not deny
    bool has_any = false;
    for (const Answer& a : hole.inquiry.answers) {
        if (a.answer == InquiryAnswer::kHas && may_give(hole, a.last)) has_any = true;
        if (!a.votes) continue;
        ++answered;
        if (a.answer == InquiryAnswer::kDenies) ++deny;
    }
    if (has_any) return Settled::kFetch;
    if (answered >= (mutant(Mutant::kInquiryCutsEarly) ? quorum : voters)) return Settled::kCut;
    if (hole.kind != Tail::kUnbounded && voters - deny < quorum) return Settled::kCut;
    return Settled::kNotYet;
}

bool may_inquire(const Hole& hole, Lsn from, Lsn applied) {
    if (from <= applied) return false;
    return hole.kind == Tail::kUnbounded || from > hole.confirmed.lsn;
}

}  // namespace tanist::core

// SPDX-License-Identifier: Apache-2.0
#include "wal/judgement.h"

#include <algorithm>

#include "base/ensure.h"

namespace tanist::wal {

Judgement judge(bool bounded, Place first_bad, bool only_voter) {
    const auto fits = [&](const JudgementCase& row) {
        return row.bounded.value_or(bounded) == bounded && row.first_bad.value_or(first_bad) == first_bad &&
               row.only_voter.value_or(only_voter) == only_voter;
    };
    const auto* row = std::ranges::find_if(kJudgementCases, fits);
    ENSURE(row != kJudgementCases.end());
    return row->judgement;
}

Place place_of(std::optional<Lsn> first_bad, const EntryId& last, const Mark& mark) {
    if (!first_bad) return Place::kNowhere;
    if (*first_bad <= mark.confirmed.lsn) return Place::kUpToConfirmed;
    if (last.rank() < mark.intent.rank()) return Place::kUpToIntent;
    return Place::kAboveIntent;
}

}  // namespace tanist::wal

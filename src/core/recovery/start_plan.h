// SPDX-License-Identifier: Apache-2.0
// What the state found at start calls for, as a table (S1, S3, S9).
#pragma once

#include <array>
#include <cstdint>

#include "base/types.h"

namespace tanist::core {

enum class VoteFound : std::uint8_t { kLost, kKept };
enum class StartPlan : std::uint8_t {
    kJoin,            ///< nothing to repair
    kCutThenJoin,     ///< nobody to ask: the doubt is cut, and said so
    kRepairThenJoin,  ///< keeps its claims, may not stand
    kNewIncarnation,  ///< it might vote twice in one epoch: stays out until it is admitted
    kRefuseToStart,   ///< a person must decide
};

struct StartCase {
    VoteFound vote;
    Tail tail;
    bool only_voter;
    StartPlan plan;
};

/// Exactly one row fits each case; a test walks them all. A torn tail has been cut by the WAL: it was never reported durable.
inline constexpr std::array kStartCases = {
    StartCase{VoteFound::kLost, Tail::kClean, false, StartPlan::kNewIncarnation},
    StartCase{VoteFound::kLost, Tail::kTorn, false, StartPlan::kNewIncarnation},
    StartCase{VoteFound::kLost, Tail::kInDoubt, false, StartPlan::kNewIncarnation},
    StartCase{VoteFound::kLost, Tail::kCorrupt, false, StartPlan::kNewIncarnation},
    StartCase{VoteFound::kLost, Tail::kUnbounded, false, StartPlan::kNewIncarnation},
    StartCase{VoteFound::kLost, Tail::kClean, true, StartPlan::kRefuseToStart},  // nobody could admit a new incarnation
    StartCase{VoteFound::kLost, Tail::kTorn, true, StartPlan::kRefuseToStart},
    StartCase{VoteFound::kLost, Tail::kInDoubt, true, StartPlan::kRefuseToStart},
    StartCase{VoteFound::kLost, Tail::kCorrupt, true, StartPlan::kRefuseToStart},
    StartCase{VoteFound::kLost, Tail::kUnbounded, true, StartPlan::kRefuseToStart},
    StartCase{VoteFound::kKept, Tail::kClean, false, StartPlan::kJoin},
    StartCase{VoteFound::kKept, Tail::kTorn, false, StartPlan::kJoin},               // above the intent: never reported durable
    StartCase{VoteFound::kKept, Tail::kInDoubt, false, StartPlan::kRepairThenJoin},  // keeps its rank, may not stand
    StartCase{VoteFound::kKept, Tail::kCorrupt, false, StartPlan::kRepairThenJoin},
    StartCase{VoteFound::kKept, Tail::kUnbounded, false, StartPlan::kRepairThenJoin},  // no readable mark: refuses every vote
    StartCase{VoteFound::kKept, Tail::kClean, true, StartPlan::kJoin},
    StartCase{VoteFound::kKept, Tail::kTorn, true, StartPlan::kJoin},
    StartCase{VoteFound::kKept, Tail::kInDoubt, true, StartPlan::kCutThenJoin},    // nobody to ask: cut, and say so
    StartCase{VoteFound::kKept, Tail::kCorrupt, true, StartPlan::kRefuseToStart},  // no peer can have a good copy
    StartCase{VoteFound::kKept, Tail::kUnbounded, true, StartPlan::kRefuseToStart},
};

[[nodiscard]] constexpr StartPlan start_plan(VoteFound vote, Tail tail, bool only_voter) {
    for (const StartCase& row : kStartCases) {
        if (row.vote == vote && row.tail == tail && row.only_voter == only_voter) return row.plan;
    }
    return StartPlan::kRefuseToStart;
}

}  // namespace tanist::core

// SPDX-License-Identifier: Apache-2.0
// What a start makes of the log: the judgement of S9 as a table.
#pragma once

#include <array>
#include <optional>

#include "base/types.h"

namespace tanist::wal {

/// Where the first bad or missing record lies, against the mark.
enum class Place : std::uint8_t { kNowhere, kUpToConfirmed, kUpToIntent, kAboveIntent };

/// What open() does about it.
enum class Plan : std::uint8_t {
    kGoOn,      ///< nothing is wrong
    kCutThere,  ///< the log ends before the first bad record
    kHold,      ///< nothing is changed until repair(): peers may have what is missing
    kRefuse,    ///< does not open: nobody has what is missing, a person must decide
};

struct Judgement {
    Tail tail;
    Plan plan;

    friend constexpr bool operator==(const Judgement&, const Judgement&) = default;
};

/// One row; nullopt stands for any.
struct JudgementCase {
    std::optional<bool> bounded;  ///< both slots of the newest segment are readable, and no successor of it is missing
    std::optional<Place> first_bad;
    std::optional<bool> only_voter;
    Judgement judgement;
};

/// Exactly one row fits each case; a test walks them all.
inline constexpr std::optional<Place> kAnywhere{};
inline constexpr std::optional<bool> kEither{};
inline constexpr std::array kJudgementCases = {
    //            bounded, first bad record,       only voter
    JudgementCase{true, Place::kNowhere, kEither, {Tail::kClean, Plan::kGoOn}},
    JudgementCase{true, Place::kAboveIntent, kEither, {Tail::kTorn, Plan::kCutThere}},  // never reported durable
    JudgementCase{true, Place::kUpToIntent, false, {Tail::kInDoubt, Plan::kHold}},      // torn, or fsynced and destroyed since
    JudgementCase{true, Place::kUpToIntent, true, {Tail::kInDoubt, Plan::kCutThere}},   // nobody to ask: cut, and say so
    JudgementCase{true, Place::kUpToConfirmed, false, {Tail::kCorrupt, Plan::kHold}},   // peers have good copies
    JudgementCase{true, Place::kUpToConfirmed, true, {Tail::kCorrupt, Plan::kRefuse}},  // acknowledged, and nowhere else
    JudgementCase{false, kAnywhere, false, {Tail::kUnbounded, Plan::kHold}},            // how far the log went is unknown
    JudgementCase{false, kAnywhere, true, {Tail::kUnbounded, Plan::kRefuse}},
};

[[nodiscard]] Judgement judge(bool bounded, Place first_bad, bool only_voter);
/// `first_bad`: the LSN of the first bad or missing record, none when there is none; `last`: the good record before it. By rank,
/// not by LSN: the intent that a reset kept (S25) may have a higher epoch and a lower LSN than the checkpoint.
[[nodiscard]] Place place_of(std::optional<Lsn> first_bad, const EntryId& last, const Mark& mark);

}  // namespace tanist::wal

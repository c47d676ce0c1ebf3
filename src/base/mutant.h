// SPDX-License-Identifier: Apache-2.0
// Deliberate bugs, one for each way in which a safety rule can be got wrong: the simulator must find every one of them. They exist only
// in the build with TANIST_MUTANTS; in any other, mutant() is false at compile time and leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tanist {

/// What each of them breaks, of which rule, and what has to find it: sim/mutants.h.
enum class Mutant : std::uint8_t {
    kNone,
    kIncarnationReused,
    kFormedWithoutAll,
    kVoteNotSynced,
    kOwnVoteCountedEarly,
    kTwoVotesInAnEpoch,
    kEpochResumed,
    kEpochNotSaved,
    kLowerEpochTaken,
    kFailedSyncRetried,
    kUnsyncedTailTrusted,
    kAckNotMatched,
    kAckNotDurable,
    kShorterAppendCuts,
    kStaleCompletionCounts,
    kPredecessorNotChecked,
    kOldEpochCommitted,
    kMinorityCommits,
    kSlaveCommitsUnmatched,
    kAppliedBeforeCommit,
    kAppliedBeforeDurable,
    kCutNotExported,
    kRescueNotSynced,
    kTornTailCutTooFar,
    kDoubtTakenForTorn,
    kCorruptTakenForTorn,
    kVotesByConfirmed,
    kHoleFilledByAnyEpoch,
    kFillNotChecked,
    kDoubtForgottenByCopy,
    kUnreadableSlotTorn,
    kMissingSegmentUnnoticed,
    kInquiryEpochNotSaved,
    kInquiryCutsEarly,
    kHoleAcknowledged,
    kOwnReignSettlesMark,
    kLowerLogSettlesMark,
    kDraftNotSynced,
    kRollNotSynced,
    kStaleBytesRead,
    kNotSealed,
    kRecycledAboveStored,
    kWitnessForgetsEarly,
    kContentEndsProcess,
    kRankByLsn,
    kVoteWhileHearing,
    kResetTakenForDeath,
    kSpareStands,
    kStandsUnsynced,
    kPullCutsCommitted,
    kPullAcknowledged,
    kPromotionPullLate,
    kPromotionPullCuts,
    kOpenTooEarly,
    kReignsAlone,
    kPendingAnsweredRefused,
    kReignsOnStalledDisk,
    kOrderedTooEarly,
    kLevelMasterAfterOrder,
    kStaleMasterAnswers,
    kReadJoinsRunningRound,
    kSlaveReadsUnconfirmed,
    kLagNotProven,
    kReadsEndWithReign,
    kAllAtQuorum,
    kRetryExecutedTwice,
    kUnknownSessionExecutes,
    kForwardedUnderNewNumbers,
    kForwardedAfterRefusal,
    kConfirmedExecutedAgain,
    kSessionsNotReloaded,
    kWallTimeLogged,
    kLogTimeGoesBack,
    kExpiryUnconditional,
    kCheckpointForgets,
    kInstallNotMarked,
    kDonorPinIgnored,
    kUnreadableRowAbsent,
    kCorruptStoreKept,
    kOnlyLogCutUnasked,
};
inline constexpr std::size_t kMutants = static_cast<std::size_t>(Mutant::kOnlyLogCutUnasked) + 1;

#ifdef TANIST_MUTANTS
inline constexpr bool kMutantsExist = true;
/// The one that this process has; set before anything runs.
inline Mutant present_mutant = Mutant::kNone;
[[nodiscard]] inline bool mutant(Mutant which) { return present_mutant == which; }
#else
inline constexpr bool kMutantsExist = false;
[[nodiscard]] constexpr bool mutant(Mutant) { return false; }
#endif

}  // namespace tanist

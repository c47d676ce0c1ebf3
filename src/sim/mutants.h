// SPDX-License-Identifier: Apache-2.0
// The catalogue of deliberate bugs: the rule that each breaks, how, and what in the simulator has to notice it (docs/testing.md).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/mutant.h"

namespace tanist::sim {

struct MutantCase {
    Mutant mutant;
    std::string_view name;   ///< --mutant NAME
    std::string_view rule;   ///< of the design's safety rules
    std::string_view does;   ///< what is broken
    std::string_view check;  ///< part of what the simulator says when it finds it: a broken check, or the condition of an ENSURE
};

/// In the order of Mutant, all but kNone.
inline constexpr std::array<MutantCase, kMutants - 1> kMutantCases = {{
    {Mutant::kIncarnationReused, "incarnation_reused", "S1", "a wiped disk comes back as the incarnation that it was",
     "lacks the committed entry"},
    {Mutant::kFormedWithoutAll, "formed_without_all", "S2", "a cluster forms as soon as a majority of the configured nodes is there",
     "on all data voters"},
    {Mutant::kVoteNotSynced, "vote_not_synced", "S3", "the vote is written and not synced", "goes back"},
    {Mutant::kOwnVoteCountedEarly, "own_vote_counted_early", "S3", "a candidate asks for votes before its own is durable", "goes back"},
    {Mutant::kTwoVotesInAnEpoch, "two_votes_in_an_epoch", "S3", "a voter grants whoever asks, also in an epoch in which it has voted",
     "!given(saved_)"},
    {Mutant::kEpochResumed, "epoch_resumed", "S3a", "a restarted node that had voted for itself goes on as master of that epoch",
     "has two masters"},
    {Mutant::kEpochNotSaved, "epoch_not_saved", "S3a", "a higher epoch is adopted in memory only", "goes back"},
    {Mutant::kLowerEpochTaken, "lower_epoch_taken", "S3a", "messages of a lower epoch are taken like any other", "no progress"},
    {Mutant::kFailedSyncRetried, "failed_sync_retried", "S4", "a failed fsync is passed over, and the next one is trusted",
     "had synced its log"},
    {Mutant::kUnsyncedTailTrusted, "unsynced_tail_trusted", "S4",
     "what a start reads above `confirmed` counts as durable without being copied and synced", "had synced its log"},
    {Mutant::kAckNotMatched, "ack_not_matched", "S5", "an acknowledgement names what is durable, be it of the master's log or not",
     "where its master has another entry"},
    {Mutant::kAckNotDurable, "ack_not_durable", "S5", "an acknowledgement names what matches, be it durable or not",
     "and holds durably up to"},
    {Mutant::kShorterAppendCuts, "shorter_append_cuts", "S5", "an append that ends below our log's end cuts what is behind it",
     "cuts the committed entry"},
    {Mutant::kStaleCompletionCounts, "stale_completion_counts", "S5", "a completion of the WAL counts after a cut has overtaken it",
     "and holds durably up to"},
    {Mutant::kPredecessorNotChecked, "predecessor_not_checked", "S5", "an append is taken whatever its predecessor is here",
     "does not follow what it holds"},
    {Mutant::kOldEpochCommitted, "old_epoch_committed", "S6", "an entry of an older epoch is committed by counting",
     "lacks the committed entry"},
    {Mutant::kMinorityCommits, "minority_commits", "S6", "an entry is committed as soon as any voter has it durable",
     "voters hold durably"},
    {Mutant::kSlaveCommitsUnmatched, "slave_commits_unmatched", "S6",
     "a slave commits by the heartbeat's commit LSN what may be its own diverged tail", "had been applied elsewhere"},
    {Mutant::kAppliedBeforeCommit, "applied_before_commit", "S7", "entries are applied once they are durable here",
     "s.applying.handed <= s.commit"},
    {Mutant::kAppliedBeforeDurable, "applied_before_durable", "S7",
     "entries are applied once they are committed, before they are durable here", "s.applying.handed <= s.log.durable()"},
    {Mutant::kCutNotExported, "cut_not_exported", "S8", "a diverged tail is cut without being exported", "without exporting it"},
    {Mutant::kRescueNotSynced, "rescue_not_synced", "S8", "rescued writes are exported and not synced", "and finds it no more"},
    {Mutant::kTornTailCutTooFar, "torn_tail_cut_too_far", "S9",
     "a log whose end is torn is cut to `confirmed`, below what may have been acknowledged", "had synced its log"},
    {Mutant::kDoubtTakenForTorn, "doubt_taken_for_torn", "S9", "a record in doubt, between `confirmed` and `intent`, is taken for torn",
     "had synced its log"},
    {Mutant::kCorruptTakenForTorn, "corrupt_taken_for_torn", "S9", "a corrupt record, at or below `confirmed`, is taken for torn",
     "no agreement"},
    {Mutant::kVotesByConfirmed, "votes_by_confirmed", "S9", "a damaged log votes by `confirmed` in place of `intent`", "no agreement"},
    {Mutant::kHoleFilledByAnyEpoch, "hole_filled_by_any_epoch", "S9", "a hole is filled with whatever entry comes first, of any epoch",
     "it may have held"},
    {Mutant::kFillNotChecked, "fill_not_checked", "S9", "a hole is filled by a peer's committed entry without the predecessor check",
     "entry.follows(hole.tip())"},
    {Mutant::kDoubtForgottenByCopy, "doubt_forgotten_by_copy", "S9",
     "a log with a hole is copied at start, and its new mark names the last good record", "it may have held"},
    {Mutant::kUnreadableSlotTorn, "unreadable_slot_torn", "S9",
     "one unreadable slot is taken for one torn in a crash: the other one counts", "no agreement"},
    {Mutant::kMissingSegmentUnnoticed, "missing_segment_unnoticed", "S9",
     "a sealed segment without its successor is taken for the log's end", "had synced its log"},
    {Mutant::kInquiryEpochNotSaved, "inquiry_epoch_not_saved", "S9", "an inquiry is answered without its epoch made durable", "goes back"},
    {Mutant::kInquiryCutsEarly, "inquiry_cuts_early", "S9", "entries in doubt are cut when a majority has answered, none of which has them",
     "lacks the committed entry"},
    {Mutant::kHoleAcknowledged, "hole_acknowledged", "S9", "a damaged log acknowledges up to its mark, over the hole",
     "and holds durably up to"},
    {Mutant::kOwnReignSettlesMark, "own_reign_settles_mark", "S9",
     "an unreadable mark is settled by the reign in which the node may have acknowledged already", "no agreement"},
    {Mutant::kLowerLogSettlesMark, "lower_log_settles_mark", "S9", "an unreadable mark is settled by a log that a voter's answer outranks",
     "lacks the committed entry"},
    {Mutant::kDraftNotSynced, "draft_not_synced", "S10", "a new segment gets its name before its content is on the disk", "cannot start"},
    {Mutant::kRollNotSynced, "roll_not_synced", "S10", "the directory is not synced after a new segment got its name",
     "had synced its log"},
    {Mutant::kStaleBytesRead, "stale_bytes_read", "S10",
     "used files are not zeroed, checksums do not depend on the use, and what a record follows is not looked at",
     "ENSURE(last_.lsn >= base_.lsn)"},
    {Mutant::kNotSealed, "not_sealed", "S10", "a segment is not sealed when the next one takes over", "had synced its log"},
    {Mutant::kRecycledAboveStored, "recycled_above_stored", "S11",
     "the log is recycled up to what is applied, which the store need not have on disk", "on disk"},
    {Mutant::kWitnessForgetsEarly, "witness_forgets_early", "S11", "a witness recycles what is committed and not on every data voter yet",
     "not every data voter has"},
    {Mutant::kContentEndsProcess, "content_ends_process", "S12", "a request that fails by its content ends the process",
     "kContentEndsProcess"},
    {Mutant::kRankByLsn, "rank_by_lsn", "S13", "votes compare logs by their last LSN alone", "and holds or has held"},
    {Mutant::kVoteWhileHearing, "vote_while_hearing", "S13", "a voter votes though it hears its master", "though a majority heard"},
    {Mutant::kResetTakenForDeath, "reset_taken_for_death", "S13", "a reset connection is taken for the master's death",
     "though a majority heard"},
    {Mutant::kSpareStands, "spare_stands", "S13", "spares and witnesses stand for election", "is a spare or a witness"},
    {Mutant::kStandsUnsynced, "stands_unsynced", "S13", "a candidate claims entries that are written and not synced",
     "and holds durably up to"},
    {Mutant::kPullCutsCommitted, "pull_cuts_committed", "S14", "the pull before standing takes from any peer and cuts below the commit LSN",
     "cuts the committed entry"},
    {Mutant::kPullAcknowledged, "pull_acknowledged", "S14", "what was pulled before standing counts as matched with a master",
     "where its master has another entry"},
    {Mutant::kPromotionPullLate, "promotion_pull_late", "S15", "an answer to the pull on promotion is taken after the epoch-start entry",
     "s.log.last().epoch == s.epoch()"},
    {Mutant::kPromotionPullCuts, "promotion_pull_cuts", "S15", "the pull on promotion cuts where logs differ", "cuts the committed entry"},
    {Mutant::kOpenTooEarly, "open_too_early", "S15", "a master opens before its epoch-start entry is committed and applied",
     "s.commit >= s.reign.epoch_start"},
    {Mutant::kReignsAlone, "reigns_alone", "S16", "a master without contact to a majority reigns on and sends heartbeats",
     "without a majority for"},
    {Mutant::kPendingAnsweredRefused, "pending_answered_refused", "S16",
     "pending writes of a master that steps down are answered \"refused\"", "rank.lsn.is_zero()"},
    {Mutant::kReignsOnStalledDisk, "reigns_on_stalled_disk", "S16", "a master whose log's disk has stalled reigns on",
     "its log has reported nothing"},
    {Mutant::kOrderedTooEarly, "ordered_too_early", "S17", "a switchover orders a target that lacks entries, with writes pending",
     "to stand, which lacks"},
    {Mutant::kLevelMasterAfterOrder, "level_master_after_order", "S17",
     "writes are acknowledged at level `master` after the order to stand", "in which it has ordered a successor"},
    {Mutant::kStaleMasterAnswers, "stale_master_answers", "S18", "a master answers linearizable reads without confirming its majority",
     "linearizable read"},
    {Mutant::kReadJoinsRunningRound, "read_joins_running_round", "S18", "a linearizable read joins a round that began before it arrived",
     "linearizable read"},
    {Mutant::kSlaveReadsUnconfirmed, "slave_reads_unconfirmed", "S18", "a slave serves linearizable reads by its own commit LSN",
     "linearizable read"},
    {Mutant::kLagNotProven, "lag_not_proven", "S18", "a read with a bound of lag is served without proof that the state is fresh enough",
     "with max_lag_ms"},
    {Mutant::kReadsEndWithReign, "reads_end_with_reign", "S19",
     "who hears no master serves no reads, be it the master that has stepped down", "refuses a stale read"},
    {Mutant::kAllAtQuorum, "all_at_quorum", "S20", "level `all` is reported once a majority has the entry", "on all data voters"},
    {Mutant::kRetryExecutedTwice, "retry_executed_twice", "S21", "a request that is sent again is executed again", "the model says"},
    {Mutant::kUnknownSessionExecutes, "unknown_session_executes", "S21", "a request of an unknown session is executed", "the model says"},
    {Mutant::kConfirmedExecutedAgain, "confirmed_executed_again", "S21", "a request whose answer was confirmed is executed again",
     "the model says"},
    {Mutant::kSessionsNotReloaded, "sessions_not_reloaded", "S21", "sessions are forgotten by a restart", "another state at"},
    {Mutant::kWallTimeLogged, "wall_time_logged", "S22", "log time follows a wall clock that jumps ahead", "log time runs ahead"},
    {Mutant::kLogTimeGoesBack, "log_time_goes_back", "S22", "log time follows a wall clock that is set back", "log time goes back"},
    {Mutant::kExpiryUnconditional, "expiry_unconditional", "S22",
     "a deadline that has passed deletes its key, though the key has another one by now", "the model says"},
    {Mutant::kCheckpointForgets, "checkpoint_forgets", "S25", "a checkpoint is installed over a log that may have reached further",
     "s.commit <= s.log.last().lsn"},
    {Mutant::kInstallNotMarked, "install_not_marked", "S25",
     "a crash between installing a checkpoint and starting the log anew is not noticed", "cannot start"},
    {Mutant::kDonorPinIgnored, "donor_pin_ignored", "S25", "a donor recycles entries behind the checkpoint that it is giving",
     "gives a copy as of"},
    {Mutant::kUnreadableRowAbsent, "unreadable_row_absent", "S26", "a row of the state that cannot be read counts as one that is not there",
     "another state at"},
    {Mutant::kCorruptStoreKept, "corrupt_store_kept", "S26", "a state store that was found corrupt is opened again at the next start",
     "applying to the store"},
    {Mutant::kOnlyLogCutUnasked, "only_log_cut_unasked", "S27", "an only voter cuts its corrupt log without an order to do so",
     "had synced its log"},
}};

constexpr bool is_complete() {
    for (std::size_t i = 0; i < kMutantCases.size(); ++i) {
        if (static_cast<std::size_t>(kMutantCases[i].mutant) != i + 1) return false;
    }
    return true;
}
static_assert(is_complete());

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Sees all nodes at once and holds the safety rules against what they do, after every step. It knows only what happened, not how.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "core/node.h"
#include "sim/model.h"
#include "sim/plan.h"
#include "sim/world.h"
#include "store/store.h"
#include "wal/log.h"

namespace tanist::sim {

class ClusterChecker {
public:
    ClusterChecker(World& world, const Plan& plan);

    // -- what a node's log goes through --------------------------------------------------------------------------------------------
    /// A process opened its log: everything synced before is in it, and nothing that no master ever made (S4, S9, S10).
    void on_opened(NodeId node, MemberId id, const wal::Log& log, const std::vector<EntryId>& rescued);
    /// Entries are on their way to the log. `told`: when the process last was told the time.
    void on_appended(NodeId node, std::span<const Entry> entries, Instant told);
    void on_synced(NodeId node, Lsn through);
    /// A cut, repair or reset is through, and durable. Everything appended before had been written. `rescued`: what lies exported.
    void on_log_changed(NodeId node, const wal::Log& log, const std::vector<EntryId>& rescued);
    /// It failed, and the process ends by that: what it has done is found at the next start.
    void on_log_change_failed(NodeId node) { shadows_[node].changing = true; }
    /// `stored`: what the node's state has on disk.
    void on_recycled(NodeId node, Lsn base, Lsn stored);
    /// The process ended: what it only had in memory is forgotten.
    void on_ended(NodeId node);
    /// The disk is lost: what it held counts as held in the past, not from now on.
    void on_wiped(NodeId node);
    /// Something in its log was destroyed: the next start may find less than was synced, and what it held counts as held.
    void on_damaged(NodeId node);
    /// Its vote files were destroyed: it comes back as somebody else, who was never in any epoch (S3).
    void on_vote_lost(NodeId node) { epochs_[node] = {}; }
    /// One of its writes is lost, though the disk said that it was done: what is synced is believed to be there, and may be missing at
    /// any later start.
    void on_deceived(NodeId node) { shadows_[node].damaged = shadows_[node].deceived = true; }

    /// An only voter was told by hand to give up what follows `rotten` in its log (S27), and is about to open it: nothing before that may
    /// be gone, and what follows was never committed in the history that begins now.
    void on_cut_by_hand(NodeId node, Lsn rotten) { shadows_[node].cut_from = rotten; }

    // -- what it shows ---------------------------------------------------------------------------------------------------------------
    void on_state(NodeId node, const store::Position& position, std::uint64_t digest);
    void on_sent(NodeId node, NodeId to, const core::Message& message);
    void on_step(NodeId node, const core::Node& core, Lsn stored);
    /// A write was reported durable on this master's disk alone, in `epoch` (S17).
    void on_durable_at_master(NodeId node, Epoch epoch);
    /// The write of this rank was reported durable on every data voter.
    void on_durable_on_all(NodeId node, Rank rank);

    /// Everything known to be committed: the history that all clients are held against.
    [[nodiscard]] const Model& model() const { return model_; }
    [[nodiscard]] Lsn committed() const { return {committed_.size()}; }
    [[nodiscard]] EntryId committed_at(Lsn lsn) const { return committed_.at(lsn.value - 1); }
    /// Where the node's log parts from what is committed; 0: nowhere.
    [[nodiscard]] Lsn first_unlike_committed(NodeId node) const;
    /// Somewhere in the older half of the node's log; 0: it has no such entries.
    [[nodiscard]] Lsn synced_long_ago(NodeId node, std::uint32_t variant) const;
    /// When the first node applied it.
    [[nodiscard]] Instant committed_since(Lsn lsn) const { return committed_since_.at(lsn.value - 1); }
    /// Whether every data voter holds the entry durably.
    [[nodiscard]] bool on_all_data_voters(Rank rank) const;
    [[nodiscard]] bool durable_at(NodeId node, Rank rank) const;
    [[nodiscard]] std::uint64_t masters() const { return masters_.size(); }

private:
    /// What a node's log holds, mirrored from what was written to it; kept while the node is down.
    struct Shadow {
        MemberId id;
        std::vector<EntryId> entries;  ///< by LSN, from `first` on
        Lsn first{1};
        Lsn base, durable;
        bool damaged = false;   ///< and not yet found and repaired
        bool has_hole = false;  ///< it knows of it
        bool deceived = false;  ///< a write of it was lost, its mark's maybe
        Rank held;              ///< while it has a hole: what it had synced before that
        Lsn cut_from;           ///< the first entry that is given up by hand; 0: none is
        bool changing = false;  ///< a cut, repair or reset was under way when the process ended: the old state is on disk, or the new
        [[nodiscard]] Lsn last() const { return {first.value + entries.size() - 1}; }
        [[nodiscard]] const EntryId* find(Lsn lsn) const {
            return lsn < first || lsn > last() ? nullptr : &entries[lsn.value - first.value];
        }
        /// Held durably: as an entry, or as part of what a checkpoint replaced.
        [[nodiscard]] bool holds(const EntryId& entry) const;
    };
    /// What a running process has shown.
    struct Shown {
        Lsn commit, applied, stored;
        Epoch epoch;
        core::Role role = core::Role::kSlave;
    };

    /// What voters have sent in answer to one inquiry (S9).
    struct Answers {
        std::set<NodeId> nodes, deny;
        Rank reach;  ///< the highest rank that any of their logs has
    };

    /// An entry, and when its time was read at the latest.
    struct Written {
        Entry entry;
        Instant since;
    };

    void truncate(NodeId node, Shadow& shadow, Lsn keep);
    void check_rescued(NodeId node, const Shadow& before, bool was_damaged, const std::vector<EntryId>& rescued);
    void check_log_time(NodeId node, const Entry& entry);
    void note_inquiry(NodeId node, NodeId to, const core::InquiryReply& reply);
    void check_order(NodeId node, NodeId target);
    void check_copy(NodeId node, const core::CopyReply& copy);
    void read_again(NodeId node, Shadow& shadow, const wal::Log& log);
    void check_known(NodeId node, const Entry& entry, Instant told);
    void check_cut_by_hand(NodeId node, const Shadow& before);
    void forget_committed(Lsn keep);
    void commit_through(NodeId node, const EntryId& applied);
    void check_majority(NodeId node, const EntryId& entry);
    void check_master(NodeId node, const core::Node& core);
    void check_acknowledgement(NodeId node, const core::Header& header, const core::AppendAck& ack);
    void check_committed_are_kept(NodeId node, const Shadow& before);
    void check_candidacy(NodeId node, const core::VoteRequest& candidacy);
    void check_vote(NodeId node, NodeId to, const core::Header& header);
    void check_grant(NodeId node, NodeId to, Epoch epoch);

    World& world_;
    const Plan& plan_;
    std::size_t voters_ = 0;
    std::map<NodeId, Shadow> shadows_;
    std::vector<std::pair<NodeId, Shadow>> ghosts_;  ///< of disks that were wiped or damaged
    std::map<NodeId, Shown> shown_;
    std::vector<std::vector<Written>> book_;      ///< every entry ever appended, by LSN: one an epoch
    std::map<NodeId, std::vector<EntryId>> cut_;  ///< exported before they were cut, and to be found there ever after (S8)
    std::map<std::uint64_t, Answers> answers_;    ///< by the inquiry's id
    std::map<Epoch, NodeId> ordered_;             ///< whose master has ordered somebody to stand
    std::map<Epoch, MemberId> masters_;
    std::map<Epoch, Lsn> committed_before_;  ///< by any master's election: what had been committed then
    std::map<std::pair<MemberId, Epoch>, NodeId> votes_;
    std::map<std::pair<NodeId, Epoch>, Rank> candidacies_;  ///< the highest rank with which it has asked for votes or pre-votes
    std::vector<Instant> committed_since_;
    std::vector<EntryId> committed_;  ///< by LSN, from 1 on: whatever any node has applied
    struct State {
        std::uint64_t digest, timestamp;
    };
    std::map<Lsn, State> states_;
    std::map<NodeId, Epoch> epochs_;  ///< the highest each disk has shown; a restart does not lower it
    Model model_;
};

}  // namespace tanist::sim

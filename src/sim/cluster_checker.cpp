// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster_checker.h"

#include <algorithm>

namespace tanist::sim {
namespace {

bool is_voter(const NodePlan& node) { return node.role != core::ConfiguredRole::kSpare; }
bool is_data_voter(const NodePlan& node) { return is_voter(node) && node.role != core::ConfiguredRole::kWitness; }

}  // namespace

ClusterChecker::ClusterChecker(World& world, const Plan& plan) : world_(world), plan_(plan) {
    voters_ = static_cast<std::size_t>(std::ranges::count_if(plan.nodes, is_voter));
    for (const NodePlan& node : plan.nodes) shadows_[node.node], shown_[node.node], epochs_[node.node];
}

bool ClusterChecker::Shadow::holds(const EntryId& entry) const {
    if (entry.lsn <= base) return true;  // recycled, which is allowed of committed entries only (checked as they are applied)
    if (entry.lsn > durable) return false;
    const EntryId* mine = find(entry.lsn);
    return mine != nullptr && *mine == entry;
}

// -- logs --------------------------------------------------------------------------------------------------------------------------

/// Log matching: one epoch and LSN, one entry; and its checksum names everything before it.
void ClusterChecker::check_known(NodeId node, const Entry& entry) {
    if (book_.size() < entry.lsn().value) book_.resize(entry.lsn().value);
    auto& at_lsn = book_[entry.lsn().value - 1];
    const auto same_epoch = std::ranges::find(at_lsn, entry.epoch(), [](const Entry& e) { return e.epoch(); });
    if (same_epoch == at_lsn.end()) {
        at_lsn.push_back(entry);
    } else if (same_epoch->id() != entry.id()) {
        world_.fail("log matching: node {} has entry epoch={} lsn={} checksum={:08x}, elsewhere it has checksum={:08x}", node.value,
                    entry.epoch().value, entry.lsn().value, entry.checksum(), same_epoch->checksum());
    }
}

void ClusterChecker::on_appended(NodeId node, std::span<const Entry> entries) {
    Shadow& shadow = shadows_[node];
    for (const Entry& entry : entries) {
        if (entry.lsn() != shadow.last().next()) {
            return world_.fail("node {} appends lsn={} behind lsn={}", node.value, entry.lsn().value, shadow.last().value);
        }
        const EntryId* before = shadow.find(shadow.last());
        if (before != nullptr && !entry.follows(*before)) {
            return world_.fail("node {} appends epoch={} lsn={} which does not follow what it holds", node.value, entry.epoch().value,
                               entry.lsn().value);
        }
        check_known(node, entry);
        shadow.entries.push_back(entry.id());
    }
}

void ClusterChecker::on_synced(NodeId node, Lsn through) {
    Shadow& shadow = shadows_[node];
    shadow.durable = std::max(shadow.durable, std::min(through, shadow.last()));
}

void ClusterChecker::truncate(NodeId node, Shadow& shadow, Lsn keep) {
    for (Lsn lsn = keep.next(); lsn <= shadow.last(); lsn = lsn.next()) {
        const EntryId* gone = shadow.find(lsn);
        if (gone != nullptr && lsn <= committed() && *gone == committed_at(lsn)) {
            return world_.fail("node {} cuts the committed entry epoch={} lsn={}", node.value, gone->epoch.value, lsn.value);
        }
    }
    if (keep < shadow.last()) shadow.entries.resize(keep.value - std::min(keep.value, shadow.first.value - 1));
}

void ClusterChecker::read_again(NodeId node, Shadow& shadow, const wal::Log& log) {
    shadow.base = log.base().lsn;
    shadow.first = shadow.base.next();
    shadow.entries.clear();
    EntryId before = log.base();
    while (before.lsn < log.last().lsn) {
        const auto entries = log.read(before.lsn.next(), log.last().lsn, 1 << 20);
        if (!entries)
            return world_.fail("node {} cannot read its log behind lsn={}: {}", node.value, before.lsn.value, entries.error().message);
        for (const Entry& entry : *entries) {
            if (!entry.follows(before)) {
                return world_.fail("node {} reads epoch={} lsn={} which does not follow the entry before it", node.value,
                                   entry.epoch().value, entry.lsn().value);
            }
            check_known(node, entry);
            shadow.entries.push_back(entry.id());
            before = entry.id();
        }
    }
    shadow.durable = shadow.last();
}

void ClusterChecker::on_opened(NodeId node, MemberId id, const wal::Log& log) {
    Shadow& shadow = shadows_[node];
    const Shadow before = shadow;
    shadow.id = id;
    read_again(node, shadow, log);
    if (before.damaged) {
        shadow.damaged = log.found().tail != Tail::kClean && log.found().tail != Tail::kTorn;
        return;
    }
    if (std::exchange(shadow.changing, false)) return check_committed_are_kept(node, before);
    if (shadow.last() < before.durable) {
        return world_.fail("node {} had synced its log up to lsn={} and finds it up to lsn={} after the start", node.value,
                           before.durable.value, shadow.last().value);
    }
    for (Lsn lsn = std::max(shadow.first, before.first); lsn <= before.durable; lsn = lsn.next()) {
        if (*shadow.find(lsn) == *before.find(lsn)) continue;
        return world_.fail("node {} had synced another entry at lsn={} than it finds after the start", node.value, lsn.value);
    }
}

void ClusterChecker::on_log_changed(NodeId node, const wal::Log& log) {
    Shadow& shadow = shadows_[node];
    shadow.damaged = false;  // a hole is cut or filled, never left
    const EntryId* last = shadow.find(log.last().lsn);
    const bool only_shorter = last != nullptr && *last == log.last() && log.base().lsn >= shadow.base && log.base().lsn <= log.last().lsn;
    if (only_shorter) {
        truncate(node, shadow, log.last().lsn);
        shadow.base = log.base().lsn;
        shadow.durable = log.last().lsn;  // a cut makes what it keeps durable (wal::Log::cut)
        return;
    }
    const Shadow before = shadow;
    read_again(node, shadow, log);
    check_committed_are_kept(node, before);
}

/// After a repair, or a new beginning behind a checkpoint: whatever was committed and is gone must be part of that checkpoint.
void ClusterChecker::check_committed_are_kept(NodeId node, const Shadow& before) {
    const Shadow& shadow = shadows_[node];
    for (Lsn lsn = before.base.next(); lsn <= std::min(before.durable, committed()); lsn = lsn.next()) {
        const EntryId* old = before.find(lsn);
        if (old != nullptr && *old == committed_at(lsn) && !shadow.holds(*old)) {
            return world_.fail("node {} gives up the committed entry epoch={} lsn={}", node.value, old->epoch.value, lsn.value);
        }
    }
}

void ClusterChecker::on_recycled(NodeId node, Lsn base) {
    Shadow& shadow = shadows_[node];
    if (base > committed())
        return world_.fail("node {} recycles up to lsn={}, and lsn={} is committed", node.value, base.value, committed().value);
    if (base < shadow.base) return world_.fail("node {} has lsn={} again, having recycled it", node.value, shadow.base.value);
    shadow.base = base;
}

void ClusterChecker::on_ended(NodeId node) { shown_[node] = {}; }

void ClusterChecker::on_wiped(NodeId node) {
    ghosts_.emplace_back(node, shadows_[node]);
    shadows_[node] = {};
    epochs_[node] = {};
}

void ClusterChecker::on_damaged(NodeId node) {
    ghosts_.emplace_back(node, shadows_[node]);
    shadows_[node].damaged = true;
}

bool ClusterChecker::durable_at(NodeId node, Rank rank) const {
    const Shadow& shadow = shadows_.at(node);
    if (rank.lsn <= shadow.base) return true;
    const EntryId* mine = shadow.find(rank.lsn);
    return mine != nullptr && rank.lsn <= shadow.durable && mine->epoch == rank.epoch;
}

bool ClusterChecker::on_all_data_voters(Rank rank) const {
    return std::ranges::all_of(plan_.nodes, [&](const NodePlan& n) {
        if (!is_data_voter(n) || durable_at(n.node, rank)) return true;
        return std::ranges::any_of(ghosts_, [&](const auto& ghost) { return ghost.first == n.node; });
    });
}

// -- states ------------------------------------------------------------------------------------------------------------------------

void ClusterChecker::on_state(NodeId node, const store::Position& position, std::uint64_t digest) {
    const Lsn lsn = position.applied.lsn;
    if (lsn.is_zero()) return;
    if (lsn > committed()) commit_through(node, position.applied);
    if (world_.failure()) return;
    if (committed_at(lsn) != position.applied) {
        return world_.fail("node {} applied epoch={} at lsn={}, where epoch={} had been applied elsewhere", node.value,
                           position.applied.epoch.value, lsn.value, committed_at(lsn).epoch.value);
    }
    const State state{digest, position.timestamp};
    const auto [at, is_new] = states_.try_emplace(lsn, state);
    if (!is_new && (at->second.digest != state.digest || at->second.timestamp != state.timestamp)) {
        world_.fail("node {} has another state at lsn={} than some other node had: digest {:016x} for {:016x}, timestamp {} for {}",
                    node.value, lsn.value, state.digest, at->second.digest, state.timestamp, at->second.timestamp);
    }
}

/// Nobody had applied so far yet: so far, then, everything is committed now.
void ClusterChecker::commit_through(NodeId node, const EntryId& applied) {
    const Shadow& shadow = shadows_[node];
    if (applied.lsn > shadow.durable) {
        return world_.fail("node {} applies lsn={}, and holds durably up to lsn={}", node.value, applied.lsn.value, shadow.durable.value);
    }
    for (Lsn lsn = committed().next(); lsn <= applied.lsn; lsn = lsn.next()) {
        const EntryId* id = shadow.find(lsn);
        if (id == nullptr) return world_.fail("node {} applies lsn={} which is not in its log", node.value, lsn.value);
        check_majority(node, *id);
        if (world_.failure()) return;
        committed_.push_back(*id);
        const auto& at_lsn = book_[lsn.value - 1];
        model_.apply(*std::ranges::find(at_lsn, id->epoch, [](const Entry& e) { return e.epoch(); }));
    }
    // Whoever reigns in a later epoch than the one in which this was committed has it.
    for (const auto& [other, shown] : shown_) {
        if (shown.role != core::Role::kMaster || shown.epoch <= shown_[node].epoch) continue;
        if (!shadows_[other].holds(applied)) {
            world_.fail("node {} is master of epoch {} and lacks epoch={} lsn={}, which node {} applied in epoch {}", other.value,
                        shown.epoch.value, applied.epoch.value, applied.lsn.value, node.value, shown_[node].epoch.value);
        }
    }
}

void ClusterChecker::check_majority(NodeId node, const EntryId& entry) {
    std::size_t holders = 0;
    NodeSet counted = 0;
    for (const NodePlan& n : plan_.nodes) {
        if (is_voter(n) && shadows_[n.node].holds(entry)) ++holders, counted |= bit(n.node);
    }
    for (const auto& [n, shadow] : ghosts_) {
        if (!contains(counted, n) && shadow.holds(entry)) ++holders;
    }
    if (2 * holders > voters_) return;
    world_.fail("node {} applies epoch={} lsn={}, which {} of {} voters hold durably", node.value, entry.epoch.value, entry.lsn.value,
                holders, voters_);
}

// -- steps -------------------------------------------------------------------------------------------------------------------------

void ClusterChecker::on_step(NodeId node, const core::Node& core, Lsn stored) {
    Shown& shown = shown_[node];
    const Lsn commit = core.commit(), applied = core.applied();
    const Epoch epoch = core.epoch();
    if (commit < shown.commit || applied < shown.applied || stored < shown.stored || epoch < shown.epoch || epoch < epochs_[node]) {
        return world_.fail("node {} goes back: commit {} -> {}, applied {} -> {}, stored {} -> {}, epoch {} -> {}", node.value,
                           shown.commit.value, commit.value, shown.applied.value, applied.value, shown.stored.value, stored.value,
                           std::max(shown.epoch, epochs_[node]).value, epoch.value);
    }
    const Shadow& shadow = shadows_[node];
    const bool is_durable = applied <= std::max(shadow.durable, shadow.base);
    if (stored > applied || applied > commit || (!is_durable && !shadow.damaged)) {
        return world_.fail("node {}: stored {} <= applied {} <= min(commit {}, durable {}) does not hold", node.value, stored.value,
                           applied.value, commit.value, shadow.durable.value);
    }
    const bool began = core.role() == core::Role::kMaster && (shown.role != core::Role::kMaster || shown.epoch != epoch);
    shown = {.commit = commit, .applied = applied, .stored = stored, .epoch = epoch, .role = core.role()};
    epochs_[node] = epoch;
    if (began) check_master(node, core);
}

void ClusterChecker::check_master(NodeId node, const core::Node& core) {
    const Shadow& shadow = shadows_[node];
    world_.note("node {} is master of epoch {} lsn={}", node.value, core.epoch().value, shadow.last().value);
    const auto plan = std::ranges::find(plan_.nodes, node, &NodePlan::node);
    if (!is_data_voter(*plan))
        return world_.fail("node {} is a spare or a witness, and master of epoch {}", node.value, core.epoch().value);
    const auto [at, is_new] = masters_.try_emplace(core.epoch(), shadow.id);
    if (!is_new) {
        return world_.fail("epoch {} has two masters: node {} and node {}{}", core.epoch().value, at->second.node.value, node.value,
                           at->second == shadow.id ? " (it became master of it again)" : "");
    }
    for (Lsn lsn = shadow.base.next(); lsn <= committed(); lsn = lsn.next()) {
        const EntryId* mine = shadow.find(lsn);
        if (mine != nullptr && *mine == committed_at(lsn)) continue;
        return world_.fail("node {} became master of epoch {} and lacks the committed entry epoch={} lsn={}", node.value,
                           core.epoch().value, committed_at(lsn).epoch.value, lsn.value);
    }
}

// -- messages ----------------------------------------------------------------------------------------------------------------------

void ClusterChecker::on_sent(NodeId node, NodeId to, const core::Message& message) {
    if (message.header.epoch < epochs_[node]) {
        return world_.fail("node {} speaks in epoch {}, having been in epoch {}", node.value, message.header.epoch.value,
                           epochs_[node].value);
    }
    if (const auto* ack = std::get_if<core::AppendAck>(&message.body)) check_acknowledgement(node, message.header, *ack);
    if (const auto* vote = std::get_if<core::VoteReply>(&message.body); vote != nullptr && vote->granted)
        check_vote(node, to, message.header);
    if (const auto* candidacy = std::get_if<core::VoteRequest>(&message.body)) {
        check_vote(node, node, message.header);  // whoever asks votes for itself
        check_candidacy(node, *candidacy);
    }
}

/// Nobody is elected by what a power cut could still take from it.
void ClusterChecker::check_candidacy(NodeId node, const core::VoteRequest& candidacy) {
    if (durable_at(node, candidacy.rank)) return;
    world_.fail("node {} stands with epoch={} lsn={}, and holds durably up to lsn={}", node.value, candidacy.rank.epoch.value,
                candidacy.rank.lsn.value, shadows_[node].durable.value);
}

/// Nobody acknowledges what its disk does not hold, nor what the master of the epoch does not have (S5).
void ClusterChecker::check_acknowledgement(NodeId node, const core::Header& header, const core::AppendAck& ack) {
    const Shadow& shadow = shadows_[node];
    if (ack.acknowledged <= shadow.base) return;
    if (ack.acknowledged > shadow.durable) {
        return world_.fail("node {} acknowledges lsn={}, and holds durably up to lsn={}", node.value, ack.acknowledged.value,
                           shadow.durable.value);
    }
    const auto master = masters_.find(header.epoch);
    if (master == masters_.end()) return;
    const Shadow& theirs = shadows_[master->second.node];
    if (theirs.id != master->second || shown_[master->second.node].epoch != header.epoch) return;  // wiped, or no longer of that epoch
    if (shown_[master->second.node].role != core::Role::kMaster || ack.acknowledged <= theirs.base) return;
    const EntryId* mine = shadow.find(ack.acknowledged);
    const EntryId* at_master = theirs.find(ack.acknowledged);
    if (at_master == nullptr || *mine != *at_master) {
        world_.fail("node {} acknowledges lsn={} in epoch {}, where its master has another entry or none", node.value,
                    ack.acknowledged.value, header.epoch.value);
    }
}

void ClusterChecker::check_vote(NodeId node, NodeId to, const core::Header& header) {
    const auto [at, is_new] = votes_.try_emplace({header.sender, header.epoch}, to);
    if (!is_new && at->second != to) {
        world_.fail("node {} votes for node {} in epoch {}, having voted for node {}", node.value, to.value, header.epoch.value,
                    at->second.value);
    }
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster_checker.h"

#include <algorithm>

namespace tanist::sim {
namespace {

bool is_voter(const NodePlan& node) { return node.role != core::ConfiguredRole::kSpare; }
bool is_data_voter(const NodePlan& node) { return is_voter(node) && node.role != core::ConfiguredRole::kWitness; }

constexpr std::uint64_t kTimeSlackMs = 20;  ///< clocks are read in whole milliseconds, some of them a tick ago

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
void ClusterChecker::check_known(NodeId node, const Entry& entry, Instant told) {
    if (book_.size() < entry.lsn().value) book_.resize(entry.lsn().value);
    auto& at_lsn = book_[entry.lsn().value - 1];
    const auto same_epoch = std::ranges::find(at_lsn, entry.epoch(), [](const Written& w) { return w.entry.epoch(); });
    if (same_epoch == at_lsn.end()) {
        at_lsn.push_back({entry, told});
        check_log_time(node, entry);
    } else if (same_epoch->entry.id() != entry.id()) {
        world_.fail("log matching: node {} has entry epoch={} lsn={} checksum={:08x}, elsewhere it has checksum={:08x}", node.value,
                    entry.epoch().value, entry.lsn().value, entry.checksum(), same_epoch->entry.checksum());
    }
}

/// Log time never goes back, and runs at most twice as fast as time, whatever wall clocks say (S22).
void ClusterChecker::check_log_time(NodeId node, const Entry& entry) {
    if (entry.lsn() == Lsn{1}) return;
    for (const Written& w : book_[entry.lsn().value - 2]) {
        if (!entry.follows(w.entry.id()) || entry.timestamp() >= w.entry.timestamp()) continue;
        world_.fail("log time goes back: node {} writes epoch={} lsn={} at {}, {} ms before the entry that it follows", node.value,
                    entry.epoch().value, entry.lsn().value, entry.timestamp(), w.entry.timestamp() - entry.timestamp());
    }
    const auto latest = [&](const Written& first) {
        const Duration passed = world_.now() - first.since;
        return first.entry.timestamp() + static_cast<std::uint64_t>((2 * passed + passed / 20) / 1ms) + kTimeSlackMs;
    };
    if (std::ranges::any_of(book_.front(), [&](const Written& first) { return entry.timestamp() <= latest(first); })) return;
    world_.fail("log time runs ahead: node {} writes epoch={} lsn={} at {}, {} ms after the first entry, {} ms after that was written",
                node.value, entry.epoch().value, entry.lsn().value, entry.timestamp(),
                entry.timestamp() - book_.front().front().entry.timestamp(), (world_.now() - book_.front().front().since) / 1ms);
}

void ClusterChecker::on_appended(NodeId node, std::span<const Entry> entries, Instant told) {
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
        check_known(node, entry, told);
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
    const Shadow earlier = shadow;
    shadow.base = log.base().lsn;
    shadow.first = shadow.base.next();
    shadow.entries.clear();
    EntryId before = log.base();
    while (before.lsn < log.last().lsn) {
        const auto entries = log.read(before.lsn.next(), log.last().lsn, 1 << 20);
        const EntryId* hit = earlier.find(before.lsn.next());
        if (!entries && shadow.deceived && hit != nullptr) {  // by a write that went astray since the log was opened: not noticed yet
            shadow.entries.push_back(before = *hit);
            continue;
        }
        if (!entries)
            return world_.fail("node {} cannot read its log behind lsn={}: {}", node.value, before.lsn.value, entries.error().message);
        for (const Entry& entry : *entries) {
            if (!entry.follows(before)) {
                return world_.fail("node {} reads epoch={} lsn={} which does not follow the entry before it", node.value,
                                   entry.epoch().value, entry.lsn().value);
            }
            check_known(node, entry, world_.now());
            shadow.entries.push_back(entry.id());
            before = entry.id();
        }
    }
    shadow.durable = shadow.last();
}

void ClusterChecker::on_opened(NodeId node, MemberId id, const wal::Log& log, const std::vector<EntryId>& rescued) {
    Shadow& shadow = shadows_[node];
    const Shadow before = shadow;
    shadow.id = id;
    read_again(node, shadow, log);
    for (const EntryId& cut : cut_[node]) {
        if (std::ranges::find(rescued, cut) != rescued.end() || shadow.deceived) continue;
        return world_.fail("node {} had exported epoch={} lsn={} before it was cut, and finds it no more", node.value, cut.epoch.value,
                           cut.lsn.value);
    }
    if (before.cut_from > Lsn{}) return check_cut_by_hand(node, before);
    shadow.has_hole = log.found().tail != Tail::kClean && log.found().tail != Tail::kTorn;
    if (before.damaged) {
        ghosts_.emplace_back(node, before);
        if (shadow.has_hole) {
            const EntryId* durable = before.find(before.durable);
            shadow.held = std::max(before.held, durable == nullptr ? Rank{} : durable->rank());
            return;
        }
        shadow.held = {};
        // It sees nothing wrong: so what was destroyed must have been of no account, and all that was synced must be there.
    }
    if (std::exchange(shadow.changing, false)) return check_committed_are_kept(node, before);
    if (shadow.last() < before.durable) {
        return world_.fail("node {} had synced its log up to lsn={} and finds it up to lsn={} after the start", node.value,
                           before.durable.value, shadow.last().value);
    }
    if (shadow.last() > before.last() && !before.has_hole) {  // what a hole hid may come to light: a stray write that was never synced
        return world_.fail("node {} had written its log up to lsn={} and finds it up to lsn={} after the start", node.value,
                           before.last().value, shadow.last().value);
    }
    for (Lsn lsn = std::max(shadow.first, before.first); lsn <= before.durable; lsn = lsn.next()) {
        if (*shadow.find(lsn) == *before.find(lsn)) continue;
        return world_.fail("node {} had synced another entry at lsn={} than it finds after the start", node.value, lsn.value);
    }
}

void ClusterChecker::check_cut_by_hand(NodeId node, const Shadow& before) {
    Shadow& shadow = shadows_[node];
    for (Lsn lsn = before.base.next(); lsn < before.cut_from; lsn = lsn.next()) {
        const EntryId* mine = shadow.find(lsn);
        if (lsn <= shadow.base || (mine != nullptr && *mine == *before.find(lsn))) continue;
        return world_.fail("node {} was to give up its log from lsn={} on, and lacks lsn={}", node.value, before.cut_from.value, lsn.value);
    }
    shadow.damaged = false;
    shadow.cut_from = {};
    forget_committed(shadow.last());
}

/// What followed counts no longer: another history goes on from there.
void ClusterChecker::forget_committed(Lsn keep) {
    if (committed() <= keep) return;
    committed_.resize(keep.value);
    committed_since_.resize(keep.value);
    states_.erase(states_.upper_bound(keep), states_.end());
    model_ = {};
    for (const EntryId& id : committed_) {
        const auto& at_lsn = book_[id.lsn.value - 1];
        model_.apply(std::ranges::find(at_lsn, id.epoch, [](const Written& w) { return w.entry.epoch(); })->entry);
    }
}

void ClusterChecker::on_log_changed(NodeId node, const wal::Log& log, const std::vector<EntryId>& rescued) {
    Shadow& shadow = shadows_[node];
    const bool was_damaged = shadow.damaged;
    if (std::exchange(shadow.has_hole, false)) {  // a hole is cut or filled, never left
        shadow.damaged = shadow.deceived;         // a write that went astray is missing in one place and in the way in another
        shadow.held = {};
    }
    const Shadow before = shadow;
    const EntryId* last = shadow.find(log.last().lsn);
    const bool only_shorter = last != nullptr && *last == log.last() && log.base().lsn >= shadow.base && log.base().lsn <= log.last().lsn;
    if (only_shorter) {
        truncate(node, shadow, log.last().lsn);
        shadow.base = log.base().lsn;
        shadow.durable = log.last().lsn;  // a cut makes what it keeps durable (wal::Log::cut)
    } else {
        read_again(node, shadow, log);
        check_committed_are_kept(node, before);
    }
    check_rescued(node, before, was_damaged, rescued);
}

/// What goes and is not known to be committed was exported before, unless it could not be read (S8).
void ClusterChecker::check_rescued(NodeId node, const Shadow& before, bool was_damaged, const std::vector<EntryId>& rescued) {
    const Shadow& shadow = shadows_[node];
    for (Lsn lsn = std::max(before.first, shown_[node].commit.next()); lsn <= before.last(); lsn = lsn.next()) {
        const EntryId* gone = before.find(lsn);
        const EntryId* now = shadow.find(lsn);
        const bool stays = lsn <= shadow.base || (now != nullptr && *now == *gone);
        const bool is_committed = lsn <= committed() && *gone == committed_at(lsn);
        if (stays || is_committed) continue;
        if (std::ranges::find(rescued, *gone) != rescued.end()) {
            cut_[node].push_back(*gone);
        } else if (!was_damaged) {
            return world_.fail("node {} cuts epoch={} lsn={} without exporting it", node.value, gone->epoch.value, lsn.value);
        }
    }
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

void ClusterChecker::on_recycled(NodeId node, Lsn base, Lsn stored) {
    Shadow& shadow = shadows_[node];
    const bool is_witness = std::ranges::find(plan_.nodes, node, &NodePlan::node)->role == core::ConfiguredRole::kWitness;
    if (!is_witness && base > stored && base > shadow.base) {
        return world_.fail("node {} recycles up to lsn={}, and its state has lsn={} on disk", node.value, base.value, stored.value);
    }
    // What is on every data voter is committed, though maybe nobody has applied it yet.
    const EntryId* last_gone = shadow.find(base);
    if (is_witness && last_gone != nullptr && !on_all_data_voters(last_gone->rank())) {
        return world_.fail("node {}, a witness, recycles up to lsn={}, which not every data voter has", node.value, base.value);
    }
    if (!is_witness && base > committed())
        return world_.fail("node {} recycles up to lsn={}, and lsn={} is committed", node.value, base.value, committed().value);
    if (base < shadow.base) return world_.fail("node {} has lsn={} again, having recycled it", node.value, shadow.base.value);
    shadow.base = base;
}

Lsn ClusterChecker::synced_long_ago(NodeId node, std::uint32_t variant) const {
    const Shadow& shadow = shadows_.at(node);
    const std::uint64_t kept = shadow.durable.value - std::min(shadow.durable, shadow.base).value;
    return kept < 20 ? Lsn{} : Lsn{shadow.base.value + 1 + variant % (kept / 2)};
}

Lsn ClusterChecker::first_unlike_committed(NodeId node) const {
    const auto shadow = shadows_.find(node);
    if (shadow == shadows_.end()) return {};
    for (Lsn lsn = shadow->second.first; lsn <= std::min(shadow->second.last(), committed()); lsn = lsn.next()) {
        if (*shadow->second.find(lsn) != committed_at(lsn)) return lsn;
    }
    return {};
}

void ClusterChecker::on_ended(NodeId node) { shown_[node] = {}; }

void ClusterChecker::on_wiped(NodeId node) {
    ghosts_.emplace_back(node, shadows_[node]);
    shadows_[node] = {};
    epochs_[node] = {};
    cut_[node].clear();
}

void ClusterChecker::on_damaged(NodeId node) { shadows_[node].damaged = true; }

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
        committed_since_.push_back(world_.now());
        const auto& at_lsn = book_[lsn.value - 1];
        model_.apply(std::ranges::find(at_lsn, id->epoch, [](const Written& w) { return w.entry.epoch(); })->entry);
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
    world_.triggers().on(Moment::kElected, node);
    const auto plan = std::ranges::find(plan_.nodes, node, &NodePlan::node);
    if (!is_data_voter(*plan))
        return world_.fail("node {} is a spare or a witness, and master of epoch {}", node.value, core.epoch().value);
    const auto [at, is_new] = masters_.try_emplace(core.epoch(), shadow.id);
    if (!is_new) {
        return world_.fail("epoch {} has two masters: node {} and node {}{}", core.epoch().value, at->second.node.value, node.value,
                           at->second == shadow.id ? " (it became master of it again)" : "");
    }
    // Late votes may elect it in an epoch below that of a master elected before: it has what was committed before that one's reign.
    Lsn through = committed();
    for (const auto& [epoch, before] : committed_before_) {
        if (epoch > core.epoch()) through = std::min(through, before);
    }
    committed_before_.emplace(core.epoch(), committed());
    for (Lsn lsn = shadow.base.next(); lsn <= through; lsn = lsn.next()) {
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
    epochs_[node] = message.header.epoch;  // durable before it is spoken of (S3)
    if (const auto* reply = std::get_if<core::InquiryReply>(&message.body)) note_inquiry(node, to, *reply);
    if (const auto* order = std::get_if<core::StandNow>(&message.body)) check_order(node, order->target.node);
    if (const auto* copy = std::get_if<core::CopyReply>(&message.body)) check_copy(node, *copy);
    if (const auto* ack = std::get_if<core::AppendAck>(&message.body)) check_acknowledgement(node, message.header, *ack);
    if (const auto* vote = std::get_if<core::VoteReply>(&message.body); vote != nullptr && vote->granted) {
        check_vote(node, to, message.header);
        check_grant(node, to, message.header.epoch);
    }
    if (const auto* vote = std::get_if<core::PreVoteReply>(&message.body); vote != nullptr && vote->granted)
        check_grant(node, to, vote->proposed);
    if (const auto* candidacy = std::get_if<core::PreVoteRequest>(&message.body)) {
        Rank& asked = candidacies_[{node, candidacy->proposed}];
        asked = std::max(asked, candidacy->rank);
    }
    if (const auto* candidacy = std::get_if<core::VoteRequest>(&message.body)) {
        Rank& asked = candidacies_[{node, message.header.epoch}];
        asked = std::max(asked, candidacy->rank);
        check_vote(node, node, message.header);  // whoever asks votes for itself
        check_candidacy(node, *candidacy);
    }
}

/// What was held before it was destroyed counts no longer once every other voter has answered one inquiry, or so many deny it that no
/// majority can have had it: further than the answers reach, it is known not to be committed (S9).
void ClusterChecker::note_inquiry(NodeId node, NodeId to, const core::InquiryReply& reply) {
    const bool votes = std::ranges::any_of(plan_.nodes, [&](const NodePlan& n) { return n.node == node && is_voter(n); });
    if (!votes || reply.answer == core::InquiryAnswer::kHearsMaster) return;
    Answers& answers = answers_[reply.id];
    answers.nodes.insert(node);
    if (reply.answer == core::InquiryAnswer::kDenies) answers.deny.insert(node);
    answers.reach = std::max(answers.reach, reply.last);
    const bool has_all = answers.nodes.size() + 1 >= voters_;
    const bool is_denied = 2 * (voters_ - answers.deny.size()) <= voters_;
    Shadow& inquirer = shadows_[to];
    if (inquirer.has_hole && (has_all || is_denied)) inquirer.held = std::min(inquirer.held, answers.reach);
}

/// Nobody is elected by what a power cut could still take from it.
void ClusterChecker::check_candidacy(NodeId node, const core::VoteRequest& candidacy) {
    world_.triggers().on(Moment::kStands, node);
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
        return world_.fail("node {} acknowledges lsn={} in epoch {}, where its master has another entry or none", node.value,
                           ack.acknowledged.value, header.epoch.value);
    }
    if (mine->epoch < header.epoch && mine->lsn > committed()) world_.triggers().on(Moment::kOldAcknowledged, master->second.node);
}

/// Nobody votes for a log that is behind its own, nor behind what it had synced before a part of that was destroyed (S9, S13).
void ClusterChecker::check_grant(NodeId node, NodeId to, Epoch epoch) {
    const Shadow& shadow = shadows_[node];
    const auto asked = candidacies_.find({to, epoch});
    if (asked == candidacies_.end() || shadow.deceived) return;
    const EntryId* durable = shadow.find(shadow.durable);
    const Rank own = std::max(shadow.held, durable == nullptr ? Rank{} : durable->rank());
    if (asked->second >= own) return;
    world_.fail("node {} grants node {} with epoch={} lsn={} its vote, and holds or has held epoch={} lsn={}", node.value, to.value,
                asked->second.epoch.value, asked->second.lsn.value, own.epoch.value, own.lsn.value);
}

/// A successor is chosen for having all that its master has (S17).
void ClusterChecker::check_order(NodeId node, NodeId target) {
    const Epoch epoch = shown_[node].epoch;
    ordered_.try_emplace(epoch, node);
    if (!masters_.empty() && masters_.rbegin()->first > epoch) return;  // it does not know yet that it is over
    const Shadow& shadow = shadows_[node];
    const EntryId* last = shadow.find(shadow.last());
    const bool was_spoilt = std::ranges::any_of(ghosts_, [&](const auto& ghost) { return ghost.first == target; });
    if (last == nullptr || was_spoilt || durable_at(target, last->rank())) return;
    world_.fail("node {} orders node {} to stand, which lacks epoch={} lsn={}", node.value, target.value, last->epoch.value,
                last->lsn.value);
}

/// What follows a checkpoint stays in its donor's log as long as the copy lasts (S25).
void ClusterChecker::check_copy(NodeId node, const core::CopyReply& copy) {
    if (copy.copy == 0 || shadows_[node].base <= copy.position.lsn) return;
    world_.fail("node {} gives a copy as of lsn={}, having recycled its log up to lsn={}", node.value, copy.position.lsn.value,
                shadows_[node].base.value);
}

void ClusterChecker::on_durable_at_master(NodeId node, Epoch epoch) {
    const auto ordered = ordered_.find(epoch);
    if (ordered == ordered_.end() || ordered->second != node) return;
    world_.fail("node {} acknowledges at level master in epoch {}, in which it has ordered a successor", node.value, epoch.value);
}

void ClusterChecker::on_durable_on_all(NodeId node, Rank rank) {
    if (on_all_data_voters(rank)) return;
    world_.fail("node {} reports epoch={} lsn={} on all data voters, and not every one holds it durably", node.value, rank.epoch.value,
                rank.lsn.value);
}

void ClusterChecker::check_vote(NodeId node, NodeId to, const core::Header& header) {
    const auto [at, is_new] = votes_.try_emplace({header.sender, header.epoch}, to);
    if (!is_new && at->second != to) {
        world_.fail("node {} votes for node {} in epoch {}, having voted for node {}", node.value, to.value, header.epoch.value,
                    at->second.value);
    }
}

}  // namespace tanist::sim

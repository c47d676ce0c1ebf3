// SPDX-License-Identifier: Apache-2.0
#include "core/state.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"

namespace tanist::core {
namespace {

bool has_hole(const StartState& start) {
    return start.tail == Tail::kInDoubt || start.tail == Tail::kCorrupt || start.tail == Tail::kUnbounded;
}

LogState::Start log_start(const StartState& start) {
    // With a hole, nothing above `confirmed` counts as durable until it is repaired (S4).
    const Lsn durable = has_hole(start) ? std::min(start.last.lsn, std::max(start.mark.confirmed.lsn, start.base.lsn)) : start.last.lsn;
    return {start.base, start.last, durable, start.epochs, std::max(start.last_timestamp, start.applied_timestamp)};
}

std::optional<Hole> hole_of(const StartState& start) {
    if (!has_hole(start)) return std::nullopt;
    Hole hole;
    hole.kind = start.tail;
    if (start.tail != Tail::kUnbounded) hole.intent = start.mark.intent;
    hole.readable_intent = start.mark.intent.rank();
    hole.confirmed = start.mark.confirmed;
    hole.behind = start.behind_hole;
    hole.applied = start.applied;
    const EntryId& held = mutant(Mutant::kVotesByConfirmed) ? start.mark.confirmed : start.mark.intent;
    hole.claimed = std::max({held.rank(), start.last.rank(), start.applied.rank()});
    if (!start.behind_hole.empty()) hole.claimed = std::max(hole.claimed, start.behind_hole.back().rank());
    hole.start_epoch = start.vote ? start.vote->epoch : Epoch{};
    hole.start = start.last;
    return hole;
}

void add_peer(std::vector<Peer>& peers, NodeId node) {
    const auto at = std::ranges::lower_bound(peers, node, {}, &Peer::node);
    if (at != peers.end() && at->node == node) return;
    Peer peer;
    peer.node = node;
    peers.insert(at, std::move(peer));
}

}  // namespace

State::State(NodeOptions node_options, StartState start, std::uint64_t seed)
    : options(std::move(node_options)),
      random(seed),
      identity(start.identity),
      pristine(start.pristine),
      vote(start.vote.value_or(Vote{})),
      start_epoch(vote.epoch),
      vote_lost(std::move(start.vote_lost)),
      log(log_start(start), options.tail_bytes_max),
      commit(std::max(start.applied.lsn, start.base.lsn)),
      applied(start.applied.lsn),
      hole(hole_of(start)) {
    ids = random.next() >> 1;  // room to count upwards
    applying.handed = applied;
    clock.resume(log.timestamp());

    // The store's membership is as of what it has applied; the log's own entries are as new or newer.
    if (start.applied_membership) {
        members.start_from(*start.applied_membership, Lsn{});
    } else if (identity.founding) {
        members.start_from(*identity.founding, Lsn{});
    }
    for (const Entry& entry : start.memberships) members.append(entry);
    // With the state, segments may be lost: then the log begins where the first good one does, and says nothing of what is committed.
    if (!has_state(*this)) commit = applied;

    for (const ConfiguredNode& node : options.configured) add_peer(peers, node.node);
    for (const Member& member : members.current().members) add_peer(peers, member.id.node);
    std::erase_if(peers, [&](const Peer& p) { return p.node == self().node; });
    for (Peer& peer : peers) {  // until it says otherwise, a member is who the membership says
        if (const Member* member = members.current().find(peer.node)) peer.id = member->id;
    }
    if (start.tail == Tail::kTorn) {
        start_notice =
            fmt::format("torn log tail cut: it was never reported durable at={} last_lsn={}", start.tail_where, start.last.lsn.value);
    } else if (hole) {
        start_notice =
            fmt::format("log is damaged: repairing it from other members at={} last_good_lsn={}", start.tail_where, start.last.lsn.value);
    }
    if (!start.storage_warning.empty()) start_notice += (start_notice.empty() ? "" : "; ") + start.storage_warning;
}

Peer* State::find_peer(NodeId node) {
    const auto at = std::ranges::find(peers, node, &Peer::node);
    return at == peers.end() ? nullptr : &*at;
}

bool State::is_voter(const Peer& peer) const {
    if (!peer.id) return false;
    const Member* member = members.current().find(*peer.id);
    return member != nullptr && member->votes();
}

Message message_of(const State& s, Body body) {
    return {{s.identity.founding ? s.identity.founding->cluster : ClusterId{}, s.self(), s.epoch()}, std::move(body)};
}

void send(const State& s, NodeId to, Body body, Actions& out) { out.push_back(Send{to, message_of(s, std::move(body))}); }

void enter_quarantine(State& s, std::string why, Actions& out) {
    if (!s.quarantine.empty()) return;
    s.quarantine = std::move(why);
    if (s.role == Role::kMaster) step_down(s, s.quarantine, out);
    s.role = Role::kSlave;
    s.following = {};
    refuse_reads(s, s.quarantine, out);
    notice(out, NoticeLevel::kError,
           "log quarantine: this node takes part in nothing until a person has looked at it node={} reason=\"{}\"", s.self().node.value,
           s.quarantine);
}

bool is_only_voter(const State& s) {
    if (!s.identity.founding) return s.options.configured.size() == 1;
    return s.own_seat() != nullptr && s.own_seat()->votes() && s.members.current().voters() == 1;
}

std::optional<Rank> claimed_rank(const State& s) {
    if (!s.hole) return s.log.last().rank();
    if (s.hole->kind == Tail::kUnbounded) return std::nullopt;
    return std::max(s.hole->claimed, s.log.last().rank());
}

Rank readable_rank(const State& s) {
    if (!s.hole || s.hole->behind.empty()) return s.log.last().rank();
    return std::max(s.hole->behind.back().rank(), s.log.last().rank());
}

}  // namespace tanist::core

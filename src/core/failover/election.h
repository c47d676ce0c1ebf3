// SPDX-License-Identifier: Apache-2.0
// When a slave decides that its master is gone, and how one of the slaves is elected (S3, S13).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/action.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

struct Election {
    std::optional<std::uint64_t> heard_tick;  ///< of the master's last sign of life; nullopt: none, or own evidence of its death
    std::uint64_t deadline = 0;               ///< tick at which a slave asks for pre-votes, or at which asking or standing is begun anew
    bool asking = false;                      ///< for pre-votes
    bool delayed = false;  ///< has its pre-votes, and first pulls what a peer of higher rank holds (S14), or waits for its disk
    Epoch proposed;
    std::uint64_t sent_tick = 0;      ///< of the last request
    std::optional<Epoch> ordered_in;  ///< candidate: the epoch whose master ordered it to stand (S17)
    std::vector<NodeId> granted;      ///< pre-votes while asking, votes while candidate; ours included
};

/// Whether the master of this epoch was heard within an election timeout and nothing of our own says that it is dead (S13).
[[nodiscard]] bool hears_master(const State& s);
/// A data voter in good order: it may become master.
[[nodiscard]] bool can_stand(const State& s);
/// `master` showed itself in this epoch.
void hear_master(State& s, MemberId master, Actions& out);
/// A timeout from now, drawn from [1x, 2x); an only voter has nobody to wait for.
void reset_election_timeout(State& s);

/// Makes a higher epoch durable, with the vote given in it if any; a master or candidate becomes a slave (S3, S3a).
void adopt_epoch(State& s, Epoch epoch, MemberId vote, Actions& out);

void tick_election(State& s, Actions& out);
void ask_for_pre_votes(State& s, Actions& out);
/// The master of this epoch has ordered it (S17): no pre-votes, and voters make an exception.
void stand_as_ordered(State& s, Actions& out);
/// The pull before standing is over, one way or the other, or what was written is durable.
void stand_if_delayed(State& s, Actions& out);
/// Our own evidence that the master's process is gone (S13).
void on_master_dead(State& s, Actions& out);

void on_pre_vote_request(State& s, Peer& from, const Header& header, const PreVoteRequest& m, Actions& out);
void on_pre_vote_reply(State& s, Peer& from, const PreVoteReply& m, Actions& out);
/// Also decides whether its epoch is adopted.
void on_vote_request(State& s, Peer& from, const Header& header, const VoteRequest& m, Actions& out);
void on_vote_reply(State& s, Peer& from, const VoteReply& m, Actions& out);

}  // namespace tanist::core

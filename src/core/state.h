// SPDX-License-Identifier: Apache-2.0
// Everything that one node's core knows, as plain structs; the folders' functions read and change it. Internal to core/.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/membership.h"
#include "base/random.h"
#include "core/action.h"
#include "core/event.h"
#include "core/failover/election.h"
#include "core/failover/reign.h"
#include "core/failover/switchover.h"
#include "core/membership/formation.h"
#include "core/membership/members.h"
#include "core/node.h"
#include "core/recovery/copy.h"
#include "core/recovery/fetch.h"
#include "core/recovery/hole.h"
#include "core/recovery/pull.h"
#include "core/replication/applying.h"
#include "core/replication/log_clock.h"
#include "core/replication/log_state.h"
#include "core/replication/progress.h"
#include "core/replication/proposals.h"
#include "core/replication/read_rounds.h"

namespace tanist::core {

/// Another node of cluster.nodes or of the membership.
struct Peer {
    NodeId node;
    bool connected = false;      ///< our connection to it is up
    std::optional<MemberId> id;  ///< as it last stated in a Hello that was in order
    std::optional<Hello> hello;
    ClusterId hello_cluster;
    std::optional<std::uint64_t> heard_tick;  ///< of its last message that was taken
    std::uint64_t contact_tick = 0;           ///< master: of its last answer within this reign (S16)
    std::optional<Rank> rank;                 ///< of its log, as it last said outside of acknowledgements
    std::string refusal;                      ///< why we do not deal with it
    std::string refused_us;                   ///< why it does not deal with us
    std::uint64_t newest_ask = 0;             ///< of its SwitchoverAsks that were taken
    Progress progress;                        ///< while we are master
};

/// Ticks are counted by the monotonic clock where the shell has one: so time that the process did not see counts too (S16).
struct Time {
    std::uint64_t ticks = 0;
    Clock now;
    std::uint64_t counted_ms = 0;  ///< up to here `now.monotonic_ms` has been turned into ticks
};

/// What a slave knows of its master in this epoch. Forgotten with the epoch.
struct Following {
    std::optional<MemberId> master;
    Lsn matched;  ///< up to where the master has shown its log to equal ours (S5)
    Lsn master_commit;
    std::uint64_t round = 0;   ///< the highest seen (S18)
    bool owes_answer = false;  ///< to an Append that told of commits alone: given with the next tick, if nothing else is said before
};

/// Appends that the WAL has not reported yet.
struct Writing {
    std::uint64_t waiting_since = 0;  ///< tick since which nothing was reported while something is pending (S16)
};

struct State {
    State(NodeOptions node_options, StartState start, std::uint64_t seed);

    NodeOptions options;
    Random random;
    Time time;
    std::uint64_t ids = 0;  ///< of requests and reads: drawn at random at start, so that answers to an earlier life match nothing

    Identity identity;
    bool pristine = false;
    Vote vote;          ///< as saved: its epoch is ours
    Epoch start_epoch;  ///< durable at this start (S9)
    std::string start_notice, vote_lost;
    Role role = Role::kSlave;
    Members members;
    std::vector<Peer> peers;  ///< ascending by node

    LogState log;
    LogClock clock;
    Writing writing;
    Lsn commit, applied;
    Lsn everywhere;  ///< durable on every data voter, as far as known here (S11)
    bool in_sync = false;
    Following following;
    Applying applying;
    Proposals proposals;
    ReadRounds reads;
    Fetching fetching;

    Election election;
    Reign reign;
    Switchover switchover;
    SwitchoverAsks switchover_asks;
    Pull pull;
    std::optional<Hole> hole;
    Copying copying;
    Formation formation;

    std::string quarantine;  ///< why this node takes part in nothing (S7); empty: it does
    bool started = false, stopped = false;
    std::optional<std::uint64_t> stopping_since;  ///< tick of ShutdownRequested
    std::uint64_t due = 0;                        ///< log time at which a tick entry is wanted (S22)
    Lsn due_tick;                                 ///< the last tick entry that we logged for it
    Lsn recycle_asked;

    [[nodiscard]] Epoch epoch() const { return vote.epoch; }
    [[nodiscard]] MemberId self() const { return identity.id; }
    [[nodiscard]] const Member* own_seat() const { return members.current().find(self()); }
    [[nodiscard]] bool is_master() const { return role == Role::kMaster; }
    [[nodiscard]] Peer* find_peer(NodeId node);
    [[nodiscard]] std::uint64_t next_id() { return ++ids; }
    /// The node whose messages we take as a member's, by the membership in force.
    [[nodiscard]] bool is_member(const Peer& peer) const { return peer.id && members.current().find(*peer.id) != nullptr; }
    [[nodiscard]] bool is_voter(const Peer& peer) const;
    /// Admitted, and not in log quarantine: sends and answers what members do.
    [[nodiscard]] bool takes_part() const { return quarantine.empty() && identity.founding.has_value() && own_seat() != nullptr; }
};

// -- helpers that all folders use -------------------------------------------------------------------------------------------------

[[nodiscard]] Message message_of(const State& s, Body body);
void send(const State& s, NodeId to, Body body, Actions& out);
template <class... Args>
void notice(Actions& out, NoticeLevel level, fmt::format_string<Args...> format, Args&&... args) {
    out.push_back(Notice{level, fmt::format(format, std::forward<Args>(args)...)});
}
/// Takes the node out of everything, for good (S7).
void enter_quarantine(State& s, std::string why, Actions& out);
/// Nobody else votes: there is no other master to be heard, and nobody to be asked.
[[nodiscard]] bool is_only_voter(const State& s);
/// What this node may have held: it votes for nothing below. nullopt: without upper bound, so for nothing at all (S9).
[[nodiscard]] std::optional<Rank> claimed_rank(const State& s);
/// How up to date our readable log is, for others that look for entries.
[[nodiscard]] Rank readable_rank(const State& s);

}  // namespace tanist::core

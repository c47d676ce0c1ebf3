// SPDX-License-Identifier: Apache-2.0
// Linearizable reads: a master confirms its majority in a round that starts after the read arrived (S18; Raft thesis, 6.4).
#pragma once

#include <cstdint>
#include <vector>

#include "core/action.h"
#include "core/event.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

struct ReadRounds {
    /// One read at the master: a client's here (`node` 0, the token), or a slave's request (its node, and the request's id).
    struct Waiter {
        NodeId node;
        std::uint64_t id;
    };
    // at the master
    std::uint64_t round = 0;        ///< number of the newest round of this reign; each heartbeat begins one too (S16)
    std::uint64_t running = 0;      ///< the round that reads wait for; 0: none
    Lsn lsn;                        ///< the commit LSN before the running round
    std::vector<Waiter> waiting;    ///< for the running round
    std::vector<Waiter> joining;    ///< arrived since: for the next one
    std::uint64_t raced_tick = 0;   ///< in which a round last began by asking all
    std::uint64_t widens_tick = 0;  ///< from which on the running round asks the others, too; 0: it has asked all
    // at a slave
    std::uint64_t asked_id = 0;  ///< request under way to the master; 0: none
    std::uint64_t asked_tick = 0, sent_tick = 0;
    std::vector<std::uint64_t> asked;  ///< tokens that it answers
    std::vector<std::uint64_t> queued;
};
inline constexpr std::size_t kReadersMax = 65'536;  ///< waiting at once; more are refused as overloaded

/// What was held back goes on: here, or at the master that is heard.
void on_switchover_ended(State& s, Actions& out);
void on_read_request(State& s, const ReadRequest& e, Actions& out);
void on_read_index_request(State& s, Peer& from, const ReadIndexRequest& m, Actions& out);
void on_read_index_reply(State& s, const ReadIndexReply& m, Actions& out);
/// A voter answered: the running round may be confirmed.
void confirm_round(State& s, Actions& out);
void tick_reads(State& s, Actions& out);
/// Refuses everything that waits: role or epoch changed.
void refuse_reads(State& s, const std::string& why, Actions& out);

}  // namespace tanist::core

// SPDX-License-Identifier: Apache-2.0
// The replica core of one node: takes events, says what is to be done. No clock, socket, thread, file or randomness of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/membership.h"
#include "base/types.h"
#include "core/action.h"
#include "core/event.h"
#include "core/view.h"

namespace tanist::core {

/// One line of cluster.nodes.
struct ConfiguredNode {
    NodeId node;
    std::string peer_address;  ///< "host:port"
};

/// Times are in ticks of `tick_ms`; sizes in bytes.
struct NodeOptions {
    std::string cluster_name;
    ConfiguredRole role = ConfiguredRole::kSlave;
    Addresses addresses;                     ///< ours, as others must use them
    std::vector<ConfiguredNode> configured;  ///< ascending by id, ours included
    bool bootstrap = false;                  ///< --bootstrap: form with whoever is reachable (S2)
    std::uint32_t tick_ms = 10;
    std::uint32_t heartbeat_ticks = 10;
    std::uint32_t election_timeout_ticks = 100;    ///< drawn from [1x, 2x) each time
    std::uint32_t wal_stall_ticks = 200;           ///< a master with an older pending WAL write steps down (S16)
    std::uint32_t promotion_pull_ticks = 50;       ///< deadline of the pull on promotion (S15)
    std::size_t append_bytes_max = 1 << 20;        ///< of entries in one Append (one entry may exceed it)
    std::size_t inflight_bytes_max = 8 << 20;      ///< sent to one slave and not acknowledged
    std::size_t tail_bytes_max = 32 << 20;         ///< newest entries kept in memory; older ones are read back from the log
    std::size_t uncommitted_bytes_max = 64 << 20;  ///< beyond it proposals are refused as overloaded
    bool asking_answers = true;                    ///< a voter that asks for its readers has answered the round that they need (S18)
    bool rounds_ask_few = true;                    ///< a round of reads asks no more voters than it needs (S18)
    bool answers_wait = true;                      ///< an Append that only tells what is committed is answered within a tick
};

/// What the shell found on disk.
struct StartState {
    Identity identity;
    std::optional<Vote> vote;  ///< nullopt: none was ever saved, or `vote_lost`
    std::string vote_lost;     ///< why the vote file tells nothing though it is there; empty: it does (S3)
    bool pristine = false;     ///< a fresh data directory: no vote, log, store or cluster id ever
    // the log, as wal::Found tells it
    Tail tail = Tail::kClean;
    EntryId base, last;
    Mark mark;
    std::vector<EpochRun> epochs;
    std::vector<Entry> memberships;
    std::vector<EntryId> behind_hole;
    std::uint64_t last_timestamp = 0;
    std::string tail_where;
    // the state store
    EntryId applied;
    std::uint64_t applied_timestamp = 0;
    std::optional<Membership> applied_membership;
    std::string storage_warning;  ///< e.g. "state store lost": a notice, and a copy if the log does not reach back
};

/// Bytes of entries in memory, whose bounds can be watched (S12).
struct Holding {
    std::size_t tail = 0;       ///< the newest that is durable: NodeOptions::tail_bytes_max, or one entry
    std::size_t unsynced = 0;   ///< not durable yet: what clients wait for, a master has sent, or a pull has brought
    std::size_t in_flight = 0;  ///< the most to one member: NodeOptions::inflight_bytes_max, and one Append
    std::size_t fill = 0;       ///< of a damaged log, until it is repaired
};

class Node {
public:
    /// `seed` feeds the random time-outs and ids. Emits what must be done first (formation, notices) with the first step.
    Node(NodeOptions options, StartState start, std::uint64_t seed);
    ~Node();
    Node(Node&&) noexcept;
    Node& operator=(Node&&) noexcept;

    /// Takes one event and appends to `out` what is to be done about it, in the order in which it must be done.
    void step(const Event& event, Actions& out);

    [[nodiscard]] View view() const;
    [[nodiscard]] Holding holding() const;
    // Cheap parts of the view, for the path of every request.
    [[nodiscard]] Role role() const;
    [[nodiscard]] bool open() const;  ///< master that takes writes
    [[nodiscard]] Epoch epoch() const;
    [[nodiscard]] Lsn commit() const;
    [[nodiscard]] Lsn applied() const;
    /// The epoch of the entry at `lsn`, as far as the log reaches back; for session tokens (S18).
    [[nodiscard]] std::optional<Epoch> epoch_at(Lsn lsn) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tanist::core

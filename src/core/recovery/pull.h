// SPDX-License-Identifier: Apache-2.0
// Recovery before standing: a node without a master pulls what a peer of higher rank has more than it (S14).
#pragma once

#include <cstdint>
#include <optional>

#include "core/action.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

struct Pull {
    std::optional<NodeId> from;  ///< nullopt: none is under way
    std::uint64_t id = 0;
    Rank previous;               ///< as asked
    std::uint64_t deadline = 0;  ///< given up then: standing never waits for longer
    std::uint64_t sent_tick = 0;
};

/// Begins to pull from `peer`, unless a pull is under way or its rank is no higher than ours.
void pull_from(State& s, const Peer& peer, Actions& out);
void abandon_pull(State& s);
void tick_pull(State& s, Actions& out);
void on_pull_reply(State& s, Peer& from, const FetchReply& m, Actions& out);

}  // namespace tanist::core

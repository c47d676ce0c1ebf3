// SPDX-License-Identifier: Apache-2.0
// How a cluster comes into being by itself: only when every configured node is there and never held anything (S2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/action.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

struct Formation {
    std::string waiting_for;                   ///< why the cluster is not formed yet, for `status`
    std::optional<std::uint64_t> wrong_since;  ///< tick since which the configured roles are known to be wrong
    std::uint64_t hello_tick = 0;              ///< of the last Hello to all
    bool founded_now = false;                  ///< in this life of the process: the configured master stands first
};

[[nodiscard]] Hello own_hello(const State& s);
/// Hello to all again while this node belongs to no cluster; forms one when S2 is met.
void tick_formation(State& s, Actions& out);
/// Something about a peer changed: perhaps S2 is met now.
void try_to_form(State& s, Actions& out);
void on_formation_proposal(State& s, Peer& from, const Header& header, const FormationProposal& m, Actions& out);

}  // namespace tanist::core

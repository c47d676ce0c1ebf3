// SPDX-License-Identifier: Apache-2.0
// Full copies: when only a checkpoint helps, from whom, and whether a received one may be installed (S25).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/action.h"
#include "core/event.h"

namespace tanist::core {

struct State;

struct Copying {
    bool needed = false;
    std::string why;
    std::optional<NodeId> donor;  ///< a copy is under way from it
    std::uint64_t retry_tick = 0;
    std::size_t attempts = 0;  ///< failed since it became necessary: the next donor is tried
};

/// Whether the state reaches to where the log begins: otherwise nothing can be applied.
[[nodiscard]] bool has_state(const State& s);
void need_copy(State& s, std::string why, Actions& out);
void tick_copy(State& s, Actions& out);
void on_copy_received(State& s, const CopyReceived& e, Actions& out);

}  // namespace tanist::core

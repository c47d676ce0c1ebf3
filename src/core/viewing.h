// SPDX-License-Identifier: Apache-2.0
// What a node tells about itself (view.h), computed from its state.
#pragma once

#include <optional>
#include <string>

#include "core/view.h"

namespace tanist::core {

struct State;

/// The parts by which reads and writes are routed: when one changes, the shell is told.
struct RoutingView {
    Role role;
    Health health;
    Epoch epoch;
    std::optional<MemberId> master;
    bool open, pausing, in_sync;
    friend bool operator==(const RoutingView&, const RoutingView&) = default;
};

[[nodiscard]] RoutingView routing_view(const State& s);
[[nodiscard]] View view_of(const State& s);

}  // namespace tanist::core

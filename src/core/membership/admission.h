// SPDX-License-Identifier: Apache-2.0
// Whose messages are taken at all: the same cluster, and the very incarnation that is a member (S1).
#pragma once

#include "core/action.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

/// Deals with what nodes say about themselves, and checks who speaks. The sender, if its message is to be taken; otherwise nullptr.
[[nodiscard]] Peer* admit(State& s, const Message& message, Actions& out);

}  // namespace tanist::core

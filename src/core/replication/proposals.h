// SPDX-License-Identifier: Apache-2.0
// A master's accepted proposals until their outcome is told (S20).
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "core/action.h"
#include "core/event.h"

namespace tanist::core {

struct State;
struct Peer;

struct Proposals {
    struct Pending {
        std::uint64_t token;
        Lsn lsn;
        std::size_t bytes;
    };
    struct Waiter {
        std::uint64_t token;
        Lsn lsn;
    };
    std::deque<Pending> pending;  ///< in the log, not yet handed to Apply; ascending by LSN
    std::size_t pending_bytes = 0;
    std::deque<Waiter> for_durable;  ///< level `master`
    std::deque<Waiter> for_all;      ///< level `all`; the oldest are forgotten when too many wait for a dead voter: deadlines answer them
};
inline constexpr std::size_t kWaitersForAllMax = 65'536;

void on_proposal(State& s, const Proposal& e, Actions& out);
void on_forward_writes(State& s, const ForwardWrites& e, Actions& out);
void on_forwarded_writes(State& s, const Peer& from, const ForwardedWrites& m, Actions& out);
/// Our durable LSN moved.
void report_durable(State& s, Actions& out);
/// `everywhere` moved.
void report_on_all(State& s, Actions& out);
/// Entries up to `through` were handed to Apply, which answers them.
void forget_applied(State& s, Lsn through);
/// The reign ends: what was not handed to Apply may or may not happen (S16).
void report_unknown(State& s, const std::string& why, Actions& out);

}  // namespace tanist::core

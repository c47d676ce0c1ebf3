// SPDX-License-Identifier: Apache-2.0
// A change of masters by plan (S17): writes pause, the target gets what it lacks, is told to stand, and the paused writes go on there.
#pragma once

#include <cstdint>
#include <optional>

#include "base/types.h"
#include "core/action.h"
#include "core/event.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

enum class SwitchoverPhase : std::uint8_t {
    kNone,
    kCatchingUp,  ///< the target lacks entries, or something here is not answered yet
    kOrdered,     ///< the target has been told to stand
    kSucceeded,   ///< a later epoch has begun: a master of it is awaited, to which the paused writes can be sent
};

/// At the master that hands over, and for as long as it holds writes back. Each of its two halves, before and behind the end of our
/// reign, lasts an election timeout at most.
struct Switchover {
    SwitchoverPhase phase = SwitchoverPhase::kNone;
    std::uint64_t token = 0;  ///< of who asked; 0: this node, which is shutting down
    MemberId target;          ///< ourselves: the reign is renewed
    bool is_named = false;    ///< the target was asked for: no other will do
    Epoch epoch;              ///< ours, that ends by it
    std::uint64_t deadline = 0, sent_tick = 0;

    [[nodiscard]] bool is_under_way() const { return phase != SwitchoverPhase::kNone; }
};

void on_switchover_requested(State& s, const SwitchoverRequested& e, Actions& out);
/// A master that shuts down hands over first, if there is anybody to hand over to.
void switch_over_before_shutdown(State& s, Actions& out);
/// A member whose newest mark is unreadable is settled only by a reign that began after its start (S9). A master that hears such a
/// member hands over to itself: the same pause, and the same vote, that a switchover takes. At most once in kRenewalTimeouts.
void tick_renewal(State& s, Actions& out);
inline constexpr std::uint64_t kRenewalTimeouts = 10;  ///< election timeouts that a reign lasts before it is renewed
/// Whatever has just happened may have brought it further; called after each event.
void advance_switchover(State& s, Actions& out);
/// The master of this epoch wants us to take over.
void on_stand_now(State& s, const Peer& from, const StandNow& m, Actions& out);

}  // namespace tanist::core

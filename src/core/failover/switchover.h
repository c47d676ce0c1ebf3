// SPDX-License-Identifier: Apache-2.0
// A change of masters by plan (S17): writes pause, the target gets what it lacks, is told to stand, and the paused writes go on there.
#pragma once

#include <cstdint>
#include <map>
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
    /// Who is told how it ends: a client here, or the node of a client there. Nobody, where this node shuts down or renews its reign.
    struct Asker {
        std::uint64_t token = 0;  ///< the shell's, or the other node's id; 0: nobody
        NodeId node;              ///< 0: this one
    };

    SwitchoverPhase phase = SwitchoverPhase::kNone;
    Asker asker;
    MemberId target;        ///< ourselves: the reign is renewed
    bool is_named = false;  ///< the target was asked for: no other will do
    Epoch epoch;            ///< ours, that ends by it
    std::uint64_t deadline = 0, sent_tick = 0;

    [[nodiscard]] bool is_under_way() const { return phase != SwitchoverPhase::kNone; }
};

/// What clients here want of the master.
struct SwitchoverAsks {
    struct Asked {
        std::uint64_t token;
        std::uint64_t deadline;  ///< tick
    };
    std::map<std::uint64_t, Asked> pending;  ///< by id
};
inline constexpr std::size_t kSwitchoverAsksMax = 64;
inline constexpr std::uint64_t kSwitchoverAskTimeouts = 3;  ///< election timeouts to wait for an answer: a switchover lasts two at most

void on_switchover_requested(State& s, const SwitchoverRequested& e, Actions& out);
void on_switchover_ask(State& s, Peer& from, const SwitchoverAsk& m, Actions& out);
void on_switchover_answer(State& s, const SwitchoverAnswer& m, Actions& out);
void tick_switchover_asks(State& s, Actions& out);
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

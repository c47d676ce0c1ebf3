// SPDX-License-Identifier: Apache-2.0
// A master's reign from its election to its end: the pull on promotion (S15), the epoch-start entry (S6), stepping down (S16).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

/// What who asks a master too early is told.
inline constexpr const char* kNotOpen = "the master is not open yet: it finishes its promotion";

struct Reign {
    struct Asked {
        NodeId node;
        std::uint64_t id;
    };
    bool pulling = false;  ///< before the epoch-start entry (S15): no position of our log may be named
    std::uint64_t pull_deadline = 0;
    std::uint64_t asked_tick = 0;
    std::vector<Asked> asked;                      ///< who has not answered yet
    Lsn epoch_start;                               ///< 0 while pulling
    bool open = false;                             ///< the epoch-start entry is committed and everything is applied
    std::uint64_t since = 0;                       ///< tick of the election
    bool has_ordered_successor = false;            ///< StandNow was sent: nothing is acknowledged at level `master` any more (S17)
    std::optional<std::uint64_t> unsettled_since;  ///< tick since which a member says that its log has no readable mark (S9)
    std::uint64_t heartbeat_tick = 0;
    struct Stamp {
        std::uint64_t round, tick;
    };
    std::deque<Stamp> stamps;  ///< when the last heartbeats' rounds began: an answer proves contact then, however late it comes
};

void become_master(State& s, Actions& out);
/// Ends the reign within its epoch: pending writes are answered "outcome unknown" (S16).
void step_down(State& s, const std::string& why, Actions& out);
void tick_reign(State& s, Actions& out);
/// The tick by which a majority of voters, ours included, was in contact (S16).
[[nodiscard]] std::uint64_t majority_contact_tick(const State& s);
/// `from` has answered to `round`: it was in contact when that began.
void note_contact(const State& s, Peer& from, std::uint64_t round);
/// Opens for writes once the epoch-start entry is applied.
void open_if_applied(State& s, Actions& out);
/// An answer to the pull on promotion.
void on_promotion_fetch_reply(State& s, Peer& from, const FetchReply& m, Actions& out);

}  // namespace tanist::core

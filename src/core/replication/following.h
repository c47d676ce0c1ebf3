// SPDX-License-Identifier: Apache-2.0
// A slave's side of replication: append, cut what diverges, acknowledge (S5, S7).
#pragma once

#include <span>
#include <vector>

#include "base/entry.h"
#include "core/action.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

void on_heartbeat(State& s, Peer& from, const Heartbeat& m, Actions& out);
void on_append(State& s, Peer& from, const Append& m, Actions& out);
void acknowledge(State& s, Actions& out);
/// Answers what told of commits only, unless something else was said since.
void tick_following(State& s, Actions& out);

/// What taking in entries led to.
enum class Taken : std::uint8_t {
    kExtended,   ///< at least one is new
    kHeld,       ///< all were there already
    kRefused,    ///< they do not chain to our log: damaged, or a bug of the sender's; nothing was changed
    kForbidden,  ///< they contradict what is committed here; nothing was changed (S7)
};
/// Takes `entries`, which follow `previous`, an entry that we hold (or lies below our base): cuts from the first one that differs,
/// exporting it first (S8), and appends the rest. `may_cut` false: where they differ they are refused (S15).
Taken take_entries(State& s, Rank previous, std::span<const Entry> entries, bool may_cut, Actions& out);
/// Entries were added to the log: log time goes on from them, from now on, or, before the first tick, from when it is wanted first (S22).
void observe_log_time(State& s);
/// Exports what lies behind `keep` and cuts it. The caller has checked S7.
void cut_log(State& s, Lsn keep, std::uint32_t checksum, Actions& out);

}  // namespace tanist::core

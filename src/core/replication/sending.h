// SPDX-License-Identifier: Apache-2.0
// The master's side of replication: its own entries, what each member is sent, and what has become committed (S5, S6).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/entry.h"
#include "core/action.h"
#include "core/event.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

/// Creates an entry of this reign behind the log and has it written. The caller sends it: pump_all().
void append_own(State& s, EntryKind kind, std::string_view payload, const Clock& now, Actions& out);
/// Hands `entries`, which are in the log, to the WAL.
void write_entries(State& s, std::vector<Entry> entries, Actions& out);
/// Sends what the member lacks, within its budget; otherwise the commit LSN, if it does not know it.
void pump(State& s, Peer& peer, Actions& out);
void pump_all(State& s, Actions& out);
/// To each member that was sent none for a heartbeat, an Append without entries; while entries are under way to it, a Heartbeat, too.
/// `now`: to all, at once, one of the two.
void send_heartbeats(State& s, bool now, Actions& out);
/// As to all, to one.
void send_heartbeat(State& s, Peer& peer, bool now, Actions& out);
void on_append_ack(State& s, Peer& from, const AppendAck& m, Actions& out);
void on_append_reject(State& s, Peer& from, const AppendReject& m, Actions& out);
void on_peer_log_read(State& s, Peer& peer, const LogRead& e, Actions& out);
/// Moves the commit LSN by S6 and does what follows from it.
void advance_commit(State& s, Actions& out);
/// A tick entry when something falls due (S22).
void log_due_tick(State& s, Actions& out);

}  // namespace tanist::core

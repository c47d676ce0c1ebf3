// SPDX-License-Identifier: Apache-2.0
// Repairs a damaged log (S9): by the master's entries, by peers' committed or original ones, or by an inquiry.
#pragma once

#include <cstdint>

#include "core/action.h"
#include "core/event.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

void tick_repair(State& s, Actions& out);
/// A master is heard: it settles everything.
void repair_from_master(State& s, Actions& out);
/// While probing for members: who is there, and whether they hear a master.
void on_repair_probe_reply(State& s, Peer& from, const PreVoteReply& m, Actions& out);
void on_repair_fetch_reply(State& s, Peer& from, const Header& header, const FetchReply& m, Actions& out);
/// True: `e` answered our reading of good records behind the hole.
bool on_repair_log_read(State& s, const LogRead& e, Actions& out);
/// The doubt is settled: what is trusted stays, nothing behind it.
void cut_hole(State& s, const char* why, Actions& out);

// -- inquiry.cpp --------------------------------------------------------------------------------------------------------------
void start_inquiry(State& s, Actions& out);
void tick_inquiry(State& s, Actions& out);
/// Also decides whether its epoch is adopted.
void on_inquiry(State& s, Peer& from, const Header& header, const Inquiry& m, Actions& out);
void on_inquiry_reply(State& s, Peer& from, const Header& header, const InquiryReply& m, Actions& out);
/// Answers lapse: the epoch moved on, a master is heard, or the hole changed.
void abandon_inquiry(State& s);

}  // namespace tanist::core

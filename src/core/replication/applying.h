// SPDX-License-Identifier: Apache-2.0
// Hands committed and durable entries to the state machine, and gives back what the log no longer needs (S7, S11).
#pragma once

#include <cstdint>
#include <deque>

#include "core/action.h"
#include "core/event.h"

namespace tanist::core {

struct State;

struct Applying {
    struct Batch {
        Lsn through;
        std::size_t bytes;
    };
    Lsn handed;                    ///< up to here Apply has been asked for
    std::deque<Batch> batches;     ///< asked for, not reported
    std::size_t bytes = 0;         ///< in them
    std::uint64_t read_token = 0;  ///< of the ReadLog for entries that have left memory; 0: none
    std::uint64_t retry_tick = 0;  ///< a read met entries that were not written yet
};

/// Applies as far as S7 allows.
void advance_apply(State& s, Actions& out);
void on_applied(State& s, const Applied& e, Actions& out);
void on_stored(State& s, const Stored& e, Actions& out);
/// A witness, which has no state of its own, keeps what some data voter may still need (S11).
void recycle_as_witness(State& s, Actions& out);
void recycle(State& s, Lsn through, Actions& out);
/// Sets `in_sync` once everything is applied that the master has committed in its reign (S18).
void note_in_sync(State& s);
/// Answers ReadLog, whoever asked.
void on_log_read(State& s, const LogRead& e, Actions& out);

}  // namespace tanist::core

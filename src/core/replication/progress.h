// SPDX-License-Identifier: Apache-2.0
// What the master knows of one member's log, and what it has under way to it.
#pragma once

#include <cstdint>
#include <deque>

#include "base/types.h"

namespace tanist::core {

/// kProbe: where the logs agree is not known yet, or no longer; one Append at a time. kStream: Appends are sent without waiting,
/// up to a number of bytes; a lost one shows when a later one, or a heartbeat, is rejected.
enum class SendPhase : std::uint8_t { kProbe, kStream };

struct Progress {
    SendPhase phase = SendPhase::kProbe;
    Lsn match;  ///< acknowledged in this epoch: never lowered (S1)
    Lsn next;   ///< first LSN to send; kStream: behind what is under way
    Lsn applied;
    Rank intent;
    bool awaiting = false;    ///< kProbe: the probe is under way; sent again by heartbeat
    Lsn probe_through;        ///< kProbe: the last entry in the probe
    bool recycled = false;    ///< what it needs next is no longer in our log: it is told so with each heartbeat (S25)
    bool needs_copy = false;  ///< it says so itself
    std::uint64_t round = 0;  ///< of linearizable reads, confirmed
    bool is_quick = false;    ///< its answer was among those that confirmed the last round of reads

    struct Flight {
        Lsn through;
        std::size_t bytes;
    };
    std::deque<Flight> flights;  ///< kStream: sent, not acknowledged
    std::size_t flight_bytes = 0;
    Lsn commit_sent;
    bool commit_awaiting = false;      ///< an Append that carries only a commit LSN is under way
    std::uint64_t read_token = 0;      ///< of the ReadLog that fetches what has left memory; 0: none
    std::uint64_t sent_tick = 0;       ///< of the last Append
    Lsn sent;                          ///< the last entry sent on this connection: what lies above `match` may be under way still
    std::uint64_t restart_tick = 0;    ///< in which a reject last stopped the stream: more of them in the same one are of what it sent
    std::uint64_t heartbeat_tick = 0;  ///< of the last Heartbeat, which is sent beside Appends while entries are under way
    std::uint64_t repeats_until = 0;   ///< the tick until which entries that were sent again may still be under way, acknowledged or not

    void probe_from(Lsn from) {
        phase = SendPhase::kProbe;
        next = from;
        awaiting = false;
        flights.clear();
        flight_bytes = 0;
        commit_awaiting = false;
        read_token = 0;
    }
    /// There is a new connection, or none: whatever was under way is lost.
    void reconnect() {
        probe_from(next);
        sent = Lsn{};
        repeats_until = 0;
        is_quick = false;
    }
    void add_flight(Lsn through, std::size_t bytes) {
        flights.push_back({through, bytes});
        flight_bytes += bytes;
        next = through.next();
    }
    void acknowledged(Lsn through) {
        if (through > match) match = through;
        while (!flights.empty() && flights.front().through <= match) {
            flight_bytes -= flights.front().bytes;
            flights.pop_front();
        }
    }
};

}  // namespace tanist::core

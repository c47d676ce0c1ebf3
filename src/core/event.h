// SPDX-License-Identifier: Apache-2.0
// Everything that can happen to the core. The shells turn sockets, disks and clocks into these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/entry.h"
#include "base/result.h"
#include "base/types.h"
#include "core/message.h"

namespace tanist::core {

/// Two clocks read together. The core reads neither: it is told.
struct Clock {
    std::uint64_t monotonic_ms = 0;  ///< runs through suspend (S16), from any start
    std::uint64_t wall_ms = 0;       ///< since 1970; may jump
};

/// One tick of NodeOptions::tick_ms has passed. All time-outs are counts of these.
struct Tick {
    Clock now;
};

/// Our connection to a configured node is up, and nothing was sent on it: the core answers with Hello.
struct PeerConnected {
    NodeId node;
};
enum class Loss : std::uint8_t {
    kReset,    ///< an established connection was reset or closed by the other side
    kRefused,  ///< the immediate reconnect was refused, or reset before a Hello: nobody listens there (S13's evidence)
    kTimeout,  ///< no evidence of anything: unreachable or silent
};
struct PeerLost {
    NodeId node;
    Loss loss = Loss::kTimeout;
};
struct PeerMessage {
    Message message;
};

/// A batch of clients' requests, which becomes one entry. `payload` is at most kPayloadBytesMax long.
struct Proposal {
    std::uint64_t token = 0;  ///< the shell's, returned in what becomes of it; unique while the process runs
    std::string payload;      ///< commands/request.h
    Clock now;
    bool report_durable = false;  ///< some of its clients ask for level `master` (S20)
    bool report_all = false;      ///< some of its clients ask for level `all`
};
/// A linearizable read, or a batch of them, arrived (S18).
struct ReadRequest {
    std::uint64_t token = 0;
};
/// The state machine says that something falls due at this log time (S22); 0: nothing.
struct DueAt {
    std::uint64_t timestamp = 0;
};

/// Everything appended up to `through` by an AppendToWal of `generation` is durable.
struct WalDurable {
    std::uint64_t generation = 0;
    Lsn through;
};
/// Answers ReadLog. kRecycled, kNotFound, kCorrupt as wal::Log::read says.
struct LogRead {
    std::uint64_t token = 0;
    Result<std::vector<Entry>> entries;
};
/// Every entry of the Apply actions up to here has been executed.
struct Applied {
    Lsn through;
};
/// The store's own disk state, and where the log now begins (S11).
struct Stored {
    Lsn stored;
    Lsn log_base;
};
/// A checkpoint that StartCopy asked for is complete and verified, not yet installed; or the copy failed.
struct CopyReceived {
    Result<EntryId> position;
    std::uint64_t timestamp = 0;
    Membership membership;
};
/// Hand mastership over (S17), to `target`, or to the most up-to-date slave; a slave asks its master. Answered by SwitchoverEnded.
struct SwitchoverRequested {
    std::uint64_t token = 0;  ///< the shell's; not 0
    std::optional<NodeId> target;
};
/// Writes of clients of this slave, for the master to take (S17); none may have session 0. Dropped where no master is heard.
struct ForwardWrites {
    std::string payload;  ///< commands/request.h, at most kPayloadBytesMax long
};
/// A master switches over first, if it can. Then: take no more writes, answer what is pending, Stop.
struct ShutdownRequested {};

using Event = std::variant<Tick, PeerConnected, PeerLost, PeerMessage, Proposal, ReadRequest, DueAt, WalDurable, LogRead, Applied, Stored,
                           CopyReceived, SwitchoverRequested, ForwardWrites, ShutdownRequested>;

}  // namespace tanist::core

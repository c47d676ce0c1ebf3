// SPDX-License-Identifier: Apache-2.0
// Everything that the core can ask for. Their order is a promise: each is done, durably where it says so, before the next.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/entry.h"
#include "base/membership.h"
#include "base/result.h"
#include "base/types.h"
#include "core/message.h"

namespace tanist::core {

// -- done at once: durable before the next action ----------------------------------------------------------------------------
struct SaveIdentity {
    Identity identity;
};
struct SaveVote {
    Vote vote;
};
/// Exports entries `from` .. `through` of our log as rescued writes, before a cut (S8). There is no gap in that range:
/// of a damaged log each run of good entries is exported by an action of its own.
struct ExportRescued {
    Lsn from, through;
};
/// Cuts everything behind `keep`; appends still in flight are of an older generation from here on (S5).
struct CutLog {
    std::uint64_t generation = 0;
    Lsn keep;
};
/// Ends a hole (S9): wal::Log::repair.
struct RepairLog {
    std::uint64_t generation = 0;
    std::vector<Entry> fill;
};
/// The received checkpoint replaces the state; `keep_log`: the log above it stays, otherwise it starts anew behind `position` (S25).
struct InstallCopy {
    std::uint64_t generation = 0;
    EntryId position;
    bool keep_log = false;
};

// -- started now, reported later by an event -----------------------------------------------------------------------------------
struct AppendToWal {
    std::uint64_t generation = 0;
    std::vector<Entry> entries;
};  ///< → WalDurable
struct ReadLog {
    std::uint64_t token = 0;
    Lsn from, through;
    std::uint32_t bytes_max = 0;
};  ///< → LogRead
struct Apply {
    std::vector<Entry> entries;
};  ///< → Applied; committed and durable here (S7)
struct StartCopy {
    NodeId donor;
};  ///< → CopyReceived
struct StopCopy {};
/// Entries at or below may go, as far as the retention budget wants (S11).
struct RecycleLog {
    Lsn through;
};

// -- network -------------------------------------------------------------------------------------------------------------------
struct Send {
    NodeId to;
    Message message;
};
/// Ends the connection; what was sent before still goes out. The shell redials later with a back-off.
struct Disconnect {
    NodeId node;
    std::string reason;
};

// Codes of refusals: kNotMaster (a slave that knows its master: go there), kUnavailable (no master known, or no quorum),
// kOverloaded (this is the master; not open yet, pausing, or too much is pending: try again here).
// -- to clients (S20) -----------------------------------------------------------------------------------------------------------
struct ProposalAccepted {
    std::uint64_t token = 0;
    Rank rank;
};  ///< it is in our log; Apply of this rank executes it
struct ProposalRefused {
    std::uint64_t token = 0;
    ErrorCode code = ErrorCode::kUnavailable;
    std::string reason;
};  ///< never executed
struct ProposalDurable {
    std::uint64_t token = 0;
};  ///< on this master's disk (level `master`)
struct ProposalOnAll {
    std::uint64_t token = 0;
};  ///< durable on every data voter (level `all`)
struct ProposalUnknown {
    std::uint64_t token = 0;
    std::string reason;
};
/// Serve it once `lsn` is applied.
struct ReadReady {
    std::uint64_t token = 0;
    Lsn lsn;
};
struct ReadRefused {
    std::uint64_t token = 0;
    ErrorCode code = ErrorCode::kUnavailable;
    std::string reason;
};

/// What became of a SwitchoverRequested: the master now. kInvalidArgument, kNotMaster, kUnavailable, kOverloaded, kRefused: the master is
/// the same as before. kOutcomeUnknown: the target stood, and another node was elected, or none has been heard since; or this slave's
/// master, which was asked, has not answered.
struct SwitchoverEnded {
    std::uint64_t token = 0;
    Result<MemberId> master;
};

/// Another member's clients want these to be proposed here; sent again until they are executed, so they can be dropped.
struct TakeForwarded {
    NodeId from;
    std::string payload;
};

// -- to operators ----------------------------------------------------------------------------------------------------------------
/// Role, epoch, master or health changed: Node::view() tells. Reads and writes are routed by it.
struct ViewChanged {};
enum class NoticeLevel : std::uint8_t { kInfo, kWarn, kError };
/// A log line: a fixed sentence, then fields in the design's words.
struct Notice {
    NoticeLevel level = NoticeLevel::kInfo;
    std::string text;
};
/// End the process: exit 0 clean, 2 configuration, 3 data directory, 4 storage fault.
struct Stop {
    int exit_code = 0;
    std::string reason;
};

using Action = std::variant<SaveIdentity, SaveVote, ExportRescued, CutLog, RepairLog, InstallCopy, AppendToWal, ReadLog, Apply, StartCopy,
                            StopCopy, RecycleLog, Send, Disconnect, ProposalAccepted, ProposalRefused, ProposalDurable, ProposalOnAll,
                            ProposalUnknown, ReadReady, ReadRefused, SwitchoverEnded, TakeForwarded, ViewChanged, Notice, Stop>;
using Actions = std::vector<Action>;

}  // namespace tanist::core

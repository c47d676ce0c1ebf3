// SPDX-License-Identifier: Apache-2.0
// What the simulated clients and nodes say to each other: the native protocol's meaning, without its bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "commands/request.h"
#include "commands/state_machine.h"

namespace tanist::sim {

enum class WriteLevel : std::uint8_t { kMaster, kQuorum, kAll };          // S20
enum class ReadLevel : std::uint8_t { kStale, kSession, kLinearizable };  // S18

struct Write {
    commands::Logged logged;
    WriteLevel level = WriteLevel::kQuorum;
    /// Answered from the log at level `master`; what depends on the state is answered when executed.
    [[nodiscard]] bool depends_on_state() const;
};
/// Reads [begin, end): one key is [key, key + '\0').
struct Read {
    std::string begin, end;
    ReadLevel level = ReadLevel::kSession;
    Rank token;                    ///< of the session: everything it has seen; lsn 0: nothing yet
    std::uint64_t max_lag_ms = 0;  ///< not linearizable: how old what is read may be; 0: no bound
};
using Question = std::variant<Write, Read>;

enum class Verdict : std::uint8_t {
    kDone,
    kRefused,     ///< never executed, and never will be
    kUnknown,     ///< maybe executed, now or later
    kStaleToken,  ///< the session saw an entry that was cut
};

struct Answer {
    Verdict verdict = Verdict::kUnknown;
    NodeId from;
    NodeId master_hint;  ///< 0: none
    // of a write
    Rank rank;               ///< of its entry, when done
    std::uint32_t item = 0;  ///< its place in the entry
    WriteLevel reached = WriteLevel::kMaster;
    std::optional<commands::Outcome> outcome;  ///< when executed
    // of a read
    Rank applied;  ///< what the node had applied when it read
    std::vector<commands::KeyValue> rows;
};
using Reply = std::function<void(Answer)>;

}  // namespace tanist::sim

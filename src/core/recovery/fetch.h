// SPDX-License-Identifier: Apache-2.0
// Gives entries to members that pull them (S9, S14, S15). Changes nothing here.
#pragma once

#include <cstdint>
#include <vector>

#include "core/action.h"
#include "core/event.h"
#include "core/message.h"

namespace tanist::core {

struct State;
struct Peer;

struct Fetching {
    /// A request that is being read from the disk; at most one a node.
    struct Reading {
        std::uint64_t token;
        NodeId node;
        std::uint64_t id;
        Rank previous;
    };
    std::vector<Reading> readings;
    std::uint64_t timestamp_token = 0;  ///< of the ReadLog that tells the newest entry's timestamp after a repair; 0: it is known
};
inline constexpr std::uint32_t kFetchBytesMax = 1 << 20;  ///< of entries in one reply (one entry may exceed it)

void on_fetch_request(State& s, Peer& from, const FetchRequest& m, Actions& out);
/// True: `e` answered one of our readings.
bool on_fetch_log_read(State& s, const LogRead& e, Actions& out);

}  // namespace tanist::core

// SPDX-License-Identifier: Apache-2.0
// INFO: the fields that clients, exporters and consoles read, in Redis's names.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "commands/key_counts.h"
#include "commands/key_events.h"
#include "server/client_connection.h"
#include "server/resp/port.h"
#include "server/routing.h"
#include "server/shared_turns.h"
#include "server/write_path.h"
#include "store/store.h"

namespace tanist::server::resp {

/// The Redis whose commands these are: clients go by it.
inline constexpr std::string_view kRedisVersion = "7.0.15";

struct Traffic {
    std::uint64_t commands = 0, bytes_in = 0, bytes_out = 0;
};

/// What INFO tells beside the view.
struct InfoFacts {
    const Routing& routing;
    const Port& port;
    std::string_view cluster_name;
    std::uint16_t tcp_port = 0;
    std::uint64_t uptime_seconds = 0;
    std::size_t connected_clients = 0, blocked_clients = 0, clients_max = 0;
    Traffic total, per_second;
    store::Store::Cache cache;
    std::uint64_t memory_max = 0;      ///< as it is configured
    Lsn stored;                        ///< of the state, on disk
    std::uint64_t unstored_bytes = 0;  ///< applied behind it
    HeldWrites held;
    std::uint64_t last_stored_at = 0;  ///< seconds since 1970
    commands::KeyCounts keys = {};
    std::uint64_t log_time_ms = 0;  ///< of the last entry applied
    commands::KeyStatistics statistics = {};
    std::uint64_t connections_accepted = 0, connections_refused = 0;
    unsigned network_threads = 1;
    SharedTurns::Counts shared = {};
    std::uint64_t shared_reads = 0;
    std::optional<std::string> sentinel = {};  ///< of the Sentinel port: its section
};
/// These sections, each once; "default", "all" and "everything" are several; none are the default ones. What is unknown is left out, as in
/// Redis.
[[nodiscard]] std::string info_text(Arguments sections, const InfoFacts& facts);

/// Those whose commands wait for the end of CLIENT PAUSE.
[[nodiscard]] std::size_t clients_paused(const ConnectionShared& connections);

struct ProcessMemory {
    std::uint64_t resident = 0, peak = 0;
};
[[nodiscard]] ProcessMemory memory_of_process();

}  // namespace tanist::server::resp

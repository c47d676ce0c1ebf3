// SPDX-License-Identifier: Apache-2.0
// INFO: the fields that clients, exporters and consoles read, in Redis's names.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/counters.h"
#include "server/resp/port.h"
#include "server/routing.h"

namespace tanist::server::resp {

/// The Redis whose commands these are: clients go by it.
inline constexpr std::string_view kRedisVersion = "7.0.15";

struct Traffic {
    std::uint64_t commands = 0, bytes_in = 0, bytes_out = 0;
};

/// What INFO tells beside the view.
struct InfoFacts {
    const Routing& routing;
    const Counters& counters;
    const Port& port;
    std::string_view cluster_name;
    std::uint16_t tcp_port = 0;
    std::uint64_t uptime_seconds = 0;
    std::size_t connected_clients = 0, blocked_clients = 0, clients_max = 0;
    Traffic total, per_second;
    Lsn stored;                                ///< of the state, on disk
    std::uint64_t last_stored_at = 0;          ///< seconds since 1970
    std::function<std::uint64_t()> keys = {};  ///< as DBSIZE tells them, up to a second ago
    std::optional<std::string> sentinel = {};  ///< of the Sentinel port: its section
};
/// A section, or several for "", "default", "all" and "everything". An unknown section is empty, as in Redis.
[[nodiscard]] std::string info_text(std::string_view section, const InfoFacts& facts);

}  // namespace tanist::server::resp

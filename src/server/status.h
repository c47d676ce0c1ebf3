// SPDX-License-Identifier: Apache-2.0
// What the node tells operators and clients about itself and the cluster.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/client_message.h"
#include "server/counters.h"
#include "server/routing.h"

namespace tanist::server {

/// Every member as far as this node knows it; while the cluster is forming, this node alone.
[[nodiscard]] protocol::native::StatusReply status_of(const Routing& routing, std::string_view cluster_name);

/// What INFO tells beside the view.
struct InfoFacts {
    std::string_view cluster_name;
    std::uint16_t tcp_port = 0;
    std::uint64_t uptime_seconds = 0;
    std::size_t connected_clients = 0, blocked_clients = 0;
    const Counters& counters;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::optional<std::string> sentinel = {};  ///< of the Sentinel port: its section
};
/// Redis's INFO: a section, or all of them for "", "all", "everything" and "default". An unknown section is empty, as in Redis.
[[nodiscard]] std::string info_text(std::string_view section, const Routing& routing, const InfoFacts& facts);

/// 40 hexadecimal digits, as Redis has them: another with each data directory.
[[nodiscard]] std::string run_id(MemberId id);

/// "host:port" taken apart, as Redis clients want it; {"", "0"} when it cannot be.
struct HostPort {
    std::string host, port;
    friend bool operator==(const HostPort&, const HostPort&) = default;
};
[[nodiscard]] HostPort split_address(std::string_view address);

}  // namespace tanist::server

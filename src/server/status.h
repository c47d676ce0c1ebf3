// SPDX-License-Identifier: Apache-2.0
// What the node tells operators and clients about itself and the cluster.
#pragma once

#include <string>
#include <string_view>

#include "protocol/client_message.h"
#include "server/routing.h"

namespace tanist::server {

/// Every member as far as this node knows it; while the cluster is forming, this node alone.
[[nodiscard]] protocol::native::StatusReply status_of(const Routing& routing, std::string_view cluster_name);

/// 40 hexadecimal digits, as Redis has them: another with each data directory.
[[nodiscard]] std::string run_id(MemberId id);

/// "host:port" taken apart, as Redis clients want it; {"", "0"} when it cannot be.
struct HostPort {
    std::string host, port;
    friend bool operator==(const HostPort&, const HostPort&) = default;
};
[[nodiscard]] HostPort split_address(std::string_view address);

}  // namespace tanist::server

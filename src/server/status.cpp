// SPDX-License-Identifier: Apache-2.0
#include "server/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/client_mapping.h"

namespace tanist::server {

using protocol::native::NodeStatus;
using protocol::native::StatusReply;

StatusReply status_of(const Routing& routing, std::string_view cluster_name) {
    const core::View& view = routing.view();
    StatusReply status = protocol::native::to_status(view);
    if (status.cluster_name.empty()) status.cluster_name = cluster_name;
    if (view.membership.find(view.self) == nullptr) {  // forming, or kept out: nobody but this node itself can say why
        status.nodes.push_back({.id = view.self.node,
                                .why = view.why,
                                .incarnation = view.self.incarnation,
                                .rank = Rank{view.last.epoch, std::min(view.last.lsn, view.durable)},
                                .commit = view.commit,
                                .applied = view.applied});
    }
    for (NodeStatus& node : status.nodes) {
        if (node.lag_entries) node.lag_ms = routing.lag_ms(node.id);
    }
    return status;
}

HostPort split_address(std::string_view address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) return {"", "0"};
    std::string_view host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return {std::string(host), std::string(address.substr(colon + 1))};
}

std::string run_id(MemberId id) { return fmt::format("{:016x}{:024x}", id.incarnation.value, id.node.value); }

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
#include "client/topology.h"

#include <algorithm>

namespace tanist::client {

Topology::Change Topology::merge(const native::Topology& report, NodeId reporter) {
    using native::NodeState, native::Role;
    if (report.epoch < epoch_ || (report.epoch.is_zero() && report.nodes.empty())) return Change::kNone;
    const auto nodes_before = nodes_;
    const auto master_before = master_;
    const bool newer = report.epoch > epoch_;
    if (newer) {
        epoch_ = report.epoch;
        master_ = report.master;
        for (auto& [id, node] : nodes_) node.role = node.role == Role::kMaster ? Role::kUnknown : node.role;
    } else if (master_.is_zero()) {
        master_ = report.master;
    }
    const bool from_master = !reporter.is_zero() && reporter == master_;
    if ((newer || from_master) && !report.nodes.empty()) {
        std::erase_if(nodes_, [&](const auto& known) {
            return std::ranges::find(report.nodes, known.first, &native::TopologyNode::id) == report.nodes.end();
        });
    }
    for (const auto& said : report.nodes) {
        Node& node = nodes_[said.id];
        const bool believed = newer || from_master || said.id == reporter;
        if (said.role != Role::kUnknown && (believed || node.role == Role::kUnknown)) node.role = said.role;
        if (newer) {
            node.state = said.state;  // what the last master said of it is out of date
        } else if (said.state != NodeState::kUnknown && (believed || node.state == NodeState::kUnknown)) {
            node.state = said.state;
        }
        if (!said.client.empty() && (believed || node.address.empty())) node.address = said.client;
    }
    if (master_ != master_before || (newer && !master_.is_zero())) return Change::kMaster;
    return nodes_ == nodes_before ? Change::kNone : Change::kNodes;
}

std::vector<NodeId> Topology::readers() const {
    std::vector<NodeId> ids;
    for (const auto& [id, node] : nodes_) {
        const bool reads = node.role != native::Role::kWitness && id != master_;
        const bool healthy = node.state == native::NodeState::kUp || node.state == native::NodeState::kUnknown;
        if (reads && healthy) ids.push_back(id);
    }
    return ids;
}

native::Topology topology_of(const native::StatusReply& status) {
    native::Topology topology{.epoch = status.epoch, .master = status.master};
    for (const auto& node : status.nodes)
        topology.nodes.push_back({.id = node.id, .role = node.role, .state = node.state, .client = node.client});
    return topology;
}

}  // namespace tanist::client

// SPDX-License-Identifier: Apache-2.0
// What the client believes about the cluster: who is there, who is master, who can serve reads. Bytes of the network in, decisions
// out; no sockets.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "protocol/client_message.h"

namespace tanist::client {

namespace native = protocol::native;

class Topology {
public:
    struct Node {
        native::Role role = native::Role::kUnknown;
        native::NodeState state = native::NodeState::kUnknown;
        std::string address;  ///< empty: serves no clients

        friend bool operator==(const Node&, const Node&) = default;
    };
    enum class Change : std::uint8_t {
        kNone,
        kNodes,   ///< roles, states or addresses
        kMaster,  ///< another master, the same one anew, or now one where none was known
    };

    /// Takes in what node `reporter` says. A newer epoch replaces everything, an older one is ignored. Within an epoch the first
    /// master named stays; about the others' state the master is believed, about itself each node, and the rest only fills gaps.
    Change merge(const native::Topology& report, NodeId reporter);

    [[nodiscard]] Epoch epoch() const { return epoch_; }
    /// 0: not known.
    [[nodiscard]] NodeId master() const { return master_; }
    [[nodiscard]] const std::map<NodeId, Node>& nodes() const { return nodes_; }
    /// Ids of the slaves and spares that can be asked to read, ascending.
    [[nodiscard]] std::vector<NodeId> readers() const;

private:
    Epoch epoch_;
    NodeId master_;
    std::map<NodeId, Node> nodes_;
};

/// Status tells the same as a topology, and more.
[[nodiscard]] native::Topology topology_of(const native::StatusReply& status);

}  // namespace tanist::client

// SPDX-License-Identifier: Apache-2.0
// The cluster as a Redis Sentinel tells it: one monitored master, its slaves, the other nodes as Sentinels, and events when that changes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/view.h"
#include "server/routing.h"
#include "server/status.h"

namespace tanist::server::sentinel {

/// A node in one of its parts: as master, as slave, or as Sentinel.
struct Instance {
    MemberId id;
    HostPort address;  ///< for clients: of the client port, or of the Sentinel port
    bool down = false;
    bool connected = true;         ///< this node has a connection to it, or is it
    std::uint64_t silence_ms = 0;  ///< since it was last heard
    Lsn applied;                   ///< 0: not known here
    bool may_be_master = true;     ///< false: a spare

    [[nodiscard]] std::string name() const { return address.host + ":" + address.port; }
};

struct Topology {
    Instance master;                                           ///< the last known; `down` while nobody is known to lead
    std::vector<Instance> slaves;                              ///< every other node that serves clients
    std::vector<Instance> sentinels;                           ///< every other node that answers as a Sentinel
    std::size_t reachable_voters = 0, voters = 0, quorum = 0;  ///< this node counts
    Epoch epoch;
};

/// What this node's view amounts to. `last_master`: whom it last knew; nullopt and nobody is known now: nothing can be told.
[[nodiscard]] std::optional<Topology> topology_of(const Routing& routing, std::optional<MemberId> last_master);

/// Loop thread.
class Watch {
public:
    using Publish = std::function<void(std::string_view event, std::string_view message)>;
    /// `name`: of the monitored master.
    Watch(const Routing& routing, std::string name, Publish publish)
        : routing_(routing), name_(std::move(name)), publish_(std::move(publish)) {}

    /// Looks again, and publishes what has changed since: at every change of the view and at every tick.
    void refresh();

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] MemberId self() const { return routing_.view().self; }
    /// As of the last refresh(); nullopt: no master has been heard of yet.
    [[nodiscard]] const std::optional<Topology>& topology() const { return topology_; }

private:
    void tell_changes(const Topology& before, const Topology& now);
    void tell(std::string_view event, const Topology& topology, std::string_view kind, const Instance& instance);
    void tell_master(std::string_view event, const Topology& topology, std::string_view detail = {});

    const Routing& routing_;
    const std::string name_;
    const Publish publish_;
    std::optional<Topology> topology_;
};

/// 40 hexadecimal digits, as Redis's run ids: of a node as a data server, and as a Sentinel.
[[nodiscard]] std::string sentinel_id(ClusterId cluster, MemberId id);

}  // namespace tanist::server::sentinel

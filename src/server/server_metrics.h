// SPDX-License-Identifier: Apache-2.0
// Carries what the loop knows into the registry whenever somebody asks for the metrics.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "metrics/registry.h"
#include "server/client_connection.h"
#include "server/counters.h"
#include "server/peer_links.h"
#include "server/routing.h"
#include "server/shared_turns.h"
#include "server/write_path.h"
#include "store/store.h"

namespace tanist::server {

/// Everything here is the loop's, and so is the thread that serves /metrics.
class ServerMetrics {
public:
    struct Sources {
        const Routing& routing;
        const Counters& counters;
        const ConnectionShared& connections;
        const SharedTurns& shared_turns;
        const WritePath& writes;
        const PeerLinks& links;
        Lsn applied_at_start;  ///< what came before was another process's work
        std::function<Lsn()> stored;
        std::function<std::uint64_t()> unstored_bytes;
        std::function<std::size_t()> sessions;
        std::function<std::uint64_t()> disk_free_bytes;
        std::function<store::Store::Cache()> cache;
        std::function<std::chrono::nanoseconds()> idle_polled;
    };
    ServerMetrics(metrics::Registry& registry, Sources sources);

    void collect();

private:
    void collect_view();
    void collect_clients();
    void collect_peers();
    void collect_cache();
    /// Counters only grow: adds what `now` has more than it had.
    void advance(metrics::Metric metric, std::uint64_t now, std::string_view label = {});

    metrics::Registry& registry_;
    const Sources sources_;
    std::map<std::pair<metrics::Metric, std::string>, std::uint64_t> told_;
};

}  // namespace tanist::server

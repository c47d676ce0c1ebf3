// SPDX-License-Identifier: Apache-2.0
#include "server/options.h"

#include <unistd.h>

#include <algorithm>

#include "server/control_group.h"

namespace tanist::server {
namespace {

core::ConfiguredRole role_of(config::Role role) {
    switch (role) {
        case config::Role::kMaster: return core::ConfiguredRole::kMaster;
        case config::Role::kSlave: return core::ConfiguredRole::kSlave;
        case config::Role::kSpare: return core::ConfiguredRole::kSpare;
        case config::Role::kWitness: return core::ConfiguredRole::kWitness;
    }
    return core::ConfiguredRole::kSlave;
}

ReadLevel level_of(config::ReadLevel level) {
    switch (level) {
        case config::ReadLevel::kStale: return ReadLevel::kStale;
        case config::ReadLevel::kSession: return ReadLevel::kSession;
        case config::ReadLevel::kLinearizable: return ReadLevel::kLinearizable;
    }
    return ReadLevel::kSession;
}

WriteLevel level_of(config::WriteLevel level) {
    switch (level) {
        case config::WriteLevel::kMaster: return WriteLevel::kMaster;
        case config::WriteLevel::kQuorum: return WriteLevel::kQuorum;
        case config::WriteLevel::kAll: return WriteLevel::kAll;
    }
    return WriteLevel::kQuorum;
}

std::uint32_t ticks(std::chrono::milliseconds time) { return std::max(1u, static_cast<std::uint32_t>(time.count() / kTickMs)); }

/// Of the machine, or as far as its control groups let this process go.
std::uint64_t memory_bytes() {
    const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    std::uint64_t bytes =
        pages > 0 && page_bytes > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes) : limits::kMiB * 2048;
    return std::min(bytes, memory_bound().value_or(bytes));
}

std::vector<core::ConfiguredNode> configured_nodes(const config::Config& config) {
    std::vector<core::ConfiguredNode> nodes;
    for (const config::ClusterNode& node : config.cluster.nodes) nodes.push_back({node.id, node.peer.to_string()});
    std::ranges::sort(nodes, {}, &core::ConfiguredNode::node);
    return nodes;
}

}  // namespace

replica::ReplicaOptions replica_options(const config::Config& config, const Addresses& addresses, const ByHand& by_hand) {
    replica::ReplicaOptions options;
    options.node = {.cluster_name = config.cluster.name,
                    .role = role_of(config.node.role),
                    .addresses = addresses,
                    .configured = configured_nodes(config),
                    .bootstrap = by_hand.bootstrap,
                    .tick_ms = kTickMs,
                    .heartbeat_ticks = ticks(config.failover.heartbeat),
                    .election_timeout_ticks = ticks(config.failover.election_timeout),
                    .wal_stall_ticks = ticks(config.wal.stall_limit),
                    .promotion_pull_ticks = std::max(2u, ticks(config.failover.election_timeout) / 2),
                    .inflight_bytes_max = config.replication.in_flight_bytes,
                    .tail_bytes_max = config.replication.memory_tail_bytes};
    options.flush_bytes = config.store.write_buffer_bytes / 2;
    options.unstored_bytes_max = config.store.write_buffer_bytes;
    options.disk_reserve_bytes = config.wal.disk_reserve_bytes;
    return options;
}

replica::DataDirectoryOptions data_directory_options(const config::Config& config, const ByHand& by_hand) {
    return {.path = config.node.data_dir.string(),
            .node = config.node.id,
            .configured_voters = config.cluster.nodes.size(),
            .log = {.retention_bytes = config.wal.retention_bytes,
                    .spare_segments_max = static_cast<std::uint32_t>(config.wal.spare_segments),
                    .cut_corruption = by_hand.cut_corrupt_log}};
}

store::HotStoreOptions hot_store_options(const config::Config& config) {
    return {.memory_max = config.memory.max != 0 ? config.memory.max : std::max<std::size_t>(limits::kMiB, memory_bytes() / 4),
            .former_path = (config.node.data_dir / "store" / "former").string(),
            .former_bytes_max = 2 * config.store.write_buffer_bytes};
}

PeerLinksOptions peer_links_options(const config::Config& config, MemberId self, std::string password, std::uint64_t seed) {
    PeerLinksOptions options{.self = self,
                             .password = std::move(password),
                             .peers = configured_nodes(config),
                             .user_timeout = std::max(5 * config.failover.election_timeout, std::chrono::milliseconds(2000)),
                             .seed = seed};
    std::erase_if(options.peers, [&](const core::ConfiguredNode& node) { return node.node == self.node; });
    return options;
}

unsigned network_threads(const config::Config& config) {
    constexpr unsigned kUnaskedMax = 8;
    if (config.node.network_threads != 0) return static_cast<unsigned>(config.node.network_threads);
    return std::clamp(processors() / 2, 1u, kUnaskedMax);
}

ClientSettings client_settings(const config::Config& config) {
    return {.cluster_name = config.cluster.name,
            .read_level = level_of(config.reads.level),
            .write_level = level_of(config.replication.ack),
            .max_lag_ms = static_cast<std::uint64_t>(config.reads.max_lag.count()),
            .session_lifetime_ms = static_cast<std::uint64_t>(config.session.expiry.count()),
            .election_timeout_ms = static_cast<std::uint64_t>(config.failover.election_timeout.count()),
            .limits = {.key_bytes_max = config.limits.key_bytes,
                       .value_bytes_max = config.limits.value_bytes,
                       .request_bytes_max = config.limits.request_bytes}};
}

}  // namespace tanist::server

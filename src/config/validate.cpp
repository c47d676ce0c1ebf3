// SPDX-License-Identifier: Apache-2.0
#include "config/validate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace tanist::config {
namespace {

using Findings = std::vector<Finding>;

/// The four services of [listen] and [advertise], by name.
struct Service {
    std::string_view name;
    Endpoint EndpointsConfig::* endpoint;
    bool needed;
};
constexpr std::array kServices{
    Service{"client", &EndpointsConfig::client, true},
    Service{"peer", &EndpointsConfig::peer, true},
    Service{"http", &EndpointsConfig::http, false},
    Service{"sentinel", &EndpointsConfig::sentinel, false},
};

bool same_port(const Endpoint& a, const Endpoint& b) {
    return !a.empty() && !b.empty() && a.port != 0 && a.port == b.port && (a.host == b.host || a.is_wildcard() || b.is_wildcard());
}

void check_listen(const Config& config, Findings& out) {
    for (std::size_t i = 0; i < kServices.size(); ++i) {
        const Endpoint& endpoint = config.listen.*kServices[i].endpoint;
        const bool needed = kServices[i].needed && !(kServices[i].name == "client" && config.node.role == Role::kWitness);
        if (needed && endpoint.empty()) out.push_back({"listen", kServices[i].name, "must be given: a node cannot work without it"});
        for (std::size_t j = 0; j < i; ++j) {
            if (!same_port(endpoint, config.listen.*kServices[j].endpoint)) continue;
            out.push_back({"listen", kServices[i].name,
                           fmt::format("must differ from listen.{}: each service has a port of its own", kServices[j].name)});
        }
    }
}

void check_advertise(const Config& config, Findings& out) {
    for (const Service& service : kServices) {
        const Endpoint& endpoint = config.advertise.*service.endpoint;
        if (endpoint.empty()) continue;
        if (endpoint.is_wildcard() || endpoint.port == 0) {
            out.push_back({"advertise", service.name, "must be an address and a port that others can connect to"});
        }
        if ((config.listen.*service.endpoint).empty()) {
            out.push_back({"advertise", service.name, fmt::format("must be left out: listen.{} is not served", service.name)});
        }
    }
}

void check_nodes(const Config& config, Findings& out) {
    const auto& nodes = config.cluster.nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (nodes[i].id == nodes[j].id) {
                out.push_back({"cluster", "nodes", fmt::format("must name each node once: id {} is there twice", nodes[i].id.value)});
            }
            if (nodes[i].peer == nodes[j].peer) {
                out.push_back({"cluster", "nodes",
                               fmt::format("must give each node an address of its own: nodes {} and {} share {}", nodes[j].id.value,
                                           nodes[i].id.value, nodes[i].peer.to_string())});
            }
        }
    }
}

void check_own_entry(const Config& config, Findings& out) {
    const ClusterNode* own = config.own_entry();
    if (own == nullptr) {
        std::vector<std::uint64_t> ids;
        for (const ClusterNode& node : config.cluster.nodes) ids.push_back(node.id.value);
        out.push_back({"node", "id", fmt::format("must be one of the ids in cluster.nodes: {}", fmt::join(ids, ", "))});
        return;
    }
    const Endpoint& advertised = config.advertise.peer;
    const Endpoint& listened = config.listen.peer;
    if (!advertised.empty() && advertised != own->peer) {
        out.push_back({"advertise", "peer",
                       fmt::format("must be the address that cluster.nodes gives for node {}: {}", own->id.value, own->peer.to_string())});
    }
    const bool matches = listened.port == own->peer.port && (listened.host == own->peer.host || listened.is_wildcard());
    if (advertised.empty() && !listened.empty() && !matches) {
        out.push_back({"listen", "peer",
                       fmt::format("must be the address that cluster.nodes gives for node {}: {}; where other nodes reach it under another "
                                   "address, set advertise.peer to that one",
                                   own->id.value, own->peer.to_string())});
    }
}

void check_times(const Config& config, Findings& out) {
    const auto heartbeat = config.failover.heartbeat;
    if (config.failover.election_timeout < 3 * heartbeat) {
        out.push_back({"failover", "election_timeout_ms",
                       fmt::format("must be at least 3 x failover.heartbeat_ms = {}, or one lost heartbeat can start an election",
                                   3 * heartbeat.count())});
    }
    const auto max_lag = config.reads.max_lag;
    if (max_lag.count() != 0 && max_lag < 2 * heartbeat) {
        out.push_back(
            {"reads", "max_lag_ms",
             fmt::format("must be 0 or at least 2 x failover.heartbeat_ms = {}: between two heartbeats a slave cannot know better",
                         2 * heartbeat.count())});
    }
}

void check_memory(const Config& config, Findings& out) {
    if (config.memory.max != 0 && config.memory.max < limits::kMiB) {
        out.push_back({"memory", "max", fmt::format("must be 0, for a quarter of the machine's memory, or at least {}", limits::kMiB)});
    }
}

void check_limits(const Config& config, Findings& out) {
    const LimitsConfig& limits = config.limits;
    if (limits.key_bytes + limits.value_bytes >= limits.request_bytes) {
        out.push_back({"limits", "request_bytes",
                       fmt::format("must be more than limits.key_bytes + limits.value_bytes = {}, so that one put fits",
                                   limits.key_bytes + limits.value_bytes)});
    }
    if (limits.pending_bytes < limits.request_bytes) {
        out.push_back({"limits", "pending_bytes",
                       fmt::format("must be at least limits.request_bytes = {}, so that one request fits", limits.request_bytes)});
    }
}

void check_security(const Config& config, Findings& out) {
    const SecurityConfig& security = config.security;
    if (!security.requirepass.text.empty() && !security.requirepass_file.path.empty())
        out.push_back({"security", "requirepass_file", "must be left out where security.requirepass is given, or that be left out"});
    if (!security.peer_password.text.empty() && !security.peer_password_file.path.empty())
        out.push_back({"security", "peer_password_file", "must be left out where security.peer_password is given, or that be left out"});
}

}  // namespace

std::vector<Finding> check(const Config& config) {
    Findings findings;
    check_own_entry(config, findings);
    check_listen(config, findings);
    check_advertise(config, findings);
    check_nodes(config, findings);
    check_times(config, findings);
    check_memory(config, findings);
    check_limits(config, findings);
    check_security(config, findings);
    return findings;
}

}  // namespace tanist::config

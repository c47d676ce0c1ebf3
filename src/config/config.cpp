// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <fmt/format.h>

#include <algorithm>

namespace tanist::config {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::kMaster: return "master";
        case Role::kSlave: return "slave";
        case Role::kSpare: return "spare";
        case Role::kWitness: return "witness";
    }
    return "unknown role";
}

std::string_view to_string(WriteLevel level) {
    switch (level) {
        case WriteLevel::kMaster: return "master";
        case WriteLevel::kQuorum: return "quorum";
        case WriteLevel::kAll: return "all";
    }
    return "unknown write level";
}

std::string_view to_string(ReadLevel level) {
    switch (level) {
        case ReadLevel::kStale: return "stale";
        case ReadLevel::kSession: return "session";
        case ReadLevel::kLinearizable: return "linearizable";
    }
    return "unknown read level";
}

std::string_view to_string(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug: return "debug";
        case LogLevel::kInfo: return "info";
        case LogLevel::kWarn: return "warn";
        case LogLevel::kError: return "error";
    }
    return "unknown log level";
}

std::string_view to_string(LogFormat format) {
    switch (format) {
        case LogFormat::kText: return "text";
        case LogFormat::kJson: return "json";
    }
    return "unknown log format";
}

std::string_view to_string(StoreEngine engine) {
    switch (engine) {
        case StoreEngine::kRocksDb: return "rocksdb";
        case StoreEngine::kMemory: return "memory";
    }
    return "unknown store engine";
}

std::string_view to_string(Switch way) { return way == Switch::kYes ? "yes" : "no"; }

std::string Endpoint::to_string() const {
    if (empty()) return {};
    return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

const ClusterNode* Config::own_entry() const {
    const auto found = std::ranges::find(cluster.nodes, node.id, &ClusterNode::id);
    return found == cluster.nodes.end() ? nullptr : &*found;
}

Addresses Config::addresses() const {
    const ClusterNode* own = own_entry();
    const auto told = [&](const Endpoint& listened, const Endpoint& advertised) {
        Endpoint endpoint = advertised.empty() ? listened : advertised;
        if (endpoint.is_wildcard() && own != nullptr) endpoint.host = own->peer.host;
        return endpoint.to_string();
    };
    return {.peer = told(listen.peer, advertise.peer),
            .client = told(listen.client, advertise.client),
            .http = told(listen.http, advertise.http),
            .sentinel = told(listen.sentinel, advertise.sentinel)};
}

}  // namespace tanist::config

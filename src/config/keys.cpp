// SPDX-License-Identifier: Apache-2.0
#include "config/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

namespace tanist::config {
namespace {

using limits::kKiB;
using limits::kMiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;
constexpr std::uint64_t kDayMs = 86'400'000;

struct Traits {
    std::uint64_t min = 0, max = 0;
    bool or_none = false, required = false, reloadable = false;
};

constexpr std::string_view unit_of(std::string_view name) {
    if (name.ends_with("_us")) return "microseconds";
    if (name.ends_with("_seconds")) return "seconds";
    return name.ends_with("_ms") ? "milliseconds" : name.ends_with("_bytes") || name == "max" ? "bytes" : "";
}

/// One row: `Section` is a member of Config and `Member` one of that section, of any type that ValueType knows.
template <auto Section, auto Member>
constexpr Key key(std::string_view section, std::string_view name, Traits traits, std::string_view docs) {
    using Type = ValueType<std::remove_cvref_t<decltype(std::declval<Config>().*Section.*Member)>>;
    return {.section = section,
            .name = name,
            .docs = docs,
            .bounds = {.min = traits.min, .max = traits.max, .or_none = traits.or_none, .unit = unit_of(name)},
            .required = traits.required,
            .reloadable = traits.reloadable,
            .read = [](const Value& value, const Bounds& bounds, Config& c) { return Type::read(value, bounds, c.*Section.*Member); },
            .allowed = [](const Bounds& bounds) { return Type::allowed(bounds); },
            .print = [](const Config& c) { return Type::print(c.*Section.*Member); },
            .copy = [](const Config& from, Config& to) { to.*Section.*Member = from.*Section.*Member; }};
}

// clang-format off
constexpr std::array kKeys{
    key<&Config::node, &NodeConfig::id>("node", "id", {.required = true}, "unique in the cluster, one of cluster.nodes"),
    key<&Config::node, &NodeConfig::role>("node", "role", {}, "what the node is at first start; later the cluster decides"),
    key<&Config::node, &NodeConfig::data_dir>("node", "data_dir", {.required = true}, "folder of the log, the store, the vote and the identity"),
    key<&Config::node, &NodeConfig::idle_poll>("node", "idle_poll_us", {.max = 100'000}, "how long a core is kept awake for a lone request that is on its way; 0: never"),
    key<&Config::node, &NodeConfig::network_threads>("node", "network_threads", {.max = 64}, "threads that receive, read and send for clients at a time; 0: half the processors, at most 8"),

    key<&Config::listen, &EndpointsConfig::client>("listen", "client", {}, "address of the native protocol and of RESP"),
    key<&Config::listen, &EndpointsConfig::peer>("listen", "peer", {}, "address of the replication between nodes"),
    key<&Config::listen, &EndpointsConfig::http>("listen", "http", {}, "address of /metrics, /livez, /readyz and /version"),
    key<&Config::listen, &EndpointsConfig::sentinel>("listen", "sentinel", {}, "address that answers as a Redis Sentinel"),

    key<&Config::advertise, &EndpointsConfig::client>("advertise", "client", {}, "what clients are told instead of listen.client"),
    key<&Config::advertise, &EndpointsConfig::peer>("advertise", "peer", {}, "what nodes use instead of listen.peer"),
    key<&Config::advertise, &EndpointsConfig::http>("advertise", "http", {}, "what operators are told instead of listen.http"),
    key<&Config::advertise, &EndpointsConfig::sentinel>("advertise", "sentinel", {}, "what clients are told instead of listen.sentinel"),

    key<&Config::cluster, &ClusterConfig::name>("cluster", "name", {}, "the same on every node; nodes of other clusters are refused"),
    key<&Config::cluster, &ClusterConfig::nodes>("cluster", "nodes", {.required = true}, "id@peer-address of every node, the same list on each"),

    key<&Config::replication, &ReplicationConfig::ack>("replication", "ack", {.reloadable = true}, "write level of clients that do not say"),
    key<&Config::replication, &ReplicationConfig::in_flight_bytes>("replication", "in_flight_bytes", {.min = 64 * kKiB, .max = kGiB},
        "sent to a slave and not yet acknowledged"),
    key<&Config::replication, &ReplicationConfig::memory_tail_bytes>("replication", "memory_tail_bytes", {.min = kMiB, .max = 16 * kGiB},
        "newest entries kept in memory for the slaves"),

    key<&Config::reads, &ReadsConfig::level>("reads", "level", {.reloadable = true}, "read level of clients that do not say"),
    key<&Config::reads, &ReadsConfig::max_lag>("reads", "max_lag_ms", {.max = kDayMs, .reloadable = true}, "a slave further behind refuses reads; 0: no bound"),

    key<&Config::failover, &FailoverConfig::heartbeat>("failover", "heartbeat_ms", {.min = 10, .max = 10'000}, "between two signs of life of the master"),
    key<&Config::failover, &FailoverConfig::election_timeout>("failover", "election_timeout_ms", {.min = 50, .max = 120'000},
        "silence of the master after which a slave acts"),

    key<&Config::wal, &WalConfig::spare_segments>("wal", "spare_segments", {.max = 64}, "zeroed segments of 64 MiB kept ready"),
    key<&Config::wal, &WalConfig::retention_bytes>("wal", "retention_bytes", {.max = 1024 * kTiB}, "log kept for slaves that come back"),
    key<&Config::wal, &WalConfig::disk_reserve_bytes>("wal", "disk_reserve_bytes", {.min = 64 * kMiB, .max = kTiB},
        "free disk space at which the master refuses writes"),
    key<&Config::wal, &WalConfig::stall_limit>("wal", "stall_limit_ms", {.min = 100, .max = 600'000}, "a master whose log write hangs longer steps down"),

    key<&Config::memory, &MemoryConfig::max>("memory", "max", {.max = 16 * kTiB, .reloadable = true}, "keys and values held in memory; 0: a quarter of the machine's memory"),

    key<&Config::store, &StoreConfig::engine>("store", "engine", {}, "where the data lies; memory: rebuilt from the log at each start"),
    key<&Config::store, &StoreConfig::block_cache_bytes>("store", "block_cache_bytes", {.min = kMiB, .max = kTiB}, "RocksDB's cache of read blocks"),
    key<&Config::store, &StoreConfig::write_buffer_bytes>("store", "write_buffer_bytes", {.min = kMiB, .max = 4 * kGiB},
        "applied writes held in memory before they go to disk"),

    key<&Config::session, &SessionConfig::expiry>("session", "expiry_ms", {.min = 1'000, .max = 365 * kDayMs},
        "silence after which a client's session is forgotten"),

    key<&Config::limits, &LimitsConfig::key_bytes>("limits", "key_bytes", {.min = 1, .max = limits::kKeyBytesMax, .reloadable = true}, "longest key taken from clients"),
    key<&Config::limits, &LimitsConfig::value_bytes>("limits", "value_bytes", {.min = 1, .max = limits::kValueBytesMax, .reloadable = true},
        "longest value taken from clients"),
    key<&Config::limits, &LimitsConfig::request_bytes>("limits", "request_bytes", {.min = kKiB, .max = limits::kRequestBytesMax, .reloadable = true},
        "longest request or batch taken from clients"),
    key<&Config::limits, &LimitsConfig::connections>("limits", "connections", {.min = 1, .max = 1'000'000, .reloadable = true},
        "client connections open at a time"),
    key<&Config::limits, &LimitsConfig::output_bytes>("limits", "output_bytes", {.min = 64 * kKiB, .max = 4 * kGiB, .reloadable = true},
        "unsent replies of one connection, after which it is not read from"),
    key<&Config::limits, &LimitsConfig::pending_bytes>("limits", "pending_bytes", {.min = kMiB, .max = 64 * kGiB, .reloadable = true},
        "unanswered writes of all clients, after which more are refused"),

    key<&Config::security, &SecurityConfig::requirepass>("security", "requirepass", {.reloadable = true}, "password of the user default"),
    key<&Config::security, &SecurityConfig::requirepass_file>("security", "requirepass_file", {.reloadable = true}, "file with that password"),
    key<&Config::security, &SecurityConfig::acl_file>("security", "acl_file", {}, "file of the users that a new cluster starts with"),
    key<&Config::security, &SecurityConfig::peer_password>("security", "peer_password", {}, "what nodes prove to each other that they know"),
    key<&Config::security, &SecurityConfig::peer_password_file>("security", "peer_password_file", {}, "file with that password"),

    key<&Config::redis, &RedisConfig::timeout_seconds>("redis", "timeout_seconds", {.max = INT32_MAX, .reloadable = true},
        "a RESP connection that asks nothing for so long is ended; 0: none"),
    key<&Config::redis, &RedisConfig::client_output_buffer_limit>("redis", "client_output_buffer_limit", {.reloadable = true},
        "unsent bytes at which RESP connections are ended, by class"),
    key<&Config::redis, &RedisConfig::notify_keyspace_events>("redis", "notify_keyspace_events", {.reloadable = true},
        "classes of keyspace notifications that are published"),
    key<&Config::redis, &RedisConfig::tracking_table_max_keys>("redis", "tracking_table_max_keys", {.max = INT64_MAX, .reloadable = true},
        "keys remembered for CLIENT TRACKING; 0: any number"),
    key<&Config::redis, &RedisConfig::slowlog_log_slower_than_us>("redis", "slowlog_log_slower_than_us",
        {.max = INT64_MAX, .or_none = true, .reloadable = true}, "what SLOWLOG takes for slow"),
    key<&Config::redis, &RedisConfig::slowlog_max_len>("redis", "slowlog_max_len", {.max = 100'000, .reloadable = true}, "commands that SLOWLOG remembers"),
    key<&Config::redis, &RedisConfig::latency_monitor_threshold_ms>("redis", "latency_monitor_threshold_ms", {.max = INT64_MAX, .reloadable = true},
        "from which on LATENCY notes events; 0: none"),
    key<&Config::redis, &RedisConfig::latency_tracking>("redis", "latency_tracking", {.reloadable = true}, "whether LATENCY HISTOGRAM counts"),
    key<&Config::redis, &RedisConfig::latency_tracking_info_percentiles>("redis", "latency_tracking_info_percentiles", {.reloadable = true},
        "told by INFO latencystats"),
    key<&Config::redis, &RedisConfig::acllog_max_len>("redis", "acllog_max_len", {.max = 100'000, .reloadable = true}, "denials that ACL LOG remembers"),

    key<&Config::log, &LogConfig::level>("log", "level", {.reloadable = true}, "the least important lines that are logged"),
    key<&Config::log, &LogConfig::format>("log", "format", {.reloadable = true}, "of the lines on standard error"),
};
// clang-format on

/// How many letters must be added, left out, changed or swapped with their neighbour to get from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    std::iota(above.begin(), above.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = std::exchange(above, row);
    }
    return above[b.size()];
}

}  // namespace

std::string Key::full_name() const { return fmt::format("{}.{}", section, name); }

std::span<const Key> keys() { return kKeys; }

const Key* find_key(std::string_view section, std::string_view name) {
    const auto found = std::ranges::find_if(kKeys, [&](const Key& key) { return key.section == section && key.name == name; });
    return found == kKeys.end() ? nullptr : &*found;
}

std::string closest_key(std::string_view section, std::string_view name) {
    const auto elsewhere = std::ranges::find(kKeys, name, &Key::name);  // the right key in the wrong section
    const Key* best = elsewhere == kKeys.end() ? nullptr : &*elsewhere;
    std::size_t best_distance = 4;  // more changes than this make another word, not a slip
    for (const Key& key : kKeys) {
        const std::size_t distance = edit_distance(section, key.section) + edit_distance(name, key.name);
        if (distance < best_distance) {
            best = &key;
            best_distance = distance;
        }
    }
    return best == nullptr ? std::string{} : best->full_name();
}

}  // namespace tanist::config

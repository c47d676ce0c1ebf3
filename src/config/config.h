// SPDX-License-Identifier: Apache-2.0
// What a node is told at start: one checked struct, the same whether it came from a file, the environment or a flag.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/membership.h"
#include "base/number.h"
#include "config/redis_values.h"

namespace tanist::config {

/// What the node is at first start. After formation the cluster decides, and the log wins over this (S3a, S23).
enum class Role : std::uint8_t { kMaster, kSlave, kSpare, kWitness };
/// How safe a write must be before it is answered, for clients that do not say (S20).
enum class WriteLevel : std::uint8_t { kMaster, kQuorum, kAll };
/// How fresh a read must be, for clients that do not say (S18).
enum class ReadLevel : std::uint8_t { kStale, kSession, kLinearizable };
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kText, kJson };
enum class StoreEngine : std::uint8_t { kRocksDb, kMemory };
enum class Switch : std::uint8_t { kNo, kYes };

/// The word that stands for it in the file: "master", "quorum", "linearizable", "json" …
[[nodiscard]] std::string_view to_string(Role role);
[[nodiscard]] std::string_view to_string(WriteLevel level);
[[nodiscard]] std::string_view to_string(ReadLevel level);
[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] std::string_view to_string(LogFormat format);
[[nodiscard]] std::string_view to_string(StoreEngine engine);
[[nodiscard]] std::string_view to_string(Switch way);

/// "host:port" taken apart: a name, an IPv4 address, or an IPv6 address, here without the brackets it is written in.
struct Endpoint {
    std::string host;
    std::uint16_t port = 0;  ///< 0: the system chooses one (only to listen on)

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
    /// Left out of the configuration: not served.
    [[nodiscard]] bool empty() const { return host.empty(); }
    /// 0.0.0.0 or [::]: every address of the machine, and so none that others could be told.
    [[nodiscard]] bool is_wildcard() const { return host == "0.0.0.0" || host == "::"; }
    /// "host:port", with brackets around an IPv6 address; empty when empty.
    [[nodiscard]] std::string to_string() const;
};

/// One entry of cluster.nodes: `id@host:port`.
struct ClusterNode {
    NodeId id;
    Endpoint peer;

    friend bool operator==(const ClusterNode&, const ClusterNode&) = default;
};

/// [node]
struct NodeConfig {
    NodeId id;
    Role role = Role::kSlave;
    std::filesystem::path data_dir;  ///< relative to the working directory
    std::chrono::microseconds idle_poll{0};
    std::uint64_t network_threads = 0;  ///< 0: as the machine is

    friend bool operator==(const NodeConfig&, const NodeConfig&) = default;
};

/// [listen] and [advertise]. Empty in [listen]: not served; in [advertise]: what listens is also what others are told.
struct EndpointsConfig {
    Endpoint client, peer, http, sentinel;

    friend bool operator==(const EndpointsConfig&, const EndpointsConfig&) = default;
};

/// [cluster]
struct ClusterConfig {
    std::string name = "tanist";
    std::vector<ClusterNode> nodes;  ///< in the order of the file, this node among them; no id and no address twice

    friend bool operator==(const ClusterConfig&, const ClusterConfig&) = default;
};

/// [replication]
struct ReplicationConfig {
    WriteLevel ack = WriteLevel::kQuorum;
    std::size_t in_flight_bytes = 8 * limits::kMiB;     ///< sent to one slave and not yet acknowledged; one entry always passes
    std::size_t memory_tail_bytes = 64 * limits::kMiB;  ///< newest entries kept in memory; slower slaves are fed from the WAL

    friend bool operator==(const ReplicationConfig&, const ReplicationConfig&) = default;
};

/// [reads]
struct ReadsConfig {
    ReadLevel level = ReadLevel::kSession;
    std::chrono::milliseconds max_lag{0};  ///< a slave further behind refuses reads; 0: no bound

    friend bool operator==(const ReadsConfig&, const ReadsConfig&) = default;
};

/// [failover]. The shell turns these times into ticks, once, at start.
struct FailoverConfig {
    std::chrono::milliseconds heartbeat{100};          ///< from the master to each other node
    std::chrono::milliseconds election_timeout{1000};  ///< silence before a slave acts; drawn anew from [1x, 2x)

    friend bool operator==(const FailoverConfig&, const FailoverConfig&) = default;
};

/// [wal]
struct WalConfig {
    std::size_t spare_segments = 2;                         ///< zeroed ahead of need, so that rolling costs no allocation
    std::uint64_t retention_bytes = 1024 * limits::kMiB;    ///< kept beyond what safety needs, so that slaves catch up from the log
    std::uint64_t disk_reserve_bytes = 256 * limits::kMiB;  ///< free space at which the master refuses writes (S4)
    std::chrono::milliseconds stall_limit{3000};            ///< a master whose oldest WAL write waits longer steps down (S16)

    friend bool operator==(const WalConfig&, const WalConfig&) = default;
};

/// [memory]
struct MemoryConfig {
    std::size_t max = 0;  ///< bytes of the hot set; 0: a quarter of the machine's

    friend bool operator==(const MemoryConfig&, const MemoryConfig&) = default;
};

/// [store]
struct StoreConfig {
    StoreEngine engine = StoreEngine::kRocksDb;
    std::size_t block_cache_bytes = 256 * limits::kMiB;
    std::size_t write_buffer_bytes = 64 * limits::kMiB;  ///< applied but not yet stored: what a restart replays from the WAL

    friend bool operator==(const StoreConfig&, const StoreConfig&) = default;
};

/// [session]
struct SessionConfig {
    std::chrono::milliseconds expiry{600'000};  ///< a session silent for longer, by log time, is forgotten (S21)

    friend bool operator==(const SessionConfig&, const SessionConfig&) = default;
};

/// [limits]: what this node takes from clients. Never above base/limits.h, which bounds what peers send each other (S12).
struct LimitsConfig {
    std::size_t key_bytes = limits::kKeyBytesMax;
    std::size_t value_bytes = limits::kValueBytesMax;
    std::size_t request_bytes = limits::kRequestBytesMax;  ///< also of an atomic batch as a whole
    std::size_t connections = 10'000;                      ///< of clients; one more is answered with an error and closed
    std::size_t output_bytes = 64 * limits::kMiB;          ///< unsent replies of one connection; at this its requests are not read
    std::size_t pending_bytes = 256 * limits::kMiB;        ///< writes of all clients not yet answered; beyond it: overloaded

    friend bool operator==(const LimitsConfig&, const LimitsConfig&) = default;
};

inline constexpr std::size_t kSecretBytesMax = 512;
/// A password: any bytes, in a type that logs and `--help` do not print.
struct Secret {
    std::string text;

    friend bool operator==(const Secret&, const Secret&) = default;
};
/// A file that may be left out.
struct OptionalFile {
    std::filesystem::path path;  ///< relative to the working directory; empty: none

    friend bool operator==(const OptionalFile&, const OptionalFile&) = default;
};

/// [security]: users are what a new cluster starts with, and then the log's.
struct SecurityConfig {
    Secret requirepass;               ///< of the default user; empty: none is needed
    OptionalFile requirepass_file;    ///< has it in its first line, in place of requirepass
    OptionalFile acl_file;            ///< users, a line each; ACL SAVE writes it
    Secret peer_password;             ///< what the nodes prove to each other that they know; empty: nothing
    OptionalFile peer_password_file;  ///< has it in its first line, in place of peer_password

    friend bool operator==(const SecurityConfig&, const SecurityConfig&) = default;
};

/// [redis]: parameters of Redis that have no other place here, under Redis's names. CONFIG SET changes them, too.
struct RedisConfig {
    std::uint64_t timeout_seconds = 0;  ///< a RESP connection that asks nothing for so long is ended; 0: none
    OutputLimits client_output_buffer_limit;
    EventClasses notify_keyspace_events;
    std::size_t tracking_table_max_keys = 1'000'000;   ///< remembered for CLIENT TRACKING; 0: any number
    std::int64_t slowlog_log_slower_than_us = 10'000;  ///< -1: nothing is slow
    std::size_t slowlog_max_len = 128;                 ///< commands that SLOWLOG remembers
    std::uint64_t latency_monitor_threshold_ms = 0;    ///< 0: LATENCY notes nothing
    Switch latency_tracking = Switch::kYes;            ///< for LATENCY HISTOGRAM and INFO latencystats
    Percentiles latency_tracking_info_percentiles;
    std::size_t acllog_max_len = 128;  ///< denials that ACL LOG remembers

    friend bool operator==(const RedisConfig&, const RedisConfig&) = default;
};

/// [log]
struct LogConfig {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kText;

    friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

/// Everything that config/reference.toml documents, in its order.
struct Config {
    NodeConfig node;
    EndpointsConfig listen{.client = {"127.0.0.1", 7401}, .peer = {"127.0.0.1", 7501}, .http = {"127.0.0.1", 7601}, .sentinel = {}};
    EndpointsConfig advertise;
    ClusterConfig cluster;
    ReplicationConfig replication;
    ReadsConfig reads;
    FailoverConfig failover;
    WalConfig wal;
    MemoryConfig memory;
    StoreConfig store;
    SessionConfig session;
    LimitsConfig limits;
    SecurityConfig security;
    RedisConfig redis;
    LogConfig log;

    friend bool operator==(const Config&, const Config&) = default;

    /// This node's entry in cluster.nodes, or null in a Config that was not validated.
    [[nodiscard]] const ClusterNode* own_entry() const;
    /// Where others reach this node: [advertise], else [listen], with the host of the own entry in cluster.nodes in place of a
    /// wildcard. What is not served is empty. A port of 0 stays 0: the shell that binds it puts the real one in.
    [[nodiscard]] Addresses addresses() const;
};

}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
#include "server/resp/info.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "config/version.h"
#include "server/clock.h"
#include "server/resp/session.h"
#include "server/status.h"

namespace tanist::server::resp {
namespace {

/// One `name:value` line.
template <class Value>
void line(std::string& out, std::string_view name, const Value& value) {
    out += fmt::format("{}:{}\r\n", name, value);
}

std::string operating_system() {
    utsname name{};
    if (::uname(&name) != 0) return "Linux";
    return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

void server_section(std::string& out, const InfoFacts& facts) {
    line(out, "redis_version", kRedisVersion);
    line(out, "tanist_version", config::version());
    line(out, "redis_mode", facts.sentinel ? "sentinel" : "standalone");
    line(out, "os", operating_system());
    line(out, "arch_bits", 64);
    line(out, "multiplexing_api", "epoll");
    line(out, "process_id", ::getpid());
    line(out, "run_id", run_id(facts.routing.view().self));
    line(out, "tcp_port", facts.tcp_port);
    line(out, "server_time_usec", wall_us());
    line(out, "uptime_in_seconds", facts.uptime_seconds);
    line(out, "uptime_in_days", facts.uptime_seconds / 86'400);
    line(out, "hz", 100);
    line(out, "configured_hz", 100);
    line(out, "io_threads_active", facts.network_threads > 1 ? 1 : 0);
}

void clients_section(std::string& out, const InfoFacts& facts) {
    line(out, "connected_clients", facts.connected_clients);
    line(out, "cluster_connections", 0);
    line(out, "maxclients", facts.clients_max);
    line(out, "blocked_clients", facts.blocked_clients);
    line(out, "tracking_clients", facts.port.tracking.sessions());
    line(out, "clients_in_timeout_table", 0);
}

std::string human(std::uint64_t bytes) { return fmt::format("{:.2f}M", static_cast<double>(bytes) / (1024.0 * 1024.0)); }

void memory_section(std::string& out, const InfoFacts& facts) {
    const ProcessMemory memory = memory_of_process();
    const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    line(out, "used_memory", memory.resident);
    line(out, "used_memory_human", human(memory.resident));
    line(out, "used_memory_rss", memory.resident);
    line(out, "used_memory_rss_human", human(memory.resident));
    line(out, "used_memory_peak", memory.peak);
    line(out, "used_memory_peak_human", human(memory.peak));
    line(out, "used_memory_lua", 0);
    line(out, "total_system_memory", machine);
    line(out, "total_system_memory_human", human(machine));
    line(out, "maxmemory", facts.memory_max);
    line(out, "maxmemory_human", facts.memory_max == 0 ? "0B" : human(facts.memory_max));
    line(out, "maxmemory_policy", "noeviction");
    line(out, "mem_fragmentation_ratio", "1.00");
    line(out, "mem_allocator", "libc");
    line(out, "active_defrag_running", 0);
    line(out, "lazyfree_pending_objects", 0);
    line(out, "hot_set_keys", facts.cache.entries);
    line(out, "hot_set_bytes", facts.cache.bytes);
    line(out, "hot_set_bytes_max", facts.cache.bytes_max);
    line(out, "hot_set_pinned_bytes", facts.cache.pinned_bytes);
    line(out, "hot_set_hits", facts.cache.hits);
    line(out, "hot_set_misses", facts.cache.misses);
    line(out, "hot_set_evictions", facts.cache.evictions);
}

void persistence_section(std::string& out, const InfoFacts& facts) {
    const bool loading = !facts.routing.serves_reads();  // clients wait with their commands meanwhile
    const core::View& view = facts.routing.view();
    const std::uint64_t changes = view.applied > facts.stored ? view.applied.value - facts.stored.value : 0;
    line(out, "loading", loading ? 1 : 0);
    line(out, "async_loading", 0);
    if (loading) line(out, "loading_eta_seconds", 1);
    line(out, "rdb_changes_since_last_save", changes);
    line(out, "rdb_bgsave_in_progress", 0);
    line(out, "rdb_last_save_time", facts.last_stored_at);
    line(out, "rdb_last_bgsave_status", "ok");
    line(out, "rdb_last_bgsave_time_sec", -1);
    line(out, "rdb_current_bgsave_time_sec", -1);
    line(out, "aof_enabled", 1);
    line(out, "aof_rewrite_in_progress", 0);
    line(out, "aof_rewrite_scheduled", 0);
    line(out, "aof_last_rewrite_time_sec", -1);
    line(out, "aof_current_rewrite_time_sec", -1);
    line(out, "aof_last_bgrewrite_status", "ok");
    line(out, "aof_last_write_status", "ok");
}

std::string kilobytes(std::uint64_t bytes) { return fmt::format("{:.2f}", static_cast<double>(bytes) / 1024); }

void stats_section(std::string& out, const InfoFacts& facts) {
    line(out, "total_connections_received", facts.connections_accepted);
    line(out, "total_commands_processed", facts.total.commands);
    line(out, "instantaneous_ops_per_sec", facts.per_second.commands);
    line(out, "total_net_input_bytes", facts.total.bytes_in);
    line(out, "total_net_output_bytes", facts.total.bytes_out);
    line(out, "instantaneous_input_kbps", kilobytes(facts.per_second.bytes_in));
    line(out, "instantaneous_output_kbps", kilobytes(facts.per_second.bytes_out));
    line(out, "rejected_connections", facts.connections_refused);
    for (const std::string_view none : {"sync_full", "sync_partial_ok", "sync_partial_err"}) line(out, none, 0);
    line(out, "expired_keys", facts.statistics.expired);
    line(out, "expired_stale_perc", "0.00");  // what is due goes with the next entry of the log
    constexpr std::array<std::string_view, 6> kNeverSo{
        "expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds", "evicted_keys", "evicted_clients",
        "total_eviction_exceeded_time",   "current_eviction_exceeded_time"};
    for (const std::string_view none : kNeverSo) line(out, none, 0);
    line(out, "keyspace_hits", facts.statistics.hits);
    line(out, "keyspace_misses", facts.statistics.misses);
    line(out, "pubsub_channels", facts.port.pubsub.channel_count());
    line(out, "pubsub_patterns", facts.port.pubsub.pattern_count());
    line(out, "pubsubshard_channels", facts.port.pubsub.shard_channel_count());
    for (const std::string_view none : {"latest_fork_usec", "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys"})
        line(out, none, 0);
    line(out, "tracking_total_keys", facts.port.tracking.keys());
    line(out, "tracking_total_items", facts.port.tracking.items());
    line(out, "tracking_total_prefixes", facts.port.tracking.prefixes());
    line(out, "unexpected_error_replies", 0);
    std::uint64_t errors = 0;
    for (const auto& [_, count] : facts.port.records.errors()) errors += count;
    line(out, "total_error_replies", errors);
    line(out, "io_threaded_reads_processed", facts.shared.receives);
    line(out, "io_threaded_writes_processed", facts.shared.sends);
    line(out, "network_threads", facts.network_threads);
    line(out, "shared_reads", facts.shared_reads);
}

void master_lines(std::string& out, const Routing& routing) {
    const core::View& view = routing.view();
    line(out, "role", "master");
    std::string slaves;
    std::size_t count = 0;
    for (const core::PeerView& peer : view.peers) {
        const Member* member = view.membership.find(peer.id);
        if (member == nullptr || !member->holds_data() || !peer.connected) continue;
        const auto [host, port] = split_address(member->addresses.client);
        slaves += fmt::format("slave{}:ip={},port={},state={},offset={},lag={}\r\n", count++, host, port,
                              peer.health == core::Health::kUp ? "online" : "wait_bgsave", peer.applied.value_or(Lsn{}).value,
                              routing.lag_ms(peer.id.node).value_or(peer.silence_ms) / 1000);
    }
    line(out, "connected_slaves", count);
    out += slaves;
}

void slave_lines(std::string& out, const Routing& routing) {
    const core::View& view = routing.view();
    const Member* master = view.master ? view.membership.find(*view.master) : nullptr;
    const auto [host, port] = split_address(master == nullptr ? "" : master->addresses.client);
    line(out, "role", "slave");
    line(out, "master_host", host);
    line(out, "master_port", port);
    line(out, "master_link_status", master != nullptr ? "up" : "down");
    line(out, "master_last_io_seconds_ago", master != nullptr ? static_cast<std::int64_t>(view.silence_ms / 1000) : -1);
    line(out, "master_sync_in_progress", view.health == core::Health::kCopying ? 1 : 0);
    line(out, "slave_read_repl_offset", view.durable.value);
    line(out, "slave_repl_offset", view.applied.value);
    if (master == nullptr) line(out, "master_link_down_since_seconds", view.silence_ms / 1000);
    line(out, "slave_priority", 100);
    line(out, "slave_read_only", 1);
    line(out, "replica_announced", 1);
    line(out, "connected_slaves", 0);
}

void replication_section(std::string& out, const InfoFacts& facts) {
    const core::View& view = facts.routing.view();
    facts.routing.is_master() ? master_lines(out, facts.routing) : slave_lines(out, facts.routing);
    line(out, "master_failover_state", "no-failover");
    out += fmt::format("master_replid:{:016x}{:024x}\r\n", view.cluster.value, view.epoch.value);
    line(out, "master_repl_offset", view.commit.value);
    line(out, "second_repl_offset", -1);
    line(out, "repl_backlog_active", 1);
}

void cpu_section(std::string& out, const InfoFacts&) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    out += fmt::format("used_cpu_sys:{}.{:06}\r\nused_cpu_user:{}.{:06}\r\n", usage.ru_stime.tv_sec, usage.ru_stime.tv_usec,
                       usage.ru_utime.tv_sec, usage.ru_utime.tv_usec);
    line(out, "used_cpu_sys_children", "0.000000");
    line(out, "used_cpu_user_children", "0.000000");
}

void commandstats_section(std::string& out, const InfoFacts& facts) {
    for (const CommandTable::Row& row : facts.port.commands.all()) {
        const CommandCount& count = facts.port.records.count_of(row);
        if (count.calls + count.rejected + count.failed == 0) continue;
        const double each = count.calls == 0 ? 0 : static_cast<double>(count.microseconds) / static_cast<double>(count.calls);
        out += fmt::format("cmdstat_{}:calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}\r\n", row.name, count.calls,
                           count.microseconds, each, count.rejected, count.failed);
    }
}

void latencystats_section(std::string& out, const InfoFacts& facts) {
    for (const CommandTable::Row& row : facts.port.commands.all()) {
        std::string percentiles;
        for (const double percent : facts.port.records.percentiles) {
            const auto microseconds = percentile_us(facts.port.records.count_of(row), percent);
            if (microseconds) percentiles += fmt::format("{}p{}={}.000", percentiles.empty() ? "" : ",", percent, *microseconds);
        }
        if (!percentiles.empty()) out += fmt::format("latency_percentiles_usec_{}:{}\r\n", row.name, percentiles);
    }
}

void errorstats_section(std::string& out, const InfoFacts& facts) {
    for (const auto& [code, count] : facts.port.records.errors()) out += fmt::format("errorstat_{}:count={}\r\n", code, count);
}

void cluster_section(std::string& out, const InfoFacts&) { line(out, "cluster_enabled", 0); }

void keyspace_section(std::string& out, const InfoFacts& facts) {
    if (facts.keys.keys == 0) return;
    out += fmt::format("db0:keys={},expires={},avg_ttl={}\r\n", facts.keys.keys, facts.keys.expiring,
                       facts.keys.mean_left_ms(facts.log_time_ms));
}

std::string_view name_of(HeldWrites::By by) {
    switch (by) {
        case HeldWrites::By::kNothing: return "nothing";
        case HeldWrites::By::kStore: return "store";
        case HeldWrites::By::kSwitchover: return "switchover";
    }
    return "nothing";
}

void tanist_section(std::string& out, const InfoFacts& facts) {
    const core::View& view = facts.routing.view();
    line(out, "cluster_name", facts.cluster_name);
    line(out, "node", view.self.node.value);
    line(out, "epoch", view.epoch.value);
    line(out, "last_lsn", view.last.lsn.value);
    line(out, "durable_lsn", view.durable.value);
    line(out, "commit_lsn", view.commit.value);
    line(out, "applied_lsn", view.applied.value);
    line(out, "stored_lsn", facts.stored.value);
    line(out, "unstored_bytes", facts.unstored_bytes);
    line(out, "writes_held_by", name_of(facts.held.by));
    line(out, "writes_held_by_store_ms", facts.held.store_ms);
    line(out, "writes_held_by_switchover_ms", facts.held.switchover_ms);
    line(out, "lag_ms", facts.routing.lag_ms());
}

void sentinel_section(std::string& out, const InfoFacts& facts) { out += facts.sentinel.value_or(""); }

enum Where : std::uint8_t { kClientPort = 1, kSentinelPort = 2, kBothPorts = 3 };
struct Section {
    std::string_view title;  ///< the name, but for letter case
    Where where;
    bool by_default;
    void (*write)(std::string&, const InfoFacts&);
};
constexpr std::array kSections = {
    Section{"Server", kBothPorts, true, server_section},
    Section{"Clients", kBothPorts, true, clients_section},
    Section{"Memory", kClientPort, true, memory_section},
    Section{"Persistence", kClientPort, true, persistence_section},
    Section{"Stats", kBothPorts, true, stats_section},
    Section{"Replication", kClientPort, true, replication_section},
    Section{"CPU", kBothPorts, true, cpu_section},
    Section{"Commandstats", kBothPorts, false, commandstats_section},
    Section{"Latencystats", kClientPort, false, latencystats_section},
    Section{"Errorstats", kClientPort, true, errorstats_section},
    Section{"Cluster", kClientPort, true, cluster_section},
    Section{"Keyspace", kClientPort, true, keyspace_section},
    Section{"Tanist", kBothPorts, true, tanist_section},
    Section{"Sentinel", kSentinelPort, true, sentinel_section},
};

}  // namespace

ProcessMemory memory_of_process() {
    ProcessMemory memory;
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total = 0, pages = 0;
    statm >> total >> pages;
    memory.resident = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    memory.peak = std::max(memory.resident, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
    return memory;
}

std::size_t clients_paused(const ConnectionShared& connections) {
    return static_cast<std::size_t>(std::ranges::count_if(connections.open, [](const auto& each) {
        const auto* session = dynamic_cast<const RespSession*>(each.first);
        return session != nullptr && session->waits_for_unpause();
    }));
}

std::string info_text(Arguments sections, const InfoFacts& facts) {
    std::vector<std::string> wanted;
    for (const std::string_view section : sections) wanted.push_back(lower(section));
    const auto wants = [&](std::string_view name) { return std::ranges::find(wanted, name) != wanted.end(); };
    const bool by_default = wanted.empty() || wants("default"), all = wants("all") || wants("everything");
    const Where here = facts.sentinel ? kSentinelPort : kClientPort;
    std::string text;
    for (const Section& each : kSections) {
        if (!all && !(by_default && each.by_default) && !wants(lower(each.title))) continue;
        if ((each.where & here) == 0) continue;
        if (!text.empty()) text += "\r\n";
        text += fmt::format("# {}\r\n", each.title);
        each.write(text, facts);
    }
    return text;
}

}  // namespace tanist::server::resp

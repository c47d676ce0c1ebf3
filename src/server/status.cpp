// SPDX-License-Identifier: Apache-2.0
#include "server/status.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

#include "config/version.h"
#include "protocol/client_mapping.h"

namespace tanist::server {

using protocol::native::NodeStatus;
using protocol::native::StatusReply;

StatusReply status_of(const Routing& routing, std::string_view cluster_name) {
    const core::View& view = routing.view();
    StatusReply status = protocol::native::to_status(view);
    if (status.cluster_name.empty()) status.cluster_name = cluster_name;
    if (view.membership.find(view.self) == nullptr) {  // forming, or kept out: nobody but this node itself can say why
        status.nodes.push_back({.id = view.self.node,
                                .why = view.why,
                                .incarnation = view.self.incarnation,
                                .rank = Rank{view.last.epoch, std::min(view.last.lsn, view.durable)},
                                .commit = view.commit,
                                .applied = view.applied});
    }
    for (NodeStatus& node : status.nodes) {
        if (node.lag_entries) node.lag_ms = routing.lag_ms(node.id);
    }
    return status;
}

HostPort split_address(std::string_view address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) return {"", "0"};
    std::string_view host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return {std::string(host), std::string(address.substr(colon + 1))};
}

std::string run_id(MemberId id) { return fmt::format("{:016x}{:024x}", id.incarnation.value, id.node.value); }

// -- INFO -------------------------------------------------------------------------------------------------------------------------

namespace {

void server_section(std::string& out, const Routing& routing, const InfoFacts& facts) {
    out += fmt::format(
        "# "
        "Server\r\nredis_version:7.0.0\r\ntanist_version:{}\r\nredis_mode:{}\r\nos:Linux\r\narch_bits:64\r\nmultiplexing_api:"
        "epoll\r\n"
        "process_id:{}\r\nrun_id:{}\r\ntcp_port:{}\r\nuptime_in_seconds:{}\r\nuptime_in_days:{}\r\n",
        config::version(), facts.sentinel ? "sentinel" : "standalone", ::getpid(), run_id(routing.view().self), facts.tcp_port,
        facts.uptime_seconds, facts.uptime_seconds / 86'400);
}

void clients_section(std::string& out, const Routing&, const InfoFacts& facts) {
    out += fmt::format("# Clients\r\nconnected_clients:{}\r\nblocked_clients:{}\r\n", facts.connected_clients, facts.blocked_clients);
}

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total = 0, resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void memory_section(std::string& out, const Routing&, const InfoFacts&) {
    const std::uint64_t bytes = resident_bytes();
    out += fmt::format(
        "# "
        "Memory\r\nused_memory:{0}\r\nused_memory_human:{1:.2f}M\r\nused_memory_rss:{0}\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n",
        bytes, static_cast<double>(bytes) / (1024.0 * 1024.0));
}

void persistence_section(std::string& out, const Routing& routing, const InfoFacts&) {
    const bool loading = !routing.serves_reads();  // clients wait with their commands meanwhile
    out += fmt::format("# Persistence\r\nloading:{}\r\nasync_loading:0\r\nrdb_changes_since_last_save:0\r\naof_enabled:1\r\n",
                       loading ? 1 : 0);
    if (loading) out += "loading_eta_seconds:1\r\n";
}

void stats_section(std::string& out, const Routing&, const InfoFacts& facts) {
    out += fmt::format(
        "# "
        "Stats\r\ntotal_connections_received:{}\r\ntotal_commands_processed:{}\r\ntotal_net_input_bytes:{}\r\ntotal_net_output_bytes:{}\r\n"
        "rejected_connections:{}\r\nexpired_keys:0\r\nevicted_keys:0\r\n",
        facts.counters.connections_accepted, facts.counters.all_requests(), facts.bytes_in, facts.bytes_out,
        facts.counters.connections_refused);
}

void master_lines(std::string& out, const Routing& routing) {
    const core::View& view = routing.view();
    out += "role:master\r\n";
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
    out += fmt::format("connected_slaves:{}\r\n{}", count, slaves);
}

void slave_lines(std::string& out, const Routing& routing) {
    const core::View& view = routing.view();
    const Member* master = view.master ? view.membership.find(*view.master) : nullptr;
    const auto [host, port] = split_address(master == nullptr ? "" : master->addresses.client);
    out += fmt::format(
        "role:slave\r\nmaster_host:{}\r\nmaster_port:{}\r\nmaster_link_status:{}\r\nmaster_last_io_seconds_ago:{}\r\nmaster_sync_in_"
        "progress:{}\r\n"
        "slave_read_repl_offset:{}\r\nslave_repl_offset:{}\r\nslave_priority:100\r\nslave_read_only:1\r\nreplica_announced:1\r\nconnected_"
        "slaves:0\r\n",
        host, port, master != nullptr ? "up" : "down", view.silence_ms / 1000, view.health == core::Health::kCopying ? 1 : 0,
        view.durable.value, view.applied.value);
}

void replication_section(std::string& out, const Routing& routing, const InfoFacts&) {
    const core::View& view = routing.view();
    out += "# Replication\r\n";
    routing.is_master() ? master_lines(out, routing) : slave_lines(out, routing);
    out += fmt::format("master_failover_state:no-failover\r\nmaster_replid:{:016x}{:024x}\r\nmaster_repl_offset:{}\r\n", view.cluster.value,
                       view.epoch.value, view.commit.value);
}

void cpu_section(std::string& out, const Routing&, const InfoFacts&) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    out += fmt::format("# CPU\r\nused_cpu_sys:{}.{:06}\r\nused_cpu_user:{}.{:06}\r\n", usage.ru_stime.tv_sec, usage.ru_stime.tv_usec,
                       usage.ru_utime.tv_sec, usage.ru_utime.tv_usec);
}

void cluster_section(std::string& out, const Routing&, const InfoFacts&) { out += "# Cluster\r\ncluster_enabled:0\r\n"; }

void tanist_section(std::string& out, const Routing& routing, const InfoFacts& facts) {
    const core::View& view = routing.view();
    out += fmt::format(
        "# "
        "Tanist\r\ncluster_name:{}\r\nnode:{}\r\nepoch:{}\r\nlast_lsn:{}\r\ndurable_lsn:{}\r\ncommit_lsn:{}\r\napplied_lsn:{}\r\nlag_ms:{}"
        "\r\n",
        facts.cluster_name, view.self.node.value, view.epoch.value, view.last.lsn.value, view.durable.value, view.commit.value,
        view.applied.value, routing.lag_ms());
}

void sentinel_section(std::string& out, const Routing&, const InfoFacts& facts) {
    out += fmt::format("# Sentinel\r\n{}", facts.sentinel.value_or(""));
}

enum class Port : std::uint8_t { kClient, kSentinel, kBoth };
struct Section {
    std::string_view name;
    Port port;
    void (*write)(std::string&, const Routing&, const InfoFacts&);
};
constexpr std::array kSections = {
    Section{"server", Port::kBoth, server_section},   Section{"clients", Port::kBoth, clients_section},
    Section{"memory", Port::kClient, memory_section}, Section{"persistence", Port::kClient, persistence_section},
    Section{"stats", Port::kBoth, stats_section},     Section{"replication", Port::kClient, replication_section},
    Section{"cpu", Port::kBoth, cpu_section},         Section{"cluster", Port::kClient, cluster_section},
    Section{"tanist", Port::kBoth, tanist_section},   Section{"sentinel", Port::kSentinel, sentinel_section},
};

}  // namespace

std::string info_text(std::string_view section, const Routing& routing, const InfoFacts& facts) {
    std::string wanted;
    std::ranges::transform(section, std::back_inserter(wanted), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool all = wanted.empty() || wanted == "all" || wanted == "everything" || wanted == "default";
    std::string text;
    for (const Section& each : kSections) {
        if (!all && each.name != wanted) continue;
        if (each.port == (facts.sentinel ? Port::kClient : Port::kSentinel)) continue;
        if (!text.empty()) text += "\r\n";
        each.write(text, routing, facts);
    }
    return text;
}

}  // namespace tanist::server

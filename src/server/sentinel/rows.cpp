// SPDX-License-Identifier: Apache-2.0
#include "server/sentinel/rows.h"

#include <fmt/format.h>

#include <iterator>

namespace tanist::server::sentinel {
namespace {

std::string flags_of(std::string_view kind, const Instance& instance, bool objectively_down) {
    std::string flags(kind);
    if (instance.down) flags = "s_down," + flags;
    if (objectively_down) flags = "o_down," + flags;
    if (!instance.connected) flags += ",disconnected";
    return flags;
}

/// What all rows begin with.
Row common_row(const Teller& teller, std::string name, const Instance& instance, std::string run_id, std::string flags,
               std::string_view role) {
    const std::string silence = std::to_string(instance.silence_ms);
    return {{"name", std::move(name)},
            {"ip", instance.address.host},
            {"port", instance.address.port},
            {"runid", std::move(run_id)},
            {"flags", std::move(flags)},
            {"link-pending-commands", "0"},
            {"link-refcount", "1"},
            {"last-ping-sent", "0"},
            {"last-ok-ping-reply", silence},
            {"last-ping-reply", silence},
            {"down-after-milliseconds", std::to_string(teller.down_after_ms)},
            {"info-refresh", silence},
            {"role-reported", std::string(role)},
            {"role-reported-time", silence}};
}

void append(Row& to, Row more) { std::ranges::move(more, std::back_inserter(to)); }

}  // namespace

Row master_row(const Teller& teller) {
    const Topology& topology = teller.topology;
    const Instance& master = topology.master;
    Row row = common_row(teller, teller.name, master, run_id(master.id), flags_of("master", master, master.down), "master");
    append(row, {{"config-epoch", std::to_string(topology.epoch.value)},
                 {"num-slaves", std::to_string(topology.slaves.size())},
                 {"num-other-sentinels", std::to_string(topology.sentinels.size())},
                 {"quorum", std::to_string(topology.quorum)},
                 {"failover-timeout", std::to_string(2 * teller.down_after_ms)},
                 {"parallel-syncs", "1"}});
    return row;
}

Row slave_row(const Teller& teller, const Instance& slave) {
    const Instance& master = teller.topology.master;
    Row row = common_row(teller, slave.name(), slave, run_id(slave.id), flags_of("slave", slave, false), "slave");
    append(row, {{"master-link-down-time", std::to_string(slave.down ? slave.silence_ms : 0)},
                 {"master-link-status", slave.down ? "err" : "ok"},
                 {"master-host", master.address.host},
                 {"master-port", master.address.port},
                 {"slave-priority", slave.may_be_master ? "100" : "0"},
                 {"slave-repl-offset", std::to_string(slave.applied.value)},
                 {"replica-announced", "1"}});
    return row;
}

Row sentinel_row(const Teller& teller, const Instance& other) {
    const std::string id = sentinel_id(teller.cluster, other.id);
    Row row = common_row(teller, id, other, id, flags_of("sentinel", other, false), "sentinel");
    append(row, {{"last-hello-message", std::to_string(other.silence_ms)}, {"voted-leader", "?"}, {"voted-leader-epoch", "0"}});
    return row;
}

void encode(protocol::RespEncoder& to, const Row& row) {
    to.map(row.size());
    for (const auto& [field, value] : row) {
        to.bulk(field);
        to.bulk(value);
    }
}

std::string info_section(const Watch& watch) {
    const auto& topology = watch.topology();
    std::string lines = fmt::format(
        "sentinel_masters:{}\r\nsentinel_tilt:0\r\nsentinel_tilt_since_seconds:-1\r\nsentinel_running_scripts:0\r\n"
        "sentinel_scripts_queue_length:0\r\nsentinel_simulate_failure_flags:0\r\n",
        topology ? 1 : 0);
    if (!topology) return lines;
    lines +=
        fmt::format("master0:name={},status={},address={},slaves={},sentinels={}\r\n", watch.name(), topology->master.down ? "odown" : "ok",
                    topology->master.name(), topology->slaves.size(), topology->sentinels.size() + 1);
    return lines;
}

}  // namespace tanist::server::sentinel

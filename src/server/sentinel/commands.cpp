// SPDX-License-Identifier: Apache-2.0
#include "server/sentinel/commands.h"

#include <fmt/format.h>

#include <array>

#include "server/resp/help.h"
#include "server/resp/session.h"
#include "server/resp/switchover.h"
#include "server/sentinel/rows.h"
#include "server/sentinel/watch.h"

namespace tanist::server::sentinel {
namespace {

using protocol::RespEncoder;
using resp::Arguments;
using resp::Command;

constexpr std::string_view kUnknownMaster = "ERR No such master with that name";

const Watch& watch_of(RespSession& session) { return *session.services().sentinel; }
std::uint64_t down_after_ms(RespSession& session) { return session.services().settings.election_timeout_ms; }

/// The topology, if the client asks for the master that there is.
const Topology* find(RespSession& session, std::string_view name) {
    const Watch& watch = watch_of(session);
    return watch.topology() && name == watch.name() ? &*watch.topology() : nullptr;
}

void get_master_address(RespSession& session, Arguments arguments) {
    const Topology* topology = find(session, arguments[2]);
    session.reply([&](RespEncoder& to) {
        if (topology == nullptr) return to.null_array();
        to.array(2);
        to.bulk(topology->master.address.host);
        to.bulk(topology->master.address.port);
    });
}

Teller teller(RespSession& session, const Topology& topology) {
    return {.name = watch_of(session).name(),
            .cluster = session.services().routing.view().cluster,
            .down_after_ms = down_after_ms(session),
            .topology = topology};
}

void master(RespSession& session, Arguments arguments) {
    const Topology* topology = find(session, arguments[2]);
    if (topology == nullptr) return session.reply_error(kUnknownMaster);
    session.reply([&](RespEncoder& to) { encode(to, master_row(teller(session, *topology))); });
}

void masters(RespSession& session, Arguments) {
    const auto& topology = watch_of(session).topology();
    session.reply([&](RespEncoder& to) {
        to.array(topology ? 1 : 0);
        if (topology) encode(to, master_row(teller(session, *topology)));
    });
}

void replicas(RespSession& session, Arguments arguments) {
    const Topology* topology = find(session, arguments[2]);
    if (topology == nullptr) return session.reply_error(kUnknownMaster);
    session.reply([&](RespEncoder& to) {
        to.array(topology->slaves.size());
        for (const Instance& slave : topology->slaves) encode(to, slave_row(teller(session, *topology), slave));
    });
}

/// Never an error: clients ask it of a node that they were sent to, and take an error for a node to be avoided.
void sentinels(RespSession& session, Arguments arguments) {
    const Topology* topology = find(session, arguments[2]);
    session.reply([&](RespEncoder& to) {
        to.array(topology == nullptr ? 0 : topology->sentinels.size());
        if (topology == nullptr) return;
        for (const Instance& other : topology->sentinels) encode(to, sentinel_row(teller(session, *topology), other));
    });
}

/// Nodes vote, whether or not they answer as Sentinels: voters are what is counted.
void check_quorum(RespSession& session, Arguments arguments) {
    const Topology* topology = find(session, arguments[2]);
    if (topology == nullptr) return session.reply_error(kUnknownMaster);
    if (topology->reachable_voters >= topology->quorum) {
        return session.reply([&](RespEncoder& to) {
            to.simple(fmt::format("OK {} usable Sentinels. Quorum and failover authorization can be reached", topology->reachable_voters));
        });
    }
    session.reply_error(
        fmt::format("NOQUORUM {} usable Sentinels. Not enough available Sentinels to reach the specified quorum for this "
                    "master. Not enough available Sentinels to reach the majority and authorize a failover",
                    topology->reachable_voters));
}

void my_id(RespSession& session, Arguments) {
    const core::View& view = session.services().routing.view();
    session.reply([&](RespEncoder& to) { to.bulk(sentinel_id(view.cluster, view.self)); });
}

void failover(RespSession& session, Arguments arguments) {
    if (find(session, arguments[2]) == nullptr) return session.reply_error(kUnknownMaster);
    resp::switch_over(session, std::nullopt);
}

void role(RespSession& session, Arguments) {
    const Watch& watch = watch_of(session);
    session.reply([&](RespEncoder& to) {
        to.array(2);
        to.bulk("sentinel");
        to.array(1);
        to.bulk(watch.name());
    });
}

void info(RespSession& session, Arguments arguments) {
    const std::string text = session.services().info(arguments.subspan(1));
    session.reply([&](RespEncoder& to) { to.verbatim("txt", text); });
}

constexpr std::uint32_t kAsking = resp::kAdmin;
constexpr resp::KeyWords kNoKeys{};
constexpr auto kGroup = resp::Group::kSentinel;
constexpr std::array kSubcommands = {
    Command{"CKQUORUM", 3, RequestKind::kOther, check_quorum, kAsking, kNoKeys, kGroup},
    Command{"HELP", 2, RequestKind::kOther, resp::help, 0, kNoKeys, kGroup},
    Command{"FAILOVER", 3, RequestKind::kOther, failover, kAsking, kNoKeys, kGroup},
    Command{"GET-MASTER-ADDR-BY-NAME", 3, RequestKind::kOther, get_master_address, kAsking, kNoKeys, kGroup},
    Command{"MASTER", 3, RequestKind::kOther, master, kAsking, kNoKeys, kGroup},
    Command{"MASTERS", 2, RequestKind::kOther, masters, kAsking, kNoKeys, kGroup},
    Command{"MYID", 2, RequestKind::kOther, my_id, 0, kNoKeys, kGroup},
    Command{"REPLICAS", 3, RequestKind::kOther, replicas, kAsking, kNoKeys, kGroup},
    Command{"SENTINELS", 3, RequestKind::kOther, sentinels, kAsking, kNoKeys, kGroup},
    Command{"SLAVES", 3, RequestKind::kOther, replicas, kAsking, kNoKeys, kGroup},
};
constexpr std::array kCommands = {
    Command{"SENTINEL", -2, RequestKind::kOther, nullptr, resp::kAdmin, kNoKeys, kGroup, kSubcommands},
    Command{"INFO", -1, RequestKind::kOther, info, resp::kLoading | resp::kStale | resp::kDangerous},
    Command{"ROLE", 1, RequestKind::kOther, role, resp::kNoScript | resp::kLoading | resp::kStale | resp::kFast | resp::kDangerous},
};

}  // namespace

const resp::CommandTable& port_commands() {
    static const resp::CommandTable table{{resp::connection_commands(), resp::kOnSentinel}, {resp::client_commands(), resp::kOnSentinel},
                                          {resp::command_commands(), resp::kOnSentinel},    {resp::pubsub_commands(), resp::kOnSentinel},
                                          {resp::acl_commands(), resp::kOnSentinel},        {kCommands}};
    return table;
}

}  // namespace tanist::server::sentinel

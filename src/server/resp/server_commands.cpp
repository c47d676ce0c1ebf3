// SPDX-License-Identifier: Apache-2.0
// Commands about the node: ROLE INFO CONFIG.
#include <array>
#include <charconv>

#include "server/resp/command.h"
#include "server/resp/session.h"
#include "server/status.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

std::int64_t port_number(const std::string& port) {
    std::int64_t number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    return number;
}

void encode_master_role(RespEncoder& to, const core::View& view) {
    std::vector<std::pair<const Member*, Lsn>> slaves;
    for (const core::PeerView& peer : view.peers) {
        const Member* member = view.membership.find(peer.id);
        if (member != nullptr && member->holds_data() && peer.connected) slaves.emplace_back(member, peer.applied.value_or(Lsn{}));
    }
    to.array(3);
    to.bulk("master");
    to.integer(static_cast<std::int64_t>(view.commit.value));
    to.array(slaves.size());
    for (const auto& [member, applied] : slaves) {
        const auto [host, port] = split_address(member->addresses.client);
        to.array(3);
        to.bulk(host);
        to.bulk(port);
        to.bulk(std::to_string(applied.value));
    }
}

void encode_slave_role(RespEncoder& to, const core::View& view) {
    const Member* master = view.master ? view.membership.find(*view.master) : nullptr;
    const auto [host, port] = split_address(master == nullptr ? "" : master->addresses.client);
    to.array(5);
    to.bulk("slave");
    to.bulk(host);
    to.integer(port_number(port));
    to.bulk(master == nullptr ? "connect" : view.health == core::Health::kCopying ? "sync" : "connected");
    to.integer(static_cast<std::int64_t>(view.applied.value));
}

void role(RespSession& session, Arguments) {
    const Routing& routing = session.services().routing;
    session.reply(
        [&](RespEncoder& to) { routing.is_master() ? encode_master_role(to, routing.view()) : encode_slave_role(to, routing.view()); });
}

void info(RespSession& session, Arguments arguments) {
    std::string text;
    if (arguments.size() == 1) text = session.services().info("");
    for (const std::string_view section : arguments.subspan(1)) text += session.services().info(section);
    session.reply([&](RespEncoder& to) { to.verbatim("txt", text); });
}

/// What tools ask before they start, in Redis's words for what holds here.
void config_get(RespSession& session, Arguments arguments) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSettings{
        {{"save", ""}, {"appendonly", "yes"}, {"appendfsync", "always"}, {"databases", "1"}}};
    std::vector<std::pair<std::string_view, std::string_view>> found;
    for (const auto& setting : kSettings) {
        for (const std::string_view pattern : arguments.subspan(2)) {
            if (lower(pattern) == setting.first || pattern == "*") {
                found.push_back(setting);
                break;
            }
        }
    }
    session.reply([&](RespEncoder& to) {
        to.map(found.size());
        for (const auto& [name, value] : found) {
            to.bulk(name);
            to.bulk(value);
        }
    });
}

constexpr std::array kConfigSubcommands = {
    Command{"GET", -3, RequestKind::kOther, config_get, kAdmin | kNoScript | kLoading | kStale},
};
constexpr std::array kCommands = {
    Command{"ROLE", 1, RequestKind::kOther, role, kNoScript | kLoading | kStale | kFast | kDangerous},
    Command{"INFO", -1, RequestKind::kOther, info, kLoading | kStale | kDangerous},
    Command{"CONFIG", -2, RequestKind::kOther, nullptr, 0, {}, Group::kServer, kConfigSubcommands},
};

}  // namespace

std::span<const Command> server_commands() { return kCommands; }

}  // namespace tanist::server::resp

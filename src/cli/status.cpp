// SPDX-License-Identifier: Apache-2.0
#include "cli/status.h"

#include <algorithm>
#include <array>

#include "cli/json.h"

namespace tanist::cli {
namespace {

using client::ClusterStatus;
using client::NodeState;
using client::NodeStatus;
using client::Role;

std::string_view name_of(Role role) {
    switch (role) {
        case Role::kUnknown: return "";
        case Role::kMaster: return "master";
        case Role::kSlave: return "slave";
        case Role::kSpare: return "spare";
        case Role::kWitness: return "witness";
    }
    return "";
}

std::string_view name_of(NodeState state) {
    switch (state) {
        case NodeState::kUnknown: return "";
        case NodeState::kUp: return "up";
        case NodeState::kDown: return "down";
        case NodeState::kCatchingUp: return "catching_up";
        case NodeState::kCopying: return "copying";
        case NodeState::kInDoubt: return "in_doubt";
        case NodeState::kQuarantined: return "quarantined";
    }
    return "";
}

std::string node_json(const NodeStatus& node) {
    JsonObject object;
    object.number("id", node.id)
        .text_or_null("role", name_of(node.role))
        .text_or_null("state", name_of(node.state))
        .text_or_null("client", node.client);
    if (node.rank_epoch && node.rank_lsn) {
        object.raw("rank", JsonObject().number("epoch", *node.rank_epoch).number("lsn", *node.rank_lsn).take());
    } else {
        object.null("rank");
    }
    object.number("commit_lsn", node.commit_lsn).number("applied_lsn", node.applied_lsn);
    object.number("lag_ms", node.lag_ms).number("lag_entries", node.lag_entries);
    object.text_or_null("why", node.why)
        .text_or_null("peer", node.peer)
        .text_or_null("http", node.http)
        .text_or_null("sentinel", node.sentinel);
    if (node.incarnation == 0) return object.null("incarnation").take();
    return object.text("incarnation", fmt::format("{:016x}", node.incarnation)).take();  // too large for the integers of many JSON readers
}

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }
std::string or_dash(const std::optional<std::uint64_t>& number) { return number ? std::to_string(*number) : "-"; }

using Line = std::array<std::string, 9>;

Line table_line(const NodeStatus& node) {
    const std::string rank = node.rank_epoch && node.rank_lsn ? fmt::format("{}/{}", *node.rank_epoch, *node.rank_lsn) : "-";
    const std::string lag = node.lag_ms ? fmt::format("{} ms", *node.lag_ms) : "-";
    return {std::to_string(node.id),
            or_dash(name_of(node.role)),
            or_dash(name_of(node.state)),
            or_dash(node.client),
            rank,
            or_dash(node.commit_lsn),
            or_dash(node.applied_lsn),
            lag,
            or_dash(node.lag_entries)};
}

}  // namespace

std::string status_json(const ClusterStatus& status) {
    std::vector<std::string> nodes;
    for (const auto& node : status.nodes) nodes.push_back(node_json(node));
    JsonObject object;
    object.text("cluster", status.cluster).number("epoch", status.epoch).number("master", status.master).raw("nodes", json_array(nodes));
    return object.number("answered_by", status.answered_by).take();
}

std::string status_table(const ClusterStatus& status) {
    std::string out = fmt::format("cluster {} · epoch {} · {} · as node {} sees it\n", status.cluster, status.epoch,
                                  status.master ? fmt::format("master {}", *status.master) : "no master", status.answered_by);
    std::vector<Line> lines = {{"NODE", "ROLE", "STATE", "CLIENT", "RANK", "COMMIT", "APPLIED", "LAG", "ENTRIES"}};
    for (const auto& node : status.nodes) lines.push_back(table_line(node));
    std::array<std::size_t, 9> widths{};
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    }
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const bool number = i == 0 || i > 3;
            text += number ? fmt::format("{:>{}}", line[i], widths[i]) : fmt::format("{:<{}}", line[i], widths[i]);
            text += "  ";
        }
        out += text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
    }
    for (const auto& node : status.nodes) {
        if (!node.why.empty()) out += fmt::format("node {}: {}\n", node.id, node.why);
    }
    return out;
}

Expected<Exit> run(Session& session, const StatusCommand&) {
    const auto status = session.client().status(session.options());
    if (!status) return tl::unexpected(to_failure(status.error()));
    session.streams().out << (session.settings().json ? status_json(*status) + '\n' : status_table(*status));
    return Exit::kOk;
}

}  // namespace tanist::cli

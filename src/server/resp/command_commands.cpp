// SPDX-License-Identifier: Apache-2.0
// COMMAND: what the port serves, told from the table that it serves by.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "server/resp/command.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;
using Row = CommandTable::Row;

constexpr std::array<std::pair<Flag, std::string_view>, 14> kFlagNames{{{kWrite, "write"},
                                                                        {kReadOnly, "readonly"},
                                                                        {kDenyOom, "denyoom"},
                                                                        {kAdmin, "admin"},
                                                                        {kPubSub, "pubsub"},
                                                                        {kNoScript, "noscript"},
                                                                        {kBlocking, "blocking"},
                                                                        {kLoading, "loading"},
                                                                        {kStale, "stale"},
                                                                        {kSkipMonitor, "skip_monitor"},
                                                                        {kFast, "fast"},
                                                                        {kNoAuth, "no_auth"},
                                                                        {kNoMulti, "no_multi"},
                                                                        {kMovableKeys, "movablekeys"}}};

void encode_names(RespEncoder& to, const std::vector<std::string>& names) {
    to.set(names.size());
    for (const std::string& name : names) to.simple(name);
}

std::vector<std::string> flags_of(const Row& row) {
    std::vector<std::string> names;
    for (const auto& [flag, name] : kFlagNames) {
        if (row.has(flag)) names.emplace_back(name);
    }
    return names;
}

void encode_info(RespEncoder& to, const Row* row) {
    if (row == nullptr) return to.null_array();
    to.array(10);
    to.bulk(row->name);
    to.integer(row->command->arity);
    encode_names(to, flags_of(*row));
    to.integer(row->command->keys.first);
    to.integer(row->command->keys.last);
    to.integer(row->command->keys.step);
    encode_names(to, {});  // ACL categories
    to.array(0);           // tips
    to.array(0);           // key specifications
    to.array(row->subcommands.size());
    for (const Row* subcommand : row->subcommands) encode_info(to, subcommand);
}

void info(RespSession& session, Arguments arguments) {
    const CommandTable& table = session.services().commands;
    std::vector<const Row*> rows;
    for (const std::string_view name : arguments.subspan(std::min<std::size_t>(2, arguments.size()))) rows.push_back(table.find(name));
    const auto& asked = arguments.size() > 2 ? rows : table.commands();
    session.reply([&](RespEncoder& to) {
        to.array(asked.size());
        for (const Row* row : asked) encode_info(to, row);
    });
}

void count(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(session.services().commands.commands().size())); });
}

void docs(RespSession& session, Arguments) {
    session.reply([](RespEncoder& to) { to.map(0); });
}

constexpr std::uint32_t kAnyTime = kLoading | kStale | kOnSentinel;
constexpr std::array kSubcommands = {
    Command{"COUNT", 2, RequestKind::kOther, count, kAnyTime},
    Command{"DOCS", -2, RequestKind::kOther, docs, kAnyTime},
    Command{"INFO", -2, RequestKind::kOther, info, kAnyTime},
};
constexpr std::array kCommands = {
    Command{"COMMAND", -1, RequestKind::kOther, info, kAnyTime, {}, Group::kServer, kSubcommands},
};

}  // namespace

std::span<const Command> command_commands() { return kCommands; }

}  // namespace tanist::server::resp

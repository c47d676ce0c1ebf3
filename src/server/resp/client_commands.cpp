// SPDX-License-Identifier: Apache-2.0
// CLIENT: what a connection is, and is told about the others.
#include <array>

#include "server/resp/client_names.h"
#include "server/resp/command.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

void set_name(RespSession& session, Arguments arguments) {
    if (!is_client_name(arguments[2])) return session.reply_error(kBadClientName);
    session.name = arguments[2];
    session.reply_ok();
}

void get_name(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { session.name.empty() ? to.null() : to.bulk(session.name); });
}

void id(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(session.id())); });
}

void set_info(RespSession& session, Arguments) { session.reply_ok(); }

constexpr std::uint32_t kAnyTime = kNoScript | kLoading | kStale | kOnSentinel;
constexpr std::array kSubcommands = {
    Command{"ID", 2, RequestKind::kOther, id, kAnyTime, {}, Group::kConnection},
    Command{"GETNAME", 2, RequestKind::kOther, get_name, kAnyTime, {}, Group::kConnection},
    Command{"SETNAME", 3, RequestKind::kOther, set_name, kAnyTime, {}, Group::kConnection},
    Command{"SETINFO", 4, RequestKind::kOther, set_info, kAnyTime, {}, Group::kConnection},
};
constexpr std::array kCommands = {
    Command{"CLIENT", -2, RequestKind::kOther, nullptr, kOnSentinel, {}, Group::kConnection, kSubcommands},
};

}  // namespace

std::span<const Command> client_commands() { return kCommands; }

}  // namespace tanist::server::resp

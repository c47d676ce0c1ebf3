// SPDX-License-Identifier: Apache-2.0
// Commands about strings: GET SET SETNX DEL INCR.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "server/resp/command.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using commands::OutcomeCode;
using protocol::RespEncoder;

bool key_fits(RespSession& session, std::string_view key) {
    const std::size_t bytes_max = session.services().settings.limits.key_bytes_max;
    if (key.size() <= bytes_max) return true;
    session.reply_error(fmt::format("ERR key of {} bytes: at most {} are allowed", key.size(), bytes_max));
    return false;
}

void get(RespSession& session, Arguments arguments) {
    if (key_fits(session, arguments[1])) session.get(arguments);
}

commands::Request put(std::string_view key, std::string_view value) {
    commands::Request request;
    request.commands.emplace_back(commands::Put{std::string(key), std::string(value)});
    return request;
}

void set(RespSession& session, Arguments arguments) {
    commands::Request request = put(arguments[1], arguments[2]);
    if (arguments.size() == 3) {
        return session.write(std::move(request), [](RespEncoder& to, const commands::Outcome&) { to.ok(); }, true);
    }
    const bool if_absent = is_word(arguments[3], "NX"), if_present = is_word(arguments[3], "XX");
    if (arguments.size() > 4 || (!if_absent && !if_present)) {
        return session.reply_error(
            fmt::format("ERR syntax error: of SET's options this version knows NX and XX, not '{}'", arguments.back().substr(0, 32)));
    }
    std::string key(arguments[1]);
    if_absent ? request.conditions.emplace_back(commands::KeyAbsent{std::move(key)})
              : request.conditions.emplace_back(commands::KeyExists{std::move(key)});
    session.write(std::move(request),
                  [](RespEncoder& to, const commands::Outcome& outcome) { outcome.code == OutcomeCode::kDone ? to.ok() : to.null(); });
}

void setnx(RespSession& session, Arguments arguments) {
    commands::Request request = put(arguments[1], arguments[2]);
    request.conditions.emplace_back(commands::KeyAbsent{std::string(arguments[1])});
    session.write(std::move(request),
                  [](RespEncoder& to, const commands::Outcome& outcome) { to.integer(outcome.code == OutcomeCode::kDone ? 1 : 0); });
}

void del(RespSession& session, Arguments arguments) {
    commands::Request request;
    request.commands.reserve(arguments.size() - 1);
    for (const std::string_view key : arguments.subspan(1)) request.commands.emplace_back(commands::Delete{std::string(key)});
    session.write(std::move(request), [](RespEncoder& to, const commands::Outcome& outcome) {
        to.integer(std::ranges::count_if(outcome.results, &commands::CommandResult::found));
    });
}

void incr(RespSession& session, Arguments arguments) {
    commands::Request request;
    request.commands.emplace_back(commands::Increment{std::string(arguments[1]), 1});
    session.write(std::move(request), [](RespEncoder& to, const commands::Outcome& outcome) {
        const std::string& value = outcome.results.at(0).value.value();
        to.integer(std::stoll(value));
    });
}

constexpr KeyWords kOneKey{1, 1, 1};
constexpr std::array kCommands = {
    Command{"GET", 2, RequestKind::kGet, get, kReadOnly | kFast, kOneKey, Group::kString},
    Command{"SET", -3, RequestKind::kPut, set, kWrite | kDenyOom, kOneKey, Group::kString},
    Command{"SETNX", 3, RequestKind::kPut, setnx, kWrite | kDenyOom | kFast, kOneKey, Group::kString},
    Command{"DEL", -2, RequestKind::kDelete, del, kWrite, {1, -1, 1}, Group::kGeneric},
    Command{"INCR", 2, RequestKind::kIncrement, incr, kWrite | kDenyOom | kFast, kOneKey, Group::kString},
};

}  // namespace

std::span<const Command> string_commands() { return kCommands; }

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// What Redis has no word for: TANIST.READS and TANIST.ACK set the levels of a connection, TANIST.CAS and TANIST.CAD compare first.
#include <array>
#include <optional>

#include "server/resp/command.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using commands::OutcomeCode;
using protocol::RespEncoder;

void reads(RespSession& session, Arguments arguments) {
    constexpr std::array<std::pair<std::string_view, ReadLevel>, 3> kLevels{
        {{"STALE", ReadLevel::kStale}, {"SESSION", ReadLevel::kSession}, {"LINEARIZABLE", ReadLevel::kLinearizable}}};
    for (const auto& [name, level] : kLevels) {
        if (!is_word(arguments[1], name)) continue;
        session.set_read_level(level);
        return session.reply_ok();
    }
    session.reply_error("ERR TANIST.READS takes stale, session or linearizable");
}

void ack(RespSession& session, Arguments arguments) {
    constexpr std::array<std::pair<std::string_view, WriteLevel>, 3> kLevels{
        {{"MASTER", WriteLevel::kMaster}, {"QUORUM", WriteLevel::kQuorum}, {"ALL", WriteLevel::kAll}}};
    for (const auto& [name, level] : kLevels) {
        if (!is_word(arguments[1], name)) continue;
        session.set_write_level(level);
        return session.reply_ok();
    }
    session.reply_error("ERR TANIST.ACK takes master, quorum or all");
}

void one_if_done(RespSession&, RespEncoder& to, const commands::Outcome& outcome) {
    to.integer(outcome.code == OutcomeCode::kDone ? 1 : 0);
}

void compare_and(RespSession& session, Arguments arguments, commands::Command command) {
    commands::Request request;
    request.conditions.emplace_back(commands::ValueEquals{std::string(arguments[1]), std::string(arguments[2])});
    request.commands.push_back(std::move(command));
    session.write(std::move(request), one_if_done);
}

void cas(RespSession& session, Arguments arguments) {
    compare_and(session, arguments, commands::Put{std::string(arguments[1]), std::string(arguments[3])});
}

void cad(RespSession& session, Arguments arguments) { compare_and(session, arguments, commands::Delete{std::string(arguments[1])}); }

constexpr KeyWords kOneKey{1, 1, 1};
constexpr std::array kCommands = {
    Command{"TANIST.READS", 2, RequestKind::kOther, reads, kFast | kLoading | kStale, {}, Group::kTanist},
    Command{"TANIST.ACK", 2, RequestKind::kOther, ack, kFast | kLoading | kStale, {}, Group::kTanist},
    Command{"TANIST.CAS", 4, RequestKind::kCompareAndSet, cas, kWrite | kDenyOom | kFast, kOneKey, Group::kTanist},
    Command{"TANIST.CAD", 3, RequestKind::kCompareAndDelete, cad, kWrite | kFast, kOneKey, Group::kTanist},
};

}  // namespace

std::span<const Command> tanist_commands() { return kCommands; }

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// What Redis has no word for: TANIST.READS and TANIST.ACK set the levels of a connection; TANIST.CAS and CAD compare with a value first,
// TANIST.CASV and CADV with the version that TANIST.GETV tells.
#include <array>
#include <optional>

#include "server/resp/command.h"
#include "server/resp/session.h"
#include "server/resp/words.h"

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

// -- by version: the last change of a key, in the order of all changes ------------------------------------------------------------------

/// A version may use all 64 bits; RESP's integers are signed.
std::int64_t to_integer(commands::Version version) { return static_cast<std::int64_t>(version.value); }

void encode_versioned(RespEncoder& to, const std::optional<std::string>& value, commands::Version version) {
    if (!value) return to.null_array();
    to.array(2);
    to.bulk(*value);
    to.integer(to_integer(version));
}

Status answer_versioned(RespSession& session, RespEncoder& to, Arguments arguments) {
    const auto found = session.services().state.get(arguments[1]);
    if (!found) return fail(found.error());
    session.services().state.count_told({&*found, 1});
    if (!*found) {
        to.null_array();
    } else {
        encode_versioned(to, (*found)->value, (*found)->version);
    }
    return {};
}

const LoggedRead kLoggedVersioned{
    .request = [](RespSession&, Arguments arguments) { return commands::Request{.commands = {commands::Get{std::string(arguments[1])}}}; },
    .answer = [](RespSession&, RespEncoder& to,
                 const commands::Outcome& outcome) { encode_versioned(to, outcome.results.at(0).value, outcome.results.at(0).version); },
};

void get_versioned(RespSession& session, Arguments arguments) { session.read(arguments, answer_versioned, &kLoggedVersioned); }

/// The new version of a key that was set, 1 for one that was deleted; 0: it was of another version.
void compare_version_and(RespSession& session, Arguments arguments, commands::Command command, WriteAnswer answer) {
    const auto version = integer_of(arguments[2]);
    if (!version) return session.reply_error("ERR value is not an integer or out of range");
    commands::Request request;
    request.conditions.emplace_back(commands::VersionEquals{std::string(arguments[1]), {static_cast<std::uint64_t>(*version)}});
    request.commands.push_back(std::move(command));
    session.write(std::move(request), std::move(answer));
}

void cas_version(RespSession& session, Arguments arguments) {
    compare_version_and(session, arguments, commands::Put{std::string(arguments[1]), std::string(arguments[3])},
                        [](RespSession&, RespEncoder& to, const commands::Outcome& outcome) {
                            to.integer(outcome.code == OutcomeCode::kDone ? to_integer(outcome.results.at(0).version) : 0);
                        });
}

void cad_version(RespSession& session, Arguments arguments) {
    if (arguments[2] == "0") return session.reply_error("ERR 0 is the version of a key that does not exist");
    compare_version_and(session, arguments, commands::Delete{std::string(arguments[1])}, one_if_done);
}

constexpr KeyWords kOneKey{1, 1, 1};
constexpr std::array kCommands = {
    Command{"TANIST.READS", 2, RequestKind::kOther, reads, kFast | kLoading | kStale, {}, Group::kTanist},
    Command{"TANIST.ACK", 2, RequestKind::kOther, ack, kFast | kLoading | kStale, {}, Group::kTanist},
    Command{"TANIST.CAS", 4, RequestKind::kCompareAndSet, cas, kWrite | kDenyOom | kFast, kOneKey, Group::kTanist},
    Command{"TANIST.CAD", 3, RequestKind::kCompareAndDelete, cad, kWrite | kFast, kOneKey, Group::kTanist},
    Command{"TANIST.GETV", 2, RequestKind::kGet, get_versioned, kReadOnly | kFast, kOneKey, Group::kTanist},
    Command{"TANIST.CASV", 4, RequestKind::kCompareAndSet, cas_version, kWrite | kDenyOom | kFast, kOneKey, Group::kTanist},
    Command{"TANIST.CADV", 3, RequestKind::kCompareAndDelete, cad_version, kWrite | kFast, kOneKey, Group::kTanist},
};

}  // namespace

std::span<const Command> tanist_commands() { return kCommands; }

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// Commands about the connection itself, and about databases, of which there is one: PING ECHO HELLO QUIT RESET SELECT MOVE SWAPDB.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "server/resp/client_names.h"
#include "server/resp/command.h"
#include "server/resp/info.h"
#include "server/resp/session.h"
#include "server/resp/words.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;
using protocol::RespVersion;

void ping(RespSession& session, Arguments arguments) {
    if (arguments.size() > 2) return session.reply_error(wrong_arity("PING"));
    const bool as_message = session.version() == RespVersion::k2 && session.listens();
    session.reply([&](RespEncoder& to) {
        if (as_message) {
            to.array(2);
            to.bulk("pong");
            return to.bulk(arguments.size() == 2 ? arguments[1] : "");
        }
        arguments.size() == 2 ? to.bulk(arguments[1]) : to.simple("PONG");
    });
}

void echo(RespSession& session, Arguments arguments) {
    session.reply([&](RespEncoder& to) { to.bulk(arguments[1]); });
}

void quit(RespSession& session, Arguments) {
    session.reply_ok();
    session.end_after_replies();
}

void reset(RespSession& session, Arguments) {
    session.reset();
    session.reply([](RespEncoder& to) { to.simple("RESET"); });
}

void select(RespSession& session, Arguments arguments) {
    const auto number = integer_of(arguments[1]);
    if (!number) return session.reply_error("ERR value is not an integer or out of range");
    if (*number == 0) return session.reply_ok();
    session.reply_error("ERR DB index is out of range");  // there is one
}

void move(RespSession& session, Arguments arguments) {
    const auto number = integer_of(arguments[2]);
    if (!number) return session.reply_error("ERR value is not an integer or out of range");
    session.reply_error(*number == 0 ? "ERR source and destination objects are the same" : "ERR DB index is out of range");
}

void swap_databases(RespSession& session, Arguments arguments) {
    const auto first = integer_of(arguments[1]), second = integer_of(arguments[2]);
    if (!first || !second) return session.reply_error(fmt::format("ERR invalid {} DB index", first ? "second" : "first"));
    *first == 0 && *second == 0 ? session.reply_ok() : session.reply_error("ERR DB index is out of range");
}

void encode_hello(RespEncoder& to, RespSession& session) {
    const bool is_sentinel = session.services().sentinel != nullptr;
    to.map(is_sentinel ? 6 : 7);
    to.bulk("server");
    to.bulk("redis");  // what clients look for; INFO has tanist_version
    to.bulk("version");
    to.bulk(kRedisVersion);
    to.bulk("proto");
    to.integer(static_cast<std::int64_t>(session.version()));
    to.bulk("id");
    to.integer(static_cast<std::int64_t>(session.id()));
    to.bulk("mode");
    to.bulk(is_sentinel ? "sentinel" : "standalone");
    if (!is_sentinel) {
        to.bulk("role");
        to.bulk(session.services().routing.is_master() ? "master" : "replica");
    }
    to.bulk("modules");
    to.array(0);
}

void hello(RespSession& session, Arguments arguments) {
    RespVersion version = session.version();
    std::optional<std::string_view> name;
    std::optional<std::pair<std::string_view, std::string_view>> user;
    if (arguments.size() > 1) {
        int number = 0;
        const auto [end, error] = std::from_chars(arguments[1].data(), arguments[1].data() + arguments[1].size(), number);
        if (error != std::errc{} || end != arguments[1].data() + arguments[1].size()) {
            return session.reply_error("ERR Protocol version is not an integer or out of range");
        }
        if (number != 2 && number != 3) return session.reply_error("NOPROTO unsupported protocol version");
        version = number == 3 ? RespVersion::k3 : RespVersion::k2;
    }
    for (std::size_t i = 2; i < arguments.size(); ++i) {
        if (is_word(arguments[i], "SETNAME") && i + 1 < arguments.size()) {
            name = arguments[++i];
            if (!is_client_name(*name)) return session.reply_error(kBadClientName);
        } else if (is_word(arguments[i], "AUTH") && i + 2 < arguments.size()) {
            user.emplace(arguments[i + 1], arguments[i + 2]);
            i += 2;
        } else {
            return session.reply_error(fmt::format("ERR Syntax error in HELLO option '{}'", arguments[i]));
        }
    }
    if (user && !session.authenticate(user->first, user->second)) return session.reply_error(kWrongPassword);
    if (session.needs_authentication()) {
        return session.reply_error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can "
            "be "
            "used to authenticate the client and select the RESP protocol version at the same time");
    }
    session.set_version(version);
    if (name) session.name = *name;
    session.reply([&](RespEncoder& to) { encode_hello(to, session); });
}

constexpr std::uint32_t kAnyTime = kLoading | kStale | kOnSentinel;
constexpr std::uint32_t kBeforeAuth = kNoScript | kFast | kNoAuth | kAllowBusy | kAnyTime;
constexpr std::array kCommands = {
    Command{"PING", -1, RequestKind::kOther, ping, kFast | kOnSentinel, {}, Group::kConnection},
    Command{"ECHO", 2, RequestKind::kOther, echo, kFast | kLoading | kStale, {}, Group::kConnection},
    Command{"HELLO", -1, RequestKind::kOther, hello, kBeforeAuth | kSecret, {}, Group::kConnection},
    Command{"QUIT", -1, RequestKind::kOther, quit, kBeforeAuth, {}, Group::kConnection},
    Command{"RESET", 1, RequestKind::kOther, reset, kBeforeAuth, {}, Group::kConnection},
    Command{"MOVE", 3, RequestKind::kOther, move, kWrite | kFast, {1, 1, 1}, Group::kGeneric},
    Command{"SWAPDB", 3, RequestKind::kOther, swap_databases, kWrite | kFast | kDangerous, {}, Group::kGeneric},
    Command{"SELECT", 2, RequestKind::kOther, select, kFast | kLoading | kStale, {}, Group::kConnection},
};

}  // namespace

std::span<const Command> connection_commands() { return kCommands; }

}  // namespace tanist::server::resp

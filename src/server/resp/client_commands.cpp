// SPDX-License-Identifier: Apache-2.0
// CLIENT: what a connection is called, who else is there, and how to end, pause or silence connections.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "server/resp/client_info.h"
#include "server/resp/client_names.h"
#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"
#include "server/resp/tracking_commands.h"
#include "server/resp/words.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

// -- oneself --------------------------------------------------------------------------------------------------------------------------

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

void set_info(RespSession& session, Arguments arguments) {
    const bool is_name = is_word(arguments[2], "LIB-NAME");
    if (!is_name && !is_word(arguments[2], "LIB-VER")) {
        return session.reply_error(fmt::format("ERR Unrecognized option '{}'", arguments[2].substr(0, 128)));
    }
    if (!is_client_name(arguments[3])) {
        return session.reply_error(fmt::format("ERR {} cannot contain spaces, newlines or special characters.", lower(arguments[2])));
    }
    (is_name ? session.library : session.library_version) = arguments[3];
    session.reply_ok();
}

void reply(RespSession& session, Arguments arguments) {
    constexpr std::array<std::pair<std::string_view, RespSession::Replies>, 3> kModes{
        {{"ON", RespSession::Replies::kOn}, {"OFF", RespSession::Replies::kOff}, {"SKIP", RespSession::Replies::kSkipNext}}};
    for (const auto& [word, mode] : kModes) {
        if (!is_word(arguments[2], word)) continue;
        session.set_replies(mode);
        return session.reply_ok();  // which says something only after ON
    }
    session.reply_error("ERR syntax error");
}

/// What has no meaning here, since nothing is evicted and no access is counted, and yet is asked for by clients.
void on_or_off(RespSession& session, Arguments arguments) {
    is_word(arguments[2], "ON") || is_word(arguments[2], "OFF") ? session.reply_ok() : session.reply_error("ERR syntax error");
}

// -- the others -----------------------------------------------------------------------------------------------------------------------

std::vector<std::shared_ptr<RespSession>> sessions(RespSession& session) {
    std::vector<std::shared_ptr<RespSession>> all;
    for (const auto& connection : session.services().connections.all()) {
        if (auto resp = std::dynamic_pointer_cast<RespSession>(connection)) all.push_back(std::move(resp));
    }
    std::ranges::sort(all, {}, [](const auto& each) { return each->id(); });
    return all;
}

/// As Redis writes them, in its order.
std::string flags_of(const RespSession& session) {
    std::string flags;
    if (session.is_monitor) flags += 'O';
    if (session.listens()) flags += 'P';
    if (session.transaction().is_open) flags += 'x';
    if (session.is_blocked() || session.waits_for_unpause()) flags += 'b';
    if (session.tracking()) flags += 't';
    if (session.tracking() && session.tracking()->is_broken) flags += 'R';
    if (session.tracking() && session.tracking()->broadcasts) flags += 'B';
    return flags.empty() ? "N" : flags;
}

/// "normal" or "pubsub"; connections of other nodes are none of this port's.
bool is_of_type(const RespSession& session, std::string_view type) { return is_word(type, session.listens() ? "PUBSUB" : "NORMAL"); }

std::optional<std::string> refuse_type(std::string_view type) {
    for (const std::string_view known : {"NORMAL", "PUBSUB", "MASTER", "REPLICA", "SLAVE"}) {
        if (is_word(type, known)) return std::nullopt;
    }
    return fmt::format("ERR Unknown client type '{}'", type.substr(0, 128));
}

/// Of a command as clients send it: Redis counts what it is running among what it has not yet taken from the buffer.
std::size_t sent_bytes(Arguments arguments) {
    std::size_t bytes = fmt::formatted_size("*{}\r\n", arguments.size());
    for (const std::string_view word : arguments) bytes += fmt::formatted_size("${}\r\n{}\r\n", word.size(), word);
    return bytes;
}

void list(RespSession& session, Arguments arguments) {
    std::optional<std::string_view> type;
    std::vector<std::uint64_t> ids;
    if (arguments.size() == 4 && is_word(arguments[2], "TYPE")) {
        if (const auto refused = refuse_type(arguments[3])) return session.reply_error(*refused);
        type = arguments[3];
    } else if (arguments.size() > 3 && is_word(arguments[2], "ID")) {
        for (const std::string_view word : arguments.subspan(3)) {
            const auto number = integer_of<std::uint64_t>(word);
            if (!number) return session.reply_error("ERR Invalid client ID");
            ids.push_back(*number);
        }
    } else if (arguments.size() != 2) {
        return session.reply_error("ERR syntax error");
    }
    std::string text;
    for (const auto& each : sessions(session)) {
        if (type && !is_of_type(*each, *type)) continue;
        if (!ids.empty() && std::ranges::find(ids, each->id()) == ids.end()) continue;
        text += describe_client(*each, session.services().connections.now_ms, each.get() == &session ? sent_bytes(arguments) : 0) + "\n";
    }
    session.reply([&](RespEncoder& to) { to.verbatim("txt", text); });
}

void info(RespSession& session, Arguments arguments) {
    const std::string text = describe_client(session, session.services().connections.now_ms, sent_bytes(arguments)) + "\n";
    session.reply([&](RespEncoder& to) { to.verbatim("txt", text); });
}

/// Which connections CLIENT KILL means: all filters must fit.
struct Filter {
    std::optional<std::uint64_t> id;
    std::optional<std::string_view> address, local_address, type, user;
    bool spares_itself = true;

    [[nodiscard]] bool fits(const RespSession& of, const RespSession& self) const {
        return (!id || of.id() == *id) && (!address || of.remote() == *address) && (!local_address || of.local() == *local_address) &&
               (!type || is_of_type(of, *type)) && (!user || of.user_name() == *user) && !(spares_itself && &of == &self);
    }
};

/// Nullopt: `filter` is filled; otherwise what is wrong.
std::optional<std::string> read_filter(Arguments options, const Acl& users, Filter& filter) {
    if (options.size() % 2 != 0) return "ERR syntax error";
    for (std::size_t i = 0; i < options.size(); i += 2) {
        const std::string_view option = options[i], value = options[i + 1];
        if (is_word(option, "ID")) {
            const auto number = integer_of(value);
            if (!number || *number < 1) return "ERR client-id should be greater than 0";
            filter.id = static_cast<std::uint64_t>(*number);
        } else if (is_word(option, "ADDR")) {
            filter.address = value;
        } else if (is_word(option, "LADDR")) {
            filter.local_address = value;
        } else if (is_word(option, "TYPE")) {
            if (auto refused = refuse_type(value)) return refused;
            filter.type = value;
        } else if (is_word(option, "USER")) {
            if (users.find(value) == nullptr) return fmt::format("ERR No such user '{}'", value);
            filter.user = value;
        } else if (is_word(option, "SKIPME") && (is_word(value, "YES") || is_word(value, "NO"))) {
            filter.spares_itself = is_word(value, "YES");
        } else {
            return "ERR syntax error";
        }
    }
    return std::nullopt;
}

void kill(RespSession& session, Arguments arguments) {
    const bool is_old_form = arguments.size() == 3;
    Filter filter;
    if (is_old_form) {
        filter = {.address = arguments[2], .spares_itself = false};
    } else if (const auto refused = read_filter(arguments.subspan(2), session.services().acl, filter)) {
        return session.reply_error(*refused);
    }
    std::int64_t killed = 0;
    bool ends_itself = false;
    for (const auto& each : sessions(session)) {
        if (!filter.fits(*each, session)) continue;
        ++killed;
        each.get() == &session ? static_cast<void>(ends_itself = true) : each->drop();
    }
    if (is_old_form && killed == 0) return session.reply_error("ERR No such client");
    is_old_form ? session.reply_ok() : session.reply([&](RespEncoder& to) { to.integer(killed); });
    if (ends_itself) session.end_after_replies();
}

void unblock(RespSession& session, Arguments arguments) {
    const auto id = integer_of(arguments[2]);
    if (!id) return session.reply_error("ERR value is not an integer or out of range");
    const bool with_error = arguments.size() == 4 && is_word(arguments[3], "ERROR");
    if (arguments.size() > 4) return session.reply_error(wrong_subcommand(arguments));
    if (arguments.size() == 4 && !with_error && !is_word(arguments[3], "TIMEOUT")) {
        return session.reply_error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
    Waiting& waiting = session.services().port.waiting;
    const bool ended = with_error ? waiting.end(static_cast<std::uint64_t>(*id), "UNBLOCKED client unblocked via CLIENT UNBLOCK")
                                  : waiting.end(static_cast<std::uint64_t>(*id));
    session.reply([&](RespEncoder& to) { to.integer(ended ? 1 : 0); });
}

void wake_all(RespSession& session) {
    for (const auto& connection : session.services().connections.all()) connection->wake();
}

void pause(RespSession& session, Arguments arguments) {
    const auto timeout = integer_of(arguments[2]);
    if (!timeout) return session.reply_error("ERR timeout is not an integer or out of range");
    if (*timeout < 0) return session.reply_error("ERR timeout is negative");
    const bool only_writes = arguments.size() == 4 && is_word(arguments[3], "WRITE");
    if (arguments.size() > 4) return session.reply_error(wrong_subcommand(arguments));
    if (arguments.size() == 4 && !only_writes && !is_word(arguments[3], "ALL")) {
        return session.reply_error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
    constexpr std::int64_t kYearMs = 31'536'000'000;
    session.services().port.pause = {
        .until_ms = session.services().connections.now_ms + static_cast<std::uint64_t>(std::min(*timeout, kYearMs)),
        .only_writes = only_writes};
    session.reply_ok();
}

void unpause(RespSession& session, Arguments) {
    session.services().port.pause = {};
    wake_all(session);
    session.reply_ok();
}

constexpr std::uint32_t kAnyTime = kNoScript | kLoading | kStale | kOnSentinel;
constexpr std::uint32_t kRuling = kAnyTime | kAdmin;
constexpr KeyWords kNoKeys{};
constexpr auto kGroup = Group::kConnection;
constexpr std::array kSubcommands = {
    Command{"CACHING", 3, RequestKind::kOther, client_caching, kAnyTime, kNoKeys, kGroup},
    Command{"GETNAME", 2, RequestKind::kOther, get_name, kAnyTime, kNoKeys, kGroup},
    Command{"GETREDIR", 2, RequestKind::kOther, client_redirection, kAnyTime, kNoKeys, kGroup},
    Command{"HELP", 2, RequestKind::kOther, help, kLoading | kStale | kOnSentinel, kNoKeys, kGroup},
    Command{"ID", 2, RequestKind::kOther, id, kAnyTime, kNoKeys, kGroup},
    Command{"INFO", 2, RequestKind::kOther, info, kAnyTime, kNoKeys, kGroup},
    Command{"KILL", -3, RequestKind::kOther, kill, kRuling, kNoKeys, kGroup},
    Command{"LIST", -2, RequestKind::kOther, list, kRuling, kNoKeys, kGroup},
    Command{"NO-EVICT", 3, RequestKind::kOther, on_or_off, kRuling, kNoKeys, kGroup},
    Command{"NO-TOUCH", 3, RequestKind::kOther, on_or_off, kAnyTime, kNoKeys, kGroup},
    Command{"PAUSE", -3, RequestKind::kOther, pause, kRuling, kNoKeys, kGroup},
    Command{"REPLY", 3, RequestKind::kOther, reply, kAnyTime, kNoKeys, kGroup},
    Command{"SETINFO", 4, RequestKind::kOther, set_info, kAnyTime, kNoKeys, kGroup},
    Command{"SETNAME", 3, RequestKind::kOther, set_name, kAnyTime, kNoKeys, kGroup},
    Command{"TRACKING", -3, RequestKind::kOther, client_tracking, kAnyTime, kNoKeys, kGroup},
    Command{"TRACKINGINFO", 2, RequestKind::kOther, client_tracking_info, kAnyTime, kNoKeys, kGroup},
    Command{"UNBLOCK", -3, RequestKind::kOther, unblock, kRuling, kNoKeys, kGroup},
    Command{"UNPAUSE", 2, RequestKind::kOther, unpause, kRuling, kNoKeys, kGroup},
};
constexpr std::array kCommands = {
    Command{"CLIENT", -2, RequestKind::kOther, nullptr, kOnSentinel, kNoKeys, kGroup, kSubcommands},
};

}  // namespace

std::string describe_client(const RespSession& of, std::uint64_t now_ms, std::size_t running_bytes) {
    const std::size_t unread = of.unread() + running_bytes;
    const std::int64_t queued = of.transaction().is_open ? static_cast<std::int64_t>(of.transaction().queued.size()) : -1;
    return fmt::format(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db=0 sub={} psub={} ssub={} multi={} qbuf={} qbuf-free=0 argv-mem=0 "
        "multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem={} tot-mem={} events=r cmd={} user={} redir={} resp={} lib-name={} lib-ver={}",
        of.id(), of.remote(), of.local(), of.descriptor(), of.name, (now_ms - of.opened_ms()) / 1000, (now_ms - of.heard_ms()) / 1000,
        flags_of(of), of.channels().size(), of.patterns().size(), of.shard_subscriptions(), queued, unread, of.unsent(),
        unread + of.unsent(), of.last_row() == nullptr ? "NULL" : of.last_row()->name, of.user_name(),
        of.tracking() ? static_cast<std::int64_t>(of.tracking()->redirect) : -1, static_cast<int>(of.version()), of.library,
        of.library_version);
}

std::span<const Command> client_commands() { return kCommands; }

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// AUTH and ACL.
#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "server/resp/acl.h"
#include "server/resp/categories.h"
#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"
#include "server/resp/words.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;

void auth(RespSession& session, Arguments arguments) {
    if (arguments.size() > 3) return session.reply_error("ERR syntax error");
    const bool names_user = arguments.size() == 3;
    if (!names_user && session.services().acl.default_user()->needs_no_password) {
        return session.reply_error(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
    }
    if (!session.authenticate(names_user ? arguments[1] : "default", arguments.back())) return session.reply_error(kWrongPassword);
    session.reply_ok();
}

void encode_words(RespEncoder& to, const std::vector<std::string>& words) {
    to.array(words.size());
    for (const std::string& word : words) to.bulk(word);
}

void list(RespSession& session, Arguments) {
    std::vector<std::string> lines;
    for (const auto& [_, user] : session.services().acl.users()) lines.push_back(user->line());
    session.reply([&](RespEncoder& to) { encode_words(to, lines); });
}

void users(RespSession& session, Arguments) {
    std::vector<std::string> names;
    for (const auto& [name, _] : session.services().acl.users()) names.push_back(name);
    session.reply([&](RespEncoder& to) { encode_words(to, names); });
}

void who_am_i(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.bulk(session.user_name()); });
}

void get_user(RespSession& session, Arguments arguments) {
    const AclUser* user = session.services().acl.find(arguments[2]);
    session.reply([&](RespEncoder& to) {
        if (user == nullptr) return to.null();
        std::vector<std::string> flags{user->enabled ? "on" : "off"};
        if (user->needs_no_password) flags.emplace_back("nopass");
        to.map(6);
        to.bulk("flags");
        to.set(flags.size());
        for (const std::string& flag : flags) to.bulk(flag);
        to.bulk("passwords");
        encode_words(to, {user->passwords.begin(), user->passwords.end()});
        to.bulk("commands");
        to.bulk(user->commands_text());
        to.bulk("keys");
        to.bulk(user->keys_text());
        to.bulk("channels");
        to.bulk(user->channels_text());
        to.bulk("selectors");
        to.array(0);
    });
}

void set_user(RespSession& session, Arguments arguments) {
    const bool is_name = std::ranges::none_of(arguments[2], [](char c) { return c <= ' '; });
    if (!is_name) return session.reply_error("ERR Usernames can't contain spaces or null characters");
    const Status set = session.services().acl.set_user(arguments[2], arguments.subspan(3));
    set ? session.reply_ok() : session.reply_error("ERR " + set.error().message);
}

/// Ends the connections of users that are gone; the session's own behind its answer.
void drop_connections_of_gone_users(RespSession& session) {
    for (const auto& connection : session.services().connections.all()) {
        auto* other = dynamic_cast<RespSession*>(connection.get());
        if (other == nullptr || session.services().acl.find(other->user_name()) != nullptr) continue;
        other == &session ? session.end_after_replies() : other->drop();
    }
}

void delete_user(RespSession& session, Arguments arguments) {
    if (std::ranges::find(arguments.subspan(2), "default") != arguments.end())
        return session.reply_error("ERR The 'default' user cannot be removed");
    std::int64_t deleted = 0;
    for (const std::string_view name : arguments.subspan(2)) deleted += session.services().acl.delete_user(name) ? 1 : 0;
    session.reply([&](RespEncoder& to) { to.integer(deleted); });
    drop_connections_of_gone_users(session);
}

void cat(RespSession& session, Arguments arguments) {
    if (arguments.size() > 3) return session.reply_error(wrong_arity("acl|cat"));
    if (arguments.size() == 2) {
        return session.reply([](RespEncoder& to) {
            to.array(categories().size());
            for (const std::string_view category : categories()) to.bulk(category);
        });
    }
    const std::string wanted = lower(arguments[2]);
    if (std::ranges::find(categories(), wanted) == categories().end())
        return session.reply_error(fmt::format("ERR Unknown category '{}'", arguments[2].substr(0, 128)));
    std::vector<std::string> names;
    for (const CommandTable::Row& row : session.services().port.commands.all()) {
        const auto own = categories_of(row);
        if (std::ranges::find(own, "@" + wanted) != own.end()) names.push_back(row.name);
    }
    session.reply([&](RespEncoder& to) { encode_words(to, names); });
}

void generate_password(RespSession& session, Arguments arguments) {
    constexpr std::int64_t kBitsMax = 4096;
    const auto bits = arguments.size() > 2 ? integer_of(arguments[2]) : std::optional<std::int64_t>(256);
    if (arguments.size() > 3 || !bits || *bits <= 0 || *bits > kBitsMax) {
        return session.reply_error(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096");
    }
    const auto digits = static_cast<std::size_t>((*bits + 3) / 4);
    std::vector<unsigned char> random((digits + 1) / 2);
    for (std::size_t got = 0; got < random.size();) {
        const ssize_t bytes = ::getrandom(random.data() + got, random.size() - got, 0);
        if (bytes < 0 && errno != EINTR) return session.reply_error("ERR no random bytes could be had");
        got += static_cast<std::size_t>(std::max<ssize_t>(bytes, 0));
    }
    std::string password;
    for (const unsigned char byte : random) password += fmt::format("{:02x}", byte);
    password.resize(digits);
    session.reply([&](RespEncoder& to) { to.bulk(password); });
}

constexpr std::string_view kNoFile =
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then "
    "issue a "
    "CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.";

void save(RespSession& session, Arguments) {
    const Result<bool> saved = session.services().administration.save_users();
    if (!saved) return session.reply_error("ERR " + saved.error().message);
    *saved ? session.reply_ok() : session.reply_error(kNoFile);
}

void load(RespSession& session, Arguments) {
    const Result<bool> loaded = session.services().administration.load_users();
    if (!loaded) return session.reply_error("ERR " + loaded.error().message);
    if (!*loaded) return session.reply_error(kNoFile);
    session.reply_ok();
    drop_connections_of_gone_users(session);
}

constexpr auto kOther = RequestKind::kOther;
constexpr std::uint32_t kAsking = kNoScript | kLoading | kStale | kOnSentinel;
constexpr std::uint32_t kRuling = kAsking | kAdmin;
constexpr std::array kAclSubcommands = {
    Command{"CAT", -2, kOther, cat, kAsking},
    Command{"DELUSER", -3, kOther, delete_user, kRuling},
    Command{"GENPASS", -2, kOther, generate_password, kAsking},
    Command{"GETUSER", 3, kOther, get_user, kRuling},
    Command{"HELP", 2, kOther, help, kLoading | kStale | kOnSentinel},
    Command{"LIST", 2, kOther, list, kRuling},
    Command{"LOAD", 2, kOther, load, kRuling},
    Command{"SAVE", 2, kOther, save, kRuling},
    Command{"SETUSER", -3, kOther, set_user, kRuling | kSecret},
    Command{"USERS", 2, kOther, users, kRuling},
    Command{"WHOAMI", 2, kOther, who_am_i, kAsking},
};
constexpr std::array kCommands = {
    Command{"AUTH", -2, kOther, auth, kNoScript | kLoading | kStale | kFast | kNoAuth | kOnSentinel | kSecret, {}, Group::kConnection},
    Command{"ACL", -2, kOther, nullptr, kOnSentinel, {}, Group::kServer, kAclSubcommands},
};

}  // namespace

std::span<const Command> acl_commands() { return kCommands; }

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// AUTH and ACL.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/crypto.h"
#include "server/resp/acl.h"
#include "server/resp/categories.h"
#include "server/resp/command.h"
#include "server/resp/help.h"
#include "server/resp/session.h"
#include "server/resp/words.h"
#include "server/users.h"

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

void encode_rights(RespEncoder& to, const AclSelector& rights) {
    to.bulk("commands");
    to.bulk(rights.commands_text());
    to.bulk("keys");
    to.bulk(rights.keys_text());
    to.bulk("channels");
    to.bulk(rights.channels_text());
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
        encode_rights(to, user->own);
        to.bulk("selectors");
        to.array(user->others.size());
        for (const AclSelector& selector : user->others) {
            to.map(3);
            encode_rights(to, selector);
        }
    });
}

/// Changes the users of the cluster; the client is answered when that is in force here.
void change_users(RespSession& session, Users::Edit edit, std::function<void(RespEncoder&)> encode) {
    session.block();
    session.services().users.change(
        std::move(edit), [asker = session.shared_session(), encode = std::move(encode)](const std::optional<std::string>& error) {
            asker->unblock([&](RespEncoder& to) { error ? to.error(*error) : encode(to); });
        });
}

void say_ok(RespEncoder& to) { to.ok(); }

void set_user(RespSession& session, Arguments arguments) {
    const bool is_name =
        std::ranges::none_of(arguments[2], [](char c) { return c == '\0' || std::isspace(static_cast<unsigned char>(c)) != 0; });
    if (!is_name) return session.reply_error("ERR Usernames can't contain spaces or null characters");
    change_users(
        session,
        [name = std::string(arguments[2]), rules = std::vector<std::string>(arguments.begin() + 3, arguments.end())](Acl& users) {
            const std::vector<std::string_view> views(rules.begin(), rules.end());
            return users.set_user(name, views);
        },
        say_ok);
}

void delete_user(RespSession& session, Arguments arguments) {
    if (std::ranges::find(arguments.subspan(2), "default") != arguments.end())
        return session.reply_error("ERR The 'default' user cannot be removed");
    const auto deleted = std::make_shared<std::int64_t>(0);
    change_users(
        session,
        [deleted, names = std::vector<std::string>(arguments.begin() + 2, arguments.end())](Acl& users) {
            *deleted = std::ranges::count_if(names, [&](const std::string& name) { return users.delete_user(name); });
            return Status{};
        },
        [deleted](RespEncoder& to) { to.integer(*deleted); });
}

void cat(RespSession& session, Arguments arguments) {
    if (arguments.size() > 3) return session.reply_error("ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.");
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

void dry_run(RespSession& session, Arguments arguments) {
    const AclUser* user = session.services().acl.find(arguments[2]);
    if (user == nullptr) return session.reply_error(fmt::format("ERR User '{}' not found", arguments[2].substr(0, 128)));
    const Arguments words = arguments.subspan(3);
    const CommandTable::Row* row = session.services().port.commands.find(words);
    const bool is_container = row != nullptr && row->command->handler == nullptr;
    if (row == nullptr || (is_container && words.size() > 1))
        return session.reply_error(fmt::format("ERR Command '{}' not found", words[0].substr(0, 128)));
    if (is_container || !takes(*row->command, words.size())) return session.reply_error(wrong_arity(row->name));
    const auto denial = user->deny(*row, words);
    session.reply([&](RespEncoder& to) { denial ? to.bulk(denial->explanation()) : to.ok(); });
}

void log(RespSession& session, Arguments arguments) {
    AclLog& events = session.services().port.records.acl_log;
    if (arguments.size() == 3 && is_word(arguments[2], "RESET")) {
        events.clear();
        return session.reply_ok();
    }
    const auto count = arguments.size() == 3 ? integer_of(arguments[2]) : std::optional<std::int64_t>(10);
    if (arguments.size() > 3 || !count) {
        return session.reply_error(arguments.size() > 3 ? "ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP."
                                                        : "ERR value is not an integer or out of range");
    }
    const std::uint64_t now_ms = session.services().connections.now_ms;
    session.reply([&](RespEncoder& to) {
        const std::size_t shown = std::min(events.events().size(), static_cast<std::size_t>(std::max<std::int64_t>(*count, 0)));
        to.array(shown);
        for (std::size_t i = 0; i < shown; ++i) {
            const AclEvent& event = events.events()[i];
            to.map(7);
            to.bulk("count");
            to.integer(static_cast<std::int64_t>(event.count));
            for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>{"reason", event.reason},
                                              {"context", event.context},
                                              {"object", event.object},
                                              {"username", event.user}}) {
                to.bulk(name);
                to.bulk(value);
            }
            to.bulk("age-seconds");
            to.bulk(fmt::format("{:.3f}", static_cast<double>(now_ms - std::min(event.at_ms, now_ms)) / 1000));
            to.bulk("client-info");
            to.bulk(event.client);
        }
    });
}

void generate_password(RespSession& session, Arguments arguments) {
    constexpr std::int64_t kBitsMax = 4096;
    const auto bits = arguments.size() > 2 ? integer_of(arguments[2]) : std::optional<std::int64_t>(256);
    if (!bits) return session.reply_error("ERR value is not an integer or out of range");
    if (arguments.size() > 3 || *bits <= 0 || *bits > kBitsMax) {
        return session.reply_error(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096");
    }
    const auto digits = static_cast<std::size_t>((*bits + 3) / 4);
    std::string password = hex(random_bytes((digits + 1) / 2));
    password.resize(digits);
    session.reply([&](RespEncoder& to) { to.bulk(password); });
}

constexpr std::string_view kNoFile =
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then "
    "issue a "
    "CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.";

bool has_file(RespSession& session) { return !session.services().administration.config().security.acl_file.path.empty(); }

void save(RespSession& session, Arguments) {
    if (!has_file(session)) return session.reply_error(kNoFile);
    const Status saved = session.services().users.save();
    saved ? session.reply_ok() : session.reply_error("ERR " + saved.error().message);
}

void load(RespSession& session, Arguments) {
    if (!has_file(session)) return session.reply_error(kNoFile);
    session.block();
    session.services().users.load([asker = session.shared_session()](const std::optional<std::string>& error) {
        asker->unblock([&](RespEncoder& to) { error ? to.error(*error) : to.ok(); });
    });
}

constexpr auto kOther = RequestKind::kOther;
constexpr std::uint32_t kAsking = kNoScript | kLoading | kStale | kOnSentinel;
constexpr std::uint32_t kRuling = kAsking | kAdmin;
constexpr std::array kAclSubcommands = {
    Command{"CAT", -2, kOther, cat, kAsking},
    Command{"DELUSER", -3, kOther, delete_user, kRuling | kNoMulti},
    Command{"DRYRUN", -4, kOther, dry_run, kRuling},
    Command{"GENPASS", -2, kOther, generate_password, kAsking},
    Command{"GETUSER", 3, kOther, get_user, kRuling},
    Command{"HELP", 2, kOther, help, kLoading | kStale | kOnSentinel},
    Command{"LIST", 2, kOther, list, kRuling},
    Command{"LOAD", 2, kOther, load, kRuling | kNoMulti},
    Command{"LOG", -2, kOther, log, kRuling},
    Command{"SAVE", 2, kOther, save, kRuling},
    Command{"SETUSER", -3, kOther, set_user, kRuling | kSecret | kNoMulti},
    Command{"USERS", 2, kOther, users, kRuling},
    Command{"WHOAMI", 2, kOther, who_am_i, kAsking},
};
constexpr std::array kCommands = {
    Command{"AUTH",
            -2,
            kOther,
            auth,
            kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kOnSentinel | kSecret,
            {},
            Group::kConnection},
    Command{"ACL", -2, kOther, nullptr, kOnSentinel, {}, Group::kServer, kAclSubcommands},
};

}  // namespace

std::span<const Command> acl_commands() { return kCommands; }

}  // namespace tanist::server::resp

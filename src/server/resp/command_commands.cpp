// SPDX-License-Identifier: Apache-2.0
// COMMAND: what the port serves, told from the table that it serves by.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "commands/redis/glob.h"
#include "server/resp/categories.h"
#include "server/resp/command.h"
#include "server/resp/docs.h"
#include "server/resp/help.h"
#include "server/resp/key_rights.h"
#include "server/resp/session.h"
#include "server/resp/tips.h"

namespace tanist::server::resp {
namespace {

using protocol::RespEncoder;
using Row = CommandTable::Row;

constexpr std::array<std::pair<Flag, std::string_view>, 17> kFlagNames{{{kWrite, "write"},
                                                                        {kReadOnly, "readonly"},
                                                                        {kDenyOom, "denyoom"},
                                                                        {kAdmin, "admin"},
                                                                        {kPubSub, "pubsub"},
                                                                        {kNoScript, "noscript"},
                                                                        {kBlocking, "blocking"},
                                                                        {kLoading, "loading"},
                                                                        {kStale, "stale"},
                                                                        {kSkipMonitor, "skip_monitor"},
                                                                        {kSkipSlowlog, "skip_slowlog"},
                                                                        {kFast, "fast"},
                                                                        {kNoAuth, "no_auth"},
                                                                        {kNoAsyncLoading, "no_async_loading"},
                                                                        {kNoMulti, "no_multi"},
                                                                        {kMovableKeys, "movablekeys"},
                                                                        {kAllowBusy, "allow_busy"}}};
constexpr std::array<std::string_view, 9> kGroupNames{"generic", "string", "bitmap",   "transactions", "connection",
                                                      "pubsub",  "server", "sentinel", "tanist"};

void encode_words(RespEncoder& to, const std::vector<std::string_view>& words) {
    to.set(words.size());
    for (const std::string_view word : words) to.simple(word);
}

std::vector<std::string_view> split(std::string_view words) {
    std::vector<std::string_view> found;
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        found.push_back(words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return found;
}

std::vector<std::string_view> flags_of(const Row& row) {
    std::vector<std::string_view> names;
    for (const auto& [flag, name] : kFlagNames) {
        if (row.has(flag)) names.push_back(name);
    }
    return names;
}

void encode_tips(RespEncoder& to, std::string_view name) {
    const auto tips = split(tips_of(name));
    to.set(tips.size());
    for (const std::string_view tip : tips) to.bulk(tip);
}

/// `type`, and what of it: numbers by name.
void encode_search(RespEncoder& to, std::string_view type, std::initializer_list<std::pair<std::string_view, int>> numbers) {
    to.map(2);
    to.bulk("type");
    to.bulk(type);
    to.bulk("spec");
    to.map(numbers.size());
    for (const auto& [name, number] : numbers) {
        to.bulk(name);
        to.integer(number);
    }
}

void encode_keys(RespEncoder& to, const Command& command) {
    const auto specifications = key_specifications(command);
    to.set(specifications.size());
    for (const KeySpecification& each : specifications) {
        to.map(each.note.empty() ? 3 : 4);
        if (!each.note.empty()) {
            to.bulk("notes");
            to.bulk(each.note);
        }
        to.bulk("flags");
        encode_words(to, split(each.use));
        to.bulk("begin_search");
        encode_search(to, "index", {{"index", each.first}});
        to.bulk("find_keys");
        encode_search(to, "range", {{"lastkey", each.last}, {"keystep", each.step}, {"limit", 0}});
    }
}

void encode_info(RespEncoder& to, const Row* row) {
    if (row == nullptr) return to.null();
    to.array(10);
    to.bulk(row->name);
    to.integer(row->command->arity);
    encode_words(to, flags_of(*row));
    to.integer(row->command->keys.first);
    to.integer(row->command->keys.last);
    to.integer(row->command->keys.step);
    encode_words(to, categories_of(*row));
    encode_tips(to, row->name);
    encode_keys(to, *row->command);
    row->subcommands.empty() ? to.set(0) : to.array(row->subcommands.size());  // as Redis has it
    for (const Row* subcommand : row->subcommands) encode_info(to, subcommand);
}

/// The rows of these names, null for one that is unknown; of none, all commands.
std::vector<const Row*> asked(RespSession& session, Arguments arguments) {
    const CommandTable& table = session.services().port.commands;
    if (arguments.size() <= 2) return table.commands();
    std::vector<const Row*> rows;
    for (const std::string_view name : arguments.subspan(2)) rows.push_back(table.find(name));
    return rows;
}

void info(RespSession& session, Arguments arguments) {
    const auto rows = asked(session, arguments);
    session.reply([&](RespEncoder& to) {
        to.array(rows.size());
        for (const Row* row : rows) encode_info(to, row);
    });
}

/// COMMAND alone. With a word it does not know, the error that a container gives.
void command(RespSession& session, Arguments arguments) {
    arguments.size() > 1 ? session.reply_error(unknown_subcommand(arguments)) : info(session, arguments);
}

void count(RespSession& session, Arguments) {
    session.reply([&](RespEncoder& to) { to.integer(static_cast<std::int64_t>(session.services().port.commands.commands().size())); });
}

/// What stands outside all brackets, and each bracket as a whole.
std::vector<std::string_view> top_level(std::string_view syntax) {
    std::vector<std::string_view> items;
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= syntax.size(); ++i) {
        if (i == syntax.size() || (syntax[i] == ' ' && depth == 0)) {
            if (i > begin) items.push_back(syntax.substr(begin, i - begin));
            begin = i + 1;
        } else if (syntax[i] == '[' || syntax[i] == '(') {
            ++depth;
        } else if (syntax[i] == ']' || syntax[i] == ')') {
            --depth;
        }
    }
    return items;
}

/// Enough for the hints of redis-cli: each part of the syntax as one argument, in words.
void encode_arguments(RespEncoder& to, std::string_view syntax) {
    const auto items = top_level(syntax);
    to.array(items.size());
    for (const std::string_view item : items) {
        const bool optional = item.front() == '[';
        to.map(optional ? 3 : 2);
        to.bulk("name");
        to.bulk(optional ? item.substr(1, item.size() - 2) : item);
        to.bulk("type");
        to.bulk("string");
        if (!optional) continue;
        to.bulk("flags");
        to.set(1);
        to.simple("optional");
    }
}

void encode_docs(RespEncoder& to, const Row& row) {
    const Docs* docs = find_docs(row.name);
    const bool has_arguments = docs != nullptr && !docs->syntax.empty();
    to.bulk(row.name);
    to.map((docs != nullptr ? 3u : 1u) + (has_arguments ? 1u : 0u) + (row.subcommands.empty() ? 0u : 1u));
    if (docs != nullptr) {
        to.bulk("summary");
        to.bulk(docs->summary);
        to.bulk("since");
        to.bulk(docs->since);
    }
    to.bulk("group");
    to.bulk(kGroupNames.at(static_cast<std::size_t>(row.command->group)));
    if (has_arguments) {
        to.bulk("arguments");
        encode_arguments(to, docs->syntax);
    }
    if (row.subcommands.empty()) return;
    to.bulk("subcommands");
    to.map(row.subcommands.size());
    for (const Row* subcommand : row.subcommands) encode_docs(to, *subcommand);
}

void docs(RespSession& session, Arguments arguments) {
    auto rows = asked(session, arguments);
    std::erase(rows, nullptr);
    session.reply([&](RespEncoder& to) {
        to.map(rows.size());
        for (const Row* row : rows) encode_docs(to, *row);
    });
}

void list(RespSession& session, Arguments arguments) {
    std::vector<const Row*> rows;
    for (const Row& row : session.services().port.commands.all()) rows.push_back(&row);
    if (arguments.size() == 5 && is_word(arguments[2], "FILTERBY")) {
        const std::string_view by = arguments[4];
        if (is_word(arguments[3], "MODULE")) {
            rows.clear();  // there are no modules
        } else if (is_word(arguments[3], "ACLCAT")) {
            std::erase_if(rows, [&](const Row* row) {
                const auto categories = categories_of(*row);
                return std::ranges::none_of(categories, [&](std::string_view each) { return is_word(each.substr(1), upper(by)); });
            });
        } else if (is_word(arguments[3], "PATTERN")) {
            std::erase_if(rows, [&](const Row* row) { return !commands::redis::glob_matches(lower(by), row->name); });
        } else {
            return session.reply_error("ERR syntax error");
        }
    } else if (arguments.size() != 2) {
        return session.reply_error("ERR syntax error");
    }
    session.reply([&](RespEncoder& to) {
        to.array(rows.size());
        for (const Row* row : rows) to.bulk(row->name);
    });
}

/// The keys among the words of another command, or the error; `tell` encodes one.
template <class Tell>
void tell_keys(RespSession& session, Arguments arguments, Tell&& tell) {
    const Arguments words = arguments.subspan(2);
    const Row* row = session.services().port.commands.find(words);
    if (row == nullptr) return session.reply_error("ERR Invalid command specified");
    if (row->command->keys.first == 0) return session.reply_error("ERR The command has no key arguments");
    if (!takes(*row->command, words.size())) return session.reply_error("ERR Invalid number of arguments specified for command");
    const auto keys = keys_of(*row->command, words);
    if (keys.empty()) return session.reply_error("ERR Invalid arguments specified for command");
    session.reply([&](RespEncoder& to) {
        to.array(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) tell(to, keys[i], key_use(*row->command, words, i));
    });
}

void get_keys(RespSession& session, Arguments arguments) {
    tell_keys(session, arguments, [](RespEncoder& to, std::string_view key, KeyUse) { to.bulk(key); });
}

void get_keys_and_flags(RespSession& session, Arguments arguments) {
    tell_keys(session, arguments, [](RespEncoder& to, std::string_view key, KeyUse use) {
        to.array(2);
        to.bulk(key);
        encode_words(to, split(use));
    });
}

constexpr std::uint32_t kAnyTime = kLoading | kStale | kOnSentinel | kCategoryConnection;
constexpr std::array kSubcommands = {
    Command{"COUNT", 2, RequestKind::kOther, count, kAnyTime},
    Command{"DOCS", -2, RequestKind::kOther, docs, kAnyTime},
    Command{"GETKEYS", -4, RequestKind::kOther, get_keys, kAnyTime},
    Command{"GETKEYSANDFLAGS", -4, RequestKind::kOther, get_keys_and_flags, kAnyTime},
    Command{"HELP", 2, RequestKind::kOther, help, kAnyTime},
    Command{"INFO", -2, RequestKind::kOther, info, kAnyTime},
    Command{"LIST", -2, RequestKind::kOther, list, kAnyTime},
};
constexpr std::array kCommands = {
    Command{"COMMAND", -1, RequestKind::kOther, command, kAnyTime, {}, Group::kServer, kSubcommands},
};

}  // namespace

std::span<const Command> command_commands() { return kCommands; }

}  // namespace tanist::server::resp

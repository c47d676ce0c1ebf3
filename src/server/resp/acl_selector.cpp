// SPDX-License-Identifier: Apache-2.0
#include "server/resp/acl_selector.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "commands/redis/glob.h"
#include "server/resp/categories.h"
#include "server/resp/key_rights.h"

namespace tanist::server::resp {
namespace {

tl::unexpected<Error> syntax_error() { return fail(ErrorCode::kInvalidArgument, "Syntax error"); }
tl::unexpected<Error> unknown_command_rule() { return fail(ErrorCode::kInvalidArgument, "Unknown command or category name in ACL"); }

/// Then it could not be told as a word of a line.
bool has_space(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return c == ' ' || c == '\0' || (c >= '\t' && c <= '\r'); });
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// Channels among the words; `is_pattern` of PSUBSCRIBE.
struct Channels {
    std::size_t first = 0, last = 0;
    bool is_pattern = false;
};
std::optional<Channels> channels_of(const CommandTable::Row& row, Arguments words) {
    const std::string_view name = row.command->name;
    if (words.size() < 2) return std::nullopt;
    if (name == "PUBLISH" || name == "SPUBLISH") return Channels{1, 1};
    if (name == "SUBSCRIBE" || name == "SSUBSCRIBE") return Channels{1, words.size() - 1};
    if (name == "PSUBSCRIBE") return Channels{1, words.size() - 1, true};
    return std::nullopt;
}

}  // namespace

// -- what is denied ---------------------------------------------------------------------------------------------------------------------

std::string Denial::error() const {
    switch (of) {
        case Of::kCommand: return fmt::format("NOPERM this user has no permissions to run the '{}' command", object);
        case Of::kKey: return "NOPERM this user has no permissions to access one of the keys used as arguments";
        case Of::kChannel: break;
    }
    return "NOPERM this user has no permissions to access one of the channels used as arguments";
}

std::string Denial::explanation() const {
    if (of == Of::kCommand) return fmt::format("This user has no permissions to run the '{}' command", object);
    return fmt::format("This user has no permissions to access the '{}' {}", object, reason());
}

std::string_view Denial::reason() const { return of == Of::kCommand ? "command" : of == Of::kKey ? "key" : "channel"; }

AclSelector AclSelector::of_all() {
    AclSelector all;
    all.all_commands = all.all_keys = all.all_channels = true;
    all.command_rules = {"+@all"};
    return all;
}

bool AclSelector::may_run(const CommandTable::Row& row, Arguments words) const {
    if (all_commands || row.has(kNoAuth) || commands.contains(row.command)) return true;
    const auto first = first_words.find(row.command);
    return first != first_words.end() && words.size() > 1 &&
           std::ranges::any_of(first->second, [&](const std::string& word) { return lower(words[1]) == word; });
}

bool AclSelector::may_read_key(std::string_view key) const {
    return all_keys ||
           std::ranges::any_of(keys, [&](const KeyPattern& each) { return each.read && commands::redis::glob_matches(each.pattern, key); });
}

/// A pattern must be there as it is, since nobody can tell what else it matches.
bool AclSelector::may_use_channel(std::string_view channel, bool is_pattern) const {
    return all_channels || std::ranges::any_of(channels, [&](const std::string& pattern) {
               return is_pattern ? pattern == channel : commands::redis::glob_matches(pattern, channel);
           });
}

std::optional<Denial> AclSelector::deny(const CommandTable::Row& row, Arguments words) const {
    if (!may_run(row, words)) return Denial{Denial::Of::kCommand, 0, row.name};
    if (!all_keys && row.command->keys.first > 0) {
        const auto used = keys_of(*row.command, words);
        for (std::size_t place = 0; place < used.size(); ++place) {
            const KeyRights needed = key_rights(*row.command, words, place);
            const bool allowed = std::ranges::any_of(keys, [&](const KeyPattern& each) {
                return (each.read || !needed.read) && (each.write || !needed.write) &&
                       commands::redis::glob_matches(each.pattern, used[place]);
            });
            if (!allowed) return Denial{Denial::Of::kKey, place, std::string(used[place])};
        }
    }
    if (const auto used = all_channels ? std::nullopt : channels_of(row, words)) {
        for (std::size_t at = used->first; at <= used->last; ++at) {
            if (!may_use_channel(words[at], used->is_pattern)) return Denial{Denial::Of::kChannel, at, std::string(words[at])};
        }
    }
    return std::nullopt;
}

// -- as text ----------------------------------------------------------------------------------------------------------------------------

std::string AclSelector::keys_text() const {
    if (all_keys) return "~*";
    std::vector<std::string> texts;
    for (const KeyPattern& each : keys) texts.push_back((!each.write ? "%R~" : !each.read ? "%W~" : "~") + each.pattern);
    return joined(texts);
}

std::string AclSelector::channels_text() const {
    if (all_channels) return "&*";
    std::vector<std::string> texts;
    for (const std::string& each : channels) texts.push_back("&" + each);
    return joined(texts);
}

std::string AclSelector::commands_text() const { return joined(command_rules); }

std::string AclSelector::text() const {
    std::vector<std::string> parts;
    if (std::string patterns = keys_text(); !patterns.empty()) parts.push_back(std::move(patterns));
    if (!all_channels) parts.emplace_back("resetchannels");
    if (std::string patterns = channels_text(); !patterns.empty()) parts.push_back(std::move(patterns));
    parts.push_back(commands_text());
    return joined(parts);
}

// -- rules ------------------------------------------------------------------------------------------------------------------------------

Status AclSelector::apply(std::string_view rule, const CommandTables& tables) {
    const std::string small = lower(rule);
    if (small == "allcommands") return apply_to_commands("+@all", tables);
    if (small == "nocommands") return apply_to_commands("-@all", tables);
    if (small == "allkeys") return apply_to_keys("~*");
    if (small == "allchannels") return apply_to_channels("&*");
    if (small == "resetkeys") {
        all_keys = false;
        keys.clear();
        return {};
    }
    if (small == "resetchannels") {
        all_channels = false;
        channels.clear();
        return {};
    }
    if (rule.empty()) return syntax_error();
    switch (rule[0]) {
        case '+':
        case '-': return rule.size() > 1 ? apply_to_commands(rule, tables) : syntax_error();
        case '~':
        case '%': return apply_to_keys(rule);
        case '&': return apply_to_channels(rule);
        default: return syntax_error();
    }
}

/// ~pattern, %R~pattern, %W~pattern, %RW~pattern
Status AclSelector::apply_to_keys(std::string_view rule) {
    if (all_keys && rule != "~*") {
        return fail(
            ErrorCode::kInvalidArgument,
            "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to "
            "start with an empty list of patterns");
    }
    KeyPattern pattern;
    if (rule[0] == '%') {
        const std::size_t tilde = std::min(rule.find('~'), rule.size());
        const std::string rights = upper(rule.substr(1, tilde - 1));
        if (rights.empty() || rights.find_first_not_of("RW") != std::string::npos) return syntax_error();
        pattern.read = rights.find('R') != std::string::npos;
        pattern.write = rights.find('W') != std::string::npos;
        rule = rule.substr(tilde);
    }
    if (!rule.empty()) pattern.pattern = rule.substr(1);
    if (has_space(pattern.pattern)) return syntax_error();
    if (pattern.pattern == "*" && pattern.read && pattern.write) {
        all_keys = true;
        keys.clear();
        return {};
    }
    const auto same = std::ranges::find(keys, pattern.pattern, &KeyPattern::pattern);
    if (same == keys.end()) {
        keys.push_back(std::move(pattern));
    } else {
        same->read |= pattern.read;
        same->write |= pattern.write;
    }
    return {};
}

Status AclSelector::apply_to_channels(std::string_view rule) {
    const std::string_view pattern = rule.substr(1);
    if (has_space(pattern)) return syntax_error();
    if (pattern == "*") {
        all_channels = true;
        channels.clear();
        return {};
    }
    if (all_channels) {
        return fail(ErrorCode::kInvalidArgument,
                    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try "
                    "'resetchannels' to start with an empty list of channels");
    }
    if (std::ranges::find(channels, pattern) == channels.end()) channels.emplace_back(pattern);
    return {};
}

void AclSelector::take_all_commands(bool all) {
    all_commands = all;
    commands.clear();
    first_words.clear();
    command_rules = {all ? "+@all" : "-@all"};
}

/// Rules that this one covers go.
void AclSelector::note_rule(char sign, const std::string& what) {
    std::erase_if(command_rules, [&](const std::string& each) {
        const std::string_view target = std::string_view(each).substr(1);
        return target == what || (target.starts_with(what) && target.substr(what.size()).starts_with('|'));
    });
    if (!(all_commands && sign == '+')) command_rules.push_back(sign + what);
}

Status AclSelector::apply_to_commands(std::string_view rule, const CommandTables& tables) {
    const bool adds = rule[0] == '+';
    const std::string what = lower(rule.substr(1));
    if (what == "@all") {
        take_all_commands(adds);
        return {};
    }
    std::vector<const Command*> meant;
    const bool is_category = what.starts_with('@');
    for (const CommandTable* table : tables) {
        for (const CommandTable::Row& row : table->all()) {
            const auto own = is_category ? categories_of(row) : std::vector<std::string_view>{};
            const bool fits =
                is_category ? std::ranges::find(own, what) != own.end() : row.name == what || row.name.starts_with(what + "|");
            if (fits) meant.push_back(row.command);
        }
    }
    const auto known = categories();
    if (is_category && std::ranges::find(known, what.substr(1)) == known.end()) return unknown_command_rule();
    if (const std::size_t bar = what.find('|'); meant.empty() && bar != std::string::npos)
        return apply_to_first_word(adds, std::string_view(what).substr(0, bar), std::string_view(what).substr(bar + 1), tables);
    if (meant.empty() && !is_category) return unknown_command_rule();
    if (all_commands && !adds) {  // from here on they are counted one by one
        for (const CommandTable* table : tables) {
            for (const CommandTable::Row& row : table->all()) commands.insert(row.command);
        }
        all_commands = false;
    }
    for (const Command* command : meant) {
        first_words.erase(command);
        if (!all_commands) adds ? static_cast<void>(commands.insert(command)) : static_cast<void>(commands.erase(command));
    }
    note_rule(rule[0], what);
    return {};
}

/// "+select|0": of a command without subcommands, with this word behind its name.
Status AclSelector::apply_to_first_word(bool adds, std::string_view command, std::string_view word, const CommandTables& tables) {
    for (const CommandTable* table : tables) {
        const CommandTable::Row* row = table->find(command);
        if (row == nullptr) continue;
        const std::string_view first = word.substr(0, word.find('|'));
        if (CommandTable::find(*row, first) != nullptr)
            return fail(ErrorCode::kInvalidArgument, "Allowing first-arg of a subcommand is not supported");
        // To Redis, what stands behind DEBUG is a word like others: rules name those, too, that are not there.
        const bool has_subcommands = !row->subcommands.empty() && row->command->name != "DEBUG";
        if (!adds || has_subcommands || word.empty() || first != word) return unknown_command_rule();
        if (all_commands || commands.contains(row->command)) return {};
        auto& words = first_words[row->command];
        if (std::ranges::find(words, word) == words.end()) words.emplace_back(word);
        note_rule('+', fmt::format("{}|{}", command, word));
        return {};
    }
    return unknown_command_rule();
}

}  // namespace tanist::server::resp

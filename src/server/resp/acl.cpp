// SPDX-License-Identifier: Apache-2.0
#include "server/resp/acl.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "commands/redis/glob.h"
#include "server/resp/categories.h"
#include "server/resp/sha256.h"

namespace tanist::server::resp {
namespace {

constexpr std::string_view kSyntaxError = "Syntax error";
constexpr std::size_t kHashDigits = 64;

bool is_hash(std::string_view text) {
    return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Takes as long whether they differ early or late.
bool same_hash(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
    return difference == 0;
}

/// How a word of PSUBSCRIBE is allowed: literally, since nobody can tell what else a pattern matches.
bool channel_is_allowed(const AclUser& user, std::string_view channel, bool literally) {
    return user.all_channels || std::ranges::any_of(user.channels, [&](const std::string& pattern) {
               return literally ? pattern == channel : commands::redis::glob_matches(pattern, channel);
           });
}

bool channels_are_allowed(const AclUser& user, const CommandTable::Row& row, Arguments words) {
    const std::string_view name = row.command->name;
    if (user.all_channels || words.size() < 2) return true;
    if (name == "PUBLISH") return channel_is_allowed(user, words[1], false);
    if (name != "SUBSCRIBE" && name != "PSUBSCRIBE") return true;
    return std::ranges::all_of(words.subspan(1),
                               [&](std::string_view word) { return channel_is_allowed(user, word, name == "PSUBSCRIBE"); });
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find(' '), line.size());
        if (end > 0) words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

}  // namespace

// -- a user -----------------------------------------------------------------------------------------------------------------------------

/// What a command writes, most commands also tell about: a writing command needs both.
std::optional<std::string> AclUser::refuse(const CommandTable::Row& row, Arguments words) const {
    if (!all_commands && !row.has(kNoAuth) && !commands.contains(row.command))
        return fmt::format("NOPERM this user has no permissions to run the '{}' command", row.name);
    if (!all_keys && row.command->keys.first > 0) {
        for (const std::string_view key : keys_of(*row.command, words)) {
            const bool allowed = std::ranges::any_of(keys, [&](const KeyPattern& each) {
                return each.read && (each.write || !row.has(kWrite)) && commands::redis::glob_matches(each.pattern, key);
            });
            if (!allowed) return "NOPERM this user has no permissions to access one of the keys used as arguments";
        }
    }
    if (!channels_are_allowed(*this, row, words))
        return "NOPERM this user has no permissions to access one of the channels used as arguments";
    return std::nullopt;
}

std::string AclUser::keys_text() const {
    if (all_keys) return "~*";
    std::vector<std::string> texts;
    for (const KeyPattern& each : keys) texts.push_back((each.write ? "~" : "%R~") + each.pattern);
    return fmt::format("{}", fmt::join(texts, " "));
}

std::string AclUser::channels_text() const {
    if (all_channels) return "&*";
    std::vector<std::string> texts;
    for (const std::string& each : channels) texts.push_back("&" + each);
    return fmt::format("{}", fmt::join(texts, " "));
}

std::string AclUser::commands_text() const { return fmt::format("{}", fmt::join(command_rules, " ")); }

std::string AclUser::line() const {
    std::string text = fmt::format("user {} {}", name, enabled ? "on" : "off");
    if (needs_no_password) text += " nopass";
    for (const std::string& password : passwords) text += " #" + password;
    if (const std::string patterns = keys_text(); !patterns.empty()) text += " " + patterns;
    if (!all_channels) text += " resetchannels";
    if (const std::string patterns = channels_text(); !patterns.empty()) text += " " + patterns;
    return text + " " + commands_text();
}

// -- all of them ------------------------------------------------------------------------------------------------------------------------

Acl::Acl(std::vector<const CommandTable*> tables) : tables_(std::move(tables)), default_user_(std::make_shared<AclUser>()) {
    *default_user_ = {.name = "default",
                      .enabled = true,
                      .needs_no_password = true,
                      .all_commands = true,
                      .command_rules = {"+@all"},
                      .all_keys = true,
                      .all_channels = true};
    users_.emplace(default_user_->name, default_user_);
}

void Acl::require_password(std::string_view password) {
    default_user_->passwords.clear();
    default_user_->needs_no_password = password.empty();
    if (!password.empty()) default_user_->passwords.insert(sha256_hex(password));
}

const AclUser* Acl::find(std::string_view name) const {
    const auto user = users_.find(name);
    return user == users_.end() ? nullptr : user->second.get();
}

std::shared_ptr<AclUser> Acl::authenticate(std::string_view name, std::string_view password) const {
    const auto user = users_.find(name);
    if (user == users_.end() || !user->second->enabled) return nullptr;
    if (user->second->needs_no_password) return user->second;
    const std::string hash = sha256_hex(password);
    bool found = false;
    for (const std::string& each : user->second->passwords) found |= same_hash(each, hash);
    return found ? user->second : nullptr;
}

bool Acl::delete_user(std::string_view name) {
    const auto user = users_.find(name);
    if (user == users_.end() || user->second == default_user_) return false;
    users_.erase(user);
    return true;
}

Status Acl::set_user(std::string_view name, std::span<const std::string_view> rules) {
    const auto known = users_.find(name);
    AclUser changed = known == users_.end() ? AclUser{.name = std::string(name)} : *known->second;
    for (const std::string_view rule : rules) {
        if (const Status applied = apply(changed, rule); !applied)
            return fail(ErrorCode::kInvalidArgument, "Error in ACL SETUSER modifier '{}': {}", rule, applied.error().message);
    }
    if (known == users_.end()) {
        users_.emplace(std::string(name), std::make_shared<AclUser>(std::move(changed)));
    } else {
        *known->second = std::move(changed);
    }
    return {};
}

std::string Acl::text() const {
    std::string text;
    for (const auto& [_, user] : users_) text += user->line() + "\n";
    return text;
}

Status Acl::read(std::string_view text) {
    Acl fresh(tables_);
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto words = words_of(line);
        if (words.empty() || words[0].starts_with('#')) continue;
        if (words.size() < 2 || words[0] != "user")
            return fail(ErrorCode::kInvalidArgument, "line {}: must be \"user NAME rule …\"", number);
        std::vector<std::string_view> rules{"reset"};
        rules.insert(rules.end(), words.begin() + 2, words.end());
        if (const Status set = fresh.set_user(words[1], rules); !set)
            return fail(ErrorCode::kInvalidArgument, "line {}: {}", number, set.error().message);
    }
    for (const auto& [name, user] : users_) {  // connections hold the old ones: those that stay are changed in place
        const auto replacement = fresh.users_.find(name);
        if (replacement == fresh.users_.end()) continue;
        *user = *replacement->second;
        replacement->second = user;
    }
    users_ = std::move(fresh.users_);
    return {};
}

// -- rules ------------------------------------------------------------------------------------------------------------------------------

Status Acl::apply(AclUser& user, std::string_view rule) const {
    struct Word {
        std::string_view word;
        void (*apply)(AclUser& user);
    };
    constexpr std::array kWords{
        Word{"on", [](AclUser& u) { u.enabled = true; }},
        Word{"off", [](AclUser& u) { u.enabled = false; }},
        Word{"nopass",
             [](AclUser& u) {
                 u.needs_no_password = true;
                 u.passwords.clear();
             }},
        Word{"resetpass",
             [](AclUser& u) {
                 u.needs_no_password = false;
                 u.passwords.clear();
             }},
        Word{"allkeys",
             [](AclUser& u) {
                 u.all_keys = true;
                 u.keys.clear();
             }},
        Word{"resetkeys",
             [](AclUser& u) {
                 u.all_keys = false;
                 u.keys.clear();
             }},
        Word{"allchannels",
             [](AclUser& u) {
                 u.all_channels = true;
                 u.channels.clear();
             }},
        Word{"resetchannels",
             [](AclUser& u) {
                 u.all_channels = false;
                 u.channels.clear();
             }},
        Word{"reset", [](AclUser& u) { u = AclUser{.name = u.name}; }},
        Word{"sanitize-payload", [](AclUser&) {}},
        Word{"skip-sanitize-payload", [](AclUser&) {}},
    };
    const std::string small = lower(rule);
    if (const auto word = std::ranges::find(kWords, small, &Word::word); word != kWords.end()) {
        word->apply(user);
        return {};
    }
    if (small == "allcommands") return apply_to_commands(user, "+@all");
    if (small == "nocommands") return apply_to_commands(user, "-@all");
    if (rule.size() < 2 && rule != ">") return fail(ErrorCode::kInvalidArgument, "{}", kSyntaxError);
    const std::string_view rest = rule.substr(1);
    switch (rule[0]) {
        case '+':
        case '-': return apply_to_commands(user, rule);
        case '~':
        case '%': return apply_to_keys(user, rule);
        case '&':
            if (user.all_channels && rest != "*") {
                return fail(
                    ErrorCode::kInvalidArgument,
                    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try "
                    "'resetchannels' to start with an empty list of channels");
            }
            if (rest == "*") return apply(user, "allchannels");
            if (std::ranges::find(user.channels, rest) == user.channels.end()) user.channels.emplace_back(rest);
            return {};
        case '>':
            user.passwords.insert(sha256_hex(rest));
            user.needs_no_password = false;
            return {};
        case '<':
            if (user.passwords.erase(sha256_hex(rest)) == 0)
                return fail(ErrorCode::kInvalidArgument, "The password you are trying to remove from the user does not exist");
            return {};
        case '#':
        case '!':
            if (!is_hash(rest)) {
                return fail(ErrorCode::kInvalidArgument,
                            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
            }
            if (rule[0] == '#') {
                user.passwords.emplace(rest);
                user.needs_no_password = false;
            } else if (user.passwords.erase(std::string(rest)) == 0) {
                return fail(ErrorCode::kInvalidArgument, "The password you are trying to remove from the user does not exist");
            }
            return {};
        default: return fail(ErrorCode::kInvalidArgument, "{}", kSyntaxError);
    }
}

Status Acl::apply_to_keys(AclUser& user, std::string_view rule) {
    AclUser::KeyPattern pattern;
    if (rule[0] == '%') {
        const std::size_t tilde = rule.find('~');
        if (tilde == std::string_view::npos || tilde < 2) return fail(ErrorCode::kInvalidArgument, "{}", kSyntaxError);
        const std::string rights = upper(rule.substr(1, tilde - 1));
        if (rights.find_first_not_of("RW") != std::string::npos) return fail(ErrorCode::kInvalidArgument, "{}", kSyntaxError);
        if (rights.find('R') == std::string::npos) {
            return fail(ErrorCode::kInvalidArgument, "keys that may be written and not read are not supported: use ~ or %R~");
        }
        pattern.write = rights.find('W') != std::string::npos;
        rule = rule.substr(tilde);
    }
    pattern.pattern = rule.substr(1);
    if (user.all_keys && pattern.pattern != "*") {
        return fail(
            ErrorCode::kInvalidArgument,
            "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to "
            "start with an empty list of patterns");
    }
    if (pattern.pattern == "*" && pattern.write) {
        user.all_keys = true;
        user.keys.clear();
        return {};
    }
    const auto same = std::ranges::find(user.keys, pattern.pattern, &AclUser::KeyPattern::pattern);
    same == user.keys.end() ? user.keys.push_back(std::move(pattern)) : static_cast<void>(same->write |= pattern.write);
    return {};
}

Status Acl::apply_to_commands(AclUser& user, std::string_view rule) const {
    const bool adds = rule[0] == '+';
    const std::string what = lower(rule.substr(1));
    if (what == "@all") {
        user.all_commands = adds;
        user.commands.clear();
        user.command_rules = {adds ? "+@all" : "-@all"};
        return {};
    }
    std::vector<const Command*> meant;
    const bool is_category = what.starts_with('@');
    for (const CommandTable* table : tables_) {
        for (const CommandTable::Row& row : table->all()) {
            const auto own = is_category ? categories_of(row) : std::vector<std::string_view>{};
            const bool fits =
                is_category ? std::ranges::find(own, what) != own.end() : row.name == what || row.name.starts_with(what + "|");
            if (fits) meant.push_back(row.command);
        }
    }
    const auto known = categories();
    const bool is_known = is_category ? std::ranges::find(known, what.substr(1)) != known.end() : !meant.empty();
    if (!is_known) return fail(ErrorCode::kInvalidArgument, "Unknown command or category name in ACL");
    if (user.all_commands && !adds) {  // from here on they are counted one by one
        for (const CommandTable* table : tables_) {
            for (const CommandTable::Row& row : table->all()) user.commands.insert(row.command);
        }
        user.all_commands = false;
    }
    for (const Command* command : meant) {
        if (!user.all_commands) adds ? static_cast<void>(user.commands.insert(command)) : static_cast<void>(user.commands.erase(command));
    }
    std::erase_if(user.command_rules, [&](const std::string& each) {
        const std::string_view target = std::string_view(each).substr(1);
        return target == what || target.starts_with(what + "|");
    });
    if (!(user.all_commands && adds)) user.command_rules.push_back(std::string(1, rule[0]) + what);
    return {};
}

}  // namespace tanist::server::resp

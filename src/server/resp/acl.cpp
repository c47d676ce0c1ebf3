// SPDX-License-Identifier: Apache-2.0
#include "server/resp/acl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "server/crypto.h"

namespace tanist::server::resp {
namespace {

constexpr std::size_t kHashDigits = 64;

tl::unexpected<Error> syntax_error() { return fail(ErrorCode::kInvalidArgument, "Syntax error"); }

bool is_hash(std::string_view text) {
    return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
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

/// What stands in parentheses may come in several words, and becomes one rule.
Result<std::vector<std::string>> with_whole_selectors(std::span<const std::string_view> rules) {
    std::vector<std::string> whole;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string_view first = rules[i];
        std::string rule(first);
        if (rule.starts_with('(')) {
            while (!rule.ends_with(')')) {
                if (++i == rules.size())
                    return fail(ErrorCode::kInvalidArgument, "Unmatched parenthesis in acl selector starting at '{}'.", first);
                rule += " " + std::string(rules[i]);
            }
        }
        whole.push_back(std::move(rule));
    }
    return whole;
}

// Rules that are one word about the user as a whole.
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
    Word{"reset", [](AclUser& u) { u = AclUser{.name = u.name}; }},
    Word{"clearselectors", [](AclUser& u) { u.others.clear(); }},
    Word{"sanitize-payload", [](AclUser&) {}},
    Word{"skip-sanitize-payload", [](AclUser&) {}},
};

}  // namespace

// -- a user -----------------------------------------------------------------------------------------------------------------------------

std::optional<Denial> AclUser::deny(const CommandTable::Row& row, Arguments words) const {
    auto furthest = own.deny(row, words);
    if (!furthest) return std::nullopt;
    for (const AclSelector& selector : others) {
        auto denial = selector.deny(row, words);
        if (!denial) return std::nullopt;
        if (std::tie(denial->of, denial->word) > std::tie(furthest->of, furthest->word)) furthest = std::move(denial);
    }
    return furthest;
}

bool AclUser::may_use_channel(std::string_view channel, bool is_pattern) const {
    return own.may_use_channel(channel, is_pattern) ||
           std::ranges::any_of(others, [&](const AclSelector& each) { return each.may_use_channel(channel, is_pattern); });
}

bool AclUser::may_read_key(std::string_view key) const {
    return own.may_read_key(key) || std::ranges::any_of(others, [&](const AclSelector& each) { return each.may_read_key(key); });
}

bool AclUser::may_read_all_keys() const {
    return own.all_keys || std::ranges::any_of(others, [](const AclSelector& each) { return each.all_keys; });
}

std::string AclUser::line() const {
    std::string text = fmt::format("user {} {}", name, enabled ? "on" : "off");
    if (needs_no_password) text += " nopass";
    for (const std::string& password : passwords) text += " #" + password;
    text += " " + own.text();
    for (const AclSelector& selector : others) text += " (" + selector.text() + ")";
    return text;
}

// -- all of them ------------------------------------------------------------------------------------------------------------------------

Acl::Acl(CommandTables tables) : tables_(std::move(tables)), default_user_(std::make_shared<AclUser>()) {
    *default_user_ = {.name = "default", .enabled = true, .needs_no_password = true, .own = AclSelector::of_all()};
    users_.emplace(default_user_->name, default_user_);
}

Acl Acl::clone() const {
    Acl copy(tables_);
    *copy.default_user_ = *default_user_;
    for (const auto& [name, user] : users_) {
        if (user != default_user_) copy.users_.emplace(name, std::make_shared<AclUser>(*user));
    }
    return copy;
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
    for (const std::string& each : user->second->passwords) found |= same_bytes(each, hash);
    return found ? user->second : nullptr;
}

bool Acl::delete_user(std::string_view name) {
    const auto user = users_.find(name);
    if (user == users_.end() || user->second == default_user_) return false;
    user->second->is_gone = true;
    users_.erase(user);
    return true;
}

Status Acl::set_user(std::string_view name, std::span<const std::string_view> rules) {
    const auto known = users_.find(name);
    AclUser changed = known == users_.end() ? AclUser{.name = std::string(name)} : *known->second;
    const auto whole = with_whole_selectors(rules);
    if (!whole) return fail(whole.error());
    for (const std::string& rule : *whole) {
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

Status Acl::read_line(std::string_view line) {
    const auto words = words_of(line);
    if (words.size() < 2 || words[0] != "user") return fail(ErrorCode::kInvalidArgument, "must be \"user NAME rule …\"");
    std::vector<std::string_view> rules{"reset"};
    rules.insert(rules.end(), words.begin() + 2, words.end());
    return set_user(words[1], rules);
}

Status Acl::read(std::string_view text) {
    Acl fresh(tables_);
    *fresh.default_user_ = *default_user_;  // stays as it is, unless there is a line about it
    std::set<std::string_view> seen;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto words = words_of(line);
        if (words.empty() || words[0].starts_with('#')) continue;
        if (words.size() > 1 && !seen.insert(words[1]).second)
            return fail(ErrorCode::kInvalidArgument, "line {}: Duplicate user '{}' found", number, words[1]);
        if (const Status read = fresh.read_line(line); !read)
            return fail(ErrorCode::kInvalidArgument, "line {}: {}", number, read.error().message);
    }
    assign(std::move(fresh));
    return {};
}

void Acl::assign(Acl fresh) {
    for (const auto& [name, user] : users_) {  // connections hold these
        const auto replacement = fresh.users_.find(name);
        if (replacement == fresh.users_.end()) {
            user->is_gone = true;
        } else {
            *user = std::move(*replacement->second);
            replacement->second = user;
        }
    }
    users_ = std::move(fresh.users_);
}

// -- rules ------------------------------------------------------------------------------------------------------------------------------

Status Acl::apply(AclUser& user, std::string_view rule) const {
    if (const auto* word = std::ranges::find(kWords, lower(rule), &Word::word); word != kWords.end()) {
        word->apply(user);
        return {};
    }
    if (rule.empty()) return {};  // as in Redis
    const std::string_view rest = rule.substr(1);
    switch (rule[0]) {
        case '(': {
            AclSelector selector;
            for (const std::string_view each : words_of(rest.substr(0, rest.size() - 1))) {
                if (each.find_first_of("()") != std::string_view::npos) return syntax_error();  // could not be told from the selector's end
                if (const Status applied = selector.apply(each, tables_); !applied) return applied;
            }
            user.others.push_back(std::move(selector));
            return {};
        }
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
        default: return user.own.apply(rule, tables_);
    }
}

}  // namespace tanist::server::resp

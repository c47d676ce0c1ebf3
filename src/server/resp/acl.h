// SPDX-License-Identifier: Apache-2.0
// Users: passwords, and which commands, keys and channels each may use, by Redis's rules.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/resp/acl_selector.h"
#include "server/resp/command.h"

namespace tanist::server::resp {

inline constexpr std::string_view kWrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

/// Changed in place: its connections go by the new rules from their next command on.
struct AclUser {
    std::string name;
    bool enabled = false;
    bool needs_no_password = false;
    bool is_gone = false;             ///< its connections are to end
    std::set<std::string> passwords;  ///< SHA-256, in hexadecimal
    AclSelector own;                  ///< of its rules outside parentheses
    std::vector<AclSelector> others;  ///< "(…)" each

    /// Why the user may not run these words: what the selector that comes furthest says. nullopt: it may.
    [[nodiscard]] std::optional<Denial> deny(const CommandTable::Row& row, Arguments words) const;
    [[nodiscard]] bool may_use_channel(std::string_view channel, bool is_pattern) const;
    [[nodiscard]] bool may_read_key(std::string_view key) const;
    [[nodiscard]] bool may_read_all_keys() const;

    /// As ACL LIST writes it: "user NAME on …"
    [[nodiscard]] std::string line() const;
};

/// Loop thread.
class Acl {
public:
    using Users = std::map<std::string, std::shared_ptr<AclUser>, std::less<>>;

    /// Rules speak of the commands of all these tables.
    explicit Acl(CommandTables tables);
    /// A copy that shares no user.
    [[nodiscard]] Acl clone() const;

    /// There always is one; while it needs no password, so does nobody.
    [[nodiscard]] const std::shared_ptr<AclUser>& default_user() const { return default_user_; }
    [[nodiscard]] bool is_open() const { return default_user_->enabled && default_user_->needs_no_password; }
    /// Of the default user; "": none is needed.
    void require_password(std::string_view password);

    /// Null: no such user, a wrong password, or a user that is off.
    [[nodiscard]] std::shared_ptr<AclUser> authenticate(std::string_view name, std::string_view password) const;
    [[nodiscard]] const AclUser* find(std::string_view name) const;
    [[nodiscard]] const Users& users() const { return users_; }

    /// All rules, or none; the error names the rule.
    [[nodiscard]] Status set_user(std::string_view name, std::span<const std::string_view> rules);
    /// False: there is none, or it is the default user.
    bool delete_user(std::string_view name);

    /// Lines as line() writes them. Reading replaces all users (the default user only by a line of its own), or, where a line is wrong,
    /// none.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] Status read(std::string_view text);
    /// One such line about a user that is not there yet, or about the default user.
    [[nodiscard]] Status read_line(std::string_view line);
    /// Takes over all users of `fresh`; those that stay are changed in place.
    void assign(Acl fresh);

private:
    [[nodiscard]] Status apply(AclUser& user, std::string_view rule) const;

    CommandTables tables_;
    Users users_;
    std::shared_ptr<AclUser> default_user_;
};

}  // namespace tanist::server::resp

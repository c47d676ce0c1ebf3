// SPDX-License-Identifier: Apache-2.0
// Users of this node's RESP ports: passwords, and which commands, keys and channels each may use, by Redis's rules.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "server/resp/command.h"

namespace tanist::server::resp {

inline constexpr std::string_view kWrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

/// Changed in place: its connections go by the new rules from their next command on.
struct AclUser {
    struct KeyPattern {
        std::string pattern;
        bool read = true, write = true;
    };

    std::string name;
    bool enabled = false;
    bool needs_no_password = false;
    std::set<std::string> passwords;  ///< SHA-256, in hexadecimal
    bool all_commands = false;
    std::unordered_set<const Command*> commands;      ///< where not all; subcommands one by one
    std::vector<std::string> command_rules{"-@all"};  ///< that led there
    bool all_keys = false;
    std::vector<KeyPattern> keys;
    bool all_channels = false;
    std::vector<std::string> channels;

    /// Why the user may not run these words; nullopt: it may.
    [[nodiscard]] std::optional<std::string> refuse(const CommandTable::Row& row, Arguments words) const;

    // As ACL LIST and ACL GETUSER write them.
    [[nodiscard]] std::string keys_text() const;
    [[nodiscard]] std::string channels_text() const;
    [[nodiscard]] std::string commands_text() const;
    /// "user NAME on …"
    [[nodiscard]] std::string line() const;
};

/// Loop thread. Users belong to this node: each node is given the same file, or the same commands.
class Acl {
public:
    /// Rules speak of the commands of all these tables.
    explicit Acl(std::vector<const CommandTable*> tables);

    /// There always is one; while it needs no password, so does nobody.
    [[nodiscard]] const std::shared_ptr<AclUser>& default_user() const { return default_user_; }
    [[nodiscard]] bool is_open() const { return default_user_->enabled && default_user_->needs_no_password; }
    /// Of the default user; "": none is needed.
    void require_password(std::string_view password);

    /// Null: no such user, a wrong password, or a user that is off.
    [[nodiscard]] std::shared_ptr<AclUser> authenticate(std::string_view name, std::string_view password) const;
    [[nodiscard]] const AclUser* find(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, std::shared_ptr<AclUser>, std::less<>>& users() const { return users_; }

    /// All rules, or none; the error names the rule.
    [[nodiscard]] Status set_user(std::string_view name, std::span<const std::string_view> rules);
    /// False: there is none, or it is the default user.
    bool delete_user(std::string_view name);

    /// Lines as line() writes them. Reading replaces all users, or, where a line is wrong, none.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] Status read(std::string_view text);

private:
    [[nodiscard]] Status apply(AclUser& user, std::string_view rule) const;
    [[nodiscard]] Status apply_to_commands(AclUser& user, std::string_view rule) const;
    [[nodiscard]] static Status apply_to_keys(AclUser& user, std::string_view rule);

    const std::vector<const CommandTable*> tables_;
    std::map<std::string, std::shared_ptr<AclUser>, std::less<>> users_;
    std::shared_ptr<AclUser> default_user_;
};

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// One set of rights: which commands, on which keys and channels. A user has one of its own and may have more, of which one must do.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "server/resp/command.h"

namespace tanist::server::resp {

/// Why somebody may not run these words.
struct Denial {
    enum class Of : std::uint8_t { kCommand, kKey, kChannel };  ///< in the order in which they are checked
    Of of = Of::kCommand;
    std::size_t word = 0;  ///< the first that is not allowed
    std::string object;    ///< the command, key or channel

    /// As an error of RESP.
    [[nodiscard]] std::string error() const;
    /// As ACL DRYRUN tells it, which names keys and channels.
    [[nodiscard]] std::string explanation() const;
    /// "command", "key", "channel"
    [[nodiscard]] std::string_view reason() const;
};

using CommandTables = std::vector<const CommandTable*>;

struct AclSelector {
    struct KeyPattern {
        std::string pattern;
        bool read = true, write = true;
        friend bool operator==(const KeyPattern&, const KeyPattern&) = default;
    };

    bool all_commands = false;
    std::unordered_set<const Command*> commands;                               ///< where not all; subcommands one by one
    std::unordered_map<const Command*, std::vector<std::string>> first_words;  ///< of commands that are only allowed with these
    std::vector<std::string> command_rules{"-@all"};                           ///< that led there
    bool all_keys = false;
    std::vector<KeyPattern> keys;
    bool all_channels = false;
    std::vector<std::string> channels;

    /// Everything.
    [[nodiscard]] static AclSelector of_all();

    [[nodiscard]] std::optional<Denial> deny(const CommandTable::Row& row, Arguments words) const;
    [[nodiscard]] bool may_use_channel(std::string_view channel, bool is_pattern) const;
    [[nodiscard]] bool may_read_key(std::string_view key) const;

    /// A rule about commands, keys or channels; the error says what is wrong with it.
    [[nodiscard]] Status apply(std::string_view rule, const CommandTables& tables);

    // As ACL LIST and ACL GETUSER write them.
    [[nodiscard]] std::string keys_text() const;
    [[nodiscard]] std::string channels_text() const;
    [[nodiscard]] std::string commands_text() const;
    /// All three, as rules.
    [[nodiscard]] std::string text() const;

private:
    [[nodiscard]] bool may_run(const CommandTable::Row& row, Arguments words) const;
    [[nodiscard]] Status apply_to_commands(std::string_view rule, const CommandTables& tables);
    [[nodiscard]] Status apply_to_first_word(bool adds, std::string_view command, std::string_view word, const CommandTables& tables);
    [[nodiscard]] Status apply_to_keys(std::string_view rule);
    [[nodiscard]] Status apply_to_channels(std::string_view rule);
    void take_all_commands(bool all);
    void note_rule(char sign, const std::string& what);
};

}  // namespace tanist::server::resp

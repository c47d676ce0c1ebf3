// SPDX-License-Identifier: Apache-2.0
// The table of Redis commands: one row each, one file a family. To add a command, write its handler and its row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "server/counters.h"

namespace tanist::server {

class RespSession;

namespace resp {

/// A command's words, its name first; views that end when the handler returns.
using Arguments = std::span<const std::string_view>;
/// Answers the command through the session, now or later, exactly once.
using Handler = void (*)(RespSession& session, Arguments arguments);

struct Command {
    std::string_view name;  ///< in capitals
    int arity;              ///< as Redis counts: the words, name included; negative: at least so many
    RequestKind kind;
    Handler handler;
};

// One family each.
[[nodiscard]] std::span<const Command> connection_commands();
[[nodiscard]] std::span<const Command> server_commands();
[[nodiscard]] std::span<const Command> string_commands();
[[nodiscard]] std::span<const Command> tanist_commands();

/// By name in any letter case; null: unknown.
[[nodiscard]] const Command* find_command(std::string_view name);
[[nodiscard]] std::size_t command_count();
[[nodiscard]] bool takes(const Command& command, std::size_t words);

/// Whether `word` is `capitals` in any letter case.
[[nodiscard]] bool is_word(std::string_view word, std::string_view capitals);
[[nodiscard]] std::string lower(std::string_view word);

// Errors as Redis words them.
[[nodiscard]] std::string unknown_command(Arguments arguments);
[[nodiscard]] std::string unknown_subcommand(Arguments arguments);
[[nodiscard]] std::string wrong_arity(std::string_view command);

}  // namespace resp
}  // namespace tanist::server

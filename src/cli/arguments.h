// SPDX-License-Identifier: Apache-2.0
// The command line, and each line of the REPL, as one struct a command.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/failure.h"
#include "cli/records.h"
#include "tanist/requests.h"

namespace tanist::cli {

/// What is given before or behind the command.
struct Settings {
    std::vector<std::string> connect = {"127.0.0.1:7401"};
    bool direct = false;
    bool json = false;
    std::optional<std::string> user, password_file;
    std::optional<client::ReadLevel> read_level;
    std::optional<client::WriteLevel> write_level;
    std::chrono::milliseconds timeout{5000};
};

struct GetCommand {
    std::string key;
    bool raw = false;
};
struct PutCommand {
    std::string key;
    std::optional<std::string> value, file;
};
struct DelCommand {
    std::string key;
    std::optional<std::string> if_value;
    std::optional<std::uint64_t> if_version;
};
struct CasCommand {
    std::string key, value;
    client::Expected expected;
};
struct IncrCommand {
    std::string key;
    std::int64_t by = 1;
};
struct ScanCommand {
    client::Scan range;
    std::uint64_t limit = 0;
};
struct BatchCommand {
    std::string file = "-";
};
struct StatusCommand {};
struct SwitchoverCommand {
    std::optional<std::uint32_t> to;
};
struct ImportCommand {
    std::string file;
    Format format = Format::kJsonl;
    std::string prefix;
    bool skip_bad = false;
};
struct ExportCommand {
    client::Scan range;
    Format format = Format::kJsonl;
    std::string file = "-";
};
struct ShellCommand {};  ///< none was given: a REPL, or a script on standard input
struct ShowText {
    std::string text;
};  ///< --help, --version

using Command = std::variant<ShellCommand, GetCommand, PutCommand, DelCommand, CasCommand, IncrCommand, ScanCommand, BatchCommand,
                             StatusCommand, SwitchoverCommand, ImportCommand, ExportCommand, ShowText>;

struct Invocation {
    Settings settings;
    Command command;
};

/// `words` without the program's name; `defaults` are the settings of those that are not given.
[[nodiscard]] Expected<Invocation> parse_arguments(const std::vector<std::string>& words, const Settings& defaults = {});

/// For completion and for messages.
[[nodiscard]] const std::vector<std::string_view>& command_names();
/// The long options that a command knows; of an unknown command, those that all know.
[[nodiscard]] std::vector<std::string> option_names(std::string_view command);

}  // namespace tanist::cli

// SPDX-License-Identifier: Apache-2.0
#include "server/resp/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ensure.h"

namespace tanist::server::resp {
namespace {

constexpr std::size_t kNameBytesMax = 32;
/// Redis cuts what it quotes of an unknown command.
constexpr std::size_t kQuotedBytesMax = 128;

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
/// As Redis quotes what it does not know: up to a zero byte, and not much of it.
std::string_view quotable(std::string_view word, std::size_t bytes_max) { return word.substr(0, std::min(bytes_max, word.find('\0'))); }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

CommandTable::CommandTable(std::initializer_list<Family> families) {
    std::vector<const Command*> wanted;
    for (const Family& family : families) {
        for (const Command& command : family.commands) {
            if (family.needed != 0 && (command.flags & family.needed) == 0) continue;
            const auto same = std::ranges::find(wanted, command.name, &Command::name);
            same == wanted.end() ? wanted.push_back(&command) : static_cast<void>(*same = &command);
        }
    }
    for (const Command* command : wanted) add(*command);
    for (const Row& row : rows_) {
        ENSURE(row.name.size() <= kNameBytesMax);
        ENSURE(by_name_.emplace(row.name, &row).second);  // no name twice
    }
}

void CommandTable::add(const Command& command) {
    Row& row = rows_.emplace_back(Row{.command = &command, .name = lower(command.name), .index = rows_.size()});
    commands_.push_back(&row);
    for (const Command& subcommand : command.subcommands) {
        rows_.push_back({.command = &subcommand, .name = row.name + "|" + lower(subcommand.name), .index = rows_.size()});
        row.subcommands.push_back(&rows_.back());
    }
}

const CommandTable::Row* CommandTable::find(std::string_view name) const {
    if (name.size() > kNameBytesMax) return nullptr;
    std::array<char, kNameBytesMax> small;
    std::ranges::transform(name, small.begin(), to_lower);
    const auto row = by_name_.find({small.data(), name.size()});
    return row == by_name_.end() ? nullptr : row->second;
}

const CommandTable::Row* CommandTable::find_command(std::string_view name) const {
    const Row* row = find(name);
    return row == nullptr || row->name.find('|') != std::string::npos ? nullptr : row;
}

const CommandTable::Row* CommandTable::find(const Row& container, std::string_view subcommand) {
    const auto row = std::ranges::find_if(container.subcommands, [&](const Row* each) { return is_word(subcommand, each->command->name); });
    return row == container.subcommands.end() ? nullptr : *row;
}

const CommandTable::Row* CommandTable::find(Arguments words) const {
    const Row* row = words.empty() ? nullptr : find_command(words[0]);
    if (row == nullptr || row->subcommands.empty() || words.size() < 2) return row;
    const Row* subcommand = find(*row, words[1]);
    return subcommand == nullptr ? row : subcommand;
}

const CommandTable& client_port_commands() {
    static const CommandTable table{{connection_commands()}, {client_commands()}, {command_commands()},     {config_commands()},
                                    {server_commands()},     {debug_commands()},  {monitoring_commands()},  {pubsub_commands()},
                                    {acl_commands()},        {data_commands()},   {transaction_commands()}, {tanist_commands()}};
    return table;
}

bool takes(const Command& command, std::size_t words) {
    return command.arity < 0 ? words >= static_cast<std::size_t>(-command.arity) : words == static_cast<std::size_t>(command.arity);
}

std::vector<std::string_view> keys_of(const Command& command, Arguments words) {
    std::vector<std::string_view> keys;
    if (command.keys.first <= 0) return keys;
    const auto size = static_cast<int>(words.size());
    const int last = command.keys.last < 0 ? size + command.keys.last : std::min(command.keys.last, size - 1);
    for (int at = command.keys.first; at <= last; at += command.keys.step) keys.push_back(words[static_cast<std::size_t>(at)]);
    return keys;
}

bool is_word(std::string_view word, std::string_view capitals) { return std::ranges::equal(word, capitals, {}, to_upper); }

std::string lower(std::string_view word) {
    std::string result(word);
    std::ranges::transform(result, result.begin(), to_lower);
    return result;
}

std::string upper(std::string_view word) {
    std::string result(word);
    std::ranges::transform(result, result.begin(), to_upper);
    return result;
}

std::string unknown_command(Arguments arguments) {
    std::string quoted;
    for (const std::string_view argument : arguments.subspan(1)) {
        if (quoted.size() >= kQuotedBytesMax) break;
        quoted += fmt::format("'{}' ", quotable(argument, kQuotedBytesMax - quoted.size()));
    }
    return fmt::format("ERR unknown command '{}', with args beginning with: {}", quotable(arguments[0], kQuotedBytesMax), quoted);
}

std::string unknown_subcommand(Arguments arguments) {
    return fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", quotable(arguments[1], kQuotedBytesMax), upper(arguments[0]));
}

std::string wrong_subcommand(Arguments arguments) {
    return fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                       quotable(arguments[1], kQuotedBytesMax), upper(arguments[0]));
}

std::string wrong_arity(std::string_view name) { return fmt::format("ERR wrong number of arguments for '{}' command", lower(name)); }

}  // namespace tanist::server::resp

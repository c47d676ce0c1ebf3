// SPDX-License-Identifier: Apache-2.0
#include "server/resp/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/ensure.h"

namespace tanist::server::resp {
namespace {

constexpr std::size_t kNameBytesMax = 32;
/// Redis cuts what it quotes of an unknown command.
constexpr std::size_t kQuotedBytesMax = 128;

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

const std::unordered_map<std::string_view, const Command*>& table() {
    static const auto all = [] {
        std::unordered_map<std::string_view, const Command*> rows;
        for (const auto family : {connection_commands(), server_commands(), string_commands(), tanist_commands()}) {
            for (const Command& command : family) {
                ENSURE(command.name.size() <= kNameBytesMax);
                ENSURE(rows.emplace(command.name, &command).second);  // no name twice
            }
        }
        return rows;
    }();
    return all;
}

}  // namespace

const Command* find_command(std::string_view name) {
    if (name.size() > kNameBytesMax) return nullptr;
    std::array<char, kNameBytesMax> capitals;
    std::ranges::transform(name, capitals.begin(), upper);
    const auto row = table().find({capitals.data(), name.size()});
    return row == table().end() ? nullptr : row->second;
}

std::size_t command_count() { return table().size(); }

bool takes(const Command& command, std::size_t words) {
    return command.arity < 0 ? words >= static_cast<std::size_t>(-command.arity) : words == static_cast<std::size_t>(command.arity);
}

bool is_word(std::string_view word, std::string_view capitals) { return std::ranges::equal(word, capitals, {}, upper); }

std::string lower(std::string_view word) {
    std::string result(word);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

std::string unknown_command(Arguments arguments) {
    std::string quoted;
    for (const std::string_view argument : arguments.subspan(1)) {
        if (quoted.size() >= kQuotedBytesMax) break;
        quoted += fmt::format("'{}' ", argument.substr(0, kQuotedBytesMax - quoted.size()));
    }
    return fmt::format("ERR unknown command '{}', with args beginning with: {}", arguments[0].substr(0, kQuotedBytesMax), quoted);
}

std::string unknown_subcommand(Arguments arguments) {
    std::string name = lower(arguments[0]);
    std::ranges::transform(name, name.begin(), upper);
    return fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", arguments[1].substr(0, kQuotedBytesMax), name);
}

std::string wrong_arity(std::string_view command) { return fmt::format("ERR wrong number of arguments for '{}' command", lower(command)); }

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
#include "server/resp/output_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "server/resp/command.h"
#include "server/resp/words.h"

namespace tanist::server::resp {

std::optional<std::uint64_t> bytes_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits{
        {{"", 1}, {"B", 1}, {"K", 1000}, {"KB", 1 << 10}, {"M", 1'000'000}, {"MB", 1 << 20}, {"G", 1'000'000'000}, {"GB", 1 << 30}}};
    const std::size_t digits = std::min(word.size(), word.find_first_not_of("0123456789"));
    const auto* unit = std::ranges::find_if(kUnits, [&](const auto& each) { return is_word(word.substr(digits), each.first); });
    const auto number = integer_of<std::uint64_t>(word.substr(0, digits));
    if (unit == kUnits.end() || !number || *number > INT64_MAX / unit->second) return std::nullopt;
    return *number * unit->second;
}

std::optional<std::string> OutputLimits::read(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    if (words.size() % 4 != 0) return "Wrong number of arguments in buffer limit configuration.";
    OutputLimits read = *this;
    for (std::size_t i = 0; i < words.size(); i += 4) {
        const bool is_slave = is_word(words[i], "SLAVE") || is_word(words[i], "REPLICA");
        if (!is_slave && !is_word(words[i], "NORMAL") && !is_word(words[i], "PUBSUB"))
            return "Invalid client class specified in buffer limit configuration.";
        const auto hard = bytes_of(words[i + 1]), soft = bytes_of(words[i + 2]);
        const auto seconds = integer_of<std::uint64_t>(words[i + 3]);
        if (!hard || !soft || !seconds) return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        Limit& limit = is_slave ? read.slave : is_word(words[i], "NORMAL") ? read.normal : read.pubsub;
        limit = {*hard, *soft, *seconds};
    }
    *this = read;
    return std::nullopt;
}

std::string OutputLimits::to_string() const {
    return fmt::format("normal {} {} {} slave {} {} {} pubsub {} {} {}", normal.hard, normal.soft, normal.soft_seconds, slave.hard,
                       slave.soft, slave.soft_seconds, pubsub.hard, pubsub.soft, pubsub.soft_seconds);
}

}  // namespace tanist::server::resp

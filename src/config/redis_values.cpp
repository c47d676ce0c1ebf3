// SPDX-License-Identifier: Apache-2.0
#include "config/redis_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <utility>

namespace tanist::config {
namespace {

constexpr std::string_view kInA = "g$lshzxetd";

std::string lower(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return lowered;
}

std::vector<std::string> words_of(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(lower(word));
    return words;
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

}  // namespace

std::optional<std::uint64_t> bytes_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits{
        {{"", 1}, {"b", 1}, {"k", 1000}, {"kb", 1 << 10}, {"m", 1'000'000}, {"mb", 1 << 20}, {"g", 1'000'000'000}, {"gb", 1 << 30}}};
    const std::size_t digits = std::min(word.size(), word.find_first_not_of("0123456789"));
    const auto* unit = std::ranges::find(kUnits, lower(word.substr(digits)), &std::pair<std::string_view, std::uint64_t>::first);
    const auto number = number_of(word.substr(0, digits));
    if (unit == kUnits.end() || !number || *number > INT64_MAX / unit->second) return std::nullopt;
    return *number * unit->second;
}

// -- EventClasses -------------------------------------------------------------------------------------------------------------------

std::optional<EventClasses> EventClasses::parse(std::string_view letters) {
    EventClasses classes;
    const auto add = [&](char letter) { classes.bits_ |= 1u << kLetters.find(letter); };
    for (const char letter : letters) {
        if (letter == 'A') {
            std::ranges::for_each(kInA, add);
        } else if (kLetters.find(letter) != std::string_view::npos) {
            add(letter);
        } else {
            return std::nullopt;
        }
    }
    return classes;
}

std::string EventClasses::to_string() const {
    const bool has_all = std::ranges::all_of(kInA, [this](char letter) { return has(letter); });
    std::string text(has_all ? "A" : "");
    for (const char letter : kLetters) {
        const bool is_said = has_all && (kInA.find(letter) != std::string_view::npos || letter == 'n');  // as Redis leaves it out
        if (has(letter) && !is_said) text += letter;
    }
    return text;
}

// -- OutputLimits -------------------------------------------------------------------------------------------------------------------

std::optional<std::string> OutputLimits::read(std::string_view text) {
    const auto words = words_of(text);
    if (words.size() % 4 != 0) return "Wrong number of arguments in buffer limit configuration.";
    OutputLimits read = *this;
    for (std::size_t i = 0; i < words.size(); i += 4) {
        const bool is_slave = words[i] == "slave" || words[i] == "replica";
        if (!is_slave && words[i] != "normal" && words[i] != "pubsub")
            return "Invalid client class specified in buffer limit configuration.";
        const auto hard = bytes_of(words[i + 1]), soft = bytes_of(words[i + 2]);
        const auto seconds = number_of(words[i + 3]);
        if (!hard || !soft || !seconds) return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        Limit& limit = is_slave ? read.slave : words[i] == "normal" ? read.normal : read.pubsub;
        limit = {*hard, *soft, *seconds};
    }
    *this = read;
    return std::nullopt;
}

std::string OutputLimits::to_string() const {
    return fmt::format("normal {} {} {} slave {} {} {} pubsub {} {} {}", normal.hard, normal.soft, normal.soft_seconds, slave.hard,
                       slave.soft, slave.soft_seconds, pubsub.hard, pubsub.soft, pubsub.soft_seconds);
}

// -- Percentiles --------------------------------------------------------------------------------------------------------------------

std::optional<std::string> Percentiles::read(std::string_view text) {
    std::vector<double> read;
    for (const std::string& word : words_of(text)) {
        char* end = nullptr;
        const double percent = std::strtod(word.c_str(), &end);
        if (*end != '\0' || !std::isfinite(percent)) return "Invalid latency-tracking-info-percentiles parameters";
        if (percent < 0 || percent > 100) return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
        read.push_back(percent);
    }
    percents = std::move(read);
    return std::nullopt;
}

std::string Percentiles::to_string() const { return fmt::format("{}", fmt::join(percents, " ")); }

}  // namespace tanist::config

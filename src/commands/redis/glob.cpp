// SPDX-License-Identifier: Apache-2.0
#include "commands/redis/glob.h"

#include <algorithm>
#include <optional>

namespace tanist::commands::redis {
namespace {

/// Takes one element off `pattern`, which is not empty and does not begin with '*', and says whether it matches `byte`. A class
/// that is not closed goes to the end of the pattern, as in Redis.
bool element_matches(std::string_view& pattern, char byte) {
    const char first = pattern.front();
    if (first == '\\' && pattern.size() >= 2) {
        const bool same = pattern[1] == byte;
        pattern.remove_prefix(2);
        return same;
    }
    if (first != '[') {
        pattern.remove_prefix(1);
        return first == '?' || first == byte;
    }
    pattern.remove_prefix(1);
    const bool is_negated = pattern.starts_with('^');
    if (is_negated) pattern.remove_prefix(1);
    bool found = false;
    for (; !pattern.empty() && pattern.front() != ']'; pattern.remove_prefix(1)) {
        if (pattern.front() == '\\' && pattern.size() >= 2) {
            pattern.remove_prefix(1);
            found |= pattern.front() == byte;
        } else if (pattern.size() >= 3 && pattern[1] == '-') {
            const auto [low, high] = std::minmax({static_cast<unsigned char>(pattern[0]), static_cast<unsigned char>(pattern[2])});
            found |= static_cast<unsigned char>(byte) >= low && static_cast<unsigned char>(byte) <= high;
            pattern.remove_prefix(2);
        } else {
            found |= pattern.front() == byte;
        }
    }
    if (!pattern.empty()) pattern.remove_prefix(1);
    return found != is_negated;
}

}  // namespace

/// Only the last star is ever tried again, so the time is at most the product of both lengths.
bool glob_matches(std::string_view pattern, std::string_view text) {
    struct Retry {
        std::string_view pattern, text;
    };
    std::optional<Retry> retry;  // behind the last star
    for (;;) {
        if (pattern.starts_with('*')) {
            pattern.remove_prefix(std::min(pattern.find_first_not_of('*'), pattern.size()));
            if (pattern.empty()) return true;
            retry = Retry{pattern, text};
        } else if (text.empty() && pattern.empty()) {
            return true;
        } else if (!text.empty() && !pattern.empty() && element_matches(pattern, text.front())) {
            text.remove_prefix(1);
        } else if (retry && !retry->text.empty()) {
            retry->text.remove_prefix(1);
            pattern = retry->pattern;
            text = retry->text;
        } else {
            return false;
        }
    }
}

std::string_view literal_prefix(std::string_view pattern) { return pattern.substr(0, pattern.find_first_of("*?[\\")); }

}  // namespace tanist::commands::redis

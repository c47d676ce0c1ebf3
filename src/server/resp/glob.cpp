// SPDX-License-Identifier: Apache-2.0
#include "server/resp/glob.h"

#include <utility>

namespace tanist::server::resp {
namespace {

char folded(char c, bool any_case) { return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Whether the class that begins behind '[' holds `c`; `at` moves behind it. One that is not closed reaches to the end.
bool class_holds(std::string_view pattern, std::size_t& at, char c, bool any_case) {
    const auto code = [&](char each) { return static_cast<unsigned char>(folded(each, any_case)); };
    const bool inverted = at < pattern.size() && pattern[at] == '^';
    if (inverted) ++at;
    bool found = false;
    while (at < pattern.size() && pattern[at] != ']') {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) {
            found |= code(pattern[at + 1]) == code(c);
            at += 2;
        } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
            unsigned char low = code(pattern[at]), high = code(pattern[at + 2]);
            if (low > high) std::swap(low, high);
            found |= code(c) >= low && code(c) <= high;
            at += 3;
        } else {
            found |= code(pattern[at]) == code(c);
            ++at;
        }
    }
    if (at < pattern.size()) ++at;
    return found != inverted;
}

}  // namespace

/// A mismatch goes back to the last '*' and lets it take one character more: earlier ones need no second look.
bool matches_glob(std::string_view pattern, std::string_view text, bool any_case) {
    std::size_t at = 0, position = 0;
    std::size_t star = std::string_view::npos, star_position = 0;
    while (position < text.size()) {
        bool matched = false;
        std::size_t next = at;
        if (at < pattern.size()) {
            const char c = pattern[at];
            next = at + 1;
            if (c == '*') {
                star = at++;
                star_position = position;
                continue;
            }
            if (c == '?') {
                matched = true;
            } else if (c == '[') {
                matched = class_holds(pattern, next, text[position], any_case);
            } else {
                const bool escaped = c == '\\' && next < pattern.size();
                const char literal = escaped ? pattern[next++] : c;
                matched = folded(literal, any_case) == folded(text[position], any_case);
            }
        }
        if (matched) {
            at = next;
            ++position;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            position = ++star_position;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*') ++at;
    return at == pattern.size();
}

}  // namespace tanist::server::resp

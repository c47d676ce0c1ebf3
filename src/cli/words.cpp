// SPDX-License-Identifier: Apache-2.0
#include "cli/words.h"

#include <algorithm>

#include "cli/text.h"

namespace tanist::cli {
namespace {

/// Takes an escape that begins at `line[at]`, a backslash, and moves `at` behind it.
Expected<std::string> take_escape(std::string_view line, std::size_t& at) {
    const std::size_t start = at;
    const char next = at + 1 < line.size() ? line[at + 1] : '\0';
    if (next == '"' || next == '\'' || next == ' ') {
        at += 2;
        return std::string(1, next);
    }
    const std::string_view escape = line.substr(at, next == 'x' ? 4 : 2);
    at += escape.size();
    auto bytes = unescape(escape);
    if (!bytes)
        return usage(R"(no such escape at column {}; allowed are \t \n \r \\ \" \' \xHH and a backslash before a blank)", start + 1);
    return std::move(*bytes);
}

}  // namespace

Expected<std::vector<std::string>> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::size_t at = 0;
    for (;;) {
        at = std::min(line.find_first_not_of(" \t\r\n", at), line.size());
        if (at == line.size() || line[at] == '#') return words;
        std::string word;
        char quote = '\0';
        std::size_t quoted_at = 0;
        while (at < line.size()) {
            const char c = line[at];
            if (quote == '\0' && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) break;
            if (quote == '\0' && (c == '"' || c == '\'')) {
                quote = c;
                quoted_at = at++;
            } else if (c == quote) {
                quote = '\0';
                ++at;
            } else if (c == '\\' && quote != '\'') {
                auto escaped = take_escape(line, at);
                if (!escaped) return tl::unexpected(escaped.error());
                word += *escaped;
            } else {
                word.push_back(c);
                ++at;
            }
        }
        if (quote != '\0') return usage("the quote at column {} does not end", quoted_at + 1);
        words.push_back(std::move(word));
    }
}

}  // namespace tanist::cli

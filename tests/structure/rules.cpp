// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <set>
#include <string_view>

namespace tanist::structure {
namespace {

/// Each match of the pattern in these lines becomes `path:line: what`, with {} in `what` standing for the match.
std::vector<std::string> matches(const SourceFile& file, const std::vector<std::string>& lines, const std::regex& pattern,
                                 std::string_view what) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::smatch match;
        if (std::regex_search(lines[i], match, pattern)) {
            found.push_back(fmt::format("{}:{}: {}", file.path, i + 1, fmt::format(fmt::runtime(what), match.str())));
        }
    }
    return found;
}

const std::set<std::string_view> kDeterministicRooms{"core", "commands", "replica"};

// Headers that bring in time, threads, files, sockets or chance. <chrono> is not among them: durations are arithmetic.
const std::set<std::string_view> kImpureHeaders{"atomic",     "barrier",    "condition_variable",
                                                "cstdio",     "ctime",      "filesystem",
                                                "fstream",    "future",     "iostream",
                                                "latch",      "mutex",      "ostream",
                                                "random",     "semaphore",  "shared_mutex",
                                                "stop_token", "syncstream", "thread",
                                                "unistd.h",   "fcntl.h",    "time.h",
                                                "poll.h",     "netdb.h",    "pthread.h",
                                                "sched.h",    "signal.h",   "dirent.h"};
constexpr std::array<std::string_view, 6> kImpureFolders{"sys/", "netinet/", "arpa/", "linux/", "asio", "spdlog/"};

}  // namespace

std::vector<std::string> nondeterminism(const SourceFile& file) {
    if (!kDeterministicRooms.contains(file.room())) return {};
    static const std::regex kWords(
        R"(\b((system|steady|high_resolution)_clock|random_device|std::(thread|jthread|mutex|condition_variable))\b)"
        R"(|\b(clock_gettime|gettimeofday|std::time|getenv|rand|socket|fopen|printf)\s*\(|(^|[^\w>])::(open|time)\s*\()");
    auto found = matches(file, file.code, kWords, "{}…: not in a room that must give the same result everywhere");
    for (const Include& include : file.includes) {
        const bool impure = kImpureHeaders.contains(include.path) ||
                            std::ranges::any_of(kImpureFolders, [&](std::string_view folder) { return include.path.starts_with(folder); });
        if (impure) {
            found.push_back(fmt::format("{}:{}: includes {}: not in a room that must give the same result everywhere", file.path,
                                        include.line, include.path));
        }
    }
    return found;
}

std::vector<std::string> bad_opening(const SourceFile& file) {
    std::vector<std::string> found;
    if (file.lines.empty() || file.lines[0] != "// SPDX-License-Identifier: Apache-2.0") {
        found.push_back(fmt::format("{}:1: must be the line `// SPDX-License-Identifier: Apache-2.0`", file.path));
    }
    if (!file.is_header()) return found;
    if (file.lines.size() < 2 || !file.lines[1].starts_with("// ")) {
        found.push_back(fmt::format("{}:2: must be a sentence that says what this header is", file.path));
    }
    if (std::ranges::find(file.lines, "#pragma once") == file.lines.end()) {
        found.push_back(fmt::format("{}:3: has no #pragma once", file.path));
    }
    return found;
}

std::vector<std::string> too_long(const SourceFile& file) {
    if (file.lines.size() <= kLinesMax) return {};
    return {fmt::format("{}:{}: {} lines, at most {} are allowed", file.path, kLinesMax + 1, file.lines.size(), kLinesMax)};
}

std::vector<std::string> unfinished(const SourceFile& file) {
    static const std::regex kNotes(
        "\\b(TO"
        "DO|FIX"
        "ME|XX"
        "X)\\b");  // apart, so that this line is none
    return matches(file, file.lines, kNotes, "{}: finish it, or write an issue");
}

std::vector<std::string> sleeps(const SourceFile& file) {
    static const std::regex kSleep(R"(\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\()");
    return matches(file, file.code, kSleep, "{}…): await a condition by a deadline, or tick");
}

std::vector<std::string> forbidden_language(const SourceFile& file) {
    if (file.room().empty()) return {};
    static const std::regex kThrow(R"(\bthrow\b)");
    static const std::regex kMacro(R"(^\s*#\s*define\s+(?!ENSURE\b)\w+)");
    auto found = matches(file, file.code, kThrow, "{}: what may fail returns a Result");
    std::ranges::move(matches(file, file.code, kMacro, "{}: ENSURE is the only macro"), std::back_inserter(found));
    return found;
}

}  // namespace tanist::structure

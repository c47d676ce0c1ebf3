// SPDX-License-Identifier: Apache-2.0
// A source file as the rules of this code see it: text without comments and literals, and what it includes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tanist::structure {

struct Include {
    std::size_t line = 0;
    bool quoted = false;  ///< "…", not <…>
    std::string path;
};

/// Lines are counted from 1; `lines[0]` is line 1.
struct SourceFile {
    std::string path;                ///< from the project's folder: src/core/node.h
    std::vector<std::string> lines;  ///< as written
    std::vector<std::string> code;   ///< the same lines with comments, strings and characters blanked out
    std::vector<Include> includes;

    [[nodiscard]] bool is_header() const { return path.ends_with(".h"); }
    /// The first folder below src/: "core"; empty for what lies elsewhere.
    [[nodiscard]] std::string room() const;
};

[[nodiscard]] SourceFile parse_source(std::string path, std::string_view text);

/// All .h and .cpp files below these folders of the project, in the order of their paths.
[[nodiscard]] std::vector<SourceFile> read_sources(const std::filesystem::path& project, const std::vector<std::string>& folders);

[[nodiscard]] std::string read_text(const std::filesystem::path& file);

}  // namespace tanist::structure

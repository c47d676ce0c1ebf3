// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/source_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

namespace tanist::structure {
namespace {

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// Blanks out what is not code, and leaves every line break where it was.
std::string strip(std::string_view text) {
    std::string code(text);
    const auto blank = [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < std::min(end, code.size()); ++i) {
            if (code[i] != '\n') code[i] = ' ';
        }
        return end;
    };
    const auto end_of_quoted = [&](std::size_t i) {
        const char quote = text[i++];
        while (i < text.size() && text[i] != quote && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
        return i;
    };
    for (std::size_t i = 0; i < text.size();) {
        const std::string_view rest = text.substr(i);
        const bool in_number = i > 0 && std::isalnum(static_cast<unsigned char>(text[i - 1])) != 0;
        if (rest.starts_with("//")) {
            i = blank(i, std::min(text.find('\n', i), text.size()));
        } else if (rest.starts_with("/*")) {
            i = blank(i, std::min(text.find("*/", i), text.size() - 2) + 2);
        } else if (rest.starts_with("R\"") && !in_number) {
            const std::size_t open = text.find('(', i);
            const std::string close = ")" + std::string(text.substr(i + 2, open - i - 2)) + "\"";
            i = blank(i, std::min(text.find(close, open), text.size() - close.size()) + close.size());
        } else if (rest[0] == '"' || (rest[0] == '\'' && !in_number)) {  // in 1'000 it is a separator
            i = blank(i + 1, end_of_quoted(i)) + 1;
        } else {
            ++i;
        }
    }
    return code;
}

}  // namespace

std::string SourceFile::room() const {
    const std::string_view below = "src/";
    if (!path.starts_with(below)) return {};
    const std::string_view rest = std::string_view(path).substr(below.size());
    return std::string(rest.substr(0, rest.find('/')));
}

SourceFile parse_source(std::string path, std::string_view text) {
    static const std::regex kInclude(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
    SourceFile file{.path = std::move(path), .lines = split_lines(std::string(text)), .code = split_lines(strip(text)), .includes = {}};
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        std::smatch match;
        const bool is_directive = i < file.code.size() && file.code[i].find('#') != std::string::npos;
        if (is_directive && std::regex_search(file.lines[i], match, kInclude)) {
            file.includes.push_back({.line = i + 1, .quoted = match[1] == "\"", .path = match[2]});
        }
    }
    return file;
}

std::vector<SourceFile> read_sources(const std::filesystem::path& project, const std::vector<std::string>& folders) {
    std::set<std::string> paths;
    for (const std::string& folder : folders) {
        if (!std::filesystem::exists(project / folder)) continue;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(project / folder)) {
            const auto extension = entry.path().extension();
            if (extension == ".h" || extension == ".cpp") paths.insert(entry.path().lexically_relative(project).string());
        }
    }
    std::vector<SourceFile> files;
    for (const std::string& path : paths) files.push_back(parse_source(path, read_text(project / path)));
    return files;
}

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace tanist::structure

// SPDX-License-Identifier: Apache-2.0
#include "config/rewrite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "config/keys.h"
#include "config/toml_file.h"

namespace tanist::config {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// From where on a line is comment; its size: nowhere.
std::size_t comment_of(std::string_view line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (quote == '"' && line[i] == '\\') {
            ++i;
        } else if (quote != 0) {
            if (line[i] == quote) quote = 0;
        } else if (line[i] == '"' || line[i] == '\'') {
            quote = line[i];
        } else if (line[i] == '#') {
            return i;
        }
    }
    return line.size();
}

bool is_header_of(std::string_view line, std::string_view section) {
    const std::string_view header = trimmed(line.substr(0, comment_of(line)));
    return header.size() > 2 && header.front() == '[' && header.back() == ']' && trimmed(header.substr(1, header.size() - 2)) == section;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

/// The old value goes, the comment behind it stays.
void replace_value(std::string& line, std::string_view value) {
    const std::size_t equals = line.find('=');
    std::size_t end = comment_of(line);
    while (end > equals + 1 && (line[end - 1] == ' ' || line[end - 1] == '\t')) --end;
    line.replace(equals + 1, end - equals - 1, fmt::format(" {}", value));
}

tl::unexpected<Error> failed(const std::filesystem::path& file) {
    return fail(ErrorCode::kIo, "{}: {}", file.string(), std::generic_category().message(errno));
}

Status write_whole(const std::filesystem::path& file, std::string_view text, mode_t mode) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (descriptor < 0) return failed(file);
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t bytes = ::write(descriptor, text.data() + written, text.size() - written);
        if (bytes <= 0) break;
        written += static_cast<std::size_t>(bytes);
    }
    const bool is_complete = written == text.size() && ::fsync(descriptor) == 0;
    const auto failure = failed(file);
    ::close(descriptor);
    return is_complete ? Status{} : Status(failure);
}

/// As it stands in a file; what is printed elsewhere hides a password.
std::string in_file(const Key& key, const Config& config) {
    return &key == find_key("security", "requirepass") ? in_file(config.security.requirepass) : key.print(config);
}

/// Reads back what `request` gives with `fresh` in the place of its file.
Status check(LoadRequest request, const std::filesystem::path& fresh, const Config& wanted) {
    request.file = fresh;
    const auto loaded = load_config(request);
    if (!loaded) return fail(loaded.error());
    for (const Key& key : keys()) {
        if (!key.reloadable || in_file(key, *loaded) == in_file(key, wanted)) continue;
        return fail(ErrorCode::kRefused, "{}: the file would say {}, and {} holds: the environment and --set beat the file",
                    key.full_name(), key.print(wanted), key.print(*loaded));
    }
    return {};
}

}  // namespace

std::string with_setting(std::string_view text, std::string_view section, std::string_view key, std::string_view value) {
    std::vector<std::string> lines = lines_of(text);
    bool in_section = false;
    auto place = lines.end();  // of a new line
    for (auto line = lines.begin(); line != lines.end(); ++line) {
        if (trimmed(*line).starts_with('[')) {
            in_section = is_header_of(*line, section);
            if (in_section) place = line + 1;
        } else if (const std::size_t equals = line->find('='); in_section && equals != std::string::npos) {
            if (trimmed(std::string_view(*line).substr(0, equals)) != key) continue;
            replace_value(*line, value);
            return fmt::format("{}\n", fmt::join(lines, "\n"));
        }
    }
    if (place == lines.end() && !in_section) {
        lines.push_back(fmt::format("\n[{}]", section));
        place = lines.end();
    }
    lines.insert(place, fmt::format("{} = {}", key, value));
    return fmt::format("{}\n", fmt::join(lines, "\n"));
}

Status rewrite_file(const LoadRequest& request, const Config& wanted) {
    if (!request.file) return fail(ErrorCode::kRefused, "this node runs without a configuration file");
    const auto loaded = load_config(request);
    if (!loaded) return fail(loaded.error());
    auto text = read_whole(*request.file);
    if (!text) return fail(text.error());
    bool is_changed = false;
    for (const Key& key : keys()) {
        const std::string value = in_file(key, wanted);
        if (!key.reloadable || in_file(key, *loaded) == value) continue;
        *text = with_setting(*text, key.section, key.name, value);
        is_changed = true;
    }
    if (!is_changed) return {};
    struct stat old{};
    if (::stat(request.file->c_str(), &old) != 0) return failed(*request.file);
    const std::filesystem::path fresh = request.file->string() + ".new";
    ::unlink(fresh.c_str());  // of a crash, perhaps with another mode
    const bool holds_password = !wanted.security.requirepass.text.empty() || !wanted.security.peer_password.text.empty();
    Status done = write_whole(fresh, *text, old.st_mode & (holds_password ? 0700 : 0777));
    if (done) done = check(request, fresh, wanted);
    if (done && ::rename(fresh.c_str(), request.file->c_str()) != 0) done = failed(*request.file);
    if (!done) ::unlink(fresh.c_str());
    return done;
}

}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
// '/'-separated paths, put together and taken apart.
#pragma once

#include <string>
#include <string_view>

namespace tanist::wal {

/// "a/b" of "a/b/c", "." of "c", "/" of "/c".
[[nodiscard]] inline std::string directory_of(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

[[nodiscard]] inline std::string join_path(std::string_view directory, std::string_view name) {
    std::string path(directory);
    if (!path.ends_with('/')) path += '/';
    return path += name;
}

}  // namespace tanist::wal

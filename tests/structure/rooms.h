// SPDX-License-Identifier: Apache-2.0
// Which room may use which, read from the lists that CMake links by: `tanist_room(wal USES tanist_base)`.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/structure/source_file.h"

namespace tanist::structure {

struct Rooms {
    std::vector<std::string> order;                     ///< from the ground up
    std::map<std::string, std::set<std::string>> uses;  ///< of a room: rooms by name, and libraries by their CMake target
};

/// Adds what one src/<room>/CMakeLists.txt says. A room that is built in two ways may use what either names.
void add_uses(std::string_view cmake, Rooms& rooms);

[[nodiscard]] Rooms read_rooms(const std::filesystem::path& project);

/// Rooms that use one that does not stand before them, as sentences.
[[nodiscard]] std::vector<std::string> arrows_upward(const Rooms& rooms);

/// Includes of this file that its room does not allow, as `path:line: …`.
[[nodiscard]] std::vector<std::string> forbidden_includes(const SourceFile& file, const Rooms& rooms);

}  // namespace tanist::structure

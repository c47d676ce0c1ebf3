// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/rooms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>

namespace tanist::structure {
namespace {

constexpr std::string_view kPublicHeaders = "public headers";  // include/tanist
constexpr std::string_view kSystem = "system";                 // POSIX and the processor
constexpr std::string_view kStandard = "standard";
constexpr std::string_view kAllocator = "tanist_allocator";  // programs are linked with it, rooms are not

/// Whose header it is, by the beginning of its path. What no row fits is no header that this project may include.
struct Owner {
    std::string_view prefix;
    std::string_view library;  ///< CMake target
};
constexpr std::array kOwners{
    Owner{"fmt/", "fmt::fmt"},
    Owner{"tl/", "tl::expected"},
    Owner{"asio", "asio"},
    Owner{"spdlog/", "spdlog::spdlog"},
    Owner{"openssl/", "OpenSSL::Crypto"},
    Owner{"rocksdb/", "RocksDB::rocksdb-shared"},
    Owner{"toml++/", "PkgConfig::TOMLPLUSPLUS"},
    Owner{"CLI/", "CLI11::CLI11"},
    Owner{"prometheus/", "prometheus-cpp::core"},
    Owner{"google/protobuf/", "tanist_proto"},
    Owner{"mimalloc.h", kAllocator},
    Owner{"histedit.h", "PkgConfig::LIBEDIT"},
    Owner{"editline/", "PkgConfig::LIBEDIT"},
    Owner{"tanist/", kPublicHeaders},
    Owner{"sys/", kSystem},
    Owner{"netinet/", kSystem},
    Owner{"arpa/", kSystem},
    Owner{"linux/", kSystem},
    Owner{"dirent.h", kSystem},
    Owner{"fcntl.h", kSystem},
    Owner{"netdb.h", kSystem},
    Owner{"nmmintrin.h", kSystem},
    Owner{"poll.h", kSystem},
    Owner{"pthread.h", kSystem},
    Owner{"sched.h", kSystem},
    Owner{"signal.h", kSystem},
    Owner{"termios.h", kSystem},
    Owner{"time.h", kSystem},
    Owner{"unistd.h", kSystem},
};

std::string_view owner_of(std::string_view header) {
    if (header.ends_with(".pb.h")) return "tanist_proto";
    for (const Owner& owner : kOwners) {
        if (header.starts_with(owner.prefix)) return owner.library;
    }
    return header.find_first_of("./") == std::string_view::npos ? kStandard : std::string_view{};
}

/// Whoever stands on base speaks in Result and in formatted messages.
bool comes_with_base(std::string_view library) { return library == "fmt::fmt" || library == "tl::expected"; }

std::string refusal(const SourceFile& file, const Include& include, std::string_view reason) {
    return fmt::format("{}:{}: includes {}: {}", file.path, include.line, include.path, reason);
}

std::vector<std::string> forbidden_in_public_header(const SourceFile& file) {
    std::vector<std::string> refusals;
    for (const Include& include : file.includes) {
        const std::string_view owner = owner_of(include.path);
        if (owner == kStandard || owner == "tl::expected" || owner == kPublicHeaders) continue;
        refusals.push_back(refusal(file, include, "a public header shows only the standard library and tl::expected"));
    }
    return refusals;
}

}  // namespace

void add_uses(std::string_view cmake, Rooms& rooms) {
    static const std::regex kRoom(R"(tanist_room\(\s*(\w+)\s+USES([^)]*)\))");
    const std::string text(cmake);
    for (std::sregex_iterator match(text.begin(), text.end(), kRoom), end; match != end; ++match) {
        std::istringstream words((*match)[2]);
        for (std::string word; words >> word && word != "WITHOUT" && word != "SOURCES";) {
            const std::string_view prefix = "tanist_";
            const bool is_room = word.starts_with(prefix) && word != "tanist_proto";
            rooms.uses[(*match)[1]].insert(is_room ? word.substr(prefix.size()) : word);
        }
    }
}

Rooms read_rooms(const std::filesystem::path& project) {
    static const std::regex kList(R"(foreach\(room ([^)]*)\))");
    Rooms rooms;
    const std::string text = read_text(project / "src/CMakeLists.txt");
    if (std::smatch match; std::regex_search(text, match, kList)) {
        std::istringstream words(match[1]);
        for (std::string word; words >> word;) rooms.order.push_back(word);
    }
    for (const std::string& room : rooms.order) add_uses(read_text(project / "src" / room / "CMakeLists.txt"), rooms);
    return rooms;
}

std::vector<std::string> arrows_upward(const Rooms& rooms) {
    std::vector<std::string> arrows;
    std::set<std::string> below;
    for (const std::string& room : rooms.order) {
        if (!rooms.uses.contains(room)) {
            arrows.push_back(fmt::format("{} has no tanist_room(… USES …) in src/{}/CMakeLists.txt", room, room));
            continue;
        }
        for (const std::string& used : rooms.uses.at(room)) {
            const bool is_room = std::ranges::find(rooms.order, used) != rooms.order.end();
            if (is_room && !below.contains(used)) arrows.push_back(fmt::format("{} uses {}, which does not stand below it", room, used));
        }
        below.insert(room);
    }
    return arrows;
}

std::vector<std::string> forbidden_includes(const SourceFile& file, const Rooms& rooms) {
    if (file.path.starts_with("include/")) return forbidden_in_public_header(file);
    const std::string room = file.room();
    const auto found = rooms.uses.find(room);
    if (found == rooms.uses.end()) return {fmt::format("{}:1: lies in no room", file.path)};
    const std::set<std::string>& uses = found->second;

    std::vector<std::string> refusals;
    for (const Include& include : file.includes) {
        const std::string first = include.path.substr(0, include.path.find('/'));
        const std::string_view owner = owner_of(include.path);
        if (include.quoted && rooms.uses.contains(first)) {
            if (first != room && !uses.contains(first))
                refusals.push_back(refusal(file, include, fmt::format("{}/ may not use {}/", room, first)));
        } else if (owner.empty()) {
            refusals.push_back(refusal(file, include, "belongs to no room and no library of this project"));
        } else if (owner == kAllocator) {
            if (!file.path.ends_with("/main.cpp")) refusals.push_back(refusal(file, include, "only a program may name the allocator"));
        } else if (owner == kPublicHeaders) {
            const bool allowed = room == "client" || uses.contains("client");
            if (!allowed) refusals.push_back(refusal(file, include, fmt::format("{}/ may not use the client library", room)));
        } else if (owner != kStandard && owner != kSystem && !uses.contains(std::string(owner)) && !comes_with_base(owner)) {
            refusals.push_back(refusal(file, include, fmt::format("{}/ may not use {}", room, owner)));
        }
    }
    return refusals;
}

}  // namespace tanist::structure

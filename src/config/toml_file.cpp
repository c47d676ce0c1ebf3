// SPDX-License-Identifier: Apache-2.0
#include "config/toml_file.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <compare>
#include <cstdio>
#include <memory>
#include <sstream>
#include <system_error>

namespace tanist::config {
namespace {

OtherValue other(const toml::node& node) {
    std::ostringstream text;
    node.visit([&](const auto& value) { text << value; });
    return {text.str()};
}

Value to_value(const toml::node& node) {
    if (const auto* integer = node.as_integer()) return integer->get();
    if (const auto* text = node.as_string()) return text->get();
    const auto* array = node.as_array();
    if (array == nullptr) return other(node);
    std::vector<std::string> list;
    for (const toml::node& element : *array) {
        const auto* text = element.as_string();
        if (text == nullptr) return other(node);
        list.push_back(text->get());
    }
    return list;
}

struct Place {
    std::size_t line, column;
    friend auto operator<=>(const Place&, const Place&) = default;
};
struct Placed {
    Place place;
    Setting setting;
};

/// A table below a section becomes a key of that section, and an empty section a key without a name: so both are reported like
/// anything else that does not exist.
void append(std::string_view section, const toml::table& table, const std::string& file, std::vector<Placed>& out) {
    for (const auto& [key, node] : table) {
        const Place place{key.source().begin.line, key.source().begin.column};
        const std::string origin = fmt::format("{}:{}", file, place.line);
        const toml::table* below = section.empty() ? node.as_table() : nullptr;
        if (below == nullptr) {
            out.push_back({place, {std::string(section), std::string(key.str()), to_value(node), origin}});
        } else if (below->empty()) {
            out.push_back({place, {std::string(key.str()), {}, OtherValue{}, origin}});
        } else {
            append(key.str(), *below, file, out);
        }
    }
}

}  // namespace

Result<std::string> read_whole(const std::filesystem::path& file) {
    const auto close = [](std::FILE* stream) { std::fclose(stream); };
    const std::unique_ptr<std::FILE, decltype(close)> stream(std::fopen(file.c_str(), "rb"), close);
    std::string content;
    std::array<char, 4096> buffer;
    while (stream != nullptr) {
        const std::size_t bytes = std::fread(buffer.data(), 1, buffer.size(), stream.get());
        content.append(buffer.data(), bytes);
        if (bytes == 0) break;
    }
    if (stream != nullptr && std::ferror(stream.get()) == 0) return content;
    return fail(ErrorCode::kInvalidArgument, "{}: cannot be read: {}", file.string(), std::generic_category().message(errno));
}

Result<std::vector<Setting>> read_toml(const std::filesystem::path& file) {
    const auto content = read_whole(file);
    if (!content) return fail(content.error());
    try {
        std::vector<Placed> placed;
        append({}, toml::parse(*content, file.string()), file.string(), placed);
        std::ranges::sort(placed, {}, &Placed::place);
        std::vector<Setting> settings;
        for (Placed& each : placed) settings.push_back(std::move(each.setting));
        return settings;
    } catch (const toml::parse_error& e) {
        return fail(ErrorCode::kInvalidArgument, "{}:{}: {}", file.string(), e.source().begin.line, e.description());
    }
}

}  // namespace tanist::config

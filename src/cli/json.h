// SPDX-License-Identifier: Apache-2.0
// As much JSON as the program speaks: objects are written field by field, in order; read are flat objects, strictly.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/failure.h"

namespace tanist::cli {

/// Appends `text`, which must be UTF-8, with its quotes.
void append_json_string(std::string& out, std::string_view text);

class JsonObject {
public:
    JsonObject& text(std::string_view name, std::string_view value);
    /// As `name` when it is UTF-8, else as `name`_b64.
    JsonObject& bytes(std::string_view name, std::string_view value);
    JsonObject& boolean(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
    JsonObject& null(std::string_view name) { return raw(name, "null"); }
    template <std::integral T>
    JsonObject& number(std::string_view name, T value) {
        return raw(name, std::to_string(value));
    }
    template <std::integral T>
    JsonObject& number(std::string_view name, std::optional<T> value) {
        return value ? number(name, *value) : null(name);
    }
    /// null when it is empty.
    JsonObject& text_or_null(std::string_view name, std::string_view value) { return value.empty() ? null(name) : text(name, value); }
    /// Already JSON.
    JsonObject& raw(std::string_view name, std::string_view json);
    [[nodiscard]] std::string take() { return std::exchange(out_, {}) + '}'; }

private:
    std::string out_ = "{";
};

/// ["a","b"] of what is JSON already.
[[nodiscard]] std::string json_array(const std::vector<std::string>& items);

/// The members of an object whose values are strings, in their order. Anything else is refused: what, and at which byte.
[[nodiscard]] Expected<std::vector<std::pair<std::string, std::string>>> read_json_strings(std::string_view text);

}  // namespace tanist::cli

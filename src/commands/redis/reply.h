// SPDX-License-Identifier: Apache-2.0
// What a Redis command answers, as a tree: the same on every node, and in RESP2 and RESP3 once it is encoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tanist::commands {

struct Reply {
    enum class Kind : std::uint8_t {
        kNil,
        kStatus,
        kInteger,
        kBulk,
        kArray,
        kMap,     ///< `elements`: keys and values in turn
        kError,   ///< `text` begins with its code
        kCursor,  ///< of SCAN: `text` is the key to go on from, for which the answering node gives out a number; empty: the end
    };
    Kind kind = Kind::kNil;
    std::int64_t integer = 0;
    std::string text = {};
    std::vector<Reply> elements = {};

    [[nodiscard]] static Reply nil() { return {}; }
    [[nodiscard]] static Reply ok() { return status("OK"); }
    [[nodiscard]] static Reply status(std::string_view text) { return {.kind = Kind::kStatus, .text = std::string(text)}; }
    [[nodiscard]] static Reply number(std::int64_t value) { return {.kind = Kind::kInteger, .integer = value}; }
    [[nodiscard]] static Reply number(std::size_t value) { return number(static_cast<std::int64_t>(value)); }
    [[nodiscard]] static Reply yes_or_no(bool yes) { return {.kind = Kind::kInteger, .integer = yes ? 1 : 0}; }
    [[nodiscard]] static Reply bulk(std::string_view text) { return {.kind = Kind::kBulk, .text = std::string(text)}; }
    [[nodiscard]] static Reply array(std::vector<Reply> elements = {}) { return {.kind = Kind::kArray, .elements = std::move(elements)}; }
    [[nodiscard]] static Reply map(std::vector<Reply> elements) { return {.kind = Kind::kMap, .elements = std::move(elements)}; }
    [[nodiscard]] static Reply error(std::string_view text) { return {.kind = Kind::kError, .text = std::string(text)}; }
    [[nodiscard]] static Reply cursor(std::string_view key) { return {.kind = Kind::kCursor, .text = std::string(key)}; }

    [[nodiscard]] bool is_error() const { return kind == Kind::kError; }
    /// About what it takes when it is sent.
    [[nodiscard]] std::size_t bytes() const {
        std::size_t sum = kElementBytes + text.size();
        for (const Reply& element : elements) sum += element.bytes();
        return sum;
    }
    static constexpr std::size_t kElementBytes = 8;

    friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace tanist::commands

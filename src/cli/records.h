// SPDX-License-Identifier: Apache-2.0
// Keys and values in files, one record a line:
//   JSONL  {"key":"a","value":"b"}, where what is not UTF-8 is key_b64 or value_b64 in base64
//   TSV    a<TAB>b, with the escapes of text.h
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "cli/failure.h"

namespace tanist::cli {

enum class Format : std::uint8_t { kJsonl, kTsv };

struct Record {
    std::string key, value;

    friend bool operator==(const Record&, const Record&) = default;
};

/// A failure says what is wrong with the line, and what is allowed.
[[nodiscard]] Expected<Record> parse_record(std::string_view line, Format format);
/// Appends the line, with its end.
void append_record(std::string& out, std::string_view key, std::string_view value, Format format);

/// Reads lines, without their ends, and counts; a line too long to be a record is cut there and marked.
class LineReader {
public:
    explicit LineReader(std::istream& in) : in_(in) {}

    /// False at the end of the input.
    [[nodiscard]] bool next();
    [[nodiscard]] const std::string& line() const { return line_; }
    [[nodiscard]] bool too_long() const { return too_long_; }
    [[nodiscard]] std::uint64_t number() const { return number_; }
    [[nodiscard]] std::uint64_t bytes_read() const { return bytes_; }

    /// The longest record, every byte of it escaped in the longest way.
    static constexpr std::size_t kLineBytesMax = 112 << 20;

private:
    std::istream& in_;
    std::string line_;
    bool too_long_ = false;
    std::uint64_t number_ = 0, bytes_ = 0;
};

}  // namespace tanist::cli

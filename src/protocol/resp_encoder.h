// SPDX-License-Identifier: Apache-2.0
// Replies to Redis clients in RESP2 or RESP3, appended to an output buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tanist::protocol {

enum class RespVersion : std::uint8_t { k2 = 2, k3 = 3 };

/// Borrows its buffer. Aggregates announce a number of elements, which the caller then appends. What RESP2 lacks is written as
/// Redis writes it there: maps, sets and pushes as flat arrays, doubles, big numbers and verbatim text as bulk strings,
/// booleans as integers.
class RespEncoder {
public:
    RespEncoder(std::string& out, RespVersion version) : out_(out), version_(version) {}

    void ok() { out_ += "+OK\r\n"; }
    /// Line ends within `text` become spaces here and in error(): they would end the reply.
    void simple(std::string_view text);
    /// `text` begins with its code: "ERR unknown command …", "READONLY …".
    void error(std::string_view text);
    void integer(std::int64_t value) { head(':', value); }
    void bulk(std::string_view bytes);
    void null();        ///< RESP2: the bulk string of length -1
    void null_array();  ///< RESP2: the array of length -1
    void array(std::size_t elements) { head('*', elements); }
    void map(std::size_t pairs);
    void set(std::size_t elements) { head(is_3() ? '~' : '*', elements); }
    void push(std::size_t elements) { head(is_3() ? '>' : '*', elements); }
    void number(double value);
    void boolean(bool value);
    /// `digits`: a decimal integer of any length.
    void big_number(std::string_view digits);
    /// `format` is three letters: "txt" or "mkd".
    void verbatim(std::string_view format, std::string_view text);

    /// What another encoder has made, of this version.
    void encoded(std::string_view bytes) { out_ += bytes; }

    [[nodiscard]] RespVersion version() const { return version_; }

private:
    [[nodiscard]] bool is_3() const { return version_ == RespVersion::k3; }
    void head(char mark, std::int64_t value);
    void head(char mark, std::size_t value) { head(mark, static_cast<std::int64_t>(value)); }
    void line(char mark, std::string_view text);

    std::string& out_;
    RespVersion version_;
};

}  // namespace tanist::protocol

// SPDX-License-Identifier: Apache-2.0
#include "protocol/resp_encoder.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/ensure.h"

namespace tanist::protocol {

void RespEncoder::head(char mark, std::int64_t value) {
    char text[24];
    text[0] = mark;
    char* const end = std::to_chars(text + 1, text + sizeof text - 2, value).ptr;
    end[0] = '\r';
    end[1] = '\n';
    out_.append(text, static_cast<std::size_t>(end + 2 - text));
}

void RespEncoder::line(char mark, std::string_view text) {
    out_ += mark;
    const std::size_t start = out_.size();
    out_ += text;
    for (std::size_t i = start; i < out_.size(); ++i) {
        if (out_[i] == '\r' || out_[i] == '\n') out_[i] = ' ';
    }
    out_ += "\r\n";
}

void RespEncoder::simple(std::string_view text) { line('+', text); }

/// Line ends at the end of `text` go, as Redis lets them go.
void RespEncoder::error(std::string_view text) { line('-', text.substr(0, text.find_last_not_of("\r\n") + 1)); }

void RespEncoder::bulk(std::string_view bytes) {
    head('$', bytes.size());
    out_ += bytes;
    out_ += "\r\n";
}

void RespEncoder::null() { out_ += is_3() ? "_\r\n" : "$-1\r\n"; }

void RespEncoder::null_array() { out_ += is_3() ? "_\r\n" : "*-1\r\n"; }

void RespEncoder::map(std::size_t pairs) {
    if (is_3()) {
        head('%', pairs);
    } else {
        head('*', 2 * pairs);
    }
}

void RespEncoder::number(double value) {
    // Redis 7.0's words and its seventeen digits.
    std::string text;
    if (std::isnan(value)) {
        text = "nan";
    } else if (std::isinf(value)) {
        text = value > 0 ? "inf" : "-inf";
    } else {
        text = fmt::format("{:.17g}", value);
    }
    if (is_3()) {
        line(',', text);
    } else {
        bulk(text);
    }
}

void RespEncoder::boolean(bool value) {
    if (is_3()) {
        out_ += value ? "#t\r\n" : "#f\r\n";
    } else {
        integer(value ? 1 : 0);
    }
}

void RespEncoder::big_number(std::string_view digits) {
    if (is_3()) {
        line('(', digits);
    } else {
        bulk(digits);
    }
}

void RespEncoder::verbatim(std::string_view format, std::string_view text) {
    ENSURE(format.size() == 3);
    if (!is_3()) return bulk(text);
    head('=', text.size() + 4);
    out_ += format;
    out_ += ':';
    out_ += text;
    out_ += "\r\n";
}

}  // namespace tanist::protocol

// SPDX-License-Identifier: Apache-2.0
#include "protocol/resp_decoder.h"

#include <algorithm>

namespace tanist::protocol {
namespace {

constexpr std::size_t kUnauthenticatedArgumentsMax = 10;
constexpr std::size_t kUnauthenticatedBulkBytesMax = 16384;
constexpr std::int64_t kRedisBulkBytesMax = 512 << 20;  ///< more is no length to Redis, whoever says it
/// A longer list of arguments is not kept for the next command.
constexpr std::size_t kArgumentsKept = 1024;

/// isspace() of the C locale: what may stand before a word and behind a closing quote.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
/// What ends a word without quotes.
bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

char unescape(char c) {
    switch (c) {
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'b': return '\b';
        case 'a': return '\a';
        default: return c;
    }
}

}  // namespace

template <class... Args>
RespDecoder::Step RespDecoder::refuse(fmt::format_string<Args...> format, Args&&... args) {
    error_ = "Protocol error: " + fmt::format(format, std::forward<Args>(args)...);
    return Step::kFailed;
}

Result<std::optional<RespDecoder::Command>> RespDecoder::next(ReadBuffer& buffer) {
    if (!error_.empty()) return fail(ErrorCode::kInvalidArgument, "{}", error_);
    for (;;) {
        const std::string_view text = as_text(buffer.unread());
        if (text.size() <= position_) return std::nullopt;
        Step step = Step::kDone;
        bool is_inline = false;
        if (arguments_left_ > 0) {
            step = arguments(text, buffer);
        } else if (text.front() == '*') {
            step = multibulk(text);
            if (step == Step::kDone && arguments_left_ > 0) step = arguments(text, buffer);
        } else {
            is_inline = true;
            step = inline_command(text);
        }
        if (step == Step::kMore) return std::nullopt;
        if (step == Step::kFailed) return fail(ErrorCode::kInvalidArgument, "{}", error_);
        if (!is_inline) {
            command_.clear();
            for (const Slice slice : slices_) command_.push_back(text.substr(slice.offset, slice.bytes));
        }
        start_next(buffer);
        if (!command_.empty()) return Command(command_);
    }
}

void RespDecoder::start_next(ReadBuffer& buffer) {
    buffer.consume(position_);
    position_ = 0;
    slices_.clear();
    if (slices_.capacity() > kArgumentsKept) slices_ = {};
    if (command_.capacity() > kArgumentsKept && command_.size() <= kArgumentsKept) command_ = std::vector(command_);
}

/// "<mark><number>\r\n" at position_, which moves behind it only when it is whole. A number as Redis takes it: no plus sign, no
/// leading zeros.
RespDecoder::Step RespDecoder::length(std::string_view text, std::string_view kind, std::int64_t& value) {
    constexpr std::size_t kDigitsMax = 18;  // more is beyond any limit
    std::size_t at = position_ + 1;
    const bool negative = at < text.size() && text[at] == '-';
    if (negative) ++at;
    const std::size_t first = at;
    std::int64_t number = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        if (at - first == kDigitsMax) return refuse("invalid {} length", kind);
        number = number * 10 + (text[at] - '0');
    }
    if (at - first > 1 && text[first] == '0') return refuse("invalid {} length", kind);
    if (at == text.size()) return Step::kMore;
    if (text[at] != '\r' || at == first || (negative && number == 0)) return refuse("invalid {} length", kind);
    if (at + 1 == text.size()) return Step::kMore;
    if (text[at + 1] != '\n') return refuse("expected CRLF behind the {} length", kind);
    value = negative ? -number : number;
    position_ = at + 2;
    return Step::kDone;
}

/// The head of an array. One without elements is no command, and no error.
RespDecoder::Step RespDecoder::multibulk(std::string_view text) {
    std::int64_t count = 0;
    if (const Step step = length(text, "multibulk", count); step != Step::kDone) return step;
    if (count > static_cast<std::int64_t>(limits_.arguments_max)) return refuse("invalid multibulk length");
    if (count > static_cast<std::int64_t>(kUnauthenticatedArgumentsMax) && !limits_.authenticated) {
        return refuse("unauthenticated multibulk length");
    }
    arguments_left_ = std::max<std::int64_t>(count, 0);
    return Step::kDone;
}

RespDecoder::Step RespDecoder::arguments(std::string_view text, ReadBuffer& buffer) {
    while (arguments_left_ > 0) {
        if (bulk_bytes_ < 0) {
            if (position_ == text.size()) return Step::kMore;
            if (text[position_] != '$') return refuse("expected '$', got '{}'", text[position_]);
            std::int64_t bytes = 0;
            if (const Step step = length(text, "bulk", bytes); step != Step::kDone) return step;
            if (bytes < 0 || bytes > kRedisBulkBytesMax) return refuse("invalid bulk length");
            if (bytes > static_cast<std::int64_t>(kUnauthenticatedBulkBytesMax) && !limits_.authenticated) {
                return refuse("unauthenticated bulk length");
            }
            if (bytes > static_cast<std::int64_t>(limits_.bulk_bytes_max)) return refuse("invalid bulk length");
            if (position_ + static_cast<std::size_t>(bytes) > limits_.request_bytes_max) {
                return refuse("a request of more than {} bytes", limits_.request_bytes_max);
            }
            bulk_bytes_ = bytes;
        }
        const auto bytes = static_cast<std::size_t>(bulk_bytes_);
        if (text.size() - position_ < bytes + 2) {
            buffer.expect(position_ + bytes + 2);
            return Step::kMore;
        }
        if (text[position_ + bytes] != '\r' || text[position_ + bytes + 1] != '\n')
            return refuse("expected CRLF behind a bulk of {} bytes", bytes);
        slices_.push_back({static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(bytes)});
        position_ += bytes + 2;
        bulk_bytes_ = -1;
        --arguments_left_;
    }
    return Step::kDone;
}

/// A line of words, ended by "\n" or "\r\n"; an empty one is no command, and no error.
RespDecoder::Step RespDecoder::inline_command(std::string_view text) {
    const std::size_t newline = text.find('\n', position_);
    if (newline == std::string_view::npos) {
        if (text.size() > limits_.inline_bytes_max) return refuse("too big inline request");
        position_ = text.size();
        return Step::kMore;
    }
    position_ = newline + 1;
    std::string_view line = text.substr(0, newline);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > limits_.request_bytes_max) return refuse("too big inline request");
    if (!split_inline(line)) return refuse("unbalanced quotes in request");
    if (command_.size() > limits_.arguments_max) return refuse("too big inline request");
    return Step::kDone;
}

/// Words as in Redis's configuration: "…" with \n \r \t \b \a \xHH \" \\, and '…' with \'. A closing quote ends its word.
/// False: a quote is not closed, or something stands right behind a closing one.
bool RespDecoder::split_inline(std::string_view line) {
    command_.clear();
    unescaped_.clear();
    unescaped_.reserve(line.size());  // never grows beyond it: the views stay valid
    std::size_t at = 0;
    for (;;) {
        while (at < line.size() && is_space(line[at])) ++at;
        if (at == line.size()) return true;
        const std::size_t start = unescaped_.size();
        char quote = 0;
        for (; at < line.size() && (quote != 0 || !ends_word(line[at])); ++at) {
            const char c = line[at];
            if (quote == 0) {
                if (c == '"' || c == '\'') {
                    quote = c;
                } else {
                    unescaped_ += c;
                }
            } else if (c == quote) {
                if (at + 1 < line.size() && !is_space(line[at + 1])) return false;
                quote = 0;
            } else if (quote == '"' && c == '\\' && at + 3 < line.size() && line[at + 1] == 'x' && hex_digit(line[at + 2]) >= 0 &&
                       hex_digit(line[at + 3]) >= 0) {
                unescaped_ += static_cast<char>(hex_digit(line[at + 2]) * 16 + hex_digit(line[at + 3]));
                at += 3;
            } else if (quote == '"' && c == '\\' && at + 1 < line.size()) {
                unescaped_ += unescape(line[++at]);
            } else if (quote == '\'' && c == '\\' && at + 1 < line.size() && line[at + 1] == '\'') {
                unescaped_ += line[++at];
            } else {
                unescaped_ += c;
            }
        }
        if (quote != 0) return false;
        command_.push_back(std::string_view(unescaped_).substr(start));
    }
}

}  // namespace tanist::protocol

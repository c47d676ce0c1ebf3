// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tanist::http {
namespace {

/// "tchar" of RFC 9110, section 5.6.2: what methods and header names are made of.
bool is_token(std::string_view text) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOthers.find(c) != std::string_view::npos;
    });
}

bool is_printable(std::string_view text, bool spaces) {
    return std::ranges::all_of(text, [&](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte > 0x20 && byte != 0x7f) || (spaces && (c == ' ' || c == '\t'));
    });
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Takes the line up to the next line feed off the front, without its end. RFC 9112, section 2.2 allows to take a bare line feed for one.
std::string_view take_line(std::string_view& bytes) {
    const std::size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// The length of the head, blank line included, or nothing when it does not end within `bytes`.
std::optional<std::size_t> head_length(std::string_view bytes) {
    for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
        const std::string_view rest = bytes.substr(at + 1);
        if (rest.starts_with("\n")) return at + 2;
        if (rest.starts_with("\r\n")) return at + 3;
    }
    return std::nullopt;
}

std::optional<BadRequest> parse_request_line(std::string_view line, ParsedRequest& out) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return BadRequest{400, "the first line must be: METHOD PATH HTTP/1.1"};
    const std::string_view method = line.substr(0, first);
    std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(method) || target.empty() || !is_printable(target, false)) {
        return BadRequest{400, "the first line must be: METHOD PATH HTTP/1.1"};
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return BadRequest{version.starts_with("HTTP/") ? 505 : 400, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
    }
    if (const std::size_t scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
        const std::size_t slash = target.find('/', scheme + 3);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    if (!target.starts_with('/')) return BadRequest{400, "the path must begin with a slash"};
    target = target.substr(0, target.find('#'));
    const std::size_t question = target.find('?');
    out.head = method == "HEAD";
    out.request.method = out.head ? "GET" : std::string(method);
    out.request.path = target.substr(0, question);
    out.request.query = question == std::string_view::npos ? "" : target.substr(question + 1);
    out.keep_alive = version == "HTTP/1.1";
    return std::nullopt;
}

/// What the headers say about the connection and the body.
std::optional<BadRequest> interpret_headers(bool host_required, ParsedRequest& out) {
    std::size_t hosts = 0;
    std::optional<std::string> length;
    for (const auto& [name, value] : out.request.headers) {
        if (name == "host") ++hosts;
        if (name == "transfer-encoding") return BadRequest{501, "no transfer encoding is understood here"};
        if (name == "connection") {
            const std::string wish = lower(value);
            if (wish.find("close") != std::string::npos) out.keep_alive = false;
            if (wish.find("keep-alive") != std::string::npos) out.keep_alive = true;
        }
        if (name == "content-length") {
            const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out.body_bytes);
            const bool valid = error == std::errc{} && end == value.data() + value.size() && (!length || *length == value);
            if (!valid) return BadRequest{400, "Content-Length must be one whole number"};
            length = value;
        }
    }
    if (hosts > 1 || (hosts == 0 && host_required)) return BadRequest{400, "there must be one Host header"};
    return std::nullopt;
}

}  // namespace

ParseResult parse_request(std::string_view bytes, std::size_t head_bytes_max) {
    std::size_t skipped = 0;  // RFC 9112, section 2.2: an empty line in front of a request is ignored
    while (skipped < bytes.size() && (bytes[skipped] == '\r' || bytes[skipped] == '\n')) ++skipped;
    const std::string_view rest = bytes.substr(skipped);
    const auto length = head_length(rest.substr(0, head_bytes_max));
    if (!length) {
        if (bytes.size() < head_bytes_max) return Incomplete{};
        return BadRequest{431, fmt::format("the head of a request may have at most {} bytes", head_bytes_max)};
    }

    ParsedRequest parsed;
    parsed.consumed = skipped + *length;
    std::string_view head = rest.substr(0, *length);
    if (auto bad = parse_request_line(take_line(head), parsed)) return *bad;
    const bool host_required = parsed.keep_alive;  // so far only the version speaks: HTTP/1.1
    for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
        const std::size_t colon = line.find(':');
        const std::string_view name = line.substr(0, colon);
        if (colon == std::string_view::npos || !is_token(name) || !is_printable(line.substr(colon + 1), true)) {
            return BadRequest{400, "each header must be: NAME: VALUE"};
        }
        parsed.request.headers.emplace_back(lower(name), trimmed(line.substr(colon + 1)));
    }
    if (auto bad = interpret_headers(host_required, parsed)) return *bad;
    return parsed;
}

}  // namespace tanist::http

// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <fmt/format.h>

#include <iterator>

namespace tanist::http {

const std::string* HttpRequest::header(std::string_view name) const {
    for (const auto& [each, value] : headers) {
        if (each == name) return &value;
    }
    return nullptr;
}

std::string_view reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 204: return "No Content";
        case 302: return "Found";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 413: return "Content Too Large";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "";
    }
}

std::string encode(const HttpResponse& response, bool keep_alive, bool head) {
    std::string bytes = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\nCache-Control: no-store\r\n", response.status,
        reason(response.status), response.content_type, response.body.size(), keep_alive ? "keep-alive" : "close");
    for (const auto& [name, value] : response.headers) fmt::format_to(std::back_inserter(bytes), "{}: {}\r\n", name, value);
    bytes += "\r\n";
    if (!head) bytes += response.body;
    return bytes;
}

}  // namespace tanist::http

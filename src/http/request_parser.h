// SPDX-License-Identifier: Apache-2.0
// Makes requests out of bytes, by RFC 9112, and never believes them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.h"

namespace tanist::http {

/// Not enough bytes yet.
struct Incomplete {};

/// What is wrong, as the status to answer with; the connection is of no more use then, since nobody knows where the next request begins.
struct BadRequest {
    int status = 400;
    std::string message;
};

struct ParsedRequest {
    HttpRequest request;
    bool head = false;           ///< the method was HEAD
    bool keep_alive = true;      ///< the client will send more on this connection
    std::size_t consumed = 0;    ///< bytes of the head, blank line included
    std::size_t body_bytes = 0;  ///< that follow; no route takes a body
};

using ParseResult = std::variant<Incomplete, BadRequest, ParsedRequest>;

/// Looks at the beginning of `bytes`. The whole head, request line included, may have `head_bytes_max` bytes.
[[nodiscard]] ParseResult parse_request(std::string_view bytes, std::size_t head_bytes_max);

}  // namespace tanist::http

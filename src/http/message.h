// SPDX-License-Identifier: Apache-2.0
// A request as a handler sees it, and the response that it gives back.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tanist::http {

struct HttpRequest {
    std::string method;                                        ///< "GET"; of a HEAD too, so that handlers need not care
    std::string path;                                          ///< "/metrics": begins with a slash, as it was written, without the query
    std::string query;                                         ///< what stood behind the "?", as it was written
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in the order in which they came

    /// The first header of that name (in lower case), or null.
    [[nodiscard]] const std::string* header(std::string_view name) const;
};

struct HttpResponse {
    int status = 200;
    std::string body;
    std::string content_type = "text/plain; charset=utf-8";
    std::vector<std::pair<std::string, std::string>> headers;  ///< beyond Content-Type, Content-Length and Connection
};

/// Called in the thread of the server's io_context, and must not block it.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// A path is matched whole; GET also answers HEAD.
struct Route {
    std::string path;
    HttpHandler handle;
    std::string method = "GET";
};

/// "Not Found" for 404; empty for what this server never says.
[[nodiscard]] std::string_view reason(int status);

/// The bytes of a response. Of a HEAD the length is told and the body left out.
[[nodiscard]] std::string encode(const HttpResponse& response, bool keep_alive, bool head);

}  // namespace tanist::http

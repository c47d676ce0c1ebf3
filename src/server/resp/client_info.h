// SPDX-License-Identifier: Apache-2.0
// What CLIENT LIST and CLIENT INFO tell about a connection.
#pragma once

#include <cstdint>
#include <string>

namespace tanist::server {

class RespSession;

namespace resp {

/// One line, without its end.
[[nodiscard]] std::string describe_client(const RespSession& session, std::uint64_t now_ms);

}  // namespace resp
}  // namespace tanist::server

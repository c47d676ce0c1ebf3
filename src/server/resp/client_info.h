// SPDX-License-Identifier: Apache-2.0
// What CLIENT LIST and CLIENT INFO tell about a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tanist::server {

class RespSession;

namespace resp {

/// One line, without its end. `running_bytes`: of the command that it has just sent, and that is answered now.
[[nodiscard]] std::string describe_client(const RespSession& session, std::uint64_t now_ms, std::size_t running_bytes = 0);

}  // namespace resp
}  // namespace tanist::server

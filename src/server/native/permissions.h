// SPDX-License-Identifier: Apache-2.0
// What a user may ask for in the native protocol: each request needs a command of RESP, and that command's rights to the same keys.
#pragma once

#include <optional>

#include "protocol/client_message.h"
#include "server/resp/acl.h"

namespace tanist::server {

/// nullopt: the user may. Of a Scan only whether it may scan at all: rows that it may not read are left out of the answer.
[[nodiscard]] std::optional<resp::Denial> deny(const resp::AclUser& user, const protocol::native::RequestBody& request);

}  // namespace tanist::server

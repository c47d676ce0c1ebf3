// SPDX-License-Identifier: Apache-2.0
// Passwords and users of RESP clients, out of the files that the configuration names.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "server/resp/acl.h"

namespace tanist::server {

/// security.requirepass, or what its file says; "": none.
[[nodiscard]] Result<std::string> password_of(const config::Config& config);

/// False: `file` is empty, so there is nothing to read or write. A file that is not there has no users.
[[nodiscard]] Result<bool> load_users(const std::filesystem::path& file, resp::Acl& acl);
/// Replaces the file as a whole, or leaves it as it was.
[[nodiscard]] Result<bool> save_users(const std::filesystem::path& file, const resp::Acl& acl);

}  // namespace tanist::server

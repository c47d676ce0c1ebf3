// SPDX-License-Identifier: Apache-2.0
// Passwords and users, out of the files that the configuration names.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "server/resp/acl.h"

namespace tanist::server {

/// What `inline_text` says, or the first line of `file`; "": neither is there. `name`: of the key in the configuration.
[[nodiscard]] Result<std::string> secret_of(const config::Secret& inline_text, const config::OptionalFile& file, std::string_view name);

/// An empty path, or a file that is not there: changes nothing.
[[nodiscard]] Status load_users(const std::filesystem::path& file, resp::Acl& acl);
/// Replaces the file as a whole, or leaves it as it was.
[[nodiscard]] Status save_users(const std::filesystem::path& file, const resp::Acl& acl);

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// The ACL categories that commands belong to, derived from their rows as Redis derives them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "server/resp/command.h"

namespace tanist::server::resp {

/// All of them, without "@".
[[nodiscard]] std::span<const std::string_view> categories();
/// Those of one row, with "@".
[[nodiscard]] std::vector<std::string_view> categories_of(const CommandTable::Row& row);

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// Writes what was changed while running back into the file, and leaves everything else in it as people wrote it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/load.h"

namespace tanist::config {

/// `text`, a configuration file, with `key` of `section` set to `value`, which stands there as it is: in its line, else in a new line
/// of its section, else in a new section. Comments stay.
[[nodiscard]] std::string with_setting(std::string_view text, std::string_view section, std::string_view key, std::string_view value);

/// Makes what `request` loads equal to `wanted` in all keys that can be reloaded, `requirepass` included. The new file
/// takes the place of the old one only when it is on disk and was read back as wanted; an error leaves the old one.
[[nodiscard]] Status rewrite_file(const LoadRequest& request, const Config& wanted);

}  // namespace tanist::config

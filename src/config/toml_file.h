// SPDX-License-Identifier: Apache-2.0
// Reads a TOML file into a flat list of settings. Nobody else knows the TOML library, or that it throws.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/values.h"

namespace tanist::config {

/// One value and where it was set.
struct Setting {
    std::string section;  ///< empty for a key that stands under no section
    std::string name;
    Value value;
    std::string origin;  ///< `FILE:LINE`, `environment NAME` or `--set`
};

[[nodiscard]] Result<std::string> read_whole(const std::filesystem::path& file);

/// In the order of the lines. Fails on what cannot be read or is not TOML; what the keys mean is not checked here.
[[nodiscard]] Result<std::vector<Setting>> read_toml(const std::filesystem::path& file);

}  // namespace tanist::config

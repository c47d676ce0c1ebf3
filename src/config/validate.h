// SPDX-License-Identifier: Apache-2.0
// The rules that tie keys together. What a single key may be is in keys.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace tanist::config {

/// A key whose value does not go with the rest.
struct Finding {
    std::string_view section, name;
    std::string allowed;  ///< "must …, because …"
};

/// All findings, in the order of the sections; none when the configuration can be run.
[[nodiscard]] std::vector<Finding> check(const Config& config);

}  // namespace tanist::config

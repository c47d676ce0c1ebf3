// SPDX-License-Identifier: Apache-2.0
// Which Tanist this is, for --version, /version and the logs.
#pragma once

#include <string_view>

namespace tanist::config {

/// "0.1.0": of the project in CMakeLists.txt, by the rules of semver.org.
[[nodiscard]] std::string_view version();

}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
// Where log lines go and how they look: standard error, as text or as one JSON object a line.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace tanist::server {

/// For the whole process; called again at a reload.
void set_up_logging(const config::LogConfig& config);

/// A line, a fixed sentence with fields behind it (`promoted node=2 why="the master is gone"`), as the members of a JSON object:
/// `"event":"promoted","node":2,"why":"the master is gone"`.
[[nodiscard]] std::string json_members(std::string_view line);

}  // namespace tanist::server

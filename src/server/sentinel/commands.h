// SPDX-License-Identifier: Apache-2.0
// What the Sentinel port serves: SENTINEL, INFO and ROLE of its own, and what every RESP connection has.
#pragma once

#include "server/resp/command.h"

namespace tanist::server::sentinel {

[[nodiscard]] const resp::CommandTable& port_commands();

}  // namespace tanist::server::sentinel

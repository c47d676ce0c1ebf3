// SPDX-License-Identifier: Apache-2.0
// Messages of the core as one readable line each, for traces.
#pragma once

#include <string>

#include "core/message.h"

namespace tanist::sim {

[[nodiscard]] std::string describe(const core::Message& message);

}  // namespace tanist::sim

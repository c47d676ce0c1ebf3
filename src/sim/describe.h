// SPDX-License-Identifier: Apache-2.0
// What nodes and clients say to each other as one readable line each, for traces.
#pragma once

#include <string>

#include "core/message.h"
#include "sim/client_protocol.h"

namespace tanist::sim {

[[nodiscard]] std::string describe(const core::Message& message);
[[nodiscard]] std::string describe(const Question& question);
[[nodiscard]] std::string describe(const Answer& answer);
/// Of what kind it is.
[[nodiscard]] std::string message_name(const core::Body& body);

}  // namespace tanist::sim

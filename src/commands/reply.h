// SPDX-License-Identifier: Apache-2.0
// Outcomes as bytes, for the replies that sessions keep.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "commands/request.h"

namespace tanist::commands {

/// `replayed` is not part of it. nullopt: would have more than `bytes_max` bytes, or has the reply of a Redis command.
[[nodiscard]] std::optional<std::string> encode_outcome(const Outcome& outcome, std::size_t bytes_max);
/// nullopt: cannot be decoded.
[[nodiscard]] std::optional<Outcome> decode_outcome(std::string_view bytes);

}  // namespace tanist::commands

// SPDX-License-Identifier: Apache-2.0
// Failures as Redis clients are told them: the first word is the code, and tells the outcome (S20).
#pragma once

#include <optional>
#include <string>

#include "commands/request.h"
#include "protocol/client_codec.h"
#include "server/client.h"

namespace tanist::server::resp {

/// READONLY, NOQUORUM and TRYAGAIN promise that nothing was and nothing will be executed; UNKNOWN promises nothing.
[[nodiscard]] std::string error_of(const Failure& failure);
/// Of a write that was executed and did nothing for a reason of its own; nullopt: its command answers.
[[nodiscard]] std::optional<std::string> error_of(const commands::Outcome& outcome);
/// Of a write at level `all` that not every data node had by its deadline.
[[nodiscard]] std::optional<std::string> not_on_all();
/// What is too large in a request; nullopt: nothing.
[[nodiscard]] std::optional<std::string> refuse_size(const commands::Request& request, const protocol::native::RequestLimits& limits);
[[nodiscard]] std::optional<std::string> refuse_size(std::string_view key, std::string_view value,
                                                     const protocol::native::RequestLimits& limits);

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// The text of a batch: one condition or command a line (`tanist batch --help` has the format).
#pragma once

#include <ostream>
#include <string_view>
#include <vector>

#include "cli/failure.h"
#include "tanist/requests.h"

namespace tanist::cli {

/// A failure begins with the number of the line.
[[nodiscard]] Expected<client::Batch> parse_batch(std::string_view text);

/// One line for each command that was done: "put key", "get key = value" …
void print_results(std::ostream& out, const std::vector<client::Command>& commands, const client::BatchDone& done);

}  // namespace tanist::cli

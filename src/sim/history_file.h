// SPDX-License-Identifier: Apache-2.0
// Histories of real clusters, written by whoever drove them (tests/e2e/chaos.py), for the same checker as simulated ones.
#pragma once

#include <istream>
#include <string>

#include "base/result.h"
#include "sim/key_histories.h"

namespace tanist::sim {

/// One operation a line, nine fields with tabs between them:
///   key  kind  begin  end  expected  value  result  by  succeeded
/// `kind` is read, write, compare or increment; times are whole numbers, and "-" as `end` says that the outcome is unknown; values
/// are "-" for none or "=" and the text; `by` is a whole number, `succeeded` 0 or 1. kInvalidArgument names the line and the field.
[[nodiscard]] Result<KeyHistories> read_histories(std::istream& in, const std::string& name);

/// Reads and checks a file, and prints what came of it. The exit code: 0 it holds, 1 it does not, 2 it cannot be read.
[[nodiscard]] int check_history_file(const std::string& path);

}  // namespace tanist::sim

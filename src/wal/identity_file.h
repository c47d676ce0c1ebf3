// SPDX-License-Identifier: Apache-2.0
// Who this data directory is: its node id, random incarnation, and the cluster that it accepted, if any (S1, S2).
#pragma once

#include <optional>
#include <string>

#include "base/membership.h"
#include "base/result.h"
#include "base/types.h"
#include "wal/file_system.h"

namespace tanist::wal {

/// nullopt: no such file, a fresh directory. kCorrupt: it is there and unreadable, with a message that names it.
[[nodiscard]] Result<std::optional<Identity>> load_identity(FileSystem& files, const std::string& directory);
/// Atomically and durably (replace_file).
[[nodiscard]] Status save_identity(FileSystem& files, const std::string& directory, const Identity& identity);

}  // namespace tanist::wal

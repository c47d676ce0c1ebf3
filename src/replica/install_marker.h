// SPDX-License-Identifier: Apache-2.0
// Makes "install a checkpoint, then start the log anew behind it" one step across crashes: a marker file names the position
// until both are done (S25).
#pragma once

#include <string>

#include "base/result.h"
#include "base/types.h"
#include "store/store.h"
#include "wal/file_system.h"
#include "wal/log.h"

namespace tanist::replica {

/// Before the store is replaced by a checkpoint whose position is `position`, and the log is to start anew behind it.
[[nodiscard]] Status mark_install(wal::FileSystem& files, const std::string& directory, EntryId position);
/// After both.
[[nodiscard]] Status clear_install(wal::FileSystem& files, const std::string& directory);
/// At start: where a marker stands and the store is at its position, the crash came between the two: resets the log.
/// Otherwise the store is still the old one, and so is the log. The marker is gone afterwards. True: the log was reset, and must
/// be opened again for what it now says of itself.
[[nodiscard]] Result<bool> finish_install(wal::FileSystem& files, const std::string& directory, const store::Position& position,
                                          wal::Log& log);

}  // namespace tanist::replica

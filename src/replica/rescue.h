// SPDX-License-Identifier: Apache-2.0
// Rescued writes (S8): entries of a diverged tail, exported durably to a file before they are cut.
#pragma once

#include <string>

#include "base/result.h"
#include "base/types.h"
#include "wal/file_system.h"
#include "wal/log.h"

namespace tanist::replica {

/// Copies entries `from` .. `through` of `log` into `<directory>/rescued/<epoch>-<from>-<through>.entries`, the bytes of each
/// entry (base/entry.h) one behind the other, `epoch` being the first one's. A damaged log may have gaps: what can be read is
/// exported. Durable when it returns; repeating it after a crash writes the same file again. Returns the file's path, empty
/// when nothing could be read.
[[nodiscard]] Result<std::string> export_rescued(wal::FileSystem& files, const std::string& directory, const wal::Log& log, Lsn from,
                                                 Lsn through);

}  // namespace tanist::replica

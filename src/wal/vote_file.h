// SPDX-License-Identifier: Apache-2.0
// (epoch, vote) in two checksummed files, written and synced one after the other, so that a crash spoils at most one (S3).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "wal/file_system.h"

namespace tanist::wal {

class VoteFile {
public:
    /// `directory` holds `vote.a` and `vote.b`.
    VoteFile(FileSystem& files, std::string directory);

    /// The vote last saved, with both files made equal and synced by this process; nullopt: neither file exists (a fresh directory).
    /// kCorrupt: the vote file counts as lost: neither file is readable, one is missing while the other rotted, or the two hold
    /// different given votes for one epoch.
    [[nodiscard]] Result<std::optional<Vote>> load();
    /// Durable in both files when it returns. Never below what was saved before.
    [[nodiscard]] Status save(const Vote& vote);

private:
    FileSystem& files_;
    std::string directory_;
    Vote saved_;
};

}  // namespace tanist::wal

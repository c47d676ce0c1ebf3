// SPDX-License-Identifier: Apache-2.0
// (epoch, vote) in two checksummed files, written and synced one after the other, so that a crash spoils at most one (S3).
#pragma once

#include <array>
#include <memory>
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
    /// Durable in both files when it returns. Never below what was saved before, nor for another candidate of the same epoch.
    /// A failure is final (S4).
    [[nodiscard]] Status save(const Vote& vote);

private:
    /// Writes one of the two files and syncs it; makes it first, atomically, where it is missing.
    [[nodiscard]] Status write(std::size_t which, const Vote& vote);

    FileSystem& files_;
    std::string directory_;
    std::array<std::string, 2> paths_;
    std::array<std::unique_ptr<File>, 2> open_;
    Vote saved_;
};

/// The content of one file: text of a fixed length, below a sector, its last line a checksum.
[[nodiscard]] std::string encode(const Vote& vote);
/// nullopt: unreadable. Only what encode() makes is accepted, to the last bit.
[[nodiscard]] std::optional<Vote> decode_vote(std::string_view content);

}  // namespace tanist::wal

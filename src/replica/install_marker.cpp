// SPDX-License-Identifier: Apache-2.0
#include "replica/install_marker.h"

#include "base/bytes.h"
#include "base/crc32c.h"

namespace tanist::replica {
namespace {

constexpr std::size_t kMarkerBytes = 8 + 8 + 4 + 4;  // epoch, lsn, entry's checksum, CRC-32C of these

std::string marker_path(const std::string& directory) { return directory + "/copy.installing"; }

std::string encode(EntryId position) {
    std::string out;
    ByteWriter writer(out);
    writer.u64(position.epoch.value);
    writer.u64(position.lsn.value);
    writer.u32(position.checksum);
    writer.u32(crc32c(as_bytes(out)));
    return out;
}

}  // namespace

Status mark_install(wal::FileSystem& files, const std::string& directory, EntryId position) {
    return wal::replace_file(files, marker_path(directory), encode(position));
}

Status clear_install(wal::FileSystem& files, const std::string& directory) {
    if (Status removed = files.remove(marker_path(directory)); !removed) return removed;
    return files.sync_directory(directory);
}

Result<bool> finish_install(wal::FileSystem& files, const std::string& directory, const store::Position& position, wal::Log& log) {
    auto content = wal::read_file(files, marker_path(directory), kMarkerBytes);
    if (!content && content.error().code == ErrorCode::kNotFound) return false;
    if (!content) return fail(content.error());
    ByteReader reader(*content);
    const EntryId marked{{reader.u64()}, {reader.u64()}, reader.u32()};
    if (content->size() != kMarkerBytes || encode(marked) != *content) {
        return fail(ErrorCode::kCorrupt,
                    "{}: unreadable; whether the installation of a checkpoint was finished is not known: empty the data directory to start "
                    "as a new node",
                    marker_path(directory));
    }
    const bool store_was_installed = position.applied == marked;
    if (store_was_installed) {
        if (Status reset = log.reset(marked); !reset) return fail(reset.error());
    }
    if (Status cleared = clear_install(files, directory); !cleared) return fail(cleared.error());
    return store_was_installed;
}

}  // namespace tanist::replica

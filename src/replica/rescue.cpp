// SPDX-License-Identifier: Apache-2.0
#include "replica/rescue.h"

#include "base/ensure.h"

namespace tanist::replica {
namespace {
constexpr std::size_t kReadBytes = 4 * limits::kMiB;
}

Result<std::string> export_rescued(wal::FileSystem& files, const std::string& directory, const wal::Log& log, Lsn from, Lsn through) {
    ENSURE(from <= through);
    auto first = log.id_of(from);
    if (!first) return fail(first.error(), "exporting rescued writes");
    const std::string folder = directory + "/rescued";
    if (Status made = files.make_directory(folder); !made) return fail(made.error());
    const std::string path = fmt::format("{}/{}-{}-{}.entries", folder, first->epoch.value, from.value, through.value);
    const std::string unfinished = path + ".new";
    auto file = files.open(unfinished, wal::OpenMode::kCreate);
    if (!file) return fail(file.error());
    if (Status emptied = (*file)->truncate(0); !emptied) return fail(emptied.error());

    std::uint64_t offset = 0;
    for (Lsn next = from; next <= through;) {
        auto entries = log.read(next, through, kReadBytes);
        if (!entries) return fail(entries.error(), "exporting rescued writes");
        ENSURE(!entries->empty());
        for (const Entry& entry : *entries) {
            if (Status written = (*file)->write_at(offset, entry.bytes()); !written) return fail(written.error());
            offset += entry.size();
        }
        next = entries->back().lsn().next();
    }
    if (Status synced = (*file)->sync_data(); !synced) return fail(synced.error());
    if (Status renamed = files.rename(unfinished, path); !renamed) return fail(renamed.error());
    if (Status synced = files.sync_directory(folder); !synced) return fail(synced.error());
    if (Status synced = files.sync_directory(directory); !synced) return fail(synced.error());
    return path;
}

}  // namespace tanist::replica

// SPDX-License-Identifier: Apache-2.0
#include "wal/file_system.h"

#include <utility>

#include "wal/path.h"

namespace tanist::wal {

Status File::write_parts_at(std::uint64_t offset, std::span<const Bytes> parts) {
    for (const Bytes part : parts) {
        if (auto status = write_at(offset, part); !status) return status;
        offset += part.size();
    }
    return {};
}

Result<std::string> read_file(FileSystem& files, const std::string& path, std::size_t bytes_max) {
    auto file = files.open(path, OpenMode::kRead);
    if (!file) return fail(std::move(file).error());
    const auto size = (*file)->size();
    if (!size) return fail(size.error());
    if (*size > bytes_max) return fail(ErrorCode::kCorrupt, "{}: {} bytes long, at most {} are expected", path, *size, bytes_max);
    std::string content(*size, '\0');
    const auto read = (*file)->read_at(0, std::as_writable_bytes(std::span(content)));
    if (!read) return fail(read.error());
    content.resize(*read);
    return content;
}

Status replace_file(FileSystem& files, const std::string& path, std::string_view content) {
    const std::string draft = path + ".new";
    auto file = files.open(draft, OpenMode::kCreate);
    if (!file) return fail(std::move(file).error());
    if (auto status = (*file)->truncate(0); !status) return status;
    if (auto status = (*file)->write_at(0, as_bytes(content)); !status) return status;
    if (auto status = (*file)->sync_data(); !status) return status;
    if (auto status = files.rename(draft, path); !status) return status;
    return files.sync_directory(directory_of(path));
}

}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
#include "wal/identity_file.h"

#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "wal/path.h"

namespace tanist::wal {
namespace {

// The file: magic and version 8, node 8, incarnation 8, whether there is a founding membership 1, that membership as it is logged
// (base/membership.h), CRC-32C over all before it 4. Integers little-endian.
constexpr std::string_view kMagic("tanist\x00\x01", 8);
constexpr std::size_t kBytesMax = 1 * limits::kMiB;

std::string path_in(const std::string& directory) { return join_path(directory, "identity"); }

std::optional<Identity> decode(std::string_view content) {
    if (content.size() < sizeof(std::uint32_t)) return std::nullopt;
    const std::string_view body = content.substr(0, content.size() - sizeof(std::uint32_t));
    if (load_le<std::uint32_t>(as_bytes(content).data() + body.size()) != crc32c(as_bytes(body))) return std::nullopt;
    ByteReader reader(body);
    const bool known = reader.take(kMagic.size()) == kMagic;
    Identity identity;
    identity.id.node = {reader.u64()};
    identity.id.incarnation = {reader.u64()};
    const std::uint8_t has_founding = reader.u8();
    const std::string_view rest = reader.take(reader.remaining());
    if (!known || !reader.ok() || has_founding > 1 || (has_founding == 0 && !rest.empty())) return std::nullopt;
    if (has_founding == 1) {
        auto founding = decode_membership(rest);
        if (!founding) return std::nullopt;
        identity.founding = *std::move(founding);
    }
    return identity;
}

}  // namespace

Result<std::optional<Identity>> load_identity(FileSystem& files, const std::string& directory) {
    const std::string path = path_in(directory);
    const auto content = read_file(files, path, kBytesMax);
    if (!content) {
        if (content.error().code == ErrorCode::kNotFound) return std::nullopt;
        return fail(content.error());
    }
    auto identity = decode(*content);
    if (!identity)
        return fail(ErrorCode::kCorrupt,
                    "{}: unreadable: who this data directory is cannot be told; empty the directory to start as a new node", path);
    // Its content was synced before it got this name; the name is durable only now (S4).
    if (auto status = files.sync_directory(directory); !status) return fail(status.error());
    return identity;
}

Status save_identity(FileSystem& files, const std::string& directory, const Identity& identity) {
    std::string content(kMagic);
    ByteWriter writer(content);
    writer.u64(identity.id.node.value);
    writer.u64(identity.id.incarnation.value);
    writer.u8(identity.founding ? 1 : 0);
    if (identity.founding) content += encode(*identity.founding);
    writer.u32(crc32c(as_bytes(content)));
    return replace_file(files, path_in(directory), content);
}

}  // namespace tanist::wal

// SPDX-License-Identifier: Apache-2.0
#include "store/former_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/hash.h"

namespace tanist::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunkHeadBytes = 8, kPayloadBytesMax = 16 << 20;

void append_position(std::string& to, const EntryId& position) {
    ByteWriter writer(to);
    writer.u64(position.epoch.value);
    writer.u64(position.lsn.value);
    writer.u32(position.checksum);
}

EntryId read_position(ByteReader& reader) { return {.epoch = {reader.u64()}, .lsn = {reader.u64()}, .checksum = reader.u32()}; }

/// Reads one file, chunk by chunk.
class FormerReader {
public:
    explicit FormerReader(const fs::path& path) : file_(path, std::ios::binary) {
        if (!next_chunk()) return;
        ByteReader head(payload_);
        const bool is_one = head.u32() == kFormerMagic;
        const EntryId base = read_position(head);
        if (is_one && head.ok() && head.at_end()) base_ = base;
    }

    [[nodiscard]] const std::optional<EntryId>& base() const { return base_; }

    struct Note {
        FormerKind kind;
        std::string_view key, row;
    };
    /// Visits each note until `visit` answers false. Answers where the next generation begins, if all of this one was told and visited.
    std::optional<EntryId> visit(const std::function<bool(const Note&)>& visit) {
        while (next_chunk()) {
            for (ByteReader reader(payload_); !reader.at_end();) {
                const auto kind = static_cast<FormerKind>(reader.u8());
                if (kind == FormerKind::kEnd) {
                    const EntryId next = read_position(reader);
                    return reader.ok() && reader.at_end() ? std::optional(next) : std::nullopt;
                }
                const std::string_view key = reader.string();
                const std::string_view row = kind == FormerKind::kRow ? reader.string() : std::string_view();
                if (!reader.ok() || kind < FormerKind::kRow || kind > FormerKind::kEnd) return std::nullopt;
                if (!visit({kind, key, row})) return std::nullopt;
            }
        }
        return std::nullopt;
    }

private:
    bool next_chunk() {
        std::array<std::byte, kChunkHeadBytes> head;
        if (!read(reinterpret_cast<char*>(head.data()), head.size())) return false;
        const auto bytes = load_le<std::uint32_t>(head.data());
        const auto checksum = load_le<std::uint32_t>(head.data() + sizeof bytes);
        if (bytes > kPayloadBytesMax) return false;
        payload_.resize(bytes);
        if (!read(payload_.data(), bytes) || crc32c(as_bytes(payload_), checksum_) != checksum) return false;
        checksum_ = checksum;
        return true;
    }
    bool read(char* into, std::size_t bytes) { return static_cast<bool>(file_.read(into, static_cast<std::streamsize>(bytes))); }

    std::ifstream file_;
    std::uint32_t checksum_ = 0;
    std::string payload_;
    std::optional<EntryId> base_;
};

}  // namespace

void append_former(std::string& notes, FormerKind kind, std::string_view key, std::string_view row) {
    ByteWriter writer(notes);
    writer.u8(static_cast<std::uint8_t>(kind));
    writer.string(key);
    if (kind == FormerKind::kRow) writer.string(row);
}

void append_former_end(std::string& notes, const EntryId& next_base) {
    ByteWriter(notes).u8(static_cast<std::uint8_t>(FormerKind::kEnd));
    append_position(notes, next_base);
}

FormerFileWriter::~FormerFileWriter() { close(); }

bool FormerFileWriter::open(const std::string& path, const EntryId& base) {
    close();
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file_ < 0) return false;
    checksum_ = 0;
    std::string head;
    ByteWriter(head).u32(kFormerMagic);
    append_position(head, base);
    return write(head);
}

bool FormerFileWriter::write(std::string_view payload) {
    if (file_ < 0) return false;
    checksum_ = crc32c(as_bytes(payload), checksum_);
    chunk_.clear();
    ByteWriter writer(chunk_);
    writer.u32(static_cast<std::uint32_t>(payload.size()));
    writer.u32(checksum_);
    chunk_.append(payload);
    for (std::string_view rest = chunk_; !rest.empty();) {
        const auto written = ::write(file_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

void FormerFileWriter::close() {
    if (file_ >= 0) ::close(file_);
    file_ = -1;
}

void visit_former(const std::string& directory, const EntryId& base, const VisitFormer& visit) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) files.push_back(entry.path());
    // What an earlier file tells counts: a later one may tell of a row that came to be in between. Of two keys with one hash only the first
    // is visited.
    std::unordered_set<std::uint64_t> told;
    bool goes_on = true;
    const auto visit_note = [&](const FormerReader::Note& note) {
        if (!told.insert(folded_hash(note.key, 0)).second || note.kind == FormerKind::kUnknown) return true;
        goes_on = visit(note.key, note.kind == FormerKind::kRow ? std::optional(note.row) : std::nullopt);
        return goes_on;
    };
    for (std::optional<EntryId> next = base; next && goes_on;) {
        const EntryId wanted = *std::exchange(next, std::nullopt);
        for (const fs::path& path : files) {
            FormerReader reader(path);
            if (reader.base() != wanted) continue;
            next = reader.visit(visit_note);
            break;
        }
    }
}

}  // namespace tanist::store

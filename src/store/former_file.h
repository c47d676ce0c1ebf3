// SPDX-License-Identifier: Apache-2.0
// A file that tells which rows the cold tier had under the keys that one generation of the hot set changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"

namespace tanist::store {

/// One chunk after the other:
///   u32  bytes     of the payload
///   u32  checksum  CRC-32C of the payload, seeded with the checksum of the chunk before: nothing of an older file reads as part of it
///   n    payload
/// The first payload is u32 kFormerMagic and the *base*, the position at which the generation begins: u64 epoch, u64 lsn, u32 checksum.
/// The others are notes, each a u8 FormerKind and what that says. What cannot be read ends the file.
enum class FormerKind : std::uint8_t {
    kRow = 1,      ///< key and row, each with its length as a varint
    kAbsent = 2,   ///< key: there was no row
    kUnknown = 3,  ///< key: changed, and nobody knew what was there
    kEnd = 4,      ///< the base of the next generation: every key that was changed in this one has a note
};

/// To be changed whenever rows come to look different at one and the same position.
inline constexpr std::uint32_t kFormerMagic = 0x314d5246;

void append_former(std::string& notes, FormerKind kind, std::string_view key, std::string_view row = {});
void append_former_end(std::string& notes, const EntryId& next_base);

/// Writes one such file, as it gets it. Never synced: see former_rows.h.
class FormerFileWriter {
public:
    FormerFileWriter() = default;
    ~FormerFileWriter();
    FormerFileWriter(const FormerFileWriter&) = delete;
    FormerFileWriter& operator=(const FormerFileWriter&) = delete;

    /// False: it could not be made, or written.
    [[nodiscard]] bool open(const std::string& path, const EntryId& base);
    [[nodiscard]] bool write(std::string_view payload);
    void close();

private:
    int file_ = -1;
    std::uint32_t checksum_ = 0;  ///< of the chunk before
    std::string chunk_;           ///< kept for its memory
};

/// The row before, or none; false ends the visit.
using VisitFormer = std::function<bool(std::string_view key, std::optional<std::string_view> row)>;

/// Visits what the files of `directory` tell about the rows at `base`, each key at most once: those of the file that begins there, then of
/// the one that begins where it ends, and so on.
void visit_former(const std::string& directory, const EntryId& base, const VisitFormer& visit);

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// Bytes in and out of structs: little-endian integers, varints, length-prefixed strings. A reader never reads past its end.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tanist {

static_assert(std::endian::native == std::endian::little, "formats on disk and wire are little-endian and copied as they are");

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
[[nodiscard]] inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <std::unsigned_integral T>
[[nodiscard]] T load_le(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
template <std::unsigned_integral T>
void store_le(std::byte* to, T value) {
    std::memcpy(to, &value, sizeof value);
}

/// Appends to a string that it borrows.
class ByteWriter {
public:
    explicit ByteWriter(std::string& out) : out_(out) {}

    void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
    void u32(std::uint32_t v) { fixed(v); }
    void u64(std::uint64_t v) { fixed(v); }
    /// LEB128: seven bits a byte, lowest first; at most ten bytes.
    void varint(std::uint64_t v) {
        while (v >= 0x80) {
            u8(static_cast<std::uint8_t>(v | 0x80));
            v >>= 7;
        }
        u8(static_cast<std::uint8_t>(v));
    }
    /// A varint length, then the bytes.
    void string(std::string_view v) {
        varint(v.size());
        out_.append(v);
    }

private:
    template <std::unsigned_integral T>
    void fixed(T v) {
        out_.append(reinterpret_cast<const char*>(&v), sizeof v);
    }
    std::string& out_;
};

/// Reads from bytes that it borrows. Once it has met the end or a malformed varint it is not `ok()` and answers zeros and
/// empty strings; so a decoder reads all its fields and checks once.
class ByteReader {
public:
    explicit ByteReader(Bytes bytes) : bytes_(bytes) {}
    explicit ByteReader(std::string_view text) : bytes_(as_bytes(text)) {}

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool at_end() const { return bytes_.empty(); }
    [[nodiscard]] std::size_t remaining() const { return bytes_.size(); }

    std::uint8_t u8() { return fixed<std::uint8_t>(); }
    std::uint32_t u32() { return fixed<std::uint32_t>(); }
    std::uint64_t u64() { return fixed<std::uint64_t>(); }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t byte = u8();
            if (shift == 63 && byte > 1) break;  // would not fit into 64 bits
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return value;
        }
        return spoil();
    }
    /// A view into the bytes read from, valid as long as they are.
    std::string_view string() { return take(varint()); }
    std::string_view take(std::uint64_t size) {
        if (size > bytes_.size()) {
            spoil();
            return {};
        }
        const auto text = as_text(bytes_.first(size));
        bytes_ = bytes_.subspan(size);
        return text;
    }

private:
    template <std::unsigned_integral T>
    T fixed() {
        if (bytes_.size() < sizeof(T)) return static_cast<T>(spoil());
        const T value = load_le<T>(bytes_.data());
        bytes_ = bytes_.subspan(sizeof(T));
        return value;
    }
    std::uint64_t spoil() {
        ok_ = false;
        bytes_ = {};
        return 0;
    }
    Bytes bytes_;
    bool ok_ = true;
};

}  // namespace tanist

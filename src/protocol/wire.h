// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire format for structs of ours, without objects in between: each message is described once, by its fields(), and
// that description sizes, writes and reads it. The tests hold it against the code that protoc generates.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/number.h"

namespace tanist::protocol::wire {

// A message M is described by a function beside it that names its fields in the order of their numbers:
//   template <class W> void fields(W& w, Of<W, Put> m) { w.bytes(1, m.key); w.bytes(2, m.value); }
// where W is a Sizer, a Writer or a Field that has been read. What is zero or empty is not written, as in proto3, except where a
// function's name begins with "optional" or "alternative": there presence says something.
// A struct whose fields do not all begin as zero has a function zero(M&) beside it: what is not written must read as zero.

template <class W, class M>
using Of = std::conditional_t<W::kReads, M&, const M&>;

inline constexpr std::uint64_t kFieldNumberMax = (1u << 29) - 1;
enum class Type : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

template <class T>
constexpr std::uint64_t to_wire(T value) {
    return static_cast<std::uint64_t>(value);
}
template <class Tag>
constexpr std::uint64_t to_wire(Number<Tag> value) {
    return value.value;
}
template <class T>
constexpr void from_wire(std::uint64_t value, T& to) {
    to = static_cast<T>(value);  // as Protobuf does: what does not fit loses its upper bits
}
template <class Tag>
constexpr void from_wire(std::uint64_t value, Number<Tag>& to) {
    to.value = value;
}
constexpr std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) { return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1)); }

inline constexpr std::size_t kVarintBytesMax = 10;
constexpr std::size_t varint_bytes(std::uint64_t value) { return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7; }

/// `text` with '?' for each byte that cannot be part of UTF-8, which is all that Protobuf takes for text.
[[nodiscard]] std::string utf8(std::string text);
[[nodiscard]] bool is_utf8(std::string_view text);

/// What Sizer and Writer share: which fields there are. `Sink` has varint() and raw().
template <class Sink>
class Output {
public:
    static constexpr bool kReads = false;

    template <class T>
    void number(std::uint32_t field, const T& value) {
        if (to_wire(value) != 0) tagged(field, to_wire(value));
    }
    void zigzag(std::uint32_t field, std::int64_t value) {
        if (value != 0) tagged(field, wire::zigzag(value));
    }
    template <class E>
    void enumerator(std::uint32_t field, E value, E /*last*/) {
        number(field, value);
    }
    void bytes(std::uint32_t field, std::string_view value) {
        if (!value.empty()) tagged(field, value);
    }
    void text(std::uint32_t field, const std::string& value) {
        if (is_utf8(value)) {
            bytes(field, value);
        } else {
            bytes(field, utf8(value));
        }
    }
    template <class M>
    void message(std::uint32_t field, const M& value);
    template <class M>
    void optional_message(std::uint32_t field, const std::optional<M>& value) {
        if (value) nested(field, *value);
    }
    template <class T>
    void optional_number(std::uint32_t field, const std::optional<T>& value) {
        if (value) tagged(field, to_wire(*value));
    }
    template <class M>
    void repeated(std::uint32_t field, const std::vector<M>& values, std::size_t /*max*/) {
        for (const M& value : values) nested(field, value);
    }
    void repeated_bytes(std::uint32_t field, const std::vector<std::string>& values, std::size_t /*max*/) {
        for (const std::string& value : values) tagged(field, std::string_view(value));
    }
    template <class M, class Variant>
    void alternative(std::uint32_t field, const Variant& value) {
        if (const auto* is = std::get_if<M>(&value)) nested(field, *is);
    }
    template <class M, class Variant>
    void alternative_bytes(std::uint32_t field, const Variant& value, std::string M::* member) {
        if (const auto* is = std::get_if<M>(&value)) tagged(field, std::string_view(is->*member));
    }
    template <class M, class T, class Variant>
    void alternative_number(std::uint32_t field, const Variant& value, T M::* member) {
        if (const auto* is = std::get_if<M>(&value)) tagged(field, to_wire(is->*member));
    }
    template <class True, class False, class Variant>
    void alternative_flag(std::uint32_t field, const Variant& value) {
        if (std::holds_alternative<True>(value)) tagged(field, std::uint64_t{1});
        if (std::holds_alternative<False>(value)) tagged(field, std::uint64_t{0});
    }

protected:
    template <class M>
    void nested(std::uint32_t field, const M& value);
    void tagged(std::uint32_t field, std::uint64_t value) {
        tag(field, Type::kVarint);
        sink().varint(value);
    }
    void tagged(std::uint32_t field, std::string_view value) {
        tag(field, Type::kBytes);
        sink().varint(value.size());
        sink().raw(value);
    }
    void tag(std::uint32_t field, Type type) { sink().varint(std::uint64_t{field} << 3 | static_cast<std::uint64_t>(type)); }

private:
    Sink& sink() { return static_cast<Sink&>(*this); }
};

class Sizer : public Output<Sizer> {
public:
    void varint(std::uint64_t value) { size += varint_bytes(value); }
    void raw(std::string_view value) { size += value.size(); }
    std::size_t size = 0;
};

/// Gathers small pieces before it appends them. What was written is in the string when the writer is gone.
class Writer : public Output<Writer> {
public:
    explicit Writer(std::string& out) : out_(out) {}
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { flush(); }

    void varint(std::uint64_t value) {
        if (used_ + kVarintBytesMax > sizeof gathered_) flush();
        for (; value >= 0x80; value >>= 7) gathered_[used_++] = static_cast<char>(value | 0x80);
        gathered_[used_++] = static_cast<char>(value);
    }
    void raw(std::string_view value) {
        if (value.size() > sizeof gathered_ - used_) {
            flush();
            out_ += value;
        } else {
            std::memcpy(gathered_ + used_, value.data(), value.size());
            used_ += value.size();
        }
    }

private:
    void flush() {
        out_.append(gathered_, used_);
        used_ = 0;
    }

    std::string& out_;
    std::size_t used_ = 0;
    char gathered_[256];
};

template <class M>
std::size_t size_of(const M& message) {
    Sizer sizer;
    fields(sizer, message);
    return sizer.size;
}

template <class M>
void write(std::string& out, const M& message) {
    Writer writer(out);
    fields(writer, message);
}

template <class Sink>
template <class M>
void Output<Sink>::nested(std::uint32_t field, const M& value) {
    tag(field, Type::kBytes);
    sink().varint(size_of(value));
    fields(sink(), value);
}
template <class Sink>
template <class M>
void Output<Sink>::message(std::uint32_t field, const M& value) {
    if (size_of(value) != 0) nested(field, value);
}

/// Of a message that is nothing without one of its alternatives, what it is, for people; otherwise empty. One that a newer sender
/// knows and we do not must not read as the first one that we know.
template <class M>
inline constexpr std::string_view kMustChoose = {};

/// What went wrong while a message was read; unknown fields are no error.
struct Trouble {
    bool malformed = false;           ///< not Protobuf
    bool unknown_enumerator = false;  ///< it reads as enumerator 0
    std::string_view no_choice;       ///< kMustChoose of a message without one
    std::size_t too_many = 0;         ///< the bound that a list passes; nothing behind it was read
    [[nodiscard]] bool stops() const { return malformed || too_many != 0; }
};

template <class M>
void read(std::string_view bytes, M& to, Trouble& trouble);

/// One field that has been read and looks for its place. With a type that its place does not have, it is an unknown one.
class Field {
public:
    static constexpr bool kReads = true;

    Field(std::uint64_t number, Type type, std::uint64_t value, std::string_view bytes, Trouble& trouble)
        : number_(number), type_(type), value_(value), bytes_(bytes), trouble_(trouble) {}

    /// Whether it was one of the alternatives.
    [[nodiscard]] bool was_alternative() const { return was_alternative_; }

    template <class T>
    void number(std::uint32_t field, T& to) {
        if (is_number(field)) from_wire(value_, to);
    }
    void zigzag(std::uint32_t field, std::int64_t& to) {
        if (is_number(field)) to = unzigzag(value_);
    }
    template <class E>
    void enumerator(std::uint32_t field, E& to, E last) {
        if (!is_number(field)) return;
        const bool known = value_ <= to_wire(last);
        to = known ? static_cast<E>(value_) : E{};
        if (!known) trouble_.unknown_enumerator = true;
    }
    void bytes(std::uint32_t field, std::string& to) {
        if (is_bytes(field)) to = bytes_;
    }
    void text(std::uint32_t field, std::string& to) {
        if (is_bytes(field)) to = is_utf8(bytes_) ? std::string(bytes_) : utf8(std::string(bytes_));
    }
    template <class M>
    void message(std::uint32_t field, M& to) {
        if (is_bytes(field)) read(bytes_, to, trouble_);
    }
    template <class M>
    void optional_message(std::uint32_t field, std::optional<M>& to) {
        if (is_bytes(field)) read(bytes_, to.emplace(), trouble_);
    }
    template <class T>
    void optional_number(std::uint32_t field, std::optional<T>& to) {
        if (is_number(field)) from_wire(value_, to.emplace());
    }
    template <class M>
    void repeated(std::uint32_t field, std::vector<M>& to, std::size_t max) {
        if (is_bytes(field) && has_room(to.size(), max)) read(bytes_, to.emplace_back(), trouble_);
    }
    void repeated_bytes(std::uint32_t field, std::vector<std::string>& to, std::size_t max) {
        if (is_bytes(field) && has_room(to.size(), max)) to.emplace_back(bytes_);
    }
    template <class M, class Variant>
    void alternative(std::uint32_t field, Variant& to) {
        if (is_bytes(field) && choose()) read(bytes_, to.template emplace<M>(), trouble_);
    }
    template <class M, class Variant>
    void alternative_bytes(std::uint32_t field, Variant& to, std::string M::* member) {
        if (is_bytes(field) && choose()) to.template emplace<M>().*member = bytes_;
    }
    template <class M, class T, class Variant>
    void alternative_number(std::uint32_t field, Variant& to, T M::* member) {
        if (is_number(field) && choose()) from_wire(value_, to.template emplace<M>().*member);
    }
    template <class True, class False, class Variant>
    void alternative_flag(std::uint32_t field, Variant& to) {
        if (!is_number(field) || !choose()) return;
        if (value_ != 0) {
            to.template emplace<True>();
        } else {
            to.template emplace<False>();
        }
    }

private:
    [[nodiscard]] bool is_number(std::uint32_t field) const { return number_ == field && type_ == Type::kVarint; }
    [[nodiscard]] bool is_bytes(std::uint32_t field) const { return number_ == field && type_ == Type::kBytes; }
    bool choose() { return was_alternative_ = true; }
    bool has_room(std::size_t size, std::size_t max) {
        if (size >= max) trouble_.too_many = max;
        return size < max;
    }

    std::uint64_t number_;
    Type type_;
    std::uint64_t value_;     ///< of a varint
    std::string_view bytes_;  ///< of bytes and messages
    Trouble& trouble_;
    bool was_alternative_ = false;
};

/// Takes bytes from the front. ByteReader does the same; this one is inlined where each nanosecond is paid a million times a second.
class Cursor {
public:
    explicit Cursor(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}
    [[nodiscard]] bool at_end() const { return at_ == end_; }
    [[nodiscard]] bool varint(std::uint64_t& value) {
        if (at_ != end_ && static_cast<signed char>(*at_) >= 0) {
            value = static_cast<unsigned char>(*at_++);
            return true;
        }
        value = 0;
        for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
            const auto byte = static_cast<unsigned char>(*at_++);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;  // what does not fit is dropped, as Protobuf does
            if ((byte & 0x80) == 0) return true;
        }
        return false;
    }
    [[nodiscard]] bool take(std::uint64_t bytes, std::string_view& value) {
        if (bytes > static_cast<std::uint64_t>(end_ - at_)) return false;
        value = {at_, bytes};
        at_ += bytes;
        return true;
    }

private:
    const char* at_;
    const char* end_;
};

template <class M>
void read(std::string_view bytes, M& to, Trouble& trouble) {
    if constexpr (requires { zero(to); }) zero(to);
    bool has_choice = false;
    Cursor cursor(bytes);
    while (!cursor.at_end() && !trouble.stops()) {
        std::uint64_t tag = 0, value = 0;
        std::string_view content;
        bool whole = cursor.varint(tag) && tag >> 3 != 0 && tag >> 3 <= kFieldNumberMax;
        const auto type = static_cast<Type>(tag & 7);
        switch (type) {
            case Type::kVarint: whole = whole && cursor.varint(value); break;
            case Type::kBytes: whole = whole && cursor.varint(value) && cursor.take(value, content); break;
            case Type::kFixed64: whole = whole && cursor.take(8, content); break;
            case Type::kFixed32: whole = whole && cursor.take(4, content); break;
            default: whole = false;  // groups, which proto3 does not have
        }
        if (!whole) {
            trouble.malformed = true;
            return;
        }
        Field field(tag >> 3, type, value, content, trouble);
        fields(field, to);
        has_choice |= field.was_alternative();
    }
    if (!kMustChoose<M>.empty() && !has_choice && trouble.no_choice.empty()) trouble.no_choice = kMustChoose<M>;
}

}  // namespace tanist::protocol::wire

// SPDX-License-Identifier: Apache-2.0
#include "commands/redis/bits.h"

#include <bit>
#include <cstring>

#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

/// First and last bit of what BITCOUNT and BITPOS look at; `first` > `last`: nothing.
struct BitRange {
    std::int64_t first, last;
};

/// Words `at` and, where there is one, the next, in bytes or bits; counted from the end where negative.
struct RangeWords {
    std::int64_t first;
    std::optional<std::int64_t> last;
    bool in_bits = false;
};

BitRange resolve(const RangeWords& words, std::size_t bytes) {
    const std::int64_t units = static_cast<std::int64_t>(bytes) * (words.in_bits ? 8 : 1);
    const auto from_start = [&](std::int64_t place) { return std::max<std::int64_t>(0, place < 0 ? units + place : place); };
    const std::int64_t first = from_start(words.first), last = std::min(units - 1, from_start(words.last.value_or(units - 1)));
    if (first > last) return {1, 0};
    return words.in_bits ? BitRange{first, last} : BitRange{first * 8, last * 8 + 7};
}

Parsed<bool> read_unit(std::string_view word) {
    if (is(word, "BIT")) return true;
    if (is(word, "BYTE")) return false;
    return refuse(kSyntaxError);
}

std::uint64_t count_bits(std::string_view bytes) {
    std::uint64_t count = 0;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, bytes.data(), 8);
        count += static_cast<std::uint64_t>(std::popcount(eight));
    }
    for (const char byte : bytes) count += static_cast<std::uint64_t>(std::popcount(static_cast<unsigned char>(byte)));
    return count;
}

std::uint64_t count_bits(std::string_view value, BitRange range) {
    std::uint64_t count = 0;
    auto first = static_cast<std::uint64_t>(range.first), end = static_cast<std::uint64_t>(range.last) + 1;
    for (; first < end && first % 8 != 0; ++first) count += bit_at(value, first) ? 1 : 0;
    for (; first < end && end % 8 != 0; --end) count += bit_at(value, end - 1) ? 1 : 0;
    if (first < end) count += count_bits(value.substr(first / 8, (end - first) / 8));
    return count;
}

/// The first bit that is `bit`; nullopt: none.
std::optional<std::int64_t> find_bit(std::string_view value, BitRange range, bool bit) {
    const auto none_of_byte = static_cast<char>(bit ? 0 : 0xff);
    for (auto at = static_cast<std::uint64_t>(range.first); at <= static_cast<std::uint64_t>(range.last);) {
        if (at % 8 == 0 && value[at / 8] == none_of_byte) {
            at += 8;
        } else if (bit_at(value, at) == bit) {
            return static_cast<std::int64_t>(at);
        } else {
            ++at;
        }
    }
    return std::nullopt;
}

enum class Operation : std::uint8_t { kAnd, kOr, kXor, kNot };

std::optional<Operation> read_operation(std::string_view word) {
    if (is(word, "AND")) return Operation::kAnd;
    if (is(word, "OR")) return Operation::kOr;
    if (is(word, "XOR")) return Operation::kXor;
    if (is(word, "NOT")) return Operation::kNot;
    return std::nullopt;
}

/// Combines `part`, with zeros behind its end, into `result`.
void combine(std::string& result, std::string_view part, Operation operation) {
    for (std::size_t i = 0; i < result.size(); ++i) {
        const char byte = i < part.size() ? part[i] : '\0';
        switch (operation) {
            case Operation::kAnd: result[i] = static_cast<char>(result[i] & byte); break;
            case Operation::kOr: result[i] = static_cast<char>(result[i] | byte); break;
            case Operation::kXor: result[i] = static_cast<char>(result[i] ^ byte); break;
            case Operation::kNot: result[i] = static_cast<char>(~byte); break;
        }
    }
}

}  // namespace

Parsed<std::uint64_t> read_bit_offset(std::string_view word, unsigned width) {
    constexpr std::string_view kError = "ERR bit offset is not an integer or out of range";
    const bool counts_fields = width > 0 && word.starts_with('#');
    if (counts_fields) word.remove_prefix(1);
    const auto number = parse_integer(word);
    if (!number) return refuse(kError);
    std::int64_t offset = *number;
    if (counts_fields && __builtin_mul_overflow(offset, static_cast<std::int64_t>(width), &offset)) return refuse(kError);
    if (offset < 0 || !fits(static_cast<std::uint64_t>(offset) / 8 + 1)) return refuse(kError);
    return static_cast<std::uint64_t>(offset);
}

std::optional<std::string> value_with_bit(Call& call, std::uint64_t last) {
    const std::uint64_t bytes = last / 8 + 1;
    if (!fits(bytes)) return std::nullopt;
    const Keyspace::Row& row = call.keys.find(call.key());
    std::string value(row.exists ? row.value.bytes() : std::string_view());
    if (value.size() < bytes) value.resize(bytes);
    return value;
}

Reply getbit(Call& call) {
    const auto offset = read_bit_offset(call.words[2]);
    if (!offset) return offset.error();
    const Keyspace::Row& row = call.keys.find(call.key());
    return Reply::yes_or_no(row.exists && bit_at(row.value.bytes(), *offset));
}

Reply setbit(Call& call) {
    const auto offset = read_bit_offset(call.words[2]);
    if (!offset) return offset.error();
    const auto on = parse_integer(call.words[3]);
    if (!on || (*on != 0 && *on != 1)) return Reply::error("ERR bit is not an integer or out of range");
    auto value = value_with_bit(call, *offset);
    const Keyspace::Row& row = call.keys.find(call.key());
    const bool before = bit_at(*value, *offset), grows = !row.exists || row.value.bytes().size() < value->size();
    if (before != (*on == 1) || grows) {
        set_bit(*value, *offset, *on == 1);
        put(call, call.key(), Value::owned(std::move(*value)), row.deadline);
    }
    return Reply::yes_or_no(before);
}

Reply bitcount(Call& call) {
    const Keyspace::Row& row = call.keys.find(call.key());
    if (!row.exists) return Reply::number(std::int64_t{0});
    const std::string_view value = row.value.bytes();
    RangeWords words{.first = 0, .last = -1};
    if (call.words.size() == 4 || call.words.size() == 5) {
        const auto first = integer(call.words[2]);
        if (!first) return first.error();
        const auto last = integer(call.words[3]);
        if (!last) return last.error();
        if (*first < 0 && *last < 0 && *first > *last) return Reply::number(std::int64_t{0});
        const auto in_bits = call.words.size() == 5 ? read_unit(call.words[4]) : false;
        if (!in_bits) return in_bits.error();
        words = {.first = *first, .last = *last, .in_bits = *in_bits};
    } else if (call.words.size() != 2) {
        return Reply::error(kSyntaxError);
    }
    const BitRange range = resolve(words, value.size());
    return Reply::number(range.first > range.last ? 0 : static_cast<std::int64_t>(count_bits(value, range)));
}

Reply bitpos(Call& call) {
    const auto wanted = integer(call.words[2]);
    if (!wanted) return wanted.error();
    if (*wanted != 0 && *wanted != 1) return Reply::error("ERR The bit argument must be 1 or 0.");
    const bool bit = *wanted == 1;
    const Keyspace::Row& row = call.keys.find(call.key());
    if (!row.exists) return Reply::number(std::int64_t{bit ? -1 : 0});  // zeros without end
    const std::string_view value = row.value.bytes();
    RangeWords words{.first = 0, .last = std::nullopt};
    if (call.words.size() > 6) return Reply::error(kSyntaxError);
    if (call.words.size() > 3) {
        const auto first = integer(call.words[3]);
        if (!first) return first.error();
        words.first = *first;
    }
    if (call.words.size() == 6) {
        const auto in_bits = read_unit(call.words[5]);
        if (!in_bits) return in_bits.error();
        words.in_bits = *in_bits;
    }
    if (call.words.size() > 4) {
        const auto last = integer(call.words[4]);
        if (!last) return last.error();
        words.last = *last;
    }
    const BitRange range = resolve(words, value.size());
    if (range.first > range.last) return Reply::number(std::int64_t{-1});
    if (const auto found = find_bit(value, range, bit)) return Reply::number(*found);
    const bool goes_on_in_zeros = !bit && !words.last;
    return Reply::number(goes_on_in_zeros ? range.last + 1 : std::int64_t{-1});
}

Reply bitop(Call& call) {
    const auto operation = read_operation(call.words[1]);
    if (!operation) return Reply::error(kSyntaxError);
    if (*operation == Operation::kNot && call.words.size() != 4) {
        return Reply::error("ERR BITOP NOT must be called with a single source key.");
    }
    const Words sources = call.words.subspan(3);
    std::size_t bytes = 0;
    for (const std::string_view source : sources) {
        const Keyspace::Row& row = call.keys.find(source);
        if (row.exists) bytes = std::max(bytes, row.value.bytes().size());
    }
    std::string result(bytes, '\0');
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const Keyspace::Row& row = call.keys.find(sources[i]);
        const bool is_first = i == 0 && *operation != Operation::kNot;
        combine(result, row.exists ? row.value.bytes() : std::string_view(), is_first ? Operation::kOr : *operation);
    }
    if (bytes == 0) {
        erase(call, call.words[2]);
    } else {
        put(call, call.words[2], Value::owned(std::move(result)), 0);
    }
    return Reply::number(bytes);
}

}  // namespace tanist::commands::redis

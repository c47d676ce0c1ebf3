// SPDX-License-Identifier: Apache-2.0
// BITFIELD: integers of 1 to 64 bits anywhere in a value.
#include <limits>

#include "commands/redis/bits.h"
#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

__extension__ typedef __int128 Wide;  // sums of 64 bits that do not run over

enum class Overflow : std::uint8_t { kWrap, kSaturate, kFail };

struct Type {
    bool is_signed = false;
    unsigned bits = 0;
};

struct Operation {
    enum class Kind : std::uint8_t { kGet, kSet, kIncrement } kind;
    Type type;
    std::uint64_t offset = 0;
    std::int64_t operand = 0;
    Overflow overflow = Overflow::kWrap;
};

Parsed<Type> read_type(std::string_view word) {
    constexpr std::string_view kError = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    if (word.empty() || (word.front() != 'i' && word.front() != 'u')) return refuse(kError);
    const bool is_signed = word.front() == 'i';
    const auto bits = parse_integer(word.substr(1));
    if (!bits || *bits < 1 || *bits > (is_signed ? 64 : 63)) return refuse(kError);
    return Type{is_signed, static_cast<unsigned>(*bits)};
}

Parsed<Overflow> read_overflow(std::string_view word) {
    if (is(word, "WRAP")) return Overflow::kWrap;
    if (is(word, "SAT")) return Overflow::kSaturate;
    if (is(word, "FAIL")) return Overflow::kFail;
    return refuse("ERR Invalid OVERFLOW type specified");
}

Parsed<Operation> read_operation(Words words, Operation::Kind kind, Overflow overflow) {
    const auto type = read_type(words[1]);
    if (!type) return tl::unexpected<Reply>(type.error());
    const auto offset = read_bit_offset(words[2], type->bits);
    if (!offset) return tl::unexpected<Reply>(offset.error());
    Operation operation{.kind = kind, .type = *type, .offset = *offset, .overflow = overflow};
    if (kind != Operation::Kind::kGet) {
        const auto operand = integer(words[3]);
        if (!operand) return tl::unexpected<Reply>(operand.error());
        operation.operand = *operand;
    }
    return operation;
}

Parsed<std::vector<Operation>> read_operations(Words words) {
    std::vector<Operation> operations;
    Overflow overflow = Overflow::kWrap;
    for (std::size_t i = 2; i < words.size();) {
        const std::size_t behind = words.size() - i - 1;
        if (is(words[i], "OVERFLOW") && behind >= 1) {
            const auto read = read_overflow(words[i + 1]);
            if (!read) return tl::unexpected<Reply>(read.error());
            overflow = *read;
            i += 2;
            continue;
        }
        using Kind = Operation::Kind;
        const bool gets = is(words[i], "GET"), sets = is(words[i], "SET"), increments = is(words[i], "INCRBY");
        if (!(gets && behind >= 2) && !((sets || increments) && behind >= 3)) return refuse(kSyntaxError);
        const auto operation = read_operation(words.subspan(i), gets ? Kind::kGet : sets ? Kind::kSet : Kind::kIncrement, overflow);
        if (!operation) return tl::unexpected<Reply>(operation.error());
        operations.push_back(*operation);
        i += gets ? 3 : 4;
    }
    return operations;
}

/// The field's bits as a number: sign-extended where it is signed.
std::int64_t load(std::string_view value, const Operation& operation) {
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < operation.type.bits; ++i) bits = bits << 1 | (bit_at(value, operation.offset + i) ? 1U : 0U);
    const unsigned width = operation.type.bits;
    if (operation.type.is_signed && width < 64 && (bits >> (width - 1) & 1) != 0) bits |= ~std::uint64_t{0} << width;
    return static_cast<std::int64_t>(bits);
}

void store(std::string& value, const Operation& operation, std::int64_t number) {
    const unsigned width = operation.type.bits;
    for (unsigned i = 0; i < width; ++i) {
        set_bit(value, operation.offset + i, (static_cast<std::uint64_t>(number) >> (width - 1 - i) & 1) != 0);
    }
}

/// `number` + `by` within the type. What does not fit is wrapped, saturated, or (Overflow::kFail) nullopt. A number that is to be set
/// comes with `by` 0; an unsigned one is then taken by its 64 bits, as Redis takes it.
std::optional<std::int64_t> add(const Operation& operation, std::int64_t number, std::int64_t by) {
    const unsigned width = operation.type.bits;
    const auto wrapped = [&]() -> std::int64_t {
        std::uint64_t sum = static_cast<std::uint64_t>(number) + static_cast<std::uint64_t>(by);
        if (width == 64) return static_cast<std::int64_t>(sum);
        const std::uint64_t above = ~std::uint64_t{0} << width;
        const bool is_negative = operation.type.is_signed && (sum >> (width - 1) & 1) != 0;
        sum = is_negative ? sum | above : sum & ~above;
        return static_cast<std::int64_t>(sum);
    };
    Wide sum = 0, least = 0, most = 0;
    if (operation.type.is_signed) {
        most = width == 64 ? std::numeric_limits<std::int64_t>::max() : (std::int64_t{1} << (width - 1)) - 1;
        least = -most - 1;
        sum = static_cast<Wide>(number) + by;
    } else {
        most = static_cast<Wide>((std::uint64_t{1} << width) - 1);
        sum = static_cast<Wide>(static_cast<std::uint64_t>(number)) + by;
    }
    if (sum >= least && sum <= most) return static_cast<std::int64_t>(sum);
    switch (operation.overflow) {
        case Overflow::kWrap: return wrapped();
        case Overflow::kSaturate: return static_cast<std::int64_t>(sum > most ? most : least);
        case Overflow::kFail: break;
    }
    return std::nullopt;
}

struct Outcome {
    Reply reply;
    bool changed = false;
};

Outcome perform(const Operation& operation, std::string& value) {
    const std::int64_t before = load(value, operation);
    if (operation.kind == Operation::Kind::kGet) return {Reply::number(before)};
    const bool sets = operation.kind == Operation::Kind::kSet;
    const auto after = sets ? add(operation, operation.operand, 0) : add(operation, before, operation.operand);
    if (!after) return {Reply::nil()};
    store(value, operation, *after);
    return {Reply::number(sets ? before : *after), before != *after};
}

Reply run_all(Call& call, bool is_read_only) {
    const auto operations = read_operations(call.words);
    if (!operations) return operations.error();
    std::optional<std::uint64_t> last_bit_written;
    for (const Operation& operation : *operations) {
        if (operation.kind == Operation::Kind::kGet) continue;
        last_bit_written = std::max(last_bit_written.value_or(0), operation.offset + operation.type.bits - 1);
    }
    if (is_read_only && last_bit_written) return Reply::error("ERR BITFIELD_RO only supports the GET subcommand");
    std::string value;
    bool changed = false;
    if (last_bit_written) {
        auto grown = value_with_bit(call, *last_bit_written);
        if (!grown) return Reply::error(kTooLong);
        const Keyspace::Row& row = call.keys.find(call.key());
        changed = !row.exists || row.value.bytes().size() < grown->size();
        value = std::move(*grown);
    } else if (const Keyspace::Row& row = call.keys.find(call.key()); row.exists) {
        value = row.value.bytes();
    }
    std::vector<Reply> replies;
    for (const Operation& operation : *operations) {
        Outcome outcome = perform(operation, value);
        changed |= outcome.changed;
        replies.push_back(std::move(outcome.reply));
    }
    if (changed) put(call, call.key(), Value::owned(std::move(value)), call.keys.find(call.key()).deadline);
    return Reply::array(std::move(replies));
}

}  // namespace

Reply bitfield(Call& call) { return run_all(call, false); }
Reply bitfield_ro(Call& call) { return run_all(call, true); }

}  // namespace tanist::commands::redis

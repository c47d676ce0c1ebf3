// SPDX-License-Identifier: Apache-2.0
// Numbers in strings.
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "commands/redis/families.h"

namespace tanist::commands::redis {
namespace {

constexpr std::string_view kNotAFloat = "ERR value is not a valid float";

Reply add(Call& call, std::int64_t by) {
    const Keyspace::Row& row = call.keys.find(call.key());
    const auto before = row.exists ? parse_integer(row.value.bytes()) : 0;
    if (!before) return Reply::error(kNotAnInteger);
    std::int64_t after = 0;
    if (__builtin_add_overflow(*before, by, &after)) return Reply::error("ERR increment or decrement would overflow");
    put(call, call.key(), Value::owned(std::to_string(after)), row.deadline);
    return Reply::number(after);
}

constexpr std::size_t kFloatBytesMax = 5 * 1024;  // as Redis: what the largest number takes

/// As Redis takes it: what strtold() reads of the whole text, but no leading space, and no NaN.
std::optional<long double> parse_float(std::string_view text) {
    if (text.empty() || text.size() >= kFloatBytesMax || std::isspace(static_cast<unsigned char>(text.front())) != 0) return std::nullopt;
    const std::string copy(text);
    char* end = nullptr;
    errno = 0;
    const long double value = std::strtold(copy.c_str(), &end);
    const bool is_out_of_range = errno == ERANGE && (std::isinf(value) || std::fpclassify(value) == FP_ZERO);
    if (end != copy.c_str() + copy.size() || is_out_of_range || errno == EINVAL || std::isnan(value)) return std::nullopt;
    return value;
}

/// Seventeen digits behind the point, without the zeros at the end.
std::string to_text(long double value) {
    std::array<char, kFloatBytesMax> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, 17).ptr;
    std::string text(buffer.data(), end);
    if (text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
    }
    return text == "-0" ? "0" : text;
}

}  // namespace

Reply incr(Call& call) { return add(call, 1); }
Reply decr(Call& call) { return add(call, -1); }

Reply incrby(Call& call) {
    const auto by = integer(call.words[2]);
    return by ? add(call, *by) : by.error();
}

Reply decrby(Call& call) {
    const auto by = integer(call.words[2]);
    if (!by) return by.error();
    if (*by == std::numeric_limits<std::int64_t>::min()) return Reply::error("ERR decrement would overflow");
    return add(call, -*by);
}

Reply incrbyfloat(Call& call) {
    const Keyspace::Row& row = call.keys.find(call.key());
    const auto before = row.exists ? parse_float(row.value.bytes()) : 0.0L;
    if (!before) return Reply::error(kNotAFloat);
    const auto by = parse_float(call.words[2]);
    if (!by) return Reply::error(kNotAFloat);
    const long double after = *before + *by;
    if (std::isnan(after) || std::isinf(after)) return Reply::error("ERR increment would produce NaN or Infinity");
    const std::string text = to_text(after);
    put(call, call.key(), Value::owned(text), row.deadline);
    return Reply::bulk(text);
}

}  // namespace tanist::commands::redis

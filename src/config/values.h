// SPDX-License-Identifier: Apache-2.0
// A value as it was written, and what each type of our Config makes of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace tanist::config {

/// From the environment or a flag: text without a type. The key says whether it is a number, a word, or a list with commas.
struct PlainText {
    std::string text;
};
/// Of a type that no key has (a date, a table, a fraction …), as it was written.
struct OtherValue {
    std::string text;
};
using Value = std::variant<PlainText, std::int64_t, std::string, std::vector<std::string>, OtherValue>;

/// The smallest and the largest number allowed; of no meaning for what is not a number.
struct Bounds {
    std::uint64_t min = 0;
    std::uint64_t max = 0;
    bool or_none = false;        ///< -1 as well
    std::string_view unit = {};  ///< "milliseconds", "bytes", or nothing for a plain count
};

/// As errors show it: strings in quotes, lists in brackets, cut short where it is long.
[[nodiscard]] std::string show(const Value& value);

/// A password as it stands in a file; what is not plain text, in hexadecimal digits.
[[nodiscard]] std::string in_file(const Secret& secret);

/// What a member of Config's sections may be. Instantiated in values.cpp for the type of each of them, and for nothing else.
template <class T>
struct ValueType {
    /// Leaves `out` alone on failure; the error's message is the half sentence of allowed().
    [[nodiscard]] static Status read(const Value& value, const Bounds& bounds, T& out);
    /// `must be 10 .. 10000 milliseconds`, `must be one of "text", "json"`.
    [[nodiscard]] static std::string allowed(const Bounds& bounds);
    /// As it would stand in a file.
    [[nodiscard]] static std::string print(const T& value);
};

}  // namespace tanist::config

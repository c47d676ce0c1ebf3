// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

namespace tanist::store {

Result<std::optional<std::string>> Store::get(std::string_view key) const {
    std::optional<std::string> found;
    const auto read_one = read({&key, 1}, kNoBound, [&](std::size_t, std::optional<std::string_view> value) { found = value; });
    if (!read_one) return fail(Error(read_one.error()));
    return found;
}

Result<std::vector<std::optional<std::string>>> Store::get_many(std::span<const std::string_view> keys, std::size_t bytes_max) const {
    std::vector<std::optional<std::string>> values;
    values.reserve(keys.size());
    const auto read_all = read(keys, bytes_max, [&](std::size_t, std::optional<std::string_view> value) { values.emplace_back(value); });
    if (!read_all) return fail(Error(read_all.error()));
    return values;
}

}  // namespace tanist::store

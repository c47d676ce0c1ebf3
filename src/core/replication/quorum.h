// SPDX-License-Identifier: Apache-2.0
// What a majority of voters agrees on.
#pragma once

#include <algorithm>
#include <functional>
#include <span>

#include "base/ensure.h"

namespace tanist::core {

/// The highest value that a majority has reached. `values` has one for each voter, ours included, and is reordered.
/// Of durable LSNs this alone does not commit an entry of an older epoch (S6; Raft, section 5.4.2): the caller checks.
template <class T>
[[nodiscard]] T quorum_value(std::span<T> values) {
    ENSURE(!values.empty());
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle, std::greater<>{});
    return *middle;
}

}  // namespace tanist::core

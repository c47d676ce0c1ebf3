// SPDX-License-Identifier: Apache-2.0
// A count to which several threads add.
#pragma once

#include <atomic>
#include <cstdint>

namespace tanist {

/// Orders nothing: who wants a count that agrees with other state reads it when those who add are known to have ended.
class SharedCount {
public:
    void add(std::uint64_t n) {
        if (n != 0) value_.fetch_add(n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
    /// Forgets what was added since it was `value`. Only while nobody adds.
    void take_back_to(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace tanist

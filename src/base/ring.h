// SPDX-License-Identifier: Apache-2.0
// A queue in one piece of memory, which it keeps: what comes and goes in order allocates nothing.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/ensure.h"

namespace tanist {

/// As std::deque where only the two ends change; but growing moves the items: references are valid until the next push_back().
template <class T>
class Ring {
public:
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    /// From the oldest, numbered 0.
    [[nodiscard]] T& operator[](std::size_t number) { return items_[(first_ + number) & (items_.size() - 1)]; }
    [[nodiscard]] T& front() { return (*this)[0]; }

    T& push_back(T item) {
        if (size_ == items_.size()) grow();
        T& last = (*this)[size_++];
        last = std::move(item);
        return last;
    }
    void pop_front() {
        ENSURE(size_ > 0);
        front() = T{};
        first_ = (first_ + 1) & (items_.size() - 1);
        if (--size_ == 0 && items_.size() > kKept) items_ = {};
    }

private:
    static constexpr std::size_t kLeast = 8, kKept = 256;

    void grow() {
        std::vector<T> larger(items_.empty() ? kLeast : 2 * items_.size());
        for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
        items_ = std::move(larger);
        first_ = 0;
    }

    std::vector<T> items_;  ///< none, or a power of two of them
    std::size_t first_ = 0, size_ = 0;
};

}  // namespace tanist

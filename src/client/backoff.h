// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next attempt: doubled each time, within bounds, less a random half so that clients spread out.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/random.h"

namespace tanist::client {

class Backoff {
public:
    Backoff(std::chrono::milliseconds min, std::chrono::milliseconds max) : min_(min), max_(std::max(min, max)), next_(min) {}

    [[nodiscard]] std::chrono::microseconds next(Random& random) {
        const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(next_);
        next_ = std::min(next_ * 2, max_);
        return whole / 2 + std::chrono::microseconds(random.below(static_cast<std::uint64_t>(whole.count() / 2 + 1)));
    }
    void reset() { next_ = min_; }

private:
    std::chrono::milliseconds min_, max_, next_;
};

}  // namespace tanist::client

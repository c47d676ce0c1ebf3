// SPDX-License-Identifier: Apache-2.0
#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tanist::bench {

std::size_t Histogram::bucket_of(std::uint64_t value) {
    const unsigned width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kSubBits) return value;  // the smallest values have a bucket each
    const unsigned shift = width - kSubBits - 1;
    return ((static_cast<std::size_t>(shift) + 1) << kSubBits) + ((value >> shift) & ((1U << kSubBits) - 1));
}

std::uint64_t Histogram::upper_bound_of(std::size_t bucket) {
    const std::size_t group = bucket >> kSubBits;
    const std::uint64_t sub = bucket & ((1U << kSubBits) - 1);
    if (group == 0) return sub;
    const unsigned shift = static_cast<unsigned>(group) - 1;
    return (((1ULL << kSubBits) + sub + 1) << shift) - 1;
}

void Histogram::add(std::uint64_t nanoseconds, std::uint64_t times) {
    buckets_[bucket_of(nanoseconds)] += times;
    count_ += times;
    max_ = std::max(max_, nanoseconds);
}

std::uint64_t Histogram::percentile(double percent) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100.0));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        seen += buckets_[bucket];
        if (seen >= wanted && seen > 0) return std::min(upper_bound_of(bucket), max_);
    }
    return 0;
}

}  // namespace tanist::bench

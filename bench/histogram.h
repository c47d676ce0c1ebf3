// SPDX-License-Identifier: Apache-2.0
// Counts latencies in buckets whose width grows with their value: percentiles within 1.6 % from one nanosecond to hours.
#pragma once

#include <array>
#include <cstdint>

namespace tanist::bench {

class Histogram {
public:
    void add(std::uint64_t nanoseconds, std::uint64_t times = 1);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// The latency that `percent` (0 .. 100) of all values do not exceed, in nanoseconds; 0 when nothing was counted.
    [[nodiscard]] std::uint64_t percentile(double percent) const;
    [[nodiscard]] std::uint64_t max() const { return max_; }

private:
    static constexpr unsigned kSubBits = 6;  // 64 buckets for each power of two
    static constexpr std::size_t kBuckets = (64 - kSubBits + 1) << kSubBits;
    [[nodiscard]] static std::size_t bucket_of(std::uint64_t value);
    [[nodiscard]] static std::uint64_t upper_bound_of(std::size_t bucket);

    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace tanist::bench

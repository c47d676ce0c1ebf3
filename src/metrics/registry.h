// SPDX-License-Identifier: Apache-2.0
// The metrics of one node: any thread counts, and one asks for the text that Prometheus reads.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "metrics/catalogue.h"

namespace tanist::metrics {

// Each of the three may be used by any thread at any time, without a lock: one relaxed atomic instruction, or two in a histogram.
// A reader may see one of two changes made together; over a scrape interval that does not matter.

class Counter {
public:
    void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// Counts values by size, in steps that grow by about 2.5: from 50 µs to 10 s, or from 1 to 10 000.
class Histogram {
public:
    static constexpr std::array<std::uint64_t, 17> kDurationBounds{
        50'000,     100'000,     250'000,     500'000,     1'000'000,     2'500'000,     5'000'000,     10'000'000,    25'000'000,
        50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};
    static constexpr std::array<std::uint64_t, 17> kSizeBounds{1,   2,   3,   5,   8,     12,    20,    32,    50,
                                                               100, 200, 350, 600, 1'000, 2'500, 5'000, 10'000};

    /// Nanoseconds for Kind::kDurations, anything countable for Kind::kSizes.
    explicit Histogram(Kind kind) : kind_(kind) {}
    void observe(std::chrono::nanoseconds duration) { observe(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0))); }
    void observe(std::uint64_t value);

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] std::span<const std::uint64_t> bounds() const { return kind_ == Kind::kDurations ? kDurationBounds : kSizeBounds; }
    /// How many values were at most bounds()[i] and above the bound before; behind the last bound: all larger ones.
    [[nodiscard]] std::uint64_t count(std::size_t i) const { return counts_[i].load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

private:
    Kind kind_;
    std::array<std::atomic<std::uint64_t>, kDurationBounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> sum_{0};
};
static_assert(Histogram::kDurationBounds.size() == Histogram::kSizeBounds.size());

/// Owns every metric. A reference that it gives out stays good for as long as it lives: ask once, keep it, and count without a look-up.
class Registry {
public:
    Registry();

    /// The kind must be the one in the catalogue, and a label value is given exactly for what has a label there.
    [[nodiscard]] Counter& counter(Metric metric, std::string_view label_value = {});
    [[nodiscard]] Gauge& gauge(Metric metric, std::string_view label_value = {});
    [[nodiscard]] Histogram& histogram(Metric metric, std::string_view label_value = {});

    /// Called at the beginning of each text(), in its thread: to set gauges that nobody keeps up to date in between.
    void before_text(std::function<void()> collect);

    /// In the Prometheus text format 0.0.4. Unlabelled metrics are always there, labelled ones once they were asked for.
    [[nodiscard]] std::string text() const;

private:
    using Value = std::variant<Counter, Gauge, Histogram>;
    static std::unique_ptr<Value> make_value(Kind kind);
    Value& value(Metric metric, std::string_view label_value);

    // Guards the maps and the list, since labels come up in any thread, a new peer's in its link's. Not held while counting, nor
    // while collecting.
    mutable std::mutex mutex_;
    std::array<std::map<std::string, std::unique_ptr<Value>, std::less<>>, kMetricCount> values_;  // by label value
    std::vector<std::function<void()>> collectors_;
};

}  // namespace tanist::metrics

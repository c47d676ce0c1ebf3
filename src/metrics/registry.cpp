// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

#include "base/ensure.h"

namespace tanist::metrics {
namespace {

/// What turns a value as it is kept into one as it is shown.
double scale_of(Kind kind) { return kind == Kind::kDurations || kind == Kind::kCountedTime ? 1e-9 : 1; }

prometheus::MetricType type_of(Kind kind) {
    switch (kind) {
        case Kind::kCounter:
        case Kind::kCountedTime: return prometheus::MetricType::Counter;
        case Kind::kGauge: return prometheus::MetricType::Gauge;
        case Kind::kDurations:
        case Kind::kSizes: return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

struct Exporter {
    double scale;
    prometheus::ClientMetric& out;

    void operator()(const Counter& counter) const { out.counter.value = static_cast<double>(counter.value()) * scale; }
    void operator()(const Gauge& gauge) const { out.gauge.value = gauge.value(); }
    void operator()(const Histogram& histogram) const {
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
            const bool last = i == histogram.bounds().size();
            cumulative += histogram.count(i);
            const double bound = last ? std::numeric_limits<double>::infinity() : static_cast<double>(histogram.bounds()[i]) * scale;
            out.histogram.bucket.push_back({.cumulative_count = cumulative, .upper_bound = bound});
        }
        out.histogram.sample_count = cumulative;
        out.histogram.sample_sum = static_cast<double>(histogram.sum()) * scale;
    }
};

}  // namespace

void Histogram::observe(std::uint64_t value) {
    const auto all = bounds();
    const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(all, value) - all.begin());
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Registry::Registry() {
    for (const Description& description : catalogue()) {
        if (description.label.empty()) value(description.metric, {});
    }
}

Counter& Registry::counter(Metric metric, std::string_view label_value) {
    auto* counter = std::get_if<Counter>(&value(metric, label_value));
    ENSURE(counter != nullptr);
    return *counter;
}

Gauge& Registry::gauge(Metric metric, std::string_view label_value) {
    auto* gauge = std::get_if<Gauge>(&value(metric, label_value));
    ENSURE(gauge != nullptr);
    return *gauge;
}

Histogram& Registry::histogram(Metric metric, std::string_view label_value) {
    auto* histogram = std::get_if<Histogram>(&value(metric, label_value));
    ENSURE(histogram != nullptr);
    return *histogram;
}

std::unique_ptr<Registry::Value> Registry::make_value(Kind kind) {
    switch (kind) {
        case Kind::kCounter:
        case Kind::kCountedTime: return std::make_unique<Value>(std::in_place_type<Counter>);
        case Kind::kGauge: return std::make_unique<Value>(std::in_place_type<Gauge>);
        case Kind::kDurations:
        case Kind::kSizes: return std::make_unique<Value>(std::in_place_type<Histogram>, kind);
    }
    ENSURE(false);
}

Registry::Value& Registry::value(Metric metric, std::string_view label_value) {
    const Description& description = describe(metric);
    ENSURE(description.label.empty() == label_value.empty());
    const std::lock_guard lock(mutex_);
    auto& values = values_[static_cast<std::size_t>(metric)];
    auto found = values.find(label_value);
    if (found == values.end()) {
        found = values.emplace(label_value, make_value(description.kind)).first;
    }
    return *found->second;
}

void Registry::before_text(std::function<void()> collect) {
    const std::lock_guard lock(mutex_);
    collectors_.push_back(std::move(collect));
}

std::string Registry::text() const {
    const auto collectors = [&] {
        const std::lock_guard lock(mutex_);
        return collectors_;
    }();
    for (const auto& collect : collectors) collect();

    std::vector<prometheus::MetricFamily> families;
    const std::lock_guard lock(mutex_);
    for (const Description& description : catalogue()) {
        const auto& values = values_[static_cast<std::size_t>(description.metric)];
        if (values.empty()) continue;
        auto& family = families.emplace_back();
        family.name = description.name;
        family.help = description.help;
        family.type = type_of(description.kind);
        for (const auto& [label_value, value] : values) {
            auto& metric = family.metric.emplace_back();
            if (!description.label.empty()) metric.label.push_back({std::string(description.label), label_value});
            std::visit(Exporter{scale_of(description.kind), metric}, *value);
        }
    }
    return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace tanist::metrics

// SPDX-License-Identifier: Apache-2.0
#include "server/resp/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace tanist::server::resp {
namespace {

constexpr std::size_t kSlowWordsMax = 32, kSlowWordBytesMax = 128;
constexpr std::size_t kLatencySamplesMax = 160;

}  // namespace

void Records::count_time(const CommandTable::Row& row, std::uint64_t microseconds, std::uint64_t calls) {
    CommandCount& count = counts_[row.index];
    count.microseconds += microseconds;
    if (!tracks_latency) return;
    const auto bits = static_cast<std::size_t>(std::bit_width(microseconds / calls));
    count.took[std::min(bits, count.took.size() - 1)] += calls;
}

void Records::forget_latency_tracking() {
    for (CommandCount& count : counts_) count.took = {};
}

std::optional<std::uint64_t> percentile_us(const CommandCount& count, double percent) {
    const auto timed = static_cast<double>(std::accumulate(count.took.begin(), count.took.end(), std::uint64_t{0}));
    if (timed == 0) return std::nullopt;
    const double wanted = std::max(1.0, std::ceil(timed * percent / 100));
    std::size_t bits = 0;
    for (double seen = static_cast<double>(count.took[0]); seen < wanted; seen += static_cast<double>(count.took[bits])) ++bits;
    return std::uint64_t{1} << bits;
}

void Records::note_latency(const CommandTable::Row& row, std::uint64_t unix_seconds, std::uint64_t microseconds) {
    const std::uint64_t milliseconds = microseconds / 1000;
    if (latency_threshold_ms == 0 || milliseconds < latency_threshold_ms) return;
    Latencies& of = latencies_[row.has(kFast) ? "fast-command" : "command"];
    of.worst_ms = std::max(of.worst_ms, milliseconds);
    if (!of.samples.empty() && of.samples.back().unix_seconds == unix_seconds) {
        of.samples.back().milliseconds = std::max(of.samples.back().milliseconds, milliseconds);
        return;
    }
    of.samples.push_back({unix_seconds, milliseconds});
    if (of.samples.size() > kLatencySamplesMax) of.samples.pop_front();
}

void Records::count_error(std::string_view text) {
    const std::string_view code = text.substr(0, text.find(' '));
    const auto found = errors_.find(code);
    found == errors_.end() ? static_cast<void>(errors_.emplace(code, 1)) : static_cast<void>(++found->second);
}

void Records::forget_counts() {
    counts_.assign(counts_.size(), {});
    errors_.clear();
}

void Records::keep_slow(SlowCommand command, Arguments words) {
    command.id = last_slow_id_++;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i + 1 == kSlowWordsMax && words.size() > kSlowWordsMax) {
            command.words.push_back(fmt::format("... ({} more arguments)", words.size() - i));
            break;
        }
        const std::size_t left_out = words[i].size() > kSlowWordBytesMax ? words[i].size() - kSlowWordBytesMax : 0;
        command.words.emplace_back(words[i].substr(0, kSlowWordBytesMax));
        if (left_out > 0) command.words.back() += fmt::format("... ({} more bytes)", left_out);
    }
    slow_.push_front(std::move(command));
    while (slow_.size() > slow_max) slow_.pop_back();
}

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tanist::cli {

std::string human_bytes(double bytes) {
    constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < kUnits.size()) {
        bytes /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string progress_line(std::string_view verb, std::uint64_t records, std::uint64_t bytes, std::optional<std::uint64_t> bytes_total,
                          double seconds) {
    const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
    const std::string done = fmt::format("{} records, {}, {}/s", records, human_bytes(static_cast<double>(bytes)), human_bytes(rate));
    if (!bytes_total || *bytes_total == 0) return fmt::format("{} {}", verb, done);
    constexpr std::size_t kWidth = 20;
    const double part = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(*bytes_total));
    const auto filled = static_cast<std::size_t>(part * static_cast<double>(kWidth));
    const double left = rate > 0 ? static_cast<double>(*bytes_total - std::min(bytes, *bytes_total)) / rate : 0;
    return fmt::format("{} [{}{}] {:3.0f}% {}, {:.0f} s left", verb, std::string(filled, '#'), std::string(kWidth - filled, '.'),
                       part * 100, done, left);
}

Progress::Progress(const Streams& streams, std::string_view verb, std::optional<std::uint64_t> bytes_total)
    : streams_(streams), verb_(verb), bytes_total_(bytes_total) {}

void Progress::update(std::uint64_t records, std::uint64_t bytes) {
    if (!streams_.err_is_terminal) return;
    const auto now = Clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    visible_ = true;
    streams_.err << "\r\x1b[K" << progress_line(verb_, records, bytes, bytes_total_, elapsed().count()) << std::flush;
}

void Progress::erase() {
    if (!visible_) return;
    visible_ = false;
    streams_.err << "\r\x1b[K" << std::flush;
}

}  // namespace tanist::cli

// SPDX-License-Identifier: Apache-2.0
// How far a transfer has come, drawn over itself on a terminal and nowhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/streams.h"

namespace tanist::cli {

class Progress {
public:
    using Clock = std::chrono::steady_clock;

    /// `bytes_total`: when it is known, there is a bar.
    Progress(const Streams& streams, std::string_view verb, std::optional<std::uint64_t> bytes_total);
    ~Progress() { erase(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void update(std::uint64_t records, std::uint64_t bytes);
    /// Takes the bar off the line, so that something else can be written there.
    void erase();
    [[nodiscard]] std::chrono::duration<double> elapsed() const { return Clock::now() - begun_; }

private:
    const Streams& streams_;
    std::string verb_;
    std::optional<std::uint64_t> bytes_total_;
    Clock::time_point begun_ = Clock::now(), drawn_{};
    bool visible_ = false;
};

/// 1234567 as "1.2 MB".
[[nodiscard]] std::string human_bytes(double bytes);
/// The line of a progress bar, 79 columns at most.
[[nodiscard]] std::string progress_line(std::string_view verb, std::uint64_t records, std::uint64_t bytes,
                                        std::optional<std::uint64_t> bytes_total, double seconds);

}  // namespace tanist::cli

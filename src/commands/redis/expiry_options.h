// SPDX-License-Identifier: Apache-2.0
// The options of SET and GETEX, most of which are about the deadline.
#pragma once

#include <optional>
#include <string_view>

#include "commands/redis/call.h"

namespace tanist::commands::redis {

enum class TimeUnit : std::uint8_t { kSeconds, kMilliseconds };

/// A time as it was written: EX 10, PXAT 1700000000000.
struct TimeWords {
    std::string_view word;
    TimeUnit unit = TimeUnit::kSeconds;
    bool is_absolute = false;
};

struct SetOptions {
    bool if_absent = false, if_present = false, get = false, keep_deadline = false, persist = false;
    std::optional<TimeWords> time;
};

/// Of SET, from its fourth word on.
[[nodiscard]] Parsed<SetOptions> read_set_options(const Call& call);
/// Of GETEX, from its third word on.
[[nodiscard]] Parsed<SetOptions> read_getex_options(const Call& call);

/// As a deadline in log time, which may have come already; relative times count from now.
[[nodiscard]] Parsed<std::uint64_t> read_deadline(const Call& call, const TimeWords& time);
[[nodiscard]] Reply invalid_expire_time(const Call& call);

}  // namespace tanist::commands::redis

// SPDX-License-Identifier: Apache-2.0
// Virtual time: microseconds since the history began. Nothing in the simulator reads a real clock.
#pragma once

#include <chrono>

namespace tanist::sim {

using Duration = std::chrono::microseconds;
/// Since the start of the history.
using Instant = std::chrono::microseconds;

using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

}  // namespace tanist::sim

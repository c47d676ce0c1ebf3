// SPDX-License-Identifier: Apache-2.0
// Directed histories: situations that chance alone seldom makes, since several things must come together at the right time. Each is a
// family: who is hurt, when, for how long, under which load and on which network and disks is drawn.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/random.h"
#include "sim/plan.h"

namespace tanist::sim {

/// From this seed on, every history is a scenario.
inline constexpr std::uint64_t kFirstScenarioSeed = 1'000'000;
/// From this one on, it is one of those in which faults wait for their moment.
inline constexpr std::uint64_t kFirstAimedSeed = 1'500'000;

/// From this one on, of those about what only one disk has: a state store that rots, the log of an only voter.
inline constexpr std::uint64_t kFirstRottenSeed = 2'000'000;

/// Changes a plan that was drawn as any other into one of a scenario, and returns the family's name.
std::string_view make_scenario(Plan& plan, Random& random);

}  // namespace tanist::sim

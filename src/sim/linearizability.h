// SPDX-License-Identifier: Apache-2.0
// Checks that what the clients of one key were told can be explained by one order of its operations that respects their times.
// After Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with Lowe's memory of what was tried, "Testing for
// Linearizability" (2017). Keys are independent of each other (Herlihy and Wing, theorem 1), so each is checked by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tanist::sim {

/// One operation on the key, as its client saw it. Times only need an order; those of one client may not overlap those of others
/// by anything but truth.
struct Observed {
    enum class Kind : std::uint8_t {
        kRead,       ///< `result` is what it saw; nullopt: no such key
        kWrite,      ///< the key becomes `value`; nullopt: it is deleted
        kCompare,    ///< if the key equals `expected` it becomes `value`; `succeeded` tells
        kIncrement,  ///< `result` is the sum after adding `by`; a missing key counts as 0
    };
    Kind kind = Kind::kRead;
    std::uint64_t begin = 0;
    std::optional<std::uint64_t> end;  ///< nullopt: the outcome is unknown; it may have happened at any time since, or never
    std::optional<std::string> expected, value, result;
    std::int64_t by = 0;
    bool succeeded = false;  ///< of kCompare
};

enum class Linearizability : std::uint8_t {
    kHolds,
    kViolated,
    kUndecided,  ///< the search was given up at its bound
};

struct LinearizabilityReport {
    Linearizability verdict = Linearizability::kHolds;
    std::uint64_t steps = 0;
    /// Of kViolated: the longest explanation that was found, as indices into the history in their order, and the operation that
    /// no continuation of it explains.
    std::vector<std::size_t> explained;
    std::optional<std::size_t> unexplained;
};

inline constexpr std::uint64_t kStepsMax = 20'000'000;  ///< some seconds, and about 1 GiB

/// The key does not exist before the first operation. An operation of unknown outcome that only reads can be left out.
[[nodiscard]] LinearizabilityReport check_linearizability(std::span<const Observed> history, std::uint64_t steps_max = kStepsMax);

/// One line for an operation, for people.
[[nodiscard]] std::string describe(const Observed& operation);

}  // namespace tanist::sim

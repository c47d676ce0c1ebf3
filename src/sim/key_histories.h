// SPDX-License-Identifier: Apache-2.0
// What all clients together were told of each key, to be held against linearizability: knowing nothing of logs and LSNs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/request.h"
#include "commands/state_machine.h"
#include "sim/linearizability.h"
#include "sim/time.h"

namespace tanist::sim {

class KeyHistories {
public:
    void add(std::string key, Observed observed) { keys_[std::move(key)].push_back(std::move(observed)); }
    /// A write that was executed; its keys are told apart, so that each has a part of its own.
    void add_write(const commands::Request& request, const commands::Outcome& outcome, Instant begin, Instant end);
    /// One of which nobody knows whether it was, or will be, executed.
    void add_unknown(const commands::Request& request, Instant begin);
    /// A linearizable read: of one key, or of those that a scan found.
    void add_read(std::string_view begin_key, std::string_view end_key, std::span<const commands::KeyValue> rows, Instant begin,
                  Instant end);

    struct Verdict {
        std::optional<std::string> violation;  ///< the key, and how far its history can be explained
        std::uint64_t operations = 0, undecided_keys = 0;
    };
    /// Of each key within so many steps.
    [[nodiscard]] Verdict check(std::uint64_t steps_max) const;

private:
    std::map<std::string, std::vector<Observed>, std::less<>> keys_;
};

}  // namespace tanist::sim

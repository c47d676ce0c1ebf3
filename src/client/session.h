// SPDX-License-Identifier: Apache-2.0
// The client's side of exactly once (S21): which sequence numbers of the registered session are still unanswered.
#pragma once

#include <cstdint>
#include <set>

#include "base/ensure.h"
#include "base/number.h"

namespace tanist::client {

class Session {
public:
    explicit Session(SessionId id) : id_(id) {}

    [[nodiscard]] SessionId id() const { return id_; }
    [[nodiscard]] bool idle() const { return unanswered_.empty(); }

    /// The number of a new write: 1, 2, 3 …
    [[nodiscard]] std::uint64_t begin() {
        unanswered_.insert(unanswered_.end(), next_);
        return next_++;
    }
    /// The caller has its answer, or has been told that there is none. A sending that is still under way is never executed
    /// once the cluster has seen a later lowest_unanswered().
    void end(std::uint64_t sequence) { ENSURE(unanswered_.erase(sequence) == 1); }

    /// The cluster may forget its replies to all numbers below.
    [[nodiscard]] std::uint64_t lowest_unanswered() const { return unanswered_.empty() ? next_ : *unanswered_.begin(); }

private:
    SessionId id_;
    std::uint64_t next_ = 1;
    std::set<std::uint64_t> unanswered_;
};

}  // namespace tanist::client

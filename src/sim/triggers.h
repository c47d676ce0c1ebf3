// SPDX-License-Identifier: Apache-2.0
// What waits for something to happen, so that it comes at that very moment and not at a time that was drawn before.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/types.h"
#include "sim/plan.h"

namespace tanist::sim {

class Triggers {
public:
    /// Is told at which node the moment came, in the midst of that node's step.
    using Begin = std::function<void(NodeId)>;

    /// Once the moment has come `times` times from now on, at `node` or, where that is 0, at any.
    void arm(Moment moment, NodeId node, std::uint32_t times, Begin begin) { armed_.push_back({moment, node, times, std::move(begin)}); }
    void disarm() { armed_.clear(); }

    void on(Moment moment, NodeId node) {
        std::vector<Begin> due;
        std::erase_if(armed_, [&](Armed& a) {
            const bool is_it = a.moment == moment && (a.node.is_zero() || a.node == node);
            if (!is_it || --a.times_left > 0) return false;
            due.push_back(std::move(a.begin));
            return true;
        });
        for (const Begin& begin : due) begin(node);
    }

private:
    struct Armed {
        Moment moment;
        NodeId node;
        std::uint32_t times_left;
        Begin begin;
    };
    std::vector<Armed> armed_;
};

}  // namespace tanist::sim

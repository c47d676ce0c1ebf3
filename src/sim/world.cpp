// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <algorithm>

#include "base/ensure.h"

namespace tanist::sim {

void World::at(Instant when, Work work) {
    ENSURE(when >= now_);
    queue_.push_back({when, asked_++, std::move(work)});
    std::ranges::push_heap(queue_, later);
}

bool World::run_one() {
    if (queue_.empty() || failure_) return false;
    std::ranges::pop_heap(queue_, later);
    const Event event = std::move(queue_.back());
    queue_.pop_back();
    now_ = event.when;
    ++events_;
    event.work();
    return true;
}

void World::run_until(Instant end) {
    while (!queue_.empty() && queue_.front().when <= end) {
        if (!run_one()) return;
    }
    now_ = end;
}

void World::record_failure(std::string text) {
    note("FAILED: {}", text);
    failure_ = std::move(text);
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
#include "server/loop.h"

#include <asio/executor_work_guard.hpp>

namespace tanist::server {

void Loop::run(const std::function<void()>& end_of_turn) {
    const auto guard = asio::make_work_guard(io_);
    while (!stopped_.load(std::memory_order_relaxed)) {
        io_.run_one();
        for (int handled = 1; handled < kHandlersPerTurn && !stopped_.load(std::memory_order_relaxed) && io_.poll_one() != 0; ++handled) {
        }
        if (!stopped_.load(std::memory_order_relaxed)) end_of_turn();
    }
}

void Loop::stop() {
    stopped_.store(true);
    io_.stop();
}

}  // namespace tanist::server

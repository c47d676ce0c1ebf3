// SPDX-License-Identifier: Apache-2.0
// Many deadlines on one system timer. Belongs to the client's thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace tanist::client {

using Clock = std::chrono::steady_clock;

class Timers {
public:
    using Id = std::pair<Clock::time_point, std::uint64_t>;

    explicit Timers(asio::io_context& io) : timer_(io) {}

    /// Calls `what` once, at `when` or soon after.
    Id at(Clock::time_point when, std::function<void()> what);
    void cancel(const Id& id) { waiting_.erase(id); }
    /// Nothing is called any more.
    void stop();

private:
    void arm(Clock::time_point when);
    void run_due();

    asio::steady_timer timer_;
    std::map<Id, std::function<void()>> waiting_;
    std::uint64_t next_id_ = 1;
    Clock::time_point armed_for_ = Clock::time_point::max();  ///< the system timer fires then, if not before
};

}  // namespace tanist::client

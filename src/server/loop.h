// SPDX-License-Identifier: Apache-2.0
// The one thread that owns sessions, peer links and the replica. It runs in turns: everything that is ready, then what the turn gathered.
#pragma once

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <functional>
#include <utility>

namespace tanist::server {

/// A turn handles what is ready, at most kHandlersPerTurn handlers, and then calls `end_of_turn` once: requests of many connections
/// become one log entry there, and replies of many entries one write a connection.
class Loop {
public:
    static constexpr int kHandlersPerTurn = 256;

    [[nodiscard]] asio::io_context& io() { return io_; }

    /// Runs turns until stop(). Whoever calls it is the loop thread.
    void run(const std::function<void()>& end_of_turn);
    /// Ends run() after the handler that is running; any thread.
    void stop();
    /// Runs `task` on the loop thread, soon; any thread.
    template <class Task>
    void post(Task task) {
        asio::post(io_, std::move(task));
    }

private:
    asio::io_context io_{1};
    std::atomic<bool> stopped_ = false;
};

}  // namespace tanist::server

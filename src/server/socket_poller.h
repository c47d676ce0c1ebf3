// SPDX-License-Identifier: Apache-2.0
// Readiness of many client sockets by one epoll of their own: one receive a request, where Asio's own reading costs a second, vain one.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>

#include "server/shared_turns.h"

namespace tanist::server {

/// Stands in Asio's epoll as one descriptor; whenever that is readable, a whole batch of sockets is looked at. Level-triggered: what
/// a watcher leaves unread is told again. Loop thread.
class SocketPoller {
public:
    class Watcher {
    public:
        virtual ~Watcher() = default;
        /// Maybe, before on_ready() with the same events: on any thread, while all that the loop alone changes stands still. May change
        /// nothing but the watcher itself, which may be forgotten before on_ready() would be called.
        virtual void on_ready_shared(std::uint32_t events) = 0;
        /// `events` as epoll tells them. May forget any watcher, itself included.
        virtual void on_ready(std::uint32_t events) = 0;
    };

    SocketPoller(asio::io_context& io, SharedTurns& turns);

    /// `interest`: EPOLLIN, EPOLLOUT, both or none. A descriptor is watched once. False: the system lets us watch no more.
    [[nodiscard]] bool watch(int descriptor, Watcher& watcher, std::uint32_t interest);
    void change(int descriptor, Watcher& watcher, std::uint32_t interest);
    /// To be called before the descriptor is closed or handed on. The watcher is not called any more.
    void forget(int descriptor, const Watcher& watcher);

private:
    static constexpr std::size_t kBatch = 256;

    void wait();
    void look();

    SharedTurns& turns_;
    asio::posix::stream_descriptor epoll_;
    std::array<epoll_event, kBatch> batch_{};
    std::size_t batch_next_ = 0, batch_end_ = 0;  ///< events fetched and not yet told
};

}  // namespace tanist::server

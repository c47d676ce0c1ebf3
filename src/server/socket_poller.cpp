// SPDX-License-Identifier: Apache-2.0
#include "server/socket_poller.h"

#include "base/ensure.h"

namespace tanist::server {

SocketPoller::SocketPoller(asio::io_context& io, SharedTurns& turns) : turns_(turns), epoll_(io, ::epoll_create1(EPOLL_CLOEXEC)) { wait(); }

void SocketPoller::wait() {
    epoll_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
        if (error) return;
        look();
        wait();
    });
}

void SocketPoller::look() {
    const int count = ::epoll_wait(epoll_.native_handle(), batch_.data(), static_cast<int>(batch_.size()), 0);
    batch_end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    if (batch_end_ > 1 && turns_.has_helpers()) {
        turns_.receive(batch_end_, [this](std::size_t i) { static_cast<Watcher*>(batch_[i].data.ptr)->on_ready_shared(batch_[i].events); });
    }
    for (batch_next_ = 0; batch_next_ < batch_end_;) {
        const epoll_event& event = batch_[batch_next_++];
        if (event.data.ptr != nullptr) static_cast<Watcher*>(event.data.ptr)->on_ready(event.events);
    }
    batch_next_ = batch_end_ = 0;
}

bool SocketPoller::watch(int descriptor, Watcher& watcher, std::uint32_t interest) {
    epoll_event event{.events = interest, .data = {.ptr = &watcher}};
    return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void SocketPoller::change(int descriptor, Watcher& watcher, std::uint32_t interest) {
    epoll_event event{.events = interest, .data = {.ptr = &watcher}};
    ENSURE(::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, descriptor, &event) == 0);
}

void SocketPoller::forget(int descriptor, const Watcher& watcher) {
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
    for (std::size_t i = batch_next_; i < batch_end_; ++i) {
        if (batch_[i].data.ptr == &watcher) batch_[i].data.ptr = nullptr;
    }
}

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
#include "server/idle_poller.h"

#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "server/pause.h"

namespace tanist::server {
namespace {

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

IdlePoller::IdlePoller(std::chrono::microseconds time) : time_(time) {
    if (time.count() == 0) return;
    std::thread thread([shared = shared_] { main(*shared); });
    pthread_setname_np(thread.native_handle(), "tanist-idle");
    clockid_t clock = 0;
    if (::pthread_getcpuclockid(thread.native_handle(), &clock) == 0) clock_ = clock;
    thread.detach();
}

IdlePoller::~IdlePoller() {
    shared_->ending = true;
    shared_->awake_until_ns = 0;
    shared_->sleeps = false;
    shared_->sleeps.notify_one();
}

void IdlePoller::stay_awake() {
    if (time_.count() == 0) return;
    shared_->awake_until_ns = now_ns() + time_.count();
    if (shared_->sleeps && shared_->sleeps.exchange(false)) shared_->sleeps.notify_one();
}

std::chrono::nanoseconds IdlePoller::polled() const {
    timespec used{};
    if (!clock_ || shared_->refused || ::clock_gettime(*clock_, &used) != 0) return {};
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

void IdlePoller::main(Shared& shared) {
    const sched_param none{};
    int refused = ::pthread_setschedparam(::pthread_self(), SCHED_IDLE, &none);
    // From here on it may run late: a killed process whose sockets it held would seem alive for so long.
    if (refused == 0 && ::close_range(0, ~0U, CLOSE_RANGE_UNSHARE) != 0) refused = errno;
    if (refused != 0) {
        shared.refused = true;
        spdlog::warn("no idle polling: the system refuses SCHED_IDLE, or files of a thread's own: {}", std::strerror(refused));
        return;
    }
    while (!shared.ending) {
        shared.sleeps = true;
        // Who calls stay_awake() from here on sees it; who did before is seen here.
        if (now_ns() >= shared.awake_until_ns && !shared.ending) shared.sleeps.wait(true);
        shared.sleeps = false;
        while (now_ns() < shared.awake_until_ns) pause_briefly();
    }
}

}  // namespace tanist::server

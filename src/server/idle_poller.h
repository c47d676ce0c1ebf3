// SPDX-License-Identifier: Apache-2.0
// Keeps a core from falling asleep while a request is on its way through threads, disk and peers (docs/decisions/0015-idle-polling.md).
#pragma once

#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace tanist::server {

/// Polls instead of a core's idle loop, on a thread of the scheduling policy SCHED_IDLE: whatever else can run takes the core from it at
/// once. Where the system refuses that policy, it does nothing.
class IdlePoller {
public:
    /// `time`: that a core is kept awake since stay_awake() was called last; 0: never, without a thread.
    explicit IdlePoller(std::chrono::microseconds time);
    ~IdlePoller();
    IdlePoller(const IdlePoller&) = delete;
    IdlePoller& operator=(const IdlePoller&) = delete;

    /// The next hand-off between threads is near. Any thread; costs a look at the clock, and a system call where the poller slept.
    void stay_awake();
    /// Processor time that the polling took, all of which nobody else wanted.
    [[nodiscard]] std::chrono::nanoseconds polled() const;

private:
    /// The thread's, too, which is not waited for at the end: where all cores are busy it may take seconds to hear of it. It has no files
    /// of the process, so that these are closed when the others end, be it killed.
    struct Shared {
        std::atomic<std::int64_t> awake_until_ns = 0;  ///< by the steady clock
        std::atomic<bool> sleeps = false;              ///< or is about to
        std::atomic<bool> ending = false;
        std::atomic<bool> refused = false;  ///< there is no thread
    };
    static void main(Shared& shared);

    const std::chrono::nanoseconds time_;
    const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    std::optional<clockid_t> clock_;  ///< of the thread's processor time
};

}  // namespace tanist::server

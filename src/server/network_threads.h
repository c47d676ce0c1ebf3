// SPDX-License-Identifier: Apache-2.0
// The loop's helpers: they take parts of what it does in a turn, and it goes on when all of that is done.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace tanist::server {

/// One loop's. Nothing runs beside the loop but in share(): what the loop alone changes stands still there for everybody.
class NetworkThreads {
public:
    /// `threads`: that share the work, the loop's own included; of 1 nothing is started.
    explicit NetworkThreads(unsigned threads);
    ~NetworkThreads();
    NetworkThreads(const NetworkThreads&) = delete;
    NetworkThreads& operator=(const NetworkThreads&) = delete;

    [[nodiscard]] unsigned threads() const { return static_cast<unsigned>(helpers_.size()) + 1; }

    struct Own {
        std::uint32_t parts = 0;
        std::chrono::nanoseconds took{0};
    };
    /// Calls `work(part)` once for each part from 0 to `parts` - 1, on up to `threads` threads, the caller's among them. Everything that
    /// they did has happened when it returns; it tells what of it the caller did.
    Own share(std::uint32_t parts, unsigned threads, const std::function<void(std::size_t part)>& work);

private:
    struct Helper {
        std::atomic<std::uint32_t> asleep = 0;  ///< 1: to be woken
        std::thread thread;
    };

    void help(Helper& helper);
    /// Does parts as long as there are some that nobody has begun: how many.
    std::uint32_t take_parts();
    [[nodiscard]] bool has_parts() const;
    void wait_for_work(Helper& helper);
    static void wake(Helper& helper);

    std::vector<std::unique_ptr<Helper>> helpers_;
    const std::function<void(std::size_t)>* work_ = nullptr;  ///< read by who has claimed a part of it
    /// How many parts there are in the upper half, and how many have been begun in the lower. Each on a line of memory of its own: all
    /// threads write to it.
    alignas(64) std::atomic<std::uint64_t> begun_ = 0;
    alignas(64) std::atomic<std::uint32_t> unfinished_ = 0;
    std::atomic<bool> ending_ = false;
};

}  // namespace tanist::server

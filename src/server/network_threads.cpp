// SPDX-License-Identifier: Apache-2.0
#include "server/network_threads.h"

#include <pthread.h>

#include <algorithm>

#include "base/ensure.h"
#include "server/pause.h"

namespace tanist::server {
namespace {

/// A helper looks for more to do before it sleeps: a turn has two things to share, receiving and sending, and turns follow each other.
constexpr std::chrono::microseconds kLinger{20};
/// The loop looks so often whether the last parts are done before it sleeps: they are short, unless their thread has lost its core.
constexpr int kLooks = 50;
constexpr unsigned kPartsShift = 32;

}  // namespace

NetworkThreads::NetworkThreads(unsigned threads) {
    ENSURE(threads >= 1);
    for (unsigned i = 1; i < threads; ++i) helpers_.push_back(std::make_unique<Helper>());
    for (const auto& helper : helpers_) {
        helper->thread = std::thread([this, &helper = *helper] { help(helper); });
        pthread_setname_np(helper->thread.native_handle(), "tanist-net");
    }
}

NetworkThreads::~NetworkThreads() {
    ending_ = true;
    for (const auto& helper : helpers_) {
        wake(*helper);
        helper->thread.join();
    }
}

NetworkThreads::Own NetworkThreads::share(std::uint32_t parts, unsigned threads, const std::function<void(std::size_t)>& work) {
    ENSURE(unfinished_.load(std::memory_order_relaxed) == 0);
    const std::size_t helpers = std::min<std::size_t>(std::max(1u, std::min(threads, parts)) - 1, helpers_.size());
    const auto now = [] { return std::chrono::steady_clock::now(); };
    if (helpers == 0) {
        const auto began = now();
        for (std::uint32_t part = 0; part < parts; ++part) work(part);
        return {parts, now() - began};
    }
    work_ = &work;
    unfinished_.store(parts, std::memory_order_relaxed);
    begun_.store(std::uint64_t{parts} << kPartsShift);
    for (std::size_t i = 0; i < helpers; ++i) wake(*helpers_[i]);
    const auto began = now();
    const std::uint32_t own = take_parts();
    const auto took = now() - began;
    for (int looks = 0; looks < kLooks && unfinished_.load(std::memory_order_acquire) != 0; ++looks) pause_briefly();
    for (std::uint32_t left = 0; (left = unfinished_.load(std::memory_order_acquire)) != 0;) unfinished_.wait(left);
    return {own, took};
}

std::uint32_t NetworkThreads::take_parts() {
    std::uint32_t done = 0;
    for (std::uint64_t begun = begun_.load(std::memory_order_acquire);;) {
        const auto part = static_cast<std::uint32_t>(begun);
        if (part == begun >> kPartsShift) return done;
        // Whatever was shared out meanwhile: who has claimed a part knows that work_ is that part's until it is done.
        if (!begun_.compare_exchange_weak(begun, begun + 1, std::memory_order_acq_rel)) continue;
        (*work_)(part);
        ++done;
        if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
        begun = begun_.load(std::memory_order_acquire);
    }
}

bool NetworkThreads::has_parts() const {
    const std::uint64_t begun = begun_.load();
    return static_cast<std::uint32_t>(begun) != begun >> kPartsShift;
}

void NetworkThreads::help(Helper& helper) {
    while (!ending_) {
        take_parts();
        wait_for_work(helper);
    }
}

void NetworkThreads::wait_for_work(Helper& helper) {
    const auto until = std::chrono::steady_clock::now() + kLinger;
    while (!has_parts() && std::chrono::steady_clock::now() < until) pause_briefly();
    if (has_parts()) return;
    helper.asleep = 1;
    if (!has_parts() && !ending_) helper.asleep.wait(1);  // who shares something out from here on sees it sleep
    helper.asleep = 0;
}

void NetworkThreads::wake(Helper& helper) {
    if (helper.asleep.load() != 0 && helper.asleep.exchange(0) != 0) helper.asleep.notify_one();
}

}  // namespace tanist::server

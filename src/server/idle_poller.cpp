// SPDX-License-Identifier: Apache-2.0
#include "server/idle_poller.h"

#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

namespace tanist::server {
namespace {

constexpr int kPausesBetweenLooks = 32;

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A core that shares its units with another leaves them to that one.
void pause_briefly() {
    for (int i = 0; i < kPausesBetweenLooks; ++i) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
}

/// By this file of the group or of one around it: it begins with the bound, or says "max" or "-1".
bool is_bounded(const std::filesystem::path& root, const std::filesystem::path& group, const char* file) {
    for (std::filesystem::path at = group.relative_path();; at = at.parent_path()) {
        std::string bound;
        if (std::ifstream limit(root / at / file); limit >> bound && bound != "max" && bound != "-1") return true;
        if (at.empty()) return false;
    }
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

bool has_cpu_quota(const std::filesystem::path& root, const std::filesystem::path& own) {
    std::ifstream lines(own);
    for (std::string line; std::getline(lines, line);) {  // "0::/group", or of version 1 "4:cpu,cpuacct:/group"
        const std::size_t controllers = line.find(':') + 1, group = line.find(':', controllers) + 1;
        if (controllers == 0 || group == 0) continue;
        const std::string of = ',' + line.substr(controllers, group - 1 - controllers) + ',';
        const bool found = of == ",,"
                               ? is_bounded(root, line.substr(group), "cpu.max")
                               : of.find(",cpu,") != std::string::npos && is_bounded(root / "cpu", line.substr(group), "cpu.cfs_quota_us");
        if (found) return true;
    }
    return false;
}

}  // namespace tanist::server

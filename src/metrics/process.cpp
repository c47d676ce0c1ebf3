// SPDX-License-Identifier: Apache-2.0
#include "metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace tanist::metrics {
namespace {

double resident_bytes() {
    std::ifstream file("/proc/self/statm");  // sizes in pages: the program's, then the resident
    double program = 0, resident = 0;
    file >> program >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_files() {
    std::error_code error;
    double files = -1;  // the iterator itself holds one open
    for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error)) ++files;
    return std::max(files, 0.0);
}

std::uint64_t cpu_nanoseconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto nanoseconds = [](const timeval& time) {
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_usec) * 1'000;
    };
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

}  // namespace

void collect_process_metrics(Registry& registry) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    registry.gauge(Metric::kProcessStartTime).set(std::chrono::duration<double>(now).count());
    registry.before_text([&registry] {
        Counter& cpu = registry.counter(Metric::kProcessCpuSeconds);
        cpu.add(cpu_nanoseconds() - cpu.value());
        registry.gauge(Metric::kProcessResidentBytes).set(resident_bytes());
        registry.gauge(Metric::kProcessOpenFiles).set(open_files());
    });
}

}  // namespace tanist::metrics

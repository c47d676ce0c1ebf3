// SPDX-License-Identifier: Apache-2.0
#include "server/control_group.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace tanist::server {
namespace {

enum class Version : std::uint8_t { kOne, kTwo };

/// Calls `look(folder, version)` for each group that this process is in and that has the `controller`, the own one first, then those
/// around it.
template <class Look>
void for_each_group(const ControlGroupFiles& files, std::string_view controller, const Look& look) {
    std::ifstream lines(files.own);
    for (std::string line; std::getline(lines, line);) {  // "0::/group", or of version 1 "4:cpu,cpuacct:/group"
        const std::size_t controllers = line.find(':') + 1, group = line.find(':', controllers) + 1;
        if (controllers == 0 || group == 0) continue;
        const std::string of = ',' + line.substr(controllers, group - 1 - controllers) + ',';
        const Version version = of == ",," ? Version::kTwo : Version::kOne;
        if (version == Version::kOne && of.find(',' + std::string(controller) + ',') == std::string::npos) continue;
        const auto root = version == Version::kTwo ? files.root : files.root / controller;
        for (std::filesystem::path at = std::filesystem::path(line.substr(group)).relative_path();; at = at.parent_path()) {
            look(root / at, version);
            if (at.empty()) break;
        }
    }
}

/// The first number in a file; nullopt where there is none: no file, "max", or -1.
std::optional<std::int64_t> bound_in(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::int64_t bound = 0;
    return in >> bound && bound >= 0 ? std::optional(bound) : std::nullopt;
}

std::optional<double> quota_in(const std::filesystem::path& group, Version version) {
    std::int64_t quota = 0, period = 0;
    if (version == Version::kTwo) {
        std::ifstream in(group / "cpu.max");  // "20000 100000", or "max 100000"
        if (!(in >> quota >> period)) return std::nullopt;
    } else {
        quota = bound_in(group / "cpu.cfs_quota_us").value_or(0);
        period = bound_in(group / "cpu.cfs_period_us").value_or(0);
    }
    return quota > 0 && period > 0 ? std::optional(static_cast<double>(quota) / static_cast<double>(period)) : std::nullopt;
}

template <class Bound>
void take_smaller(std::optional<Bound>& smallest, const std::optional<Bound>& bound) {
    if (bound && (!smallest || *bound < *smallest)) smallest = bound;
}

}  // namespace

std::optional<double> cpu_quota(const ControlGroupFiles& files) {
    std::optional<double> smallest;
    for_each_group(files, "cpu", [&](const auto& group, Version version) { take_smaller(smallest, quota_in(group, version)); });
    return smallest;
}

std::optional<std::uint64_t> memory_bound(const ControlGroupFiles& files) {
    std::optional<std::uint64_t> smallest;
    for_each_group(files, "memory", [&](const auto& group, Version version) {
        const auto bound = bound_in(group / (version == Version::kTwo ? "memory.max" : "memory.limit_in_bytes"));
        take_smaller(smallest, bound ? std::optional(static_cast<std::uint64_t>(*bound)) : std::nullopt);
    });
    return smallest;
}

unsigned processors(const ControlGroupFiles& files) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    const int count = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0
                          ? CPU_COUNT(&allowed)
                          : static_cast<int>(std::thread::hardware_concurrency());  // more than the set holds
    const double quota = std::ceil(cpu_quota(files).value_or(count));
    return static_cast<unsigned>(std::max(1.0, std::min<double>(count, quota)));
}

}  // namespace tanist::server

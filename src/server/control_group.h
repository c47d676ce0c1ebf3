// SPDX-License-Identifier: Apache-2.0
// How much of the machine the control groups around this process let it use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace tanist::server {

/// Where the system tells of control groups, of version 1 or 2.
struct ControlGroupFiles {
    std::filesystem::path root = "/sys/fs/cgroup";    ///< they are mounted here, those of version 1 a folder a controller
    std::filesystem::path own = "/proc/self/cgroup";  ///< names the groups of this process
};

/// Processor seconds a second; nullopt: no group sets a bound.
[[nodiscard]] std::optional<double> cpu_quota(const ControlGroupFiles& files = {});
/// Bytes; nullopt: no group sets a bound.
[[nodiscard]] std::optional<std::uint64_t> memory_bound(const ControlGroupFiles& files = {});
/// As many threads as can run at a time: those processors that this process may use, and no more than a quota is enough for; at least 1.
[[nodiscard]] unsigned processors(const ControlGroupFiles& files = {});

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// The rows that SENTINEL answers with: fields and values in Redis's names and order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/resp_encoder.h"
#include "server/sentinel/watch.h"

namespace tanist::server::sentinel {

/// What every row is told with.
struct Teller {
    const std::string& name;  ///< of the monitored master
    ClusterId cluster;
    std::uint64_t down_after_ms;
    const Topology& topology;
};

using Row = std::vector<std::pair<std::string_view, std::string>>;
[[nodiscard]] Row master_row(const Teller& teller);
[[nodiscard]] Row slave_row(const Teller& teller, const Instance& slave);
[[nodiscard]] Row sentinel_row(const Teller& teller, const Instance& other);

/// A flat array, or a map in RESP3.
void encode(protocol::RespEncoder& to, const Row& row);

/// The lines of Sentinel's own section of INFO.
[[nodiscard]] std::string info_section(const Watch& watch);

}  // namespace tanist::server::sentinel

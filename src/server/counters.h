// SPDX-License-Identifier: Apache-2.0
// What the loop thread counts as it goes, in plain numbers; server_metrics tells them to the outside.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/client_message.h"

namespace tanist::server {

enum class RequestKind : std::uint8_t {
    kGet,
    kScan,
    kPut,
    kDelete,
    kCompareAndSet,
    kCompareAndDelete,
    kIncrement,
    kBatch,
    kSession,
    kStatus,
    kSwitchover,
    kOther
};
inline constexpr std::array<std::string_view, 12> kRequestKindNames{
    "get",       "scan",  "put",     "delete", "compare_and_set", "compare_and_delete",
    "increment", "batch", "session", "status", "switchover",      "other"};

struct Counters {
    std::array<std::uint64_t, kRequestKindNames.size()> requests{};  ///< taken from clients, by RequestKind
    std::array<std::uint64_t, 128> errors{};                         ///< answered, by protocol::native::Code
    std::uint64_t shared_reads = 0;                                  ///< of `requests`: answered in turns that several threads shared
    std::uint64_t connections_accepted = 0, connections_refused = 0;
    std::uint64_t promotions = 0, step_downs = 0, elections = 0;

    void count(RequestKind kind, std::uint64_t times = 1) { requests[static_cast<std::size_t>(kind)] += times; }
    void count(protocol::native::Code error) { ++errors[static_cast<std::size_t>(error) % errors.size()]; }
    [[nodiscard]] std::uint64_t all_requests() const {
        std::uint64_t sum = 0;
        for (const std::uint64_t n : requests) sum += n;
        return sum;
    }
};

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// Every metric of a node, in one table: what it is called, what it counts, and of which kind it is.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace tanist::metrics {

/// In the order of the table in catalogue.cpp.
enum class Metric : std::uint8_t {
    // who this node is
    kBuildInfo,
    kReady,
    kRole,
    kEpoch,
    // its log and its state
    kLastLsn,
    kDurableLsn,
    kCommitLsn,
    kAppliedLsn,
    kStoredLsn,
    kUnstoredBytes,
    kLagSeconds,
    kLogQuarantine,
    kEntriesApplied,
    // failover
    kElections,
    kPromotions,
    kStepDowns,
    // write-ahead log
    kWalBytes,
    kWalSyncs,
    kWalSyncSeconds,
    kWalGroupEntries,
    kDiskFreeBytes,
    // what is held in memory in front of the disk
    kHotEntries,
    kHotBytes,
    kHotBytesMax,
    kHotPinnedBytes,
    kHotHits,
    kHotMisses,
    kHotEvictions,
    // what the master knows of the others
    kPeerConnected,
    kPeerMatchedLsn,
    kPeerLagEntries,
    kPeerBytesSent,
    kPeerBytesReceived,
    // clients
    kClientConnections,
    kConnectionsRefused,
    kClientBytesReceived,
    kClientBytesSent,
    kNetworkThreads,
    kTurnsShared,
    kReadsShared,
    kCommands,
    kErrors,
    kWriteSeconds,
    kPendingWrites,
    kPendingWriteBytes,
    kWritesHeldSeconds,
    kSessions,
    kIdlePollSeconds,
    // the process, by the names that Prometheus gives them everywhere
    kProcessCpuSeconds,
    kProcessResidentBytes,
    kProcessOpenFiles,
    kProcessStartTime,
};
inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::kProcessStartTime) + 1;

enum class Kind : std::uint8_t {
    kCounter,      ///< only grows; starts at 0 with the process
    kCountedTime,  ///< a counter of nanoseconds, shown in seconds
    kGauge,        ///< goes up and down
    kDurations,    ///< a histogram of nanoseconds, shown in seconds
    kSizes,        ///< a histogram of counts
};

struct Description {
    Metric metric;
    Kind kind;
    std::string_view name;
    std::string_view label;  ///< what its values are told apart by; empty: there is one
    std::string_view help;
};

[[nodiscard]] std::span<const Description, kMetricCount> catalogue();
[[nodiscard]] const Description& describe(Metric metric);

}  // namespace tanist::metrics

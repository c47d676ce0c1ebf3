// SPDX-License-Identifier: Apache-2.0
#include "metrics/catalogue.h"

namespace tanist::metrics {
namespace {

// clang-format off
constexpr std::array<Description, kMetricCount> kCatalogue{{
    {Metric::kBuildInfo,       Kind::kGauge,     "tanist_build_info",             "version", "Always 1; the label says which version runs."},
    {Metric::kReady,           Kind::kGauge,     "tanist_ready",                  "",        "1 while /readyz answers 200: the node serves reads at the default level."},
    {Metric::kRole,            Kind::kGauge,     "tanist_role",                   "role",    "1 for the role that the node has now, 0 for those it had before."},
    {Metric::kEpoch,           Kind::kGauge,     "tanist_epoch",                  "",        "The highest epoch that this node has seen."},

    {Metric::kLastLsn,         Kind::kGauge,     "tanist_last_lsn",               "",        "LSN of the last entry in the log."},
    {Metric::kDurableLsn,      Kind::kGauge,     "tanist_durable_lsn",            "",        "Up to where the log is synced to this node's disk."},
    {Metric::kCommitLsn,       Kind::kGauge,     "tanist_commit_lsn",             "",        "Up to where a majority holds the log."},
    {Metric::kAppliedLsn,      Kind::kGauge,     "tanist_applied_lsn",            "",        "Up to where the log is executed in the state store."},
    {Metric::kStoredLsn,       Kind::kGauge,     "tanist_stored_lsn",             "",        "Up to where the state store has it on disk."},
    {Metric::kUnstoredBytes,   Kind::kGauge,     "tanist_unstored_bytes",         "",        "Applied and not on disk in the state store: what a restart replays; towards store.write_buffer_bytes a master slows writes down."},
    {Metric::kLagSeconds,      Kind::kGauge,     "tanist_lag_seconds",            "",        "How far this node's data is behind its master; grows while no master is heard."},
    {Metric::kLogQuarantine,   Kind::kGauge,     "tanist_log_quarantine",         "",        "1 when the node takes part in nothing because its log cannot be trusted: a person must act."},
    {Metric::kEntriesApplied,  Kind::kCounter,   "tanist_entries_applied_total",  "",        "Log entries executed."},

    {Metric::kElections,       Kind::kCounter,   "tanist_elections_total",        "",        "Elections that this node stood in."},
    {Metric::kPromotions,      Kind::kCounter,   "tanist_promotions_total",       "",        "Elections that this node won."},
    {Metric::kStepDowns,       Kind::kCounter,   "tanist_step_downs_total",       "",        "Times that this node stopped being master."},

    {Metric::kWalBytes,        Kind::kCounter,   "tanist_wal_bytes_total",        "",        "Bytes written to the write-ahead log."},
    {Metric::kWalSyncs,        Kind::kCounter,   "tanist_wal_syncs_total",        "",        "Syncs of the write-ahead log; one serves a whole group of entries."},
    {Metric::kWalSyncSeconds,  Kind::kDurations, "tanist_wal_sync_seconds",       "",        "How long one sync took."},
    {Metric::kWalGroupEntries, Kind::kSizes,     "tanist_wal_group_entries",      "",        "Entries that shared one sync."},
    {Metric::kDiskFreeBytes,   Kind::kGauge,     "tanist_disk_free_bytes",        "",        "Free space where the data directory lies; near wal.disk_reserve_bytes writes are refused."},

    {Metric::kHotEntries,      Kind::kGauge,     "tanist_hot_set_entries",        "",        "Keys held in memory."},
    {Metric::kHotBytes,        Kind::kGauge,     "tanist_hot_set_bytes",          "",        "What they take."},
    {Metric::kHotBytesMax,     Kind::kGauge,     "tanist_hot_set_bytes_max",      "",        "What they may take (memory.max); what is pinned may exceed it."},
    {Metric::kHotPinnedBytes,  Kind::kGauge,     "tanist_hot_set_pinned_bytes",   "",        "Of them, changed and not yet handed to RocksDB."},
    {Metric::kHotHits,         Kind::kCounter,   "tanist_hot_set_hits_total",     "",        "Keys looked up and known in memory, also that there is none."},
    {Metric::kHotMisses,       Kind::kCounter,   "tanist_hot_set_misses_total",   "",        "Keys that RocksDB was asked for."},
    {Metric::kHotEvictions,    Kind::kCounter,   "tanist_hot_set_evictions_total", "",       "Keys that left memory for others."},

    {Metric::kPeerConnected,   Kind::kGauge,     "tanist_peer_connected",         "node",    "1 while this node is connected to that one."},
    {Metric::kPeerMatchedLsn,  Kind::kGauge,     "tanist_peer_matched_lsn",       "node",    "On the master: up to where that node has acknowledged the log."},
    {Metric::kPeerLagEntries,  Kind::kGauge,     "tanist_peer_lag_entries",       "node",    "On the master: entries that that node has not acknowledged."},
    {Metric::kPeerBytesSent,   Kind::kCounter,   "tanist_peer_sent_bytes_total",  "node",    "Bytes sent to that node."},
    {Metric::kPeerBytesReceived, Kind::kCounter, "tanist_peer_received_bytes_total", "node", "Bytes received from that node."},

    {Metric::kClientConnections, Kind::kGauge,   "tanist_client_connections",     "",        "Client connections open now."},
    {Metric::kConnectionsRefused, Kind::kCounter, "tanist_client_connections_refused_total", "", "Client connections closed because limits.connections were open."},
    {Metric::kClientBytesReceived, Kind::kCounter, "tanist_client_received_bytes_total", "", "Bytes received from clients."},
    {Metric::kClientBytesSent, Kind::kCounter,   "tanist_client_sent_bytes_total", "",       "Bytes sent to clients."},
    {Metric::kNetworkThreads,  Kind::kGauge,     "tanist_network_threads",        "",        "Threads that receive, read and send for clients at a time (node.network_threads)."},
    {Metric::kTurnsShared,     Kind::kCounter,   "tanist_client_turns_shared_total", "",     "Turns of the loop in which so many clients had sent something that several threads took them in."},
    {Metric::kReadsShared,     Kind::kCounter,   "tanist_reads_shared_total",     "",        "Reads answered in these, by whichever of the threads."},
    {Metric::kCommands,        Kind::kCounter,   "tanist_commands_total",         "command", "Commands taken from clients."},
    {Metric::kErrors,          Kind::kCounter,   "tanist_errors_total",           "code",    "Commands answered with an error."},
    {Metric::kWriteSeconds,    Kind::kDurations, "tanist_write_seconds",          "",        "On the master: from an entry's proposal until it was executed, and so its writes could be answered."},
    {Metric::kPendingWrites,   Kind::kGauge,     "tanist_pending_writes",         "",        "Writes not answered yet."},
    {Metric::kPendingWriteBytes, Kind::kGauge,   "tanist_pending_write_bytes",    "",        "Their bytes; at limits.pending_bytes more are refused."},
    {Metric::kWritesHeldSeconds, Kind::kCountedTime, "tanist_writes_held_seconds_total", "reason", "Time in which writes waited before they went to the log: \"store\", whose disk takes in less than is written, or \"switchover\"."},
    {Metric::kSessions,        Kind::kGauge,     "tanist_sessions",               "",        "Sessions that have not expired."},
    {Metric::kIdlePollSeconds, Kind::kCountedTime, "tanist_idle_poll_seconds_total", "",      "Processor time that idle polling took (node.idle_poll_us) and nobody else wanted; part of process_cpu_seconds_total."},

    {Metric::kProcessCpuSeconds, Kind::kCountedTime, "process_cpu_seconds_total",     "",        "Processor time used."},
    {Metric::kProcessResidentBytes, Kind::kGauge, "process_resident_memory_bytes", "",       "Memory used."},
    {Metric::kProcessOpenFiles, Kind::kGauge,    "process_open_fds",              "",        "File descriptors open."},
    {Metric::kProcessStartTime, Kind::kGauge,    "process_start_time_seconds",    "",        "When the process started, since 1970."},
}};
// clang-format on

consteval bool stands_in_order() {
    for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
        if (static_cast<std::size_t>(kCatalogue[i].metric) != i) return false;
    }
    return true;
}
static_assert(stands_in_order());

}  // namespace

std::span<const Description, kMetricCount> catalogue() { return kCatalogue; }

const Description& describe(Metric metric) { return kCatalogue[static_cast<std::size_t>(metric)]; }

}  // namespace tanist::metrics

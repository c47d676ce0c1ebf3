// SPDX-License-Identifier: Apache-2.0
#include "server/server_metrics.h"

#include <algorithm>
#include <utility>

#include "config/version.h"

namespace tanist::server {

using metrics::Metric;

namespace {

std::string_view role_name(core::Role role) {
    switch (role) {
        case core::Role::kMaster: return "master";
        case core::Role::kSlave: return "slave";
        case core::Role::kCandidate: return "candidate";
    }
    return "slave";
}

std::string_view code_name(std::size_t code) {
    using Code = protocol::native::Code;
    switch (static_cast<Code>(code)) {
        case Code::kInvalidRequest: return "invalid_request";
        case Code::kTooLarge: return "too_large";
        case Code::kNotMaster: return "not_master";
        case Code::kNoQuorum: return "no_quorum";
        case Code::kTryAgain: return "try_again";
        case Code::kTooStale: return "too_stale";
        case Code::kStaleToken: return "stale_token";
        case Code::kNotAnInteger: return "not_an_integer";
        case Code::kOverflow: return "overflow";
        case Code::kWrongCluster: return "wrong_cluster";
        case Code::kUnsupportedVersion: return "unsupported_version";
        case Code::kUnsupportedRequest: return "unsupported_request";
        case Code::kReadTimeout: return "read_timeout";
        case Code::kNotPossible: return "not_possible";
        case Code::kUnauthenticated: return "unauthenticated";
        case Code::kNotPermitted: return "not_permitted";
        case Code::kSessionExpired: return "session_expired";
        case Code::kOutcomeUnknown: return "outcome_unknown";
        case Code::kAnswerForgotten: return "answer_forgotten";
        case Code::kStorageFault: return "storage_fault";
    }
    return "other";
}

double number(Lsn lsn) { return static_cast<double>(lsn.value); }

}  // namespace

ServerMetrics::ServerMetrics(metrics::Registry& registry, Sources sources) : registry_(registry), sources_(std::move(sources)) {
    registry_.gauge(Metric::kBuildInfo, config::version()).set(1);
    registry_.before_text([this] { collect(); });
}

void ServerMetrics::collect() {
    collect_view();
    collect_clients();
    collect_peers();
    collect_cache();
    advance(Metric::kIdlePollSeconds, static_cast<std::uint64_t>(sources_.idle_polled().count()));
    registry_.gauge(Metric::kDiskFreeBytes).set(static_cast<double>(sources_.disk_free_bytes()));
}

void ServerMetrics::collect_view() {
    const core::View& view = sources_.routing.view();
    const auto set = [&](Metric metric, double value) { registry_.gauge(metric).set(value); };
    set(Metric::kReady, sources_.routing.serves_reads() ? 1 : 0);
    for (const core::Role role : {core::Role::kMaster, core::Role::kSlave, core::Role::kCandidate}) {
        registry_.gauge(Metric::kRole, role_name(role)).set(view.role == role ? 1 : 0);
    }
    set(Metric::kEpoch, static_cast<double>(view.epoch.value));
    set(Metric::kLastLsn, number(view.last.lsn));
    set(Metric::kDurableLsn, number(view.durable));
    set(Metric::kCommitLsn, number(view.commit));
    set(Metric::kAppliedLsn, number(view.applied));
    set(Metric::kStoredLsn, number(sources_.stored()));
    set(Metric::kUnstoredBytes, static_cast<double>(sources_.unstored_bytes()));
    set(Metric::kLagSeconds, static_cast<double>(sources_.routing.lag_ms()) / 1000.0);
    set(Metric::kLogQuarantine, view.health == core::Health::kQuarantined ? 1 : 0);
    set(Metric::kSessions, static_cast<double>(sources_.sessions()));
    advance(Metric::kEntriesApplied, view.applied.value - std::min(sources_.applied_at_start, view.applied).value);
    advance(Metric::kPromotions, sources_.counters.promotions);
    advance(Metric::kStepDowns, sources_.counters.step_downs);
    advance(Metric::kElections, sources_.counters.elections);
}

void ServerMetrics::collect_clients() {
    const Counters& counters = sources_.counters;
    registry_.gauge(Metric::kClientConnections).set(static_cast<double>(sources_.connections.open.size()));
    registry_.gauge(Metric::kPendingWrites).set(static_cast<double>(sources_.writes.pending()));
    registry_.gauge(Metric::kPendingWriteBytes).set(static_cast<double>(sources_.writes.pending_bytes()));
    constexpr std::uint64_t kNsPerMs = 1'000'000;
    advance(Metric::kWritesHeldSeconds, sources_.writes.held().store_ms * kNsPerMs, "store");
    advance(Metric::kWritesHeldSeconds, sources_.writes.held().switchover_ms * kNsPerMs, "switchover");
    advance(Metric::kConnectionsRefused, counters.connections_refused);
    advance(Metric::kClientBytesReceived, sources_.connections.bytes_in);
    advance(Metric::kClientBytesSent, sources_.connections.bytes_out);
    registry_.gauge(Metric::kNetworkThreads).set(sources_.shared_turns.threads());
    advance(Metric::kTurnsShared, sources_.shared_turns.counts().turns);
    advance(Metric::kReadsShared, counters.shared_reads);
    for (std::size_t i = 0; i < counters.requests.size(); ++i) {
        if (counters.requests[i] != 0) advance(Metric::kCommands, counters.requests[i], kRequestKindNames[i]);
    }
    for (std::size_t code = 0; code < counters.errors.size(); ++code) {
        if (counters.errors[code] != 0) advance(Metric::kErrors, counters.errors[code], code_name(code));
    }
}

void ServerMetrics::collect_peers() {
    for (const PeerLinks::Traffic& traffic : sources_.links.traffic()) {
        const std::string node = std::to_string(traffic.node.value);
        registry_.gauge(Metric::kPeerConnected, node).set(traffic.up ? 1 : 0);
        advance(Metric::kPeerBytesSent, traffic.bytes_sent, node);
        advance(Metric::kPeerBytesReceived, traffic.bytes_received, node);
    }
    const core::View& view = sources_.routing.view();
    if (view.role != core::Role::kMaster) return;
    for (const core::PeerView& peer : view.peers) {
        const std::string node = std::to_string(peer.id.node.value);
        const Lsn matched = peer.rank ? peer.rank->lsn : Lsn{};
        registry_.gauge(Metric::kPeerMatchedLsn, node).set(number(matched));
        registry_.gauge(Metric::kPeerLagEntries, node)
            .set(static_cast<double>(view.last.lsn.value - std::min(view.last.lsn, matched).value));
    }
}

void ServerMetrics::collect_cache() {
    const store::Store::Cache cache = sources_.cache();
    const auto set = [&](Metric metric, std::uint64_t value) { registry_.gauge(metric).set(static_cast<double>(value)); };
    set(Metric::kHotEntries, cache.entries);
    set(Metric::kHotBytes, cache.bytes);
    set(Metric::kHotBytesMax, cache.bytes_max);
    set(Metric::kHotPinnedBytes, cache.pinned_bytes);
    advance(Metric::kHotHits, cache.hits);
    advance(Metric::kHotMisses, cache.misses);
    advance(Metric::kHotEvictions, cache.evictions);
}

void ServerMetrics::advance(Metric metric, std::uint64_t now, std::string_view label) {
    std::uint64_t& told = told_[{metric, std::string(label)}];
    registry_.counter(metric, label).add(now - std::min(now, told));  // shown from the start, as 0
    told = std::max(told, now);
}

}  // namespace tanist::server

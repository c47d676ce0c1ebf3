// SPDX-License-Identifier: Apache-2.0
#include "server/routing.h"

#include <fmt/format.h>

#include <utility>

namespace tanist::server {
namespace {

/// Between two refreshes of a loop that is not held up; an open master's lag does not grow by it.
constexpr std::uint64_t kRefreshMs = 50;

}  // namespace

void Routing::refresh(core::View view, std::uint64_t now_ms) {
    view_ = std::move(view);
    refreshed_at_ms_ = now_ms;
    serves_reads_ = core::serves_reads(view_);
    lag_ms_of_.clear();
    const bool leads = is_master() && view_.open;
    if (leads) {
        lag_ms_ = lag_of(view_.self.node, view_.commit, view_.commit, 0, now_ms);
        for (const core::PeerView& peer : view_.peers) {
            if (peer.applied) lag_ms_of_[peer.id.node] = lag_of(peer.id.node, *peer.applied, view_.commit, peer.silence_ms, now_ms);
        }
    } else {
        lag_ms_ = lag_of(view_.self.node, view_.applied, std::max(view_.master_commit, view_.commit), view_.silence_ms, now_ms);
    }
}

std::uint64_t Routing::lag_ms_at(std::uint64_t now_ms) const {
    const std::uint64_t since = now_ms - std::min(refreshed_at_ms_, now_ms);
    return is_master() && since <= kRefreshMs ? lag_ms_ : lag_ms_ + since;
}

std::uint64_t Routing::lag_of(NodeId node, Lsn applied, Lsn commit, std::uint64_t silence_ms, std::uint64_t now_ms) {
    LagMeter& meter = meters_.try_emplace(node, now_ms).first->second;
    meter.note(applied, commit, now_ms - std::min(silence_ms, now_ms));
    return now_ms - std::min(meter.as_of_ms(), now_ms);
}

std::optional<std::uint64_t> Routing::lag_ms(NodeId node) const {
    if (node == view_.self.node) return serves_reads_ ? std::optional(lag_ms_) : std::nullopt;
    const auto found = lag_ms_of_.find(node);
    return found == lag_ms_of_.end() ? std::nullopt : std::optional(found->second);
}

std::string Routing::directions() const {
    if (!view_.master || *view_.master == view_.self) return {};
    const Member* master = view_.membership.find(*view_.master);
    if (master == nullptr) return fmt::format(" (master: node {})", view_.master->node.value);
    return fmt::format(" (master: node {} at {})", view_.master->node.value, master->addresses.client);
}

std::optional<Failure> Routing::refuse_write() const {
    if (is_pausing()) return std::nullopt;
    if (is_master()) {
        if (view_.open) return std::nullopt;
        return Failure{FailureCode::kTryAgain, "this master is not open for writes yet"};
    }
    if (view_.master) return Failure{FailureCode::kNotMaster, fmt::format("node {} is a slave{}", view_.self.node.value, directions())};
    return Failure{FailureCode::kNoQuorum, fmt::format("node {} knows no master that has a majority", view_.self.node.value)};
}

Failure Routing::refuse_read(std::uint64_t now_ms) const {
    if (serves_reads_) {
        return {FailureCode::kTooStale, fmt::format("node {} is {} ms behind{}", view_.self.node.value, lag_ms_at(now_ms), directions())};
    }
    if (const Member* self = view_.membership.find(view_.self); self != nullptr && !self->holds_data()) {
        return {FailureCode::kTooStale, fmt::format("node {} is a witness, which holds no data{}", view_.self.node.value, directions())};
    }
    const std::string_view why = view_.why.empty() ? "it has not been in sync with a master since it started" : std::string_view(view_.why);
    return {FailureCode::kTooStale, fmt::format("node {} serves no reads: {}{}", view_.self.node.value, why, directions())};
}

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// What scenarios are written in: nodes named by their parts, faults at times that are counted in election timeouts.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sim/plan.h"

namespace tanist::sim {

/// Writes a scenario down: faults at points in time that are counted in election timeouts, on nodes named by their parts in it.
class Script {
public:
    Script(Plan& plan, Random& random) : plan_(plan), random_(random) { plan_.faults.clear(); }

    /// New nodes, in no order; the first of the voters becomes the master when the cluster forms.
    void cast(std::uint32_t voters, std::uint32_t witnesses) {
        plan_.nodes.clear();
        for (std::uint32_t i = 1; i <= voters + witnesses; ++i) {
            parts_.push_back({i});
            plan_.nodes.push_back({.node = {i}});
        }
        for (std::size_t i = parts_.size(); i > 1; --i) std::swap(parts_[i - 1], parts_[random_.below(i)]);
        for (std::uint32_t i = 0; i < parts_.size(); ++i) {
            plan_.nodes[parts_[i].value - 1].role = i == 0       ? core::ConfiguredRole::kMaster
                                                    : i < voters ? core::ConfiguredRole::kSlave
                                                                 : core::ConfiguredRole::kWitness;
        }
    }
    [[nodiscard]] NodeId part(std::size_t i) const { return parts_[i]; }
    [[nodiscard]] NodeId any_part() { return parts_[random_.below(parts_.size())]; }

    /// So many election timeouts, somewhere between the two.
    [[nodiscard]] Duration timeouts(double low, double high) {
        const auto us = static_cast<double>(plan_.election_timeout().count());
        return between(Duration(static_cast<Duration::rep>(low * us)), Duration(static_cast<Duration::rep>(high * us)));
    }
    [[nodiscard]] Duration between(Duration low, Duration high) {
        const auto from = static_cast<std::uint64_t>(low.count()), to = static_cast<std::uint64_t>(high.count());
        return Duration(static_cast<Duration::rep>(random_.between(from, to)));
    }
    template <class T, std::size_t N>
    [[nodiscard]] T one_of(const std::array<T, N>& values) {
        return values[random_.below(N)];
    }
    [[nodiscard]] bool chance(std::uint32_t of, std::uint32_t in) { return random_.chance(of, in); }

    void add(Instant at, FaultKind kind, NodeId node, Duration lasts, std::int64_t amount = 0) {
        plan_.faults.push_back(
            {.at = at, .kind = kind, .node = node, .nodes = static_cast<NodeSet>(random_.below(4)), .lasts = lasts, .amount = amount});
    }
    void forget(Instant at, NodeId victim, Duration others_stay_away) {
        Fault fault{.at = at, .kind = FaultKind::kForgottenTail, .node = victim, .lasts = others_stay_away};
        fault.nodes = static_cast<NodeSet>(random_.below(3));
        fault.variant = static_cast<std::uint32_t>(random_.between(1, 1 << 16));
        fault.amount = static_cast<std::int64_t>(random_.below(1000));
        plan_.faults.push_back(fault);
    }
    /// Comes when the moment does, from `from` on.
    Fault& wait(Instant from, Moment moment, FaultKind kind, Duration lasts) {
        return plan_.faults.emplace_back(Fault{.at = from, .kind = kind, .lasts = lasts, .waits_for = moment});
    }
    /// `side` 0: whoever is master then, alone.
    void split(Instant at, NodeSet side, Duration lasts, FaultKind kind = FaultKind::kPartition, NodeId bridge = {}) {
        plan_.faults.push_back({.at = at, .kind = kind, .node = bridge, .nodes = side, .lasts = lasts});
    }
    /// Nothing more happens. What a narrow connection still had to carry is gone with it.
    void end(Instant at) {
        if (plan_.network.entry_bytes_per_ms != 0) {
            for (const NodeId node : parts_) split(at - 1us, bit(node), 0ms, FaultKind::kReset);
        }
        // By time, and as they were planned where that is the same; std::stable_sort uses what C++20 has deprecated.
        auto& faults = plan_.faults;
        for (auto next = faults.begin(); next != faults.end(); ++next) {
            std::rotate(std::ranges::upper_bound(faults.begin(), next, next->at, {}, &Fault::at), next, next + 1);
        }
        for (std::size_t i = 0; i < faults.size(); ++i) faults[i].number = static_cast<std::uint32_t>(i + 1);
        plan_.quiet_from = at;
    }
    /// When the cluster has formed and has some entries.
    [[nodiscard]] Instant begin() { return 3 * plan_.election_timeout() + between(100ms, 1500ms); }

    /// Connections as TCP makes them, that carry so few entries in a millisecond.
    void narrow(std::uint32_t bytes_per_ms) {
        plan_.network = {.delay_max = one_of(std::array<Duration, 3>{200us, 1000us, 5000us}), .entry_bytes_per_ms = bytes_per_ms};
        plan_.network.fetches_are_narrow = chance(2, 3);
    }
    /// Small segments, of which none is kept for long.
    void forget_soon() {
        plan_.disk.segment_bytes = 32 << 10;
        plan_.disk.retention_bytes = 0;
        plan_.disk.flush_bytes = 2 << 10;
    }
    void write_much(std::uint32_t value_bytes_max) {
        plan_.load.clients = static_cast<std::uint32_t>(random_.between(3, 6));
        plan_.load.pipeline = one_of(std::array<std::uint32_t, 2>{1, 5});
        plan_.load.think_max = one_of(std::array<Duration, 2>{10ms, 40ms});
        plan_.load.value_bytes_max = value_bytes_max;
        plan_.load.puts = 10;
    }
    /// A master that nobody hears goes on writing, too: clients do not wait for a majority.
    void write_alone() {
        plan_.load.level_master = 10;
        plan_.load.level_quorum = 2;
        plan_.load.pipeline = 30;
        plan_.load.patience = 500ms;
    }
    /// Connections as TCP makes them, and quick.
    void hurry() { plan_.network = {.delay_max = one_of(std::array<Duration, 2>{200us, 1000us})}; }

    Plan& plan_;

private:
    Random& random_;
    std::vector<NodeId> parts_;
};

/// Situations of one kind.
struct Family {
    std::string_view name;
    void (*make)(Script&);
};
/// Those in which a fault waits for its moment, or is aimed.
[[nodiscard]] std::span<const Family> aimed_families();
/// Those in which a state store rots, or the only log.
[[nodiscard]] std::span<const Family> rotten_families();

}  // namespace tanist::sim

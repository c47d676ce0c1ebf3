// SPDX-License-Identifier: Apache-2.0
// One core on the bench: its peers are played by the test, which sees every action.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/node.h"

namespace tanist::core::testing {

inline constexpr NodeId kNode1{1}, kNode2{2}, kNode3{3};
inline constexpr ClusterId kCluster{77};
inline constexpr std::uint32_t kTimeout = 10, kHeartbeat = 2;

inline MemberId member(NodeId node) { return {node, {100 * node.value}}; }

inline Membership membership(std::size_t count = 3) {
    Membership m{.cluster = kCluster, .cluster_name = "test"};
    for (std::uint64_t i = 1; i <= count; ++i) m.members.push_back({member({i}), Seat::kVoter, {}});
    return m;
}

/// Entries of the given epochs, LSN 1 first; what is in them depends on epoch and LSN alone, so that two logs of one history agree.
inline std::vector<Entry> entries(const std::vector<std::uint64_t>& epochs) {
    std::vector<Entry> log;
    EntryId last;
    for (const std::uint64_t epoch : epochs) {
        log.push_back(Entry::make({epoch}, last, 1000 + last.lsn.value, EntryKind::kCommands, fmt::format("{}", epoch)));
        last = log.back().id();
    }
    return log;
}

inline std::vector<Entry> part(const std::vector<Entry>& log, std::uint64_t from, std::uint64_t through) {
    return {log.begin() + static_cast<std::ptrdiff_t>(from - 1), log.begin() + static_cast<std::ptrdiff_t>(through)};
}

struct BenchSetup {
    NodeId self = kNode1;
    std::vector<std::uint64_t> log;  ///< epochs of the entries found at start
    std::uint64_t epoch = 0;         ///< durable; at least the log's
    MemberId voted_for;
    std::uint64_t applied = 0;
    std::size_t nodes = 3;
    std::uint32_t heartbeat = kHeartbeat;
    NodeId witness;  ///< 0: none
    Tail tail = Tail::kClean;
    std::uint64_t good = 0;             ///< with a hole: the last good entry in front of it
    std::vector<std::uint64_t> behind;  ///< LSNs of good records behind it
    std::uint64_t confirmed = 0, intent = 0;
    std::uint64_t base = 0;                    ///< the log begins behind this
    std::optional<EntryId> applied_elsewhere;  ///< by the store, and not in what is left of the log
};

class Bench {
public:
    explicit Bench(const BenchSetup& setup) : log(entries(setup.log)), node_(options(setup), start(setup, log), 7), self_(setup.self) {
        for (std::uint64_t i = 1; i <= setup.nodes; ++i) {
            if (NodeId{i} != self_) (void)step(PeerConnected{{i}});
        }
    }

    Actions step(const Event& event) {
        Actions out;
        node_.step(event, out);
        return out;
    }
    Actions tick(std::uint64_t times = 1) {
        Actions all;
        for (std::uint64_t i = 0; i < times; ++i) {
            ++now_;
            Actions out = step(Tick{clock()});
            std::ranges::move(out, std::back_inserter(all));
        }
        return all;
    }
    Actions from(NodeId peer, std::uint64_t epoch, Body body) {
        return step(PeerMessage{{{kCluster, member(peer), {epoch}}, std::move(body)}});
    }
    /// All appended so far is durable.
    Actions durable() { return step(WalDurable{generation, node_.view().last.lsn}); }
    /// Performs what a disk would: appends become durable, applies are done. For getting somewhere, not for looking.
    Actions settle(Actions actions) {
        Actions all;
        while (!actions.empty()) {
            Actions next;
            for (const Action& action : actions) {
                if (const auto* cut = std::get_if<CutLog>(&action)) generation = cut->generation;
                if (const auto* append = std::get_if<AppendToWal>(&action)) {
                    std::ranges::move(step(WalDurable{append->generation, append->entries.back().lsn()}), std::back_inserter(next));
                } else if (const auto* apply = std::get_if<Apply>(&action)) {
                    std::ranges::move(step(Applied{apply->entries.back().lsn()}), std::back_inserter(next));
                }
            }
            std::ranges::move(actions, std::back_inserter(all));
            actions = std::move(next);
        }
        return all;
    }
    /// Elects the node by node 2's vote; its reign has begun, and its epoch-start entry is on its way.
    Actions elect() {
        Actions out = tick(2 * kTimeout);
        const Epoch next{view().epoch.value + 1};
        (void)from(kNode2, view().epoch.value, PreVoteReply{next, true, std::nullopt, {}});
        Actions elected = from(kNode2, view().epoch.value, VoteReply{true, {}});
        return elected;
    }
    /// Elects it, and commits and applies its epoch-start entry by node 2's acknowledgement.
    void reign() {
        (void)settle(elect());
        (void)settle(from(kNode2, view().epoch.value, AppendAck{.acknowledged = view().last.lsn, .intent = view().last}));
        ASSERT_TRUE(view().open);
    }

    [[nodiscard]] View view() const { return node_.view(); }
    [[nodiscard]] Clock clock() const { return {1000 + now_ * 10, 1'700'000'000'000 + now_ * 10}; }

    std::vector<Entry> log;
    std::uint64_t generation = 1;

private:
    static NodeOptions options(const BenchSetup& setup) {
        NodeOptions o{.cluster_name = "test",
                      .heartbeat_ticks = setup.heartbeat,
                      .election_timeout_ticks = kTimeout,
                      .wal_stall_ticks = 4 * kTimeout,
                      .promotion_pull_ticks = 5};
        for (std::uint64_t i = 1; i <= setup.nodes; ++i) o.configured.push_back({{i}, "host:1"});
        return o;
    }
    static StartState start(const BenchSetup& setup, const std::vector<Entry>& log) {
        StartState s;
        s.identity = {member(setup.self), membership(setup.nodes)};
        for (Member& m : s.identity.founding->members) {
            if (m.id.node == setup.witness) m.seat = Seat::kWitness;
        }
        const std::uint64_t good = setup.tail == Tail::kClean ? log.size() : setup.good;
        for (std::uint64_t lsn = 1; lsn <= good; ++lsn) {
            const Entry& entry = log[lsn - 1];
            if (lsn == setup.base) s.base = entry.id();
            if (lsn <= setup.base) continue;
            if (s.epochs.empty() || s.epochs.back().epoch != entry.epoch()) s.epochs.push_back({entry.epoch(), entry.lsn()});
            s.last = entry.id();
            s.last_timestamp = entry.timestamp();
        }
        for (const std::uint64_t lsn : setup.behind) s.behind_hole.push_back(log[lsn - 1].id());
        s.tail = setup.tail;
        const std::uint64_t intent = setup.intent != 0 ? setup.intent : log.size();
        const std::uint64_t confirmed = setup.tail == Tail::kClean ? intent : setup.confirmed;
        if (intent != 0) s.mark.intent = log[intent - 1].id();
        if (confirmed != 0) s.mark.confirmed = log[confirmed - 1].id();
        const std::uint64_t epoch = std::max(setup.epoch, setup.log.empty() ? 0 : setup.log.back());
        if (epoch != 0) s.vote = Vote{{epoch}, setup.voted_for};
        if (setup.applied != 0) s.applied = log[setup.applied - 1].id();
        if (setup.applied_elsewhere) s.applied = *setup.applied_elsewhere;
        return s;
    }

    Node node_;
    NodeId self_;
    std::uint64_t now_ = 0;
};

// -- looking at actions -------------------------------------------------------------------------------------------------------------

template <class A>
std::vector<A> all(const Actions& actions) {
    std::vector<A> found;
    for (const Action& action : actions) {
        if (const auto* a = std::get_if<A>(&action)) found.push_back(*a);
    }
    return found;
}

/// The messages of one kind to one node.
template <class M>
std::vector<M> sent(const Actions& actions, NodeId to) {
    std::vector<M> found;
    for (const Send& send : all<Send>(actions)) {
        if (send.to == to && std::holds_alternative<M>(send.message.body)) found.push_back(std::get<M>(send.message.body));
    }
    return found;
}

/// Where the first action of a kind stands; the number of actions when there is none.
template <class A>
std::size_t position(const Actions& actions) {
    const auto at = std::ranges::find_if(actions, [](const Action& a) { return std::holds_alternative<A>(a); });
    return static_cast<std::size_t>(at - actions.begin());
}

/// Where the first message of a kind stands.
template <class M>
std::size_t position_of_message(const Actions& actions) {
    const auto at = std::ranges::find_if(actions, [](const Action& a) {
        const auto* send = std::get_if<Send>(&a);
        return send != nullptr && std::holds_alternative<M>(send->message.body);
    });
    return static_cast<std::size_t>(at - actions.begin());
}

}  // namespace tanist::core::testing

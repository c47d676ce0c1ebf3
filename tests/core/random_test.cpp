// SPDX-License-Identifier: Apache-2.0
// Random histories: whatever happens to messages, processes and a minority's disks, there is one master an epoch, logs match, and
// nothing committed is lost; and once all is well again, the cluster gets on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/core/cluster.h"

namespace tanist::core::testing {
namespace {

using enum ConfiguredRole;

struct Mix {
    const char* name;
    bool power_cuts, damage, slots, recycling;
    std::uint64_t lost, duplicated, delay;
};
constexpr Mix kMixes[] = {
    {"network", false, false, false, false, 10, 10, 4},     {"crashes", true, false, false, false, 5, 5, 2},
    {"recycling", true, false, false, true, 5, 5, 2},       {"damage", true, true, false, false, 2, 2, 1},
    {"unreadable_slots", true, true, true, false, 2, 2, 1}, {"everything", true, true, true, true, 5, 5, 3},
};

const std::vector<std::vector<ConfiguredRole>> kTopologies = {
    {kMaster, kSlave, kSlave},
    {kSlave, kMaster, kWitness},
    {kMaster, kSlave, kSlave, kSpare},
    {kSlave, kSlave, kMaster, kSlave, kSlave},
};

class History {
public:
    History(const Mix& mix, std::uint64_t seed) : mix_(mix), random_(seed), cluster_(options(mix, seed, random_)) {}

    void run() {
        ASSERT_TRUE(cluster_.settle(2000)) << "never formed";
        for (int round = 0; round < 60 && cluster_.failures().empty(); ++round) {
            disturb();
            for (int i = 0; i < 5; ++i) {
                write();
                cluster_.run(random_.between(1, 6));
            }
        }
        calm();
        bool settled = cluster_.settle(6000);
        if (!settled && begin_new_reign_for_doubt()) settled = cluster_.settle(6000);
        for (const std::string& failure : cluster_.failures()) ADD_FAILURE() << failure;
        EXPECT_TRUE(settled) << "no agreement after all was well again: " << describe();
        for (const auto& [token, rank] : cluster_.accepted) {
            const auto at = cluster_.committed().find(rank.lsn);
            if (cluster_.replies[token] == "accepted" && settled) {
                EXPECT_TRUE(at != cluster_.committed().end() && at->second.rank() == rank) << "a write was neither done nor called unknown";
            }
        }
    }

private:
    static ClusterOptions options(const Mix& mix, std::uint64_t seed, Random& random) {
        ClusterOptions o{.roles = kTopologies[random.below(kTopologies.size())],
                         .seed = seed,
                         .network = {.delay_ticks_max = mix.delay, .lost_percent = mix.lost, .duplicated_percent = mix.duplicated},
                         .slow_disks = random.chance(1, 2)};
        if (random.chance(1, 3)) o.tail_bytes_max = 200;
        if (random.chance(1, 3)) o.append_bytes_max = 150;
        return o;
    }

    NodeId any() { return {random_.between(1, cluster_.size())}; }

    /// Faults of disks hit one node at most at a time, and never a second one before the first is whole again.
    bool may_damage(NodeId node) {
        if (!mix_.damage || !random_.chance(1, 2)) return false;
        for (std::uint64_t i = 1; i <= cluster_.size(); ++i) {
            const Disk& disk = cluster_.disk({i});
            if (i != node.value && (!disk.unreadable.empty() || disk.slots_unreadable)) return false;
        }
        return true;
    }

    void disturb() {
        const NodeId node = any();
        switch (random_.below(6)) {
            case 0: cluster_.isolate(node); break;
            case 1: cluster_.heal(); break;
            case 2: cluster_.cut_link(node, any()); break;
            case 3:
                if (!cluster_.running(node)) break;
                cluster_.kill(node, mix_.power_cuts && random_.chance(1, 2));
                if (may_damage(node)) damage(node);
                break;
            case 4:
                if (!cluster_.running(node)) cluster_.start(node);
                break;
            default:
                if (mix_.recycling && cluster_.running(node)) cluster_.recycle(node, cluster_.disk(node).stored.lsn);
                break;
        }
    }

    void damage(NodeId node) {
        const Disk& disk = cluster_.disk(node);
        if (mix_.slots && random_.chance(1, 3)) cluster_.destroy_slots(node);
        const Lsn last = disk.last();
        if (last <= disk.base.lsn) return;
        for (std::uint64_t holes = random_.below(3); holes > 0; --holes) {
            const Lsn from{
                random_.between(std::max(disk.base.lsn.value + 1, last.value - std::min<std::uint64_t>(last.value - 1, 12)), last.value)};
            cluster_.destroy(node, from, {from.value + random_.below(4)});
        }
    }

    void write() {
        const NodeId node = cluster_.master().value_or(any());
        if (cluster_.running(node)) cluster_.propose(node, fmt::format("write {}", ++writes_));
        if (cluster_.running(node) && random_.chance(1, 4)) cluster_.read(node);
    }

    void calm() {
        cluster_.heal();
        for (std::uint64_t i = 1; i <= cluster_.size(); ++i) {
            if (!cluster_.running({i})) cluster_.start({i});
        }
        cluster_.heal();
    }

    /// A log of which no mark can be read is settled by a later epoch, and by nothing less (S9). False: there is none.
    bool begin_new_reign_for_doubt() {
        const auto master = cluster_.master();
        bool any = false;
        for (std::uint64_t i = 1; i <= cluster_.size(); ++i) {
            const bool is_in_doubt = cluster_.running({i}) && cluster_.node({i}).view().health == Health::kInDoubt;
            any |= is_in_doubt && cluster_.disk({i}).slots_unreadable;
        }
        if (!master || !any) return false;
        cluster_.kill(*master, false);
        cluster_.run(1);
        cluster_.start(*master);
        return true;
    }

    std::string describe() {
        std::string text;
        for (std::uint64_t i = 1; i <= cluster_.size(); ++i) {
            if (!cluster_.running({i})) continue;
            const View v = cluster_.node({i}).view();
            text += fmt::format("\n  node {} role={} health={} why=\"{}\" epoch={} last={}/{} commit={} applied={}", i,
                                static_cast<int>(v.role), static_cast<int>(v.health), v.why, v.epoch.value, v.last.epoch.value,
                                v.last.lsn.value, v.commit.value, v.applied.value);
        }
        const auto transcript = cluster_.take_transcript();
        for (std::size_t i = transcript.size() - std::min<std::size_t>(transcript.size(), 40); i < transcript.size(); ++i)
            text += "\n    " + transcript[i];
        return text;
    }

    const Mix& mix_;
    Random random_;
    Cluster cluster_;
    std::uint64_t writes_ = 0;
};

/// TANIST_SEED=n replays one seed, TANIST_SEEDS=n runs so many.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class RandomHistory : public ::testing::TestWithParam<Mix> {};

TEST_P(RandomHistory, KeepsEveryPromiseAndRecovers) {
    const std::uint64_t first = from_environment("TANIST_SEED", 1);
    const std::uint64_t count = from_environment("TANIST_SEEDS", 25);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        SCOPED_TRACE(
            fmt::format("replay: TANIST_SEED={} TANIST_SEEDS=1 core_test --gtest_filter=*RandomHistory*/{}", seed, GetParam().name));
        History(GetParam(), seed).run();
        if (HasFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Mixes, RandomHistory, ::testing::ValuesIn(kMixes), [](const auto& mix) { return mix.param.name; });

}  // namespace
}  // namespace tanist::core::testing

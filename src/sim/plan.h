// SPDX-License-Identifier: Apache-2.0
// What one seed makes: the cluster, its network and disks, the load, and every fault with its time. Drawn before anything runs,
// so that a history can be run again with less of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/types.h"
#include "core/message.h"
#include "sim/time.h"
#include "wal/memory_file_system.h"

namespace tanist::sim {

/// Nodes as bits: node 1 is bit 1.
using NodeSet = std::uint32_t;
[[nodiscard]] constexpr NodeSet bit(NodeId node) { return NodeSet{1} << node.value; }
[[nodiscard]] constexpr bool contains(NodeSet set, NodeId node) { return (set & bit(node)) != 0; }

struct NodePlan {
    NodeId node;
    core::ConfiguredRole role = core::ConfiguredRole::kSlave;
    std::int32_t drift_ppm = 0;  ///< of its clocks, in both directions
    friend bool operator==(const NodePlan&, const NodePlan&) = default;
};

struct NetworkPlan {
    bool streams = true;  ///< as TCP: in order, nothing lost while a connection lasts; else datagrams
    Duration delay_min{50}, delay_max{500};
    std::uint32_t loss = 0, duplicate = 0, reorder = 0;  ///< of 10,000 datagrams
    Duration reorder_by{20'000};                         ///< at most
    std::uint32_t entry_bytes_per_ms = 0;  ///< streams: what a link carries in entries, while urgent messages overtake them; 0: any number
    bool fetches_are_narrow = false;       ///< the entries of answers to fetches count there too
    friend bool operator==(const NetworkPlan&, const NetworkPlan&) = default;
};

struct DiskPlan {
    Duration write{20};
    Duration sync_min{100}, sync_max{500};
    std::uint64_t segment_bytes = 256 << 10, retention_bytes = 1 << 20, flush_bytes = 64 << 10;
    friend bool operator==(const DiskPlan&, const DiskPlan&) = default;
};

struct LoadPlan {
    std::uint32_t clients = 4, pipeline = 1;
    Duration think_min{0}, think_max{20'000};
    std::uint32_t keys = 8, counters = 3;
    std::uint32_t value_bytes_max = 64;
    // Shares of operations; the weights need no common sum.
    std::uint32_t puts = 4, deletes = 1, compare_and_sets = 2, increments = 4, batches = 1, reads = 6, scans = 1;
    std::uint32_t level_master = 1, level_quorum = 8, level_all = 1;
    std::uint32_t read_stale = 1, read_session = 2, read_linearizable = 3;
    std::uint32_t without_session = 10;     ///< percent of the clients: they never send a write twice
    std::uint64_t session_lifetime_ms = 0;  ///< 0: the default, which outlives the history
    Duration patience{500'000};             ///< without an answer a client asks again, maybe elsewhere
    friend bool operator==(const LoadPlan&, const LoadPlan&) = default;
};

enum class FaultKind : std::uint8_t {
    // -- at a node --------------------------------------------------------------------------------------------------------------
    kKill,       ///< the process dies, its host lives: connections are reset, what was written stays
    kPowerCut,   ///< the host dies in silence: what was not synced is lost, whole or in part
    kDiskCrash,  ///< a power cut in the middle of the node's file operations: after `amount` more of them, or at the next of some kind
    kSyncError,  ///< one of the next file operations fails, after `amount` more of them, or the next of some kind
    kShutDown,   ///< SIGTERM
    kPause,      ///< the process stands still, its host lives
    kSlowNode,   ///< every piece of work of the process takes `amount` microseconds
    kSlowDisk,   ///< every sync takes `amount` times as long
    kDiskStall,  ///< no sync ends before the fault does
    kFullDisk,   ///< the disk has room for `amount` percent of the reserve left, or for nothing
    kClockJump,  ///< the wall clock moves by `amount` milliseconds
    // -- between nodes ----------------------------------------------------------------------------------------------------------
    kPartition,    ///< nothing passes between `nodes` and the others
    kFlapping,     ///< … for `amount` milliseconds, and then for as long everything, again and again
    kOneWay,       ///< nothing passes from `nodes` to the others
    kBridge,       ///< the others see `node` alone of the other side
    kSlowNetwork,  ///< every delay `amount` times as long
    kReset,        ///< connections between `nodes` and the others are reset
    kRefuse,       ///< … and refused as long as the fault lasts
    // -- of a medium: of a minority of the voters, each at most once a history ---------------------------------------------------
    kWipe,           ///< a power cut, and the node comes back with an empty disk
    kDamage,         ///< a power cut or kill, and the node comes back with something in its log's segments destroyed; `amount` 1: the
                     ///< first entry that is not what was committed there; 2: one that was synced long ago; 3: its end
                     ///< or all of it, and its mark
    kRotVote,        ///< … or in its vote or identity files
    kLostState,      ///< … or with a state store that cannot be read and is given up
    kRotState,       ///< one of the rows of a node's state store can be read no more
    kRotCheckpoint,  ///< checkpoints that the node gives to others are rotten
    kLostWrite,      ///< after `amount` more writes of records or slots one is lost, or lands elsewhere, and nobody is told
    /// Its majority is cut off from the rest and goes on writing; then all of it stops, and the node comes back with the fsynced end
    /// of its log destroyed (`nodes`: of Forgotten), to those that missed the last writes. The others come back later. It goes on for
    /// four election timeouts and `amount` milliseconds, or, where that is negative, for so many microseconds.
    kForgottenTail,
    kSwitchOver,  ///< the master is asked to hand over to `node`; 0: to any
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::kSwitchOver) + 1;
[[nodiscard]] std::string_view to_string(FaultKind kind);
[[nodiscard]] constexpr bool is_between_nodes(FaultKind kind) { return kind >= FaultKind::kPartition && kind <= FaultKind::kRefuse; }
[[nodiscard]] constexpr bool is_of_medium(FaultKind kind) { return kind >= FaultKind::kWipe && kind <= FaultKind::kForgottenTail; }

/// What kForgottenTail takes from a log.
enum class Forgotten : std::uint8_t {
    kEnd,             ///< the end of the newest segment, cut off or zeroed
    kNewestSegment,   ///< all of it, where there is an older one
    kHead,            ///< one region of it, from its second slot into its records
    kSlotAndRecords,  ///< … from its second slot to the end of its records
};

/// What a fault waits for, from its time on.
enum class Moment : std::uint8_t {
    kNone,             ///< for nothing: it comes at its time
    kStands,           ///< a node asks for votes
    kElected,          ///< a node has become master
    kOldAcknowledged,  ///< a master is sent the acknowledgement of an entry of an older epoch, which no count commits yet (S6)
    kInstalled,        ///< a node has installed a checkpoint, and is about to start its log anew (S25)
    kLogCut,           ///< a node has cut its log (S10)
};
[[nodiscard]] std::string_view to_string(Moment moment);

struct Fault {
    Instant at{0};
    FaultKind kind = FaultKind::kKill;
    NodeId node;        ///< 0: whoever is master then; of one that waits, the node of its moment
    NodeSet nodes = 0;  ///< of faults between nodes; 0: the master then, or the node of its moment, alone
    Duration lasts{0};  ///< until a node is started again, a partition healed …
    std::int64_t amount = 0;
    std::uint32_t variant = 0;  ///< any number: which of the ways in which this can happen; 0: the plain one
    std::uint32_t number = 0;   ///< from 1 on, in the order of the whole plan
    Moment waits_for = Moment::kNone;
    NodeId waits_at;          ///< the node at which that has to come; 0: any
    std::uint32_t times = 1;  ///< how often it has to come
    Duration after{0};        ///< so long after it
    friend bool operator==(const Fault&, const Fault&) = default;
};

struct Plan {
    std::uint64_t seed = 0;
    std::string_view scenario;    ///< empty: of all faults that chance brings (sim/scenario.h)
    std::vector<NodePlan> nodes;  ///< ascending by id
    std::uint32_t tick_ms = 10, heartbeat_ticks = 10, election_timeout_ticks = 100, wal_stall_ticks = 200, promotion_pull_ticks = 50;
    std::size_t append_bytes_max = 1 << 20, inflight_bytes_max = 8 << 20, tail_bytes_max = 32 << 20;
    NetworkPlan network;
    DiskPlan disk;
    LoadPlan load;
    bool forwards = false;      ///< nodes hold writes during a switchover, and send them to the new master
    std::vector<Fault> faults;  ///< ascending by time
    Instant quiet_from{0};      ///< everything is healed, and stays so
    Instant end{0};             ///< by then the cluster must have made progress and agree

    friend bool operator==(const Plan&, const Plan&) = default;
    [[nodiscard]] std::uint64_t disk_reserve_bytes() const { return 4 * disk.segment_bytes; }
    [[nodiscard]] Duration election_timeout() const { return std::chrono::milliseconds(tick_ms) * election_timeout_ticks; }
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed);

/// What of a plan can be left out by itself: each fault, by its number, and what makes load and network more than the simplest, by name.
using Parts = std::vector<std::string>;
[[nodiscard]] Parts parts_of(const Plan& plan);
/// The plan with these of its parts and no others. Faults keep their numbers.
[[nodiscard]] Plan with_only(Plan plan, const Parts& kept);
/// The first that the plan does not have; empty: it has them all.
[[nodiscard]] std::string strange_part(const Plan& plan, const Parts& parts);

/// Seeds below it have no faults but those that the mutants were hunted with (tests/sim/mutants.txt).
inline constexpr std::uint64_t kFirstSeedOfMore = 1000;
/// From here on to the first scenario, writes of clients without a session are held, and forwarded, over a switchover.
inline constexpr std::uint64_t kFirstSeedOfForwarding = 2000;
/// From here on, there are many switchovers, and most of the load has no session.
inline constexpr std::uint64_t kFirstSeedOfHandovers = 500'000;
/// Of chance and of each family: from here on nodes are as the product ships them. Below, rounds of reads ask everybody, and
/// every Append is answered at once (docs/decisions/0017, 0019).
inline constexpr std::uint64_t kFirstSeedAsShipped = 100'000;
/// One line that tells topology, network, load and faults.
[[nodiscard]] std::string describe(const Plan& plan);
/// A sentence: what happens to whom, and for how long.
[[nodiscard]] std::string describe(const Fault& fault);
/// The kind of file operation that a fault of a disk waits for; nullopt: whichever comes.
[[nodiscard]] std::optional<wal::DiskOperation> aim_of(const Fault& fault);

/// Independent streams of random numbers out of one seed: what one part draws does not shift what another does.
[[nodiscard]] inline Random random_for(std::uint64_t seed, std::uint64_t part) {
    Random mixer(seed ^ (part * 0x9e3779b97f4a7c15));
    (void)mixer.next();
    return Random(mixer.next());
}

}  // namespace tanist::sim

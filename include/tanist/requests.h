// SPDX-License-Identifier: Apache-2.0
// What can be asked of a cluster, and what comes back: each request names its Reply. Keys and values are any bytes; keys are at
// most 64 KiB, values 16 MiB, a request 24 MiB, unless the nodes are configured for less.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tanist::client {

/// How fresh a read must be.
enum class ReadLevel : std::uint8_t {
    kDefault,       ///< what the node is configured for, usually kSession
    kStale,         ///< whatever the node has
    kSession,       ///< at least as new as everything that this client has seen: it reads its own writes, and never back in time
    kLinearizable,  ///< everything that was acknowledged to anyone before the read began
};

/// How safe a write must be before it is answered.
enum class WriteLevel : std::uint8_t {
    kDefault,  ///< what the node is configured for, usually kQuorum
    kMaster,   ///< durable on the master alone: may be lost with it
    kQuorum,   ///< durable on a majority: survives any failover
    kAll,      ///< durable on every data voter; Written::level tells what was reached by the deadline
};

/// How far a client has seen: of two, the later one has the higher epoch, or the same and the higher LSN. Handed to another
/// client, it lets that one read what this one has written.
struct SessionToken {
    std::uint64_t epoch = 0, lsn = 0;

    friend auto operator<=>(const SessionToken&, const SessionToken&) = default;
};

/// For one call; what is left out comes from Options, or from the node's configuration.
struct CallOptions {
    ReadLevel read_level = ReadLevel::kDefault;
    WriteLevel write_level = WriteLevel::kDefault;
    std::chrono::milliseconds deadline{0};  ///< until the answer, all retries included; 0: Options::deadline
    std::chrono::milliseconds max_lag{0};   ///< stale and session reads: go elsewhere when a node is further behind; 0: the node's bound
    SessionToken token;                     ///< reads: at least as new as this too, besides the client's own token
};

/// `version` tells the states of a key apart: every change gives it another one that it never had, also over a deletion in between.
/// Its lower 44 bits are the LSN of the change; where one log entry changes a key several times, the upper bits number these, so
/// only the lower bits can be compared for older and newer.
struct Value {
    std::string bytes;
    std::uint64_t version = 0;

    friend bool operator==(const Value&, const Value&) = default;
};

struct Written {
    std::uint64_t version = 0;                ///< of the key from now on; of a deletion: its LSN
    bool existed = false;                     ///< the key was there before
    WriteLevel level = WriteLevel::kDefault;  ///< reached, of a write at kAll
    bool replayed = false;                    ///< an earlier sending had been executed: this is its answer, given once more
};

struct Compared {
    bool done = false;
    std::uint64_t version = 0;   ///< when done: the key's new one
    std::optional<Value> found;  ///< when not done: what the key held instead; nullopt: it does not exist
};

struct Incremented {
    std::int64_t value = 0;
    std::uint64_t version = 0;
};

struct Row {
    std::string key, value;
    std::uint64_t version = 0;

    friend bool operator==(const Row&, const Row&) = default;
};

struct Page {
    std::vector<Row> rows;            ///< in ascending order of the keys' bytes, all as of one LSN
    std::optional<std::string> next;  ///< Scan::begin of the next page; nullopt: this was the last
};

// -- reads -----------------------------------------------------------------------------------------------------------------

struct Get {
    using Reply = std::optional<Value>;
    std::string key;
};

/// All keys as of one LSN; the reply has one value a key, in the order asked for.
struct GetMany {
    using Reply = std::vector<std::optional<Value>>;
    std::vector<std::string> keys;
};

struct Scan {
    using Reply = Page;
    std::string begin;        ///< inclusive
    std::string end;          ///< exclusive; empty: no upper bound
    std::string prefix;       ///< when not empty: only keys with it, within begin .. end
    std::uint32_t limit = 0;  ///< rows in a page; 0: 1000; at most 10000
    bool keys_only = false;
};

// -- writes ----------------------------------------------------------------------------------------------------------------

struct Put {
    using Reply = Written;
    std::string key, value;
};

struct Delete {
    using Reply = Written;
    std::string key;
};

/// What a key must hold for a write to happen.
struct Absent {};
struct ValueIs {
    std::string bytes;
};
struct VersionIs {
    std::uint64_t version = 0;
};
using Expected = std::variant<Absent, ValueIs, VersionIs>;

struct CompareAndSet {
    using Reply = Compared;
    std::string key;
    Expected expected;
    std::string value;
};

/// Absent makes no sense here and is refused.
struct CompareAndDelete {
    using Reply = Compared;
    std::string key;
    Expected expected;
};

/// Adds to a decimal signed 64-bit integer; a missing key counts as 0.
struct Increment {
    using Reply = Incremented;
    std::string key;
    std::int64_t by = 1;
};

/// One condition of a batch.
struct Exists {};
struct Condition {
    std::string key;
    std::variant<Exists, Absent, ValueIs, VersionIs> test;
};
using Command = std::variant<Put, Delete, Increment, Get>;

struct BatchDone {
    bool done = false;
    std::uint32_t failed_condition = 0;         ///< when not done: its index,
    std::optional<Value> found;                 ///< and what its key held
    std::vector<std::optional<Value>> results;  ///< when done, one a command. Get: what it saw. Increment: the new value. Put and
                                                ///< Delete: empty bytes, with the new version; nullopt when the key did not exist
    std::uint64_t version = 0;                  ///< when done: the LSN of all its changes
};

/// All or nothing: when every condition holds, the commands run in order, each seeing what those before it did.
struct Batch {
    using Reply = BatchDone;
    std::vector<Condition> conditions;
    std::vector<Command> commands;
};

// -- the cluster itself ----------------------------------------------------------------------------------------------------

enum class Role : std::uint8_t { kUnknown, kMaster, kSlave, kSpare, kWitness };
enum class NodeState : std::uint8_t { kUnknown, kUp, kDown, kCatchingUp, kCopying, kInDoubt, kQuarantined };

/// What is not known is nullopt, or empty.
struct NodeStatus {
    std::uint32_t id = 0;
    Role role = Role::kUnknown;
    NodeState state = NodeState::kUnknown;
    std::string why;                           ///< of a state other than kUp
    std::string client, peer, http, sentinel;  ///< addresses, "host:port"
    std::uint64_t incarnation = 0;
    std::optional<std::uint64_t> rank_epoch, rank_lsn, commit_lsn, applied_lsn, lag_ms, lag_entries;
};

struct ClusterStatus {
    std::string cluster;
    std::uint64_t cluster_id = 0;  ///< 0: the cluster is still forming
    std::uint64_t epoch = 0;
    std::optional<std::uint32_t> master;
    std::vector<NodeStatus> nodes;  ///< every member, as far as `answered_by` knows it
    std::uint32_t answered_by = 0;
};

/// Asks the master if there is one, since it knows most, else any node.
struct GetStatus {
    using Reply = ClusterStatus;
};

struct SwitchedOver {
    std::uint32_t master = 0;  ///< takes writes now
    std::uint64_t epoch = 0;   ///< of its reign
};

/// Hands mastership over by plan: no request fails by it. Never sent twice: kOutcomeUnknown when the master was lost meanwhile.
struct Switchover {
    using Reply = SwitchedOver;
    std::optional<std::uint32_t> target;  ///< node id; nullopt: the most up-to-date slave
};

}  // namespace tanist::client

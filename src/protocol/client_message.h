// SPDX-License-Identifier: Apache-2.0
// The native client protocol as structs, in the words of proto/client.proto, which tells what each field means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/types.h"

namespace tanist::protocol::native {

inline constexpr std::uint32_t kProtocolVersion = 1;

enum class ReadLevel : std::uint8_t { kDefault, kStale, kSession, kLinearizable };
enum class WriteLevel : std::uint8_t { kDefault, kMaster, kQuorum, kAll };

/// What a client can do about it. Those from 101 on promise nothing about a write; all others promise that nothing was executed
/// and nothing will be (S20).
enum class Code : std::uint16_t {
    kInvalidRequest = 1,
    kTooLarge,
    kNotMaster,
    kNoQuorum,
    kTryAgain,
    kTooStale,
    kStaleToken,
    kNotAnInteger,
    kOverflow,
    kWrongCluster,
    kUnsupportedVersion,
    kUnsupportedRequest,
    kReadTimeout,
    kNotPossible,
    kUnauthenticated,
    kNotPermitted,
    kSessionExpired = 101,
    kOutcomeUnknown,
    kAnswerForgotten,
    kStorageFault,
};

// -- requests ------------------------------------------------------------------------------------------------------------------
struct Hello {
    std::uint32_t protocol_version = kProtocolVersion;
    std::string client_name, cluster_name;
    std::string user, password;  ///< user empty: the default user
    friend bool operator==(const Hello&, const Hello&) = default;
};
struct Get {
    std::string key;
    friend bool operator==(const Get&, const Get&) = default;
};
struct GetMany {
    std::vector<std::string> keys;
    friend bool operator==(const GetMany&, const GetMany&) = default;
};
struct Put {
    std::string key, value;
    friend bool operator==(const Put&, const Put&) = default;
};
struct Delete {
    std::string key;
    friend bool operator==(const Delete&, const Delete&) = default;
};
struct Increment {
    std::string key;
    std::int64_t by = 1;
    friend bool operator==(const Increment&, const Increment&) = default;
};

/// What a key must be for its request to be executed.
struct Exists {
    friend bool operator==(const Exists&, const Exists&) = default;
};
struct Absent {
    friend bool operator==(const Absent&, const Absent&) = default;
};
struct ValueIs {
    std::string value;
    friend bool operator==(const ValueIs&, const ValueIs&) = default;
};
struct VersionIs {
    Lsn version;  ///< 0: absent
    friend bool operator==(const VersionIs&, const VersionIs&) = default;
};

using Expected = std::variant<Absent, ValueIs, VersionIs>;
struct CompareAndSet {
    std::string key;
    Expected expected;
    std::string value;
    friend bool operator==(const CompareAndSet&, const CompareAndSet&) = default;
};
/// `expected` is never Absent: that would delete nothing.
struct CompareAndDelete {
    std::string key;
    Expected expected;
    friend bool operator==(const CompareAndDelete&, const CompareAndDelete&) = default;
};
struct Scan {
    std::string begin, end, prefix;
    std::uint32_t limit = 0;
    bool keys_only = false;
    friend bool operator==(const Scan&, const Scan&) = default;
};
struct Condition {
    std::string key;
    std::variant<Exists, Absent, ValueIs, VersionIs> test;
    friend bool operator==(const Condition&, const Condition&) = default;
};
using Command = std::variant<Put, Delete, Increment, Get>;
struct Batch {
    std::vector<Condition> conditions;
    std::vector<Command> commands;
    friend bool operator==(const Batch&, const Batch&) = default;
};
struct StatusRequest {
    friend bool operator==(const StatusRequest&, const StatusRequest&) = default;
};
struct RegisterSession {
    std::uint64_t lifetime_ms = 0;
    friend bool operator==(const RegisterSession&, const RegisterSession&) = default;
};
struct KeepSession {
    friend bool operator==(const KeepSession&, const KeepSession&) = default;
};
struct CloseSession {
    friend bool operator==(const CloseSession&, const CloseSession&) = default;
};
struct Switchover {
    NodeId target;  ///< 0: any
    friend bool operator==(const Switchover&, const Switchover&) = default;
};

using RequestBody = std::variant<Hello, Get, Put, Delete, CompareAndSet, Increment, Scan, Batch, StatusRequest, RegisterSession,
                                 KeepSession, CloseSession, GetMany, CompareAndDelete, Switchover>;

struct Request {
    std::uint64_t id = 0;
    std::optional<Rank> token;
    ReadLevel read_level = ReadLevel::kDefault;
    WriteLevel write_level = WriteLevel::kDefault;
    std::uint64_t deadline_ms = 0;
    std::uint64_t max_lag_ms = 0;
    SessionId session;
    std::uint64_t sequence = 0;
    std::uint64_t lowest_unanswered = 0;
    RequestBody body;
    friend bool operator==(const Request&, const Request&) = default;
};

// -- replies -------------------------------------------------------------------------------------------------------------------
enum class Role : std::uint8_t { kUnknown, kMaster, kSlave, kSpare, kWitness };
enum class NodeState : std::uint8_t { kUnknown, kUp, kDown, kCatchingUp, kCopying, kInDoubt, kQuarantined };

struct TopologyNode {
    NodeId id;
    Role role = Role::kUnknown;
    NodeState state = NodeState::kUnknown;
    std::string client;
    friend bool operator==(const TopologyNode&, const TopologyNode&) = default;
};
struct Topology {
    Epoch epoch;
    NodeId master;  ///< 0: not known
    std::vector<TopologyNode> nodes;
    friend bool operator==(const Topology&, const Topology&) = default;
};

struct ErrorReply {
    Code code = Code::kInvalidRequest;
    std::string message;
    std::optional<Topology> topology;
    friend bool operator==(const ErrorReply&, const ErrorReply&) = default;
};
struct HelloReply {
    std::uint32_t protocol_version = kProtocolVersion;
    std::string server_version, cluster_name;
    ClusterId cluster;
    NodeId node;
    Topology topology;
    ReadLevel default_read_level = ReadLevel::kDefault;
    WriteLevel default_write_level = WriteLevel::kDefault;
    friend bool operator==(const HelloReply&, const HelloReply&) = default;
};
/// Of Get and Increment, and one of the results of GetMany and Batch.
struct Value {
    bool found = false;
    std::string value;
    Lsn version;
    friend bool operator==(const Value&, const Value&) = default;
};
struct Values {
    std::vector<Value> values;
    friend bool operator==(const Values&, const Values&) = default;
};
struct Written {
    bool existed = false;
    Lsn version;
    friend bool operator==(const Written&, const Written&) = default;
};
struct Compared {
    bool done = false;
    bool found = false;
    std::string value;
    Lsn version;
    friend bool operator==(const Compared&, const Compared&) = default;
};
struct Row {
    std::string key, value;
    Lsn version;
    friend bool operator==(const Row&, const Row&) = default;
};
struct Page {
    std::vector<Row> rows;
    std::optional<std::string> next;
    friend bool operator==(const Page&, const Page&) = default;
};
struct BatchReply {
    bool done = false;
    std::uint32_t failed_condition = 0;
    Value found;
    std::vector<Value> results;
    friend bool operator==(const BatchReply&, const BatchReply&) = default;
};
struct NodeStatus {
    NodeId id;
    Role role = Role::kUnknown;
    NodeState state = NodeState::kUnknown;
    std::string why, client, peer, http, sentinel;
    Incarnation incarnation;
    std::optional<Rank> rank;
    std::optional<Lsn> commit, applied;
    std::optional<std::uint64_t> lag_ms, lag_entries;
    friend bool operator==(const NodeStatus&, const NodeStatus&) = default;
};
struct StatusReply {
    std::string cluster_name;
    ClusterId cluster;
    Epoch epoch;
    NodeId master;  ///< 0: not known
    std::vector<NodeStatus> nodes;
    NodeId answered_by;
    friend bool operator==(const StatusReply&, const StatusReply&) = default;
};
struct SessionReply {
    SessionId session;
    friend bool operator==(const SessionReply&, const SessionReply&) = default;
};
struct SwitchoverReply {
    NodeId master;
    friend bool operator==(const SwitchoverReply&, const SwitchoverReply&) = default;
};

using ReplyBody =
    std::variant<ErrorReply, HelloReply, Value, Written, Compared, Page, BatchReply, StatusReply, SessionReply, Values, SwitchoverReply>;

struct Reply {
    std::uint64_t id = 0;  ///< 0: about the connection, and the last thing said on it
    Epoch epoch;
    Rank at;  ///< a write's own position, or the one a read was served at: the next session token
    WriteLevel level_reached = WriteLevel::kDefault;
    bool replayed = false;
    ReplyBody body;
    friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace tanist::protocol::native

// SPDX-License-Identifier: Apache-2.0
#include "client/wire.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>
#include <variant>

#include "base/limits.h"

namespace tanist::client {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

constexpr std::size_t kOverhead = 16;  // of a key or value in memory and in a message, about

Result<Encoded> encoded(Kind kind, std::string_view name, native::RequestBody body, std::size_t bytes) {
    if (bytes > limits::kRequestBytesMax) {  // those just below are caught when they are encoded
        return tl::unexpected(
            Error{ErrorCode::kTooLarge, Outcome::kRefused,
                  fmt::format("{}: a request of {} bytes: at most {} are allowed", name, bytes, limits::kRequestBytesMax)});
    }
    return Encoded{kind, name, std::move(body), bytes};
}

// -- towards the node ---------------------------------------------------------------------------------------------------------------

native::Put to_native(Put put) { return {.key = std::move(put.key), .value = std::move(put.value)}; }
native::Delete to_native(Delete del) { return {.key = std::move(del.key)}; }
native::Increment to_native(Increment increment) { return {.key = std::move(increment.key), .by = increment.by}; }
native::Get to_native(Get get) { return {.key = std::move(get.key)}; }
native::Exists to_native(Exists) { return {}; }
native::Absent to_native(Absent) { return {}; }
native::ValueIs to_native(ValueIs value) { return {.value = std::move(value.bytes)}; }
native::VersionIs to_native(VersionIs version) { return {.version = {version.version}}; }

template <class To, class... Froms>
To to_native(std::variant<Froms...> from) {
    return std::visit([](auto& alternative) -> To { return to_native(std::move(alternative)); }, from);
}

std::size_t bytes_of(const Put& put) { return put.key.size() + put.value.size(); }
std::size_t bytes_of(const Delete& del) { return del.key.size(); }
std::size_t bytes_of(const Increment& increment) { return increment.key.size(); }
std::size_t bytes_of(const Get& get) { return get.key.size(); }
template <class... Tests>
std::size_t bytes_of(const std::variant<Tests...>& test) {
    const auto* value = std::get_if<ValueIs>(&test);
    return value == nullptr ? 0 : value->bytes.size();
}

// -- from the node ------------------------------------------------------------------------------------------------------------------

std::optional<Value> to_optional(native::Value& value) {
    if (!value.found) return std::nullopt;
    return Value{.bytes = std::move(value.value), .version = value.version.value};
}

WriteLevel from_wire(native::WriteLevel level) {
    switch (level) {
        case native::WriteLevel::kDefault: return WriteLevel::kDefault;
        case native::WriteLevel::kMaster: return WriteLevel::kMaster;
        case native::WriteLevel::kQuorum: return WriteLevel::kQuorum;
        case native::WriteLevel::kAll: return WriteLevel::kAll;
    }
    return WriteLevel::kDefault;
}
Role from_wire(native::Role role) {
    switch (role) {
        case native::Role::kUnknown: return Role::kUnknown;
        case native::Role::kMaster: return Role::kMaster;
        case native::Role::kSlave: return Role::kSlave;
        case native::Role::kSpare: return Role::kSpare;
        case native::Role::kWitness: return Role::kWitness;
    }
    return Role::kUnknown;
}
NodeState from_wire(native::NodeState state) {
    switch (state) {
        case native::NodeState::kUnknown: return NodeState::kUnknown;
        case native::NodeState::kUp: return NodeState::kUp;
        case native::NodeState::kDown: return NodeState::kDown;
        case native::NodeState::kCatchingUp: return NodeState::kCatchingUp;
        case native::NodeState::kCopying: return NodeState::kCopying;
        case native::NodeState::kInDoubt: return NodeState::kInDoubt;
        case native::NodeState::kQuarantined: return NodeState::kQuarantined;
    }
    return NodeState::kUnknown;
}

NodeStatus to_node(native::NodeStatus& from) {
    NodeStatus to{.id = static_cast<std::uint32_t>(from.id.value),
                  .role = from_wire(from.role),
                  .state = from_wire(from.state),
                  .why = std::move(from.why),
                  .client = std::move(from.client),
                  .peer = std::move(from.peer),
                  .http = std::move(from.http),
                  .sentinel = std::move(from.sentinel),
                  .incarnation = from.incarnation.value,
                  .lag_ms = from.lag_ms,
                  .lag_entries = from.lag_entries};
    if (from.rank) {
        to.rank_epoch = from.rank->epoch.value;
        to.rank_lsn = from.rank->lsn.value;
    }
    if (from.commit) to.commit_lsn = from.commit->value;
    if (from.applied) to.applied_lsn = from.applied->value;
    return to;
}

/// The node answered something else: a bug on one side. A write has then most likely been executed, but this is no proof.
tl::unexpected<Error> no_answer(std::string_view name, Outcome outcome) {
    return tl::unexpected(Error{ErrorCode::kUnsupported, outcome, fmt::format("{}: the node answered something else", name)});
}

Result<Written> to_written(const native::Reply& reply, std::string_view name) {
    const auto* written = std::get_if<native::Written>(&reply.body);
    if (written == nullptr) return no_answer(name, Outcome::kUnknown);
    return Written{.version = written->version.value,
                   .existed = written->existed,
                   .level = from_wire(reply.level_reached),
                   .replayed = reply.replayed};
}

Result<Compared> to_compared(native::Reply& reply, std::string_view name) {
    auto* from = std::get_if<native::Compared>(&reply.body);
    if (from == nullptr) return no_answer(name, Outcome::kUnknown);
    Compared compared{.done = from->done};
    if (from->done) {
        compared.version = from->version.value;
    } else if (from->found) {
        compared.found = Value{.bytes = std::move(from->value), .version = from->version.value};
    }
    return compared;
}

}  // namespace

// -- requests -----------------------------------------------------------------------------------------------------------------------

Result<Encoded> encode(Get request) {
    const std::size_t bytes = bytes_of(request) + kOverhead;
    return encoded(Kind::kRead, "get", to_native(std::move(request)), bytes);
}

Result<Encoded> encode(GetMany request) {
    std::size_t bytes = 0;
    for (const auto& key : request.keys) bytes += key.size() + kOverhead;
    return encoded(Kind::kRead, "get_many", native::GetMany{std::move(request.keys)}, bytes);
}

Result<Encoded> encode(Scan request) {
    const std::size_t bytes = request.begin.size() + request.end.size() + request.prefix.size() + kOverhead;
    return encoded(Kind::kRead, "scan",
                   native::Scan{.begin = std::move(request.begin),
                                .end = std::move(request.end),
                                .prefix = std::move(request.prefix),
                                .limit = request.limit,
                                .keys_only = request.keys_only},
                   bytes);
}

Result<Encoded> encode(Put request) {
    const std::size_t bytes = bytes_of(request) + kOverhead;
    return encoded(Kind::kWrite, "put", to_native(std::move(request)), bytes);
}

Result<Encoded> encode(Delete request) {
    const std::size_t bytes = bytes_of(request) + kOverhead;
    return encoded(Kind::kWrite, "del", to_native(std::move(request)), bytes);
}

Result<Encoded> encode(CompareAndSet request) {
    const std::size_t bytes = request.key.size() + request.value.size() + bytes_of(request.expected) + kOverhead;
    return encoded(Kind::kWrite, "compare_and_set",
                   native::CompareAndSet{.key = std::move(request.key),
                                         .expected = to_native<native::Expected>(std::move(request.expected)),
                                         .value = std::move(request.value)},
                   bytes);
}

Result<Encoded> encode(CompareAndDelete request) {
    if (std::holds_alternative<Absent>(request.expected)) {
        return tl::unexpected(Error{ErrorCode::kInvalidArgument, Outcome::kRefused,
                                    "compare_and_delete: an absent key cannot be deleted; expected must be a value or a version"});
    }
    const std::size_t bytes = request.key.size() + bytes_of(request.expected) + kOverhead;
    return encoded(
        Kind::kWrite, "compare_and_delete",
        native::CompareAndDelete{.key = std::move(request.key), .expected = to_native<native::Expected>(std::move(request.expected))},
        bytes);
}

Result<Encoded> encode(Increment request) {
    const std::size_t bytes = bytes_of(request) + kOverhead;
    return encoded(Kind::kWrite, "increment", to_native(std::move(request)), bytes);
}

Result<Encoded> encode(Batch request) {
    native::Batch batch;
    std::size_t bytes = 0;
    for (auto& condition : request.conditions) {
        bytes += condition.key.size() + bytes_of(condition.test) + kOverhead;
        batch.conditions.push_back(
            {.key = std::move(condition.key), .test = to_native<decltype(native::Condition::test)>(std::move(condition.test))});
    }
    for (auto& command : request.commands) {
        bytes += std::visit([](const auto& any) { return bytes_of(any); }, command) + kOverhead;
        batch.commands.push_back(to_native<native::Command>(std::move(command)));
    }
    return encoded(Kind::kWrite, "batch", std::move(batch), bytes);
}

Result<Encoded> encode(GetStatus) { return encoded(Kind::kStatus, "status", native::StatusRequest{}, kOverhead); }

Result<Encoded> encode(Switchover request) {
    return encoded(Kind::kOperation, "switchover", native::Switchover{NodeId{request.target.value_or(0)}}, kOverhead);
}

native::ReadLevel to_wire(ReadLevel level) {
    switch (level) {
        case ReadLevel::kDefault: return native::ReadLevel::kDefault;
        case ReadLevel::kStale: return native::ReadLevel::kStale;
        case ReadLevel::kSession: return native::ReadLevel::kSession;
        case ReadLevel::kLinearizable: return native::ReadLevel::kLinearizable;
    }
    return native::ReadLevel::kDefault;
}

native::WriteLevel to_wire(WriteLevel level) {
    switch (level) {
        case WriteLevel::kDefault: return native::WriteLevel::kDefault;
        case WriteLevel::kMaster: return native::WriteLevel::kMaster;
        case WriteLevel::kQuorum: return native::WriteLevel::kQuorum;
        case WriteLevel::kAll: return native::WriteLevel::kAll;
    }
    return native::WriteLevel::kDefault;
}

// -- replies ------------------------------------------------------------------------------------------------------------------------

template <>
Result<Get::Reply> decode<Get>(native::Reply reply) {
    auto* value = std::get_if<native::Value>(&reply.body);
    if (value == nullptr) return no_answer("get", Outcome::kRefused);
    return to_optional(*value);
}

template <>
Result<GetMany::Reply> decode<GetMany>(native::Reply reply) {
    auto* from = std::get_if<native::Values>(&reply.body);
    if (from == nullptr) return no_answer("get_many", Outcome::kRefused);
    GetMany::Reply values;
    for (auto& value : from->values) values.push_back(to_optional(value));
    return values;
}

template <>
Result<Page> decode<Scan>(native::Reply reply) {
    auto* from = std::get_if<native::Page>(&reply.body);
    if (from == nullptr) return no_answer("scan", Outcome::kRefused);
    Page page{.next = std::move(from->next)};
    page.rows.reserve(from->rows.size());
    for (auto& row : from->rows)
        page.rows.push_back({.key = std::move(row.key), .value = std::move(row.value), .version = row.version.value});
    return page;
}

template <>
Result<Written> decode<Put>(native::Reply reply) {
    return to_written(reply, "put");
}

template <>
Result<Written> decode<Delete>(native::Reply reply) {
    return to_written(reply, "del");
}

template <>
Result<Compared> decode<CompareAndSet>(native::Reply reply) {
    return to_compared(reply, "compare_and_set");
}

template <>
Result<Compared> decode<CompareAndDelete>(native::Reply reply) {
    return to_compared(reply, "compare_and_delete");
}

template <>
Result<Incremented> decode<Increment>(native::Reply reply) {
    const auto* value = std::get_if<native::Value>(&reply.body);
    if (value == nullptr) return no_answer("increment", Outcome::kUnknown);
    Incremented incremented{.version = value->version.value};
    const char* const end = value->value.data() + value->value.size();
    const auto [parsed, failure] = std::from_chars(value->value.data(), end, incremented.value);
    if (failure != std::errc{} || parsed != end) return no_answer("increment", Outcome::kUnknown);
    return incremented;
}

template <>
Result<BatchDone> decode<Batch>(native::Reply reply) {
    auto* from = std::get_if<native::BatchReply>(&reply.body);
    if (from == nullptr) return no_answer("batch", Outcome::kUnknown);
    BatchDone done{.done = from->done};
    if (!from->done) {
        done.failed_condition = from->failed_condition;
        done.found = to_optional(from->found);
        return done;
    }
    done.version = reply.at.lsn.value;
    for (auto& result : from->results) done.results.push_back(to_optional(result));
    return done;
}

template <>
Result<ClusterStatus> decode<GetStatus>(native::Reply reply) {
    auto* from = std::get_if<native::StatusReply>(&reply.body);
    if (from == nullptr) return no_answer("status", Outcome::kRefused);
    ClusterStatus status{.cluster = std::move(from->cluster_name),
                         .cluster_id = from->cluster.value,
                         .epoch = from->epoch.value,
                         .answered_by = static_cast<std::uint32_t>(from->answered_by.value)};
    if (!from->master.is_zero()) status.master = static_cast<std::uint32_t>(from->master.value);
    for (auto& node : from->nodes) status.nodes.push_back(to_node(node));
    return status;
}

template <>
Result<SwitchedOver> decode<Switchover>(native::Reply reply) {
    const auto* from = std::get_if<native::SwitchoverReply>(&reply.body);
    if (from == nullptr) return no_answer("switchover", Outcome::kUnknown);
    return SwitchedOver{.master = static_cast<std::uint32_t>(from->master.value), .epoch = reply.epoch.value};
}

}  // namespace tanist::client

// SPDX-License-Identifier: Apache-2.0
// proto/client.proto as the fields of the structs in protocol/client_message.h (see protocol/wire.h). For the codec only.
#pragma once

#include <limits>
#include <optional>
#include <type_traits>

#include "base/types.h"
#include "protocol/client_codec.h"
#include "protocol/client_message.h"
#include "protocol/wire.h"

namespace tanist::protocol::wire {

template <>
inline constexpr std::string_view kMustChoose<native::Request> = "a request";
template <>
inline constexpr std::string_view kMustChoose<native::Reply> = "a reply";
template <>
inline constexpr std::string_view kMustChoose<native::Condition> = "a condition";
template <>
inline constexpr std::string_view kMustChoose<native::Command> = "a command";

}  // namespace tanist::protocol::wire

namespace tanist {

/// SessionToken.
template <class W>
void fields(W& w, protocol::wire::Of<W, Rank> m) {
    w.number(1, m.epoch);
    w.number(2, m.lsn);
}

}  // namespace tanist

namespace tanist::protocol::native {

using wire::Of;

/// Lists that a node sends: it bounds them itself.
inline constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

// -- requests ------------------------------------------------------------------------------------------------------------------

inline void zero(Hello& m) { m.protocol_version = 0; }
template <class W>
void fields(W& w, Of<W, Hello> m) {
    w.number(1, m.protocol_version);
    w.text(2, m.client_name);
    w.text(3, m.cluster_name);
    w.text(4, m.user);
    w.bytes(5, m.password);
}
template <class W>
void fields(W& w, Of<W, Get> m) {
    w.bytes(1, m.key);
}
template <class W>
void fields(W& w, Of<W, GetMany> m) {
    w.repeated_bytes(1, m.keys, kKeysMax);
}
template <class W>
void fields(W& w, Of<W, Put> m) {
    w.bytes(1, m.key);
    w.bytes(2, m.value);
}
template <class W>
void fields(W& w, Of<W, Delete> m) {
    w.bytes(1, m.key);
}
inline void zero(Increment& m) { m.by = 0; }
template <class W>
void fields(W& w, Of<W, Increment> m) {
    w.bytes(1, m.key);
    w.zigzag(2, m.by);
}
template <class W>
void expected_fields(W& w, Of<W, Expected> m) {
    w.template alternative_bytes<ValueIs>(2, m, &ValueIs::value);
    w.template alternative_number<VersionIs>(3, m, &VersionIs::version);
}
template <class W>
void fields(W& w, Of<W, CompareAndSet> m) {
    w.bytes(1, m.key);
    expected_fields(w, m.expected);
    w.bytes(4, m.value);
}
template <class W>
void fields(W& w, Of<W, CompareAndDelete> m) {
    w.bytes(1, m.key);
    expected_fields(w, m.expected);
}
template <class W>
void fields(W& w, Of<W, Scan> m) {
    w.bytes(1, m.begin);
    w.bytes(2, m.end);
    w.bytes(3, m.prefix);
    w.number(4, m.limit);
    w.number(5, m.keys_only);
}
template <class W>
void fields(W& w, Of<W, Condition> m) {
    w.bytes(1, m.key);
    w.template alternative_flag<Exists, Absent>(2, m.test);
    w.template alternative_bytes<ValueIs>(3, m.test, &ValueIs::value);
    w.template alternative_number<VersionIs>(4, m.test, &VersionIs::version);
}
template <class W>
void fields(W& w, Of<W, Command> m) {
    w.template alternative<Put>(1, m);
    w.template alternative<Delete>(2, m);
    w.template alternative<Increment>(3, m);
    w.template alternative<Get>(4, m);
}
template <class W>
void fields(W& w, Of<W, Batch> m) {
    w.repeated(1, m.conditions, kBatchItemsMax);
    w.repeated(2, m.commands, kBatchItemsMax);
}
template <class W>
void fields(W&, Of<W, StatusRequest>) {}
template <class W>
void fields(W& w, Of<W, RegisterSession> m) {
    w.number(1, m.lifetime_ms);
}
template <class W>
void fields(W&, Of<W, KeepSession>) {}
template <class W>
void fields(W&, Of<W, CloseSession>) {}
template <class W>
void fields(W& w, Of<W, Switchover> m) {
    w.number(1, m.target);
}

template <class W>
void fields(W& w, Of<W, Request> m) {
    w.number(1, m.id);
    w.optional_message(2, m.token);
    w.enumerator(3, m.read_level, ReadLevel::kLinearizable);
    w.enumerator(4, m.write_level, WriteLevel::kAll);
    w.number(5, m.deadline_ms);
    w.number(6, m.max_lag_ms);
    w.number(7, m.session);
    w.number(8, m.sequence);
    w.number(9, m.lowest_unanswered);
    w.template alternative<Hello>(16, m.body);
    w.template alternative<Get>(17, m.body);
    w.template alternative<Put>(18, m.body);
    w.template alternative<Delete>(19, m.body);
    w.template alternative<CompareAndSet>(20, m.body);
    w.template alternative<Increment>(21, m.body);
    w.template alternative<Scan>(22, m.body);
    w.template alternative<Batch>(23, m.body);
    w.template alternative<StatusRequest>(24, m.body);
    w.template alternative<RegisterSession>(25, m.body);
    w.template alternative<KeepSession>(26, m.body);
    w.template alternative<CloseSession>(27, m.body);
    w.template alternative<GetMany>(28, m.body);
    w.template alternative<CompareAndDelete>(31, m.body);
    w.template alternative<Switchover>(32, m.body);
}

// -- replies -------------------------------------------------------------------------------------------------------------------

template <class W>
void fields(W& w, Of<W, TopologyNode> m) {
    w.number(1, m.id);
    w.enumerator(2, m.role, Role::kWitness);
    w.enumerator(3, m.state, NodeState::kQuarantined);
    w.text(4, m.client);
}
template <class W>
void fields(W& w, Of<W, Topology> m) {
    w.number(1, m.epoch);
    w.number(2, m.master);
    w.repeated(3, m.nodes, kUnbounded);
}
/// The code, of a newer node perhaps, as the one known here that promises as much.
inline Code known_code(std::uint64_t code) {
    const bool known = (code >= wire::to_wire(Code::kInvalidRequest) && code <= wire::to_wire(Code::kNotPermitted)) ||
                       (code >= wire::to_wire(Code::kSessionExpired) && code <= wire::to_wire(Code::kStorageFault));
    if (known) return static_cast<Code>(code);
    return code > 100 ? Code::kOutcomeUnknown : Code::kUnsupportedRequest;
}
inline void zero(ErrorReply& m) { m.code = Code::kUnsupportedRequest; }
template <class W>
void fields(W& w, Of<W, ErrorReply> m) {
    std::uint64_t code = wire::to_wire(m.code);
    w.number(1, code);
    if constexpr (W::kReads) m.code = known_code(code);
    w.text(2, m.message);
    w.optional_message(3, m.topology);
}
inline void zero(HelloReply& m) { m.protocol_version = 0; }
template <class W>
void fields(W& w, Of<W, HelloReply> m) {
    w.number(1, m.protocol_version);
    w.text(2, m.server_version);
    w.text(3, m.cluster_name);
    w.number(4, m.cluster);
    w.number(5, m.node);
    w.message(6, m.topology);
    w.enumerator(7, m.default_read_level, ReadLevel::kLinearizable);
    w.enumerator(8, m.default_write_level, WriteLevel::kAll);
}
template <class W>
void fields(W& w, Of<W, Value> m) {
    w.number(1, m.found);
    w.bytes(2, m.value);
    w.number(3, m.version);
}
template <class W>
void fields(W& w, Of<W, Values> m) {
    w.repeated(1, m.values, kUnbounded);
}
template <class W>
void fields(W& w, Of<W, Written> m) {
    w.number(1, m.existed);
    w.number(2, m.version);
}
template <class W>
void fields(W& w, Of<W, Compared> m) {
    w.number(1, m.done);
    w.number(2, m.found);
    w.bytes(3, m.value);
    w.number(4, m.version);
}
template <class W>
void fields(W& w, Of<W, Row> m) {
    w.bytes(1, m.key);
    w.bytes(2, m.value);
    w.number(3, m.version);
}
/// `next` and `more` of the proto are one optional here: an empty `next` alone says nothing.
template <class W>
void fields(W& w, Of<W, Page> m) {
    w.repeated(1, m.rows, kUnbounded);
    std::string next = m.next.value_or(std::string());
    bool more = m.next.has_value();
    w.bytes(2, next);
    w.number(3, more);
    if constexpr (W::kReads) {
        if (more || !next.empty()) m.next = std::move(next);
    }
}
template <class W>
void fields(W& w, Of<W, BatchReply> m) {
    w.number(1, m.done);
    w.number(2, m.failed_condition);
    w.message(3, m.found);
    w.repeated(4, m.results, kUnbounded);
}
template <class W>
void fields(W& w, Of<W, NodeStatus> m) {
    w.number(1, m.id);
    w.enumerator(2, m.role, Role::kWitness);
    w.enumerator(3, m.state, NodeState::kQuarantined);
    w.text(4, m.why);
    w.text(5, m.client);
    w.text(6, m.peer);
    w.text(7, m.http);
    w.text(8, m.sentinel);
    w.number(9, m.incarnation);
    auto rank_epoch = m.rank ? std::optional(m.rank->epoch) : std::nullopt;
    auto rank_lsn = m.rank ? std::optional(m.rank->lsn) : std::nullopt;
    w.optional_number(10, rank_epoch);
    w.optional_number(11, rank_lsn);
    if constexpr (W::kReads) {
        if (rank_epoch || rank_lsn) m.rank = {rank_epoch.value_or(Epoch{}), rank_lsn.value_or(Lsn{})};
    }
    w.optional_number(12, m.commit);
    w.optional_number(13, m.applied);
    w.optional_number(14, m.lag_ms);
    w.optional_number(15, m.lag_entries);
}
template <class W>
void fields(W& w, Of<W, StatusReply> m) {
    w.text(1, m.cluster_name);
    w.number(2, m.cluster);
    w.number(3, m.epoch);
    w.number(4, m.master);
    w.repeated(5, m.nodes, kUnbounded);
    w.number(6, m.answered_by);
}
template <class W>
void fields(W& w, Of<W, SessionReply> m) {
    w.number(1, m.session);
}
template <class W>
void fields(W& w, Of<W, SwitchoverReply> m) {
    w.number(1, m.master);
}

template <class W>
void fields(W& w, Of<W, Reply> m) {
    w.number(1, m.id);
    w.number(2, m.epoch);
    w.number(3, m.at.lsn);
    w.number(4, m.at.epoch);
    w.enumerator(5, m.level_reached, WriteLevel::kAll);
    w.number(6, m.replayed);
    w.template alternative<ErrorReply>(16, m.body);
    w.template alternative<HelloReply>(17, m.body);
    w.template alternative<Value>(18, m.body);
    w.template alternative<Written>(19, m.body);
    w.template alternative<Compared>(20, m.body);
    w.template alternative<Page>(21, m.body);
    w.template alternative<BatchReply>(22, m.body);
    w.template alternative<StatusReply>(23, m.body);
    w.template alternative<SessionReply>(24, m.body);
    w.template alternative<Values>(25, m.body);
    w.template alternative<SwitchoverReply>(27, m.body);
}

}  // namespace tanist::protocol::native

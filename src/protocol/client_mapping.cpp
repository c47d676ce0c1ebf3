// SPDX-License-Identifier: Apache-2.0
#include "protocol/client_mapping.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/ensure.h"

namespace tanist::protocol::native {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

// -- writes --------------------------------------------------------------------------------------------------------------------

commands::Condition to_condition(std::string key, Expected expected) {
    return std::visit(
        Overloaded{[&](Absent) -> commands::Condition { return commands::KeyAbsent{std::move(key)}; },
                   [&](ValueIs& is) -> commands::Condition { return commands::ValueEquals{std::move(key), std::move(is.value)}; },
                   [&](VersionIs is) -> commands::Condition { return commands::VersionEquals{std::move(key), is.version}; }},
        expected);
}
commands::Condition to_condition(Condition condition) {
    std::string& key = condition.key;
    return std::visit(
        Overloaded{[&](Exists) -> commands::Condition { return commands::KeyExists{std::move(key)}; },
                   [&](Absent) -> commands::Condition { return commands::KeyAbsent{std::move(key)}; },
                   [&](ValueIs& is) -> commands::Condition { return commands::ValueEquals{std::move(key), std::move(is.value)}; },
                   [&](VersionIs is) -> commands::Condition { return commands::VersionEquals{std::move(key), is.version}; }},
        condition.test);
}
commands::Command to_command(Command command) {
    return std::visit(
        Overloaded{[](Put& put) -> commands::Command { return commands::Put{std::move(put.key), std::move(put.value)}; },
                   [](Delete& del) -> commands::Command { return commands::Delete{std::move(del.key)}; },
                   [](Increment& increment) -> commands::Command { return commands::Increment{std::move(increment.key), increment.by}; },
                   [](Get& get) -> commands::Command { return commands::Get{std::move(get.key)}; }},
        command);
}

/// Fills in conditions and commands of the request that a write is logged as; session control is not logged as one.
struct FillRequest {
    commands::Request& to;

    void operator()(Put& put) const { to.commands.push_back(commands::Put{std::move(put.key), std::move(put.value)}); }
    void operator()(Delete& del) const { to.commands.push_back(commands::Delete{std::move(del.key)}); }
    void operator()(Increment& increment) const { to.commands.push_back(commands::Increment{std::move(increment.key), increment.by}); }
    void operator()(CompareAndSet& set) const {
        to.conditions.push_back(to_condition(set.key, std::move(set.expected)));
        to.commands.push_back(commands::Put{std::move(set.key), std::move(set.value)});
    }
    void operator()(CompareAndDelete& del) const {
        to.conditions.push_back(to_condition(del.key, std::move(del.expected)));
        to.commands.push_back(commands::Delete{std::move(del.key)});
    }
    void operator()(Batch& batch) const {
        to.conditions.reserve(batch.conditions.size());
        for (Condition& condition : batch.conditions) to.conditions.push_back(to_condition(std::move(condition)));
        to.commands.reserve(batch.commands.size());
        for (Command& command : batch.commands) to.commands.push_back(to_command(std::move(command)));
    }
    void operator()(auto&) const {}
};

Value to_value(commands::CommandResult result) {
    const bool found = result.found || result.value.has_value();
    return {found, std::move(result.value).value_or(std::string()), result.version};
}

ReplyBody done_body(WriteKind kind, SessionId session, commands::Outcome& outcome) {
    auto& results = outcome.results;
    // The content of an entry never ends the process (S12), and this outcome may be of another request than this one.
    const auto mismatch = [] {
        return ErrorReply{Code::kInvalidRequest, "this sequence number was used for another request, which has been executed", {}};
    };
    const bool is_session = kind == WriteKind::kRegisterSession || kind == WriteKind::kKeepSession || kind == WriteKind::kCloseSession;
    if (!is_session && kind != WriteKind::kBatch && results.size() != 1) return mismatch();
    switch (kind) {
        case WriteKind::kPut:
        case WriteKind::kDelete: return Written{results[0].found, results[0].version};
        case WriteKind::kIncrement:
            if (!results[0].value) return mismatch();
            return to_value(std::move(results[0]));
        case WriteKind::kCompareAndSet:
        case WriteKind::kCompareAndDelete: return Compared{.done = true, .version = results[0].version};
        case WriteKind::kBatch: {
            BatchReply reply{.done = true};
            reply.results.reserve(results.size());
            for (auto& result : results) reply.results.push_back(to_value(std::move(result)));
            return reply;
        }
        case WriteKind::kRegisterSession: return SessionReply{{outcome.version.value}};
        case WriteKind::kKeepSession:
        case WriteKind::kCloseSession: return SessionReply{session};
    }
    return mismatch();
}

ReplyBody condition_failed_body(WriteKind kind, commands::Outcome& outcome) {
    const bool found = outcome.value.has_value();
    std::string value = std::move(outcome.value).value_or(std::string());
    if (kind == WriteKind::kBatch) {
        return BatchReply{.failed_condition = outcome.failed_condition, .found = {found, std::move(value), outcome.version}};
    }
    if (kind == WriteKind::kCompareAndSet || kind == WriteKind::kCompareAndDelete) {
        return Compared{.found = found, .value = std::move(value), .version = outcome.version};
    }
    return ErrorReply{Code::kInvalidRequest, "this sequence number was used for another request, which was refused by a condition", {}};
}

// -- views ---------------------------------------------------------------------------------------------------------------------

bool is_master(const core::View& view, MemberId id) { return view.master == id || (view.role == core::Role::kMaster && view.self == id); }

Role role_of(const core::View& view, const Member& member) {
    if (is_master(view, member.id)) return Role::kMaster;
    switch (member.seat) {
        case Seat::kVoter: return Role::kSlave;
        case Seat::kWitness: return Role::kWitness;
        case Seat::kSpare: return Role::kSpare;
    }
    return Role::kUnknown;
}

NodeState state_of(core::Health health) {
    switch (health) {
        case core::Health::kForming: return NodeState::kUnknown;
        case core::Health::kUp: return NodeState::kUp;
        case core::Health::kCatchingUp: return NodeState::kCatchingUp;
        case core::Health::kCopying: return NodeState::kCopying;
        case core::Health::kInDoubt: return NodeState::kInDoubt;
        case core::Health::kQuarantined: return NodeState::kQuarantined;
    }
    return NodeState::kUnknown;
}

const core::PeerView* find_peer(const core::View& view, MemberId id) {
    const auto at = std::ranges::find(view.peers, id, &core::PeerView::id);
    return at == view.peers.end() ? nullptr : &*at;
}

NodeState state_of(const core::View& view, MemberId id) {
    if (id == view.self) return state_of(view.health);
    const core::PeerView* peer = find_peer(view, id);
    if (peer == nullptr) return NodeState::kUnknown;
    const bool is_out = !peer->refusal.empty();  // what answers in its place is no member
    if (!peer->connected || is_out) return NodeState::kDown;
    if (peer->health) return state_of(*peer->health);
    const bool is_silent = view.role == core::Role::kMaster && view.open;  // an open master knows of all that it hears
    if (is_silent) return NodeState::kDown;
    return is_master(view, id) ? NodeState::kUp : NodeState::kUnknown;  // a master that is heard
}

NodeId master_of(const core::View& view) {
    if (view.role == core::Role::kMaster) return view.self.node;
    return view.master ? view.master->node : NodeId{};
}

std::uint64_t entries_between(Lsn from, Lsn to) { return to > from ? to.value - from.value : 0; }

void fill_self(NodeStatus& to, const core::View& view) {
    to.why = view.why;
    to.rank = Rank{view.last.epoch, std::min(view.last.lsn, view.durable)};
    to.commit = view.commit;
    to.applied = view.applied;
    const bool leads = view.role == core::Role::kMaster;
    if (!leads && !view.master) return;  // behind whom?
    to.lag_entries = entries_between(view.applied, leads ? view.commit : view.master_commit);
    if (leads) {
        to.lag_ms = 0;
    } else if (to.lag_entries == 0) {
        to.lag_ms = view.silence_ms;  // as new as the master's last word; a lag in entries has no known age
    }
}

void fill_peer(NodeStatus& to, const core::View& view, const core::PeerView& peer) {
    to.why = peer.refusal;
    if (peer.health == core::Health::kInDoubt) to.why = "no mark of its log can be read: it counts for nothing until another epoch begins";
    to.rank = peer.rank;
    to.commit = peer.commit;
    to.applied = peer.applied;
    if (!peer.applied || view.role != core::Role::kMaster) return;
    to.lag_entries = entries_between(*peer.applied, view.commit);
    if (to.lag_entries == 0) to.lag_ms = peer.silence_ms;
}

}  // namespace

std::optional<WriteKind> write_kind(const RequestBody& body) {
    return std::visit(Overloaded{[](const Put&) { return std::optional(WriteKind::kPut); },
                                 [](const Delete&) { return std::optional(WriteKind::kDelete); },
                                 [](const CompareAndSet&) { return std::optional(WriteKind::kCompareAndSet); },
                                 [](const CompareAndDelete&) { return std::optional(WriteKind::kCompareAndDelete); },
                                 [](const Increment&) { return std::optional(WriteKind::kIncrement); },
                                 [](const Batch&) { return std::optional(WriteKind::kBatch); },
                                 [](const RegisterSession&) { return std::optional(WriteKind::kRegisterSession); },
                                 [](const KeepSession&) { return std::optional(WriteKind::kKeepSession); },
                                 [](const CloseSession&) { return std::optional(WriteKind::kCloseSession); },
                                 [](const auto&) { return std::optional<WriteKind>(); }},
                      body);
}

commands::Logged to_logged(Request request) {
    ENSURE(write_kind(request.body).has_value());
    if (const auto* session = std::get_if<RegisterSession>(&request.body)) return commands::RegisterSession{session->lifetime_ms};
    if (std::holds_alternative<KeepSession>(request.body)) return commands::KeepSession{request.session, request.lowest_unanswered};
    if (std::holds_alternative<CloseSession>(request.body)) return commands::CloseSession{request.session};
    commands::Request to{.session = request.session, .sequence = request.sequence, .lowest_unanswered = request.lowest_unanswered};
    std::visit(FillRequest{to}, request.body);
    return to;
}

Reply to_reply(WriteKind kind, SessionId session, commands::Outcome outcome) {
    using commands::OutcomeCode;
    Reply reply{.replayed = outcome.replayed};
    const auto error = [&](Code code, std::string message) { reply.body = ErrorReply{code, std::move(message), {}}; };
    switch (outcome.code) {
        case OutcomeCode::kDone:
            reply.at.lsn = outcome.version;
            reply.body = done_body(kind, session, outcome);
            break;
        case OutcomeCode::kConditionFailed: reply.body = condition_failed_body(kind, outcome); break;
        case OutcomeCode::kNotAnInteger: error(Code::kNotAnInteger, "the value is no decimal signed 64-bit integer"); break;
        case OutcomeCode::kOverflow: error(Code::kOverflow, "the sum would leave the signed 64 bits"); break;
        case OutcomeCode::kTooLarge: error(Code::kTooLarge, "a value would pass its limit"); break;
        case OutcomeCode::kSessionExpired:
            error(Code::kSessionExpired,
                  fmt::format("session {} is unknown or has expired; whether an earlier sending was executed is not known", session.value));
            break;
        case OutcomeCode::kAnswerForgotten:
            reply.at.lsn = outcome.version;
            error(Code::kAnswerForgotten, "this sequence number has been executed; its reply is no longer kept");
            break;
        case OutcomeCode::kTooMany:
            error(Code::kTryAgain,
                  "beyond the session's window, too many sessions, or one key changed too often at once; the same can be sent again");
            break;
        case OutcomeCode::kMalformed:
            error(Code::kInvalidRequest, "the entry that holds this request cannot be decoded: nothing was changed");
            break;
    }
    return reply;
}

commands::KeyRange to_range(const Scan& scan) {
    commands::KeyRange range{.begin = std::max(scan.begin, scan.prefix), .end = scan.end};
    range.rows_max = scan.limit == 0 ? kScanRowsDefault : std::min(scan.limit, kScanRowsMax);
    // The first key behind all with the prefix: its last byte that can be counted up, counted up. A prefix of 0xff alone has none.
    std::string behind = scan.prefix;
    while (!behind.empty() && static_cast<unsigned char>(behind.back()) == 0xff) behind.pop_back();
    if (!behind.empty()) {
        behind.back() = static_cast<char>(static_cast<unsigned char>(behind.back()) + 1);
        if (range.end.empty() || behind < range.end) range.end = std::move(behind);
    }
    return range;
}

Value to_value(std::optional<commands::StoredValue> stored) {
    if (!stored) return {};
    return {true, std::move(stored->value), stored->version};
}

Page to_page(commands::Page page, bool keys_only) {
    Page to{.next = std::move(page.next)};
    to.rows.reserve(page.rows.size());
    for (commands::KeyValue& row : page.rows) {
        to.rows.push_back({std::move(row.key), keys_only ? std::string() : std::move(row.value), row.version});
    }
    return to;
}

Topology to_topology(const core::View& view) {
    Topology to{view.epoch, master_of(view), {}};
    to.nodes.reserve(view.membership.members.size());
    for (const Member& member : view.membership.members) {
        to.nodes.push_back({member.id.node, role_of(view, member), state_of(view, member.id), member.addresses.client});
    }
    return to;
}

StatusReply to_status(const core::View& view) {
    StatusReply to{.cluster_name = view.membership.cluster_name,
                   .cluster = view.cluster,
                   .epoch = view.epoch,
                   .master = master_of(view),
                   .answered_by = view.self.node};
    for (const Member& member : view.membership.members) {
        NodeStatus node{.id = member.id.node,
                        .role = role_of(view, member),
                        .state = state_of(view, member.id),
                        .client = member.addresses.client,
                        .peer = member.addresses.peer,
                        .http = member.addresses.http,
                        .sentinel = member.addresses.sentinel,
                        .incarnation = member.id.incarnation};
        if (member.id == view.self) {
            fill_self(node, view);
        } else if (const core::PeerView* peer = find_peer(view, member.id)) {
            fill_peer(node, view, *peer);
        }
        to.nodes.push_back(std::move(node));
    }
    return to;
}

ErrorReply to_error(ErrorCode code, std::string message, const core::View& view) {
    const bool leads = view.role == core::Role::kMaster;
    const auto elsewhere = [&](Code here) { return leads ? Code::kTryAgain : view.master ? here : Code::kNoQuorum; };
    Code to = Code::kTryAgain;
    switch (code) {
        case ErrorCode::kInvalidArgument:
        case ErrorCode::kNotFound:
        case ErrorCode::kConflict: to = Code::kInvalidRequest; break;
        case ErrorCode::kUnavailable:
        case ErrorCode::kNotMaster: to = elsewhere(Code::kNotMaster); break;
        case ErrorCode::kOverloaded:
        case ErrorCode::kLocked:
        case ErrorCode::kRefused: to = Code::kTryAgain; break;
        case ErrorCode::kTimeout: to = Code::kReadTimeout; break;
        case ErrorCode::kOutcomeUnknown: to = Code::kOutcomeUnknown; break;
        case ErrorCode::kSessionExpired: to = Code::kSessionExpired; break;
        case ErrorCode::kStaleToken: to = Code::kStaleToken; break;
        case ErrorCode::kRecycled: to = Code::kTooStale; break;
        case ErrorCode::kCorrupt:
        case ErrorCode::kIo: to = Code::kStorageFault; break;
    }
    ErrorReply reply{to, std::move(message), {}};
    if (to == Code::kNotMaster || to == Code::kNoQuorum || to == Code::kTooStale) reply.topology = to_topology(view);
    return reply;
}

std::optional<ErrorReply> check(const Hello& hello, std::string_view cluster_name) {
    if (hello.protocol_version != kProtocolVersion) {
        return ErrorReply{
            Code::kUnsupportedVersion,
            fmt::format("version {} of the client protocol: this node speaks version {}", hello.protocol_version, kProtocolVersion),
            {}};
    }
    if (!hello.cluster_name.empty() && hello.cluster_name != cluster_name) {
        return ErrorReply{
            Code::kWrongCluster, fmt::format("this node is of the cluster '{}', not '{}'", cluster_name, hello.cluster_name), {}};
    }
    return std::nullopt;
}

}  // namespace tanist::protocol::native

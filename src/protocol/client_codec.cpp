// SPDX-License-Identifier: Apache-2.0
#include "protocol/client_codec.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/ensure.h"
#include "client.pb.h"
#include "protocol/scratch_arena.h"

namespace tanist::protocol::native {
namespace {

namespace pb = tanist::v1;

/// Protobuf tells standard error what it dislikes in a client's bytes; our callers are told, and nobody else. Set before main().
[[maybe_unused]] google::protobuf::LogHandler* const kDefaultLogHandler = google::protobuf::SetLogHandler(nullptr);

// Enumerators are cast, here and there: they agree.
static_assert(static_cast<int>(ReadLevel::kLinearizable) == pb::READ_LEVEL_LINEARIZABLE &&
              pb::ReadLevel_MAX == pb::READ_LEVEL_LINEARIZABLE);
static_assert(static_cast<int>(WriteLevel::kAll) == pb::WRITE_LEVEL_ALL && pb::WriteLevel_MAX == pb::WRITE_LEVEL_ALL);
static_assert(static_cast<int>(Code::kReadTimeout) == pb::READ_TIMEOUT && static_cast<int>(Code::kTooStale) == pb::TOO_STALE);
static_assert(static_cast<int>(Code::kSessionExpired) == pb::SESSION_EXPIRED && static_cast<int>(Code::kStorageFault) == pb::STORAGE_FAULT);
static_assert(pb::ErrorCode_MAX == pb::STORAGE_FAULT);
static_assert(static_cast<int>(Role::kWitness) == pb::ROLE_WITNESS && pb::Role_MAX == pb::ROLE_WITNESS);
static_assert(static_cast<int>(NodeState::kQuarantined) == pb::NODE_STATE_QUARANTINED && pb::NodeState_MAX == pb::NODE_STATE_QUARANTINED);

/// Writes the length and the message behind what `out` holds.
template <class Message>
void append_frame(std::string& out, const Message& message, std::size_t message_bytes) {
    const std::size_t start = out.size();
    out.resize(start + kFrameHeadBytes + message_bytes);
    auto* const at = reinterpret_cast<std::byte*>(out.data()) + start;
    store_le(at, static_cast<std::uint32_t>(message_bytes));
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(at + kFrameHeadBytes));
}

/// Protobuf takes only UTF-8 for text: a byte that cannot be part of it becomes '?'. Of what is not text for sure, such as a
/// message of the system, or an address from a configuration.
std::string utf8(std::string text) {
    const auto continues = [&](std::size_t at) { return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
        std::size_t length = 0;
        if (c < 0x80) length = 1;
        if (c >= 0xc2 && c <= 0xdf) length = 2;
        if (c >= 0xe0 && c <= 0xef && !(c == 0xe0 && next < 0xa0) && !(c == 0xed && next > 0x9f))
            length = 3;  // no overlong form, no surrogate
        if (c >= 0xf0 && c <= 0xf4 && !(c == 0xf0 && next < 0x90) && !(c == 0xf4 && next > 0x8f)) length = 4;
        for (std::size_t k = 1; k < length; ++k) {
            if (!continues(i + k)) length = 0;
        }
        if (length == 0) text[i] = '?';
        i += std::max<std::size_t>(length, 1);
    }
    return text;
}

// -- requests, client side -----------------------------------------------------------------------------------------------------

template <class Message>
void put_expected(const Expected& from, Message* to) {
    if (const auto* value = std::get_if<ValueIs>(&from)) to->set_expected_value(value->value);
    if (const auto* version = std::get_if<VersionIs>(&from)) to->set_expected_version(version->version.value);
}
void put(const Put& from, pb::Put* to) {
    to->set_key(from.key);
    to->set_value(from.value);
}
void put(const Delete& from, pb::Delete* to) { to->set_key(from.key); }
void put(const Increment& from, pb::Increment* to) {
    to->set_key(from.key);
    to->set_by(from.by);
}
void put(const Get& from, pb::Get* to) { to->set_key(from.key); }

void put(const Hello& from, pb::Request& to) {
    to.mutable_hello()->set_protocol_version(from.protocol_version);
    to.mutable_hello()->set_client_name(utf8(from.client_name));
    to.mutable_hello()->set_cluster_name(utf8(from.cluster_name));
}
void put(const Get& from, pb::Request& to) { put(from, to.mutable_get()); }
void put(const GetMany& from, pb::Request& to) {
    auto* message = to.mutable_get_many();
    for (const std::string& key : from.keys) message->add_keys(key);
}
void put(const Put& from, pb::Request& to) { put(from, to.mutable_put()); }
void put(const Delete& from, pb::Request& to) { put(from, to.mutable_delete_()); }
void put(const Increment& from, pb::Request& to) { put(from, to.mutable_increment()); }
void put(const CompareAndSet& from, pb::Request& to) {
    auto* message = to.mutable_compare_and_set();
    message->set_key(from.key);
    put_expected(from.expected, message);
    message->set_value(from.value);
}
void put(const CompareAndDelete& from, pb::Request& to) {
    auto* message = to.mutable_compare_and_delete();
    message->set_key(from.key);
    put_expected(from.expected, message);
}
void put(const Scan& from, pb::Request& to) {
    auto* message = to.mutable_scan();
    message->set_begin(from.begin);
    message->set_end(from.end);
    message->set_prefix(from.prefix);
    message->set_limit(from.limit);
    message->set_keys_only(from.keys_only);
}
void put(const Condition& from, pb::Condition* to) {
    to->set_key(from.key);
    if (std::holds_alternative<Exists>(from.test)) to->set_exists(true);
    if (std::holds_alternative<Absent>(from.test)) to->set_exists(false);
    if (const auto* value = std::get_if<ValueIs>(&from.test)) to->set_value_equals(value->value);
    if (const auto* version = std::get_if<VersionIs>(&from.test)) to->set_version_equals(version->version.value);
}
struct PutCommand {
    pb::Command* to;
    void operator()(const Put& from) const { put(from, to->mutable_put()); }
    void operator()(const Delete& from) const { put(from, to->mutable_delete_()); }
    void operator()(const Increment& from) const { put(from, to->mutable_increment()); }
    void operator()(const Get& from) const { put(from, to->mutable_get()); }
};
void put(const Batch& from, pb::Request& to) {
    auto* message = to.mutable_batch();
    for (const Condition& condition : from.conditions) put(condition, message->add_conditions());
    for (const Command& command : from.commands) std::visit(PutCommand{message->add_commands()}, command);
}
void put(const StatusRequest&, pb::Request& to) { to.mutable_status(); }
void put(const RegisterSession& from, pb::Request& to) { to.mutable_register_session()->set_lifetime_ms(from.lifetime_ms); }
void put(const KeepSession&, pb::Request& to) { to.mutable_keep_session(); }
void put(const CloseSession&, pb::Request& to) { to.mutable_close_session(); }

// -- requests, node side: everything is checked ----------------------------------------------------------------------------------

/// Turns a request's body into ours, moving its strings, and keeps the first thing that is wrong.
class RequestReader {
public:
    explicit RequestReader(const RequestLimits& limits) : limits_(limits) {}

    template <class... Args>
    void refuse(Code code, fmt::format_string<Args...> format, Args&&... args) {
        if (!error_) error_ = ErrorReply{code, fmt::format(format, std::forward<Args>(args)...), {}};
    }
    [[nodiscard]] std::optional<ErrorReply>& error() { return error_; }

    std::string key(std::string* from) {
        if (from->size() > limits_.key_bytes_max)
            refuse(Code::kTooLarge, "a key of {} bytes: at most {} are allowed", from->size(), limits_.key_bytes_max);
        return std::move(*from);
    }
    std::string value(std::string* from) {
        if (from->size() > limits_.value_bytes_max)
            refuse(Code::kTooLarge, "a value of {} bytes: at most {} are allowed", from->size(), limits_.value_bytes_max);
        return std::move(*from);
    }
    /// An end of a range; one byte more than any key, so that "right behind this key" can be said.
    std::string bound(std::string* from) {
        if (from->size() > limits::kKeyBytesMax + 1)
            refuse(Code::kTooLarge, "a bound of {} bytes: at most {} are allowed", from->size(), limits::kKeyBytesMax + 1);
        return std::move(*from);
    }
    template <class Message>
    Expected expected(Message* from) {
        switch (from->expected_case()) {
            case Message::kExpectedValue: return ValueIs{value(from->mutable_expected_value())};
            case Message::kExpectedVersion: return VersionIs{{from->expected_version()}};
            case Message::EXPECTED_NOT_SET: break;
        }
        return Absent{};
    }

    Hello take(pb::Hello* from) {
        if (from->client_name().size() > kClientNameBytesMax) {
            refuse(Code::kTooLarge, "a client name of {} bytes: at most {} are allowed", from->client_name().size(), kClientNameBytesMax);
        }
        return {from->protocol_version(), std::move(*from->mutable_client_name()), std::move(*from->mutable_cluster_name())};
    }
    Get take(pb::Get* from) { return {key(from->mutable_key())}; }
    GetMany take(pb::GetMany* from) {
        if (static_cast<std::size_t>(from->keys_size()) > kKeysMax)
            refuse(Code::kTooLarge, "{} keys: at most {} are allowed", from->keys_size(), kKeysMax);
        GetMany to;
        to.keys.reserve(static_cast<std::size_t>(from->keys_size()));
        for (std::string& one : *from->mutable_keys()) to.keys.push_back(key(&one));
        return to;
    }
    Put take(pb::Put* from) { return {key(from->mutable_key()), value(from->mutable_value())}; }
    Delete take(pb::Delete* from) { return {key(from->mutable_key())}; }
    Increment take(pb::Increment* from) { return {key(from->mutable_key()), from->by()}; }
    CompareAndSet take(pb::CompareAndSet* from) { return {key(from->mutable_key()), expected(from), value(from->mutable_value())}; }
    CompareAndDelete take(pb::CompareAndDelete* from) {
        CompareAndDelete to{key(from->mutable_key()), expected(from)};
        if (std::holds_alternative<Absent>(to.expected))
            refuse(Code::kInvalidRequest, "CompareAndDelete without the value or version to compare with");
        return to;
    }
    Scan take(pb::Scan* from) {
        return {bound(from->mutable_begin()), bound(from->mutable_end()), bound(from->mutable_prefix()), from->limit(), from->keys_only()};
    }
    Condition take(pb::Condition* from) {
        Condition to{key(from->mutable_key()), {}};
        switch (from->test_case()) {
            case pb::Condition::kExists:
                if (!from->exists()) to.test = Absent{};
                break;
            case pb::Condition::kValueEquals: to.test = ValueIs{value(from->mutable_value_equals())}; break;
            case pb::Condition::kVersionEquals: to.test = VersionIs{{from->version_equals()}}; break;
            case pb::Condition::TEST_NOT_SET:
                refuse(Code::kUnsupportedRequest, "a condition of a kind that this node does not know");
                break;
        }
        return to;
    }
    Command take(pb::Command* from) {
        switch (from->body_case()) {
            case pb::Command::kPut: return take(from->mutable_put());
            case pb::Command::kDelete: return take(from->mutable_delete_());
            case pb::Command::kIncrement: return take(from->mutable_increment());
            case pb::Command::kGet: return take(from->mutable_get());
            case pb::Command::BODY_NOT_SET: break;
        }
        refuse(Code::kUnsupportedRequest, "a command of a kind that this node does not know");
        return Get{};
    }
    Batch take(pb::Batch* from) {
        Batch to;
        const auto items = static_cast<std::size_t>(from->conditions_size()) + static_cast<std::size_t>(from->commands_size());
        if (items > kBatchItemsMax) {
            refuse(Code::kTooLarge, "a batch of {} conditions and commands: at most {} are allowed", items, kBatchItemsMax);
            return to;
        }
        if (items == 0) refuse(Code::kInvalidRequest, "an empty batch");
        to.conditions.reserve(static_cast<std::size_t>(from->conditions_size()));
        for (pb::Condition& condition : *from->mutable_conditions()) to.conditions.push_back(take(&condition));
        to.commands.reserve(static_cast<std::size_t>(from->commands_size()));
        for (pb::Command& command : *from->mutable_commands()) to.commands.push_back(take(&command));
        return to;
    }

    RequestBody body(pb::Request& from) {
        switch (from.body_case()) {
            case pb::Request::kHello: return take(from.mutable_hello());
            case pb::Request::kGet: return take(from.mutable_get());
            case pb::Request::kPut: return take(from.mutable_put());
            case pb::Request::kDelete: return take(from.mutable_delete_());
            case pb::Request::kCompareAndSet: return take(from.mutable_compare_and_set());
            case pb::Request::kIncrement: return take(from.mutable_increment());
            case pb::Request::kScan: return take(from.mutable_scan());
            case pb::Request::kBatch: return take(from.mutable_batch());
            case pb::Request::kStatus: return StatusRequest{};
            case pb::Request::kRegisterSession: return RegisterSession{from.register_session().lifetime_ms()};
            case pb::Request::kKeepSession: return KeepSession{};
            case pb::Request::kCloseSession: return CloseSession{};
            case pb::Request::kGetMany: return take(from.mutable_get_many());
            case pb::Request::kCompareAndDelete: return take(from.mutable_compare_and_delete());
            case pb::Request::BODY_NOT_SET: break;
        }
        refuse(Code::kUnsupportedRequest, "a request of a kind that this node does not know");
        return StatusRequest{};
    }

    void check(const Request& request) {
        if (request.id == 0) refuse(Code::kInvalidRequest, "a request without an id");
        const bool about_session = std::holds_alternative<KeepSession>(request.body) || std::holds_alternative<CloseSession>(request.body);
        if (about_session && request.session.is_zero()) refuse(Code::kInvalidRequest, "which session is meant? Request.session is missing");
        if (request.session.is_zero() && request.sequence != 0) refuse(Code::kInvalidRequest, "a sequence number without a session");
        if (!about_session && request.lowest_unanswered > request.sequence) {
            refuse(Code::kInvalidRequest, "lowest_unanswered {} is above sequence {}", request.lowest_unanswered, request.sequence);
        }
    }

private:
    const RequestLimits& limits_;
    std::optional<ErrorReply> error_;
};

/// A few bytes of Protobuf can stand for an object of fifty: a request that is large enough for that to matter is counted before
/// it is parsed. Fields of the request, and of its Batch or GetMany.
struct FieldCount {
    static constexpr std::size_t kMax = kBatchItemsMax + 100;
    std::size_t fields = 0;
    std::uint64_t id = 0;  ///< of the request

    void add(std::string_view message, bool outermost) {
        ByteReader reader(message);
        while (!reader.at_end() && fields <= kMax) {
            ++fields;
            const std::uint64_t tag = reader.varint();
            const std::uint64_t number = tag >> 3;
            const std::uint64_t type = tag & 7;
            if (type == 2) {
                const auto nested = reader.string();
                if (outermost && (number == pb::Request::kBatchFieldNumber || number == pb::Request::kGetManyFieldNumber))
                    add(nested, false);
            } else if (type == 0) {
                const auto value = reader.varint();
                if (outermost && number == pb::Request::kIdFieldNumber) id = value;
            } else if (type == 1) {
                reader.u64();
            } else if (type == 5) {
                reader.u32();
            } else {
                return;  // the parser will refuse it
            }
        }
    }
};
constexpr std::size_t kUncountedBytesMax = 256 * limits::kKiB;

Reply refusal(std::uint64_t id, Code code, std::string message) { return {.id = id, .body = ErrorReply{code, std::move(message), {}}}; }

// -- replies, node side ----------------------------------------------------------------------------------------------------------

void put(Topology from, pb::Topology* to) {
    to->set_epoch(from.epoch.value);
    to->set_master(static_cast<std::uint32_t>(from.master.value));
    for (TopologyNode& node : from.nodes) {
        auto* added = to->add_nodes();
        added->set_id(static_cast<std::uint32_t>(node.id.value));
        added->set_role(static_cast<pb::Role>(node.role));
        added->set_state(static_cast<pb::NodeState>(node.state));
        added->set_client(utf8(std::move(node.client)));
    }
}
void put(Value from, pb::Value* to) {
    to->set_found(from.found);
    if (!from.value.empty()) to->set_value(std::move(from.value));
    to->set_version(from.version.value);
}
void put(ErrorReply from, pb::Reply& to) {
    auto* message = to.mutable_error();
    message->set_code(static_cast<pb::ErrorCode>(from.code));
    message->set_message(utf8(std::move(from.message)));
    if (from.topology) put(*std::move(from.topology), message->mutable_topology());
}
void put(HelloReply from, pb::Reply& to) {
    auto* message = to.mutable_hello();
    message->set_protocol_version(from.protocol_version);
    message->set_server_version(utf8(std::move(from.server_version)));
    message->set_cluster_name(utf8(std::move(from.cluster_name)));
    message->set_cluster_id(from.cluster.value);
    message->set_node(static_cast<std::uint32_t>(from.node.value));
    put(std::move(from.topology), message->mutable_topology());
    message->set_default_read_level(static_cast<pb::ReadLevel>(from.default_read_level));
    message->set_default_write_level(static_cast<pb::WriteLevel>(from.default_write_level));
}
void put(Value from, pb::Reply& to) { put(std::move(from), to.mutable_value()); }
void put(Values from, pb::Reply& to) {
    auto* message = to.mutable_values();
    for (Value& value : from.values) put(std::move(value), message->add_values());
}
void put(Written from, pb::Reply& to) {
    to.mutable_written()->set_existed(from.existed);
    to.mutable_written()->set_version(from.version.value);
}
void put(Compared from, pb::Reply& to) {
    auto* message = to.mutable_compared();
    message->set_done(from.done);
    message->set_found(from.found);
    message->set_value(std::move(from.value));
    message->set_version(from.version.value);
}
void put(Page from, pb::Reply& to) {
    auto* message = to.mutable_page();
    for (Row& row : from.rows) {
        auto* added = message->add_rows();
        added->set_key(std::move(row.key));
        added->set_value(std::move(row.value));
        added->set_version(row.version.value);
    }
    message->set_more(from.next.has_value());
    if (from.next) message->set_next(*std::move(from.next));
}
void put(BatchReply from, pb::Reply& to) {
    auto* message = to.mutable_batch();
    message->set_done(from.done);
    message->set_failed_condition(from.failed_condition);
    if (from.found != Value{}) put(std::move(from.found), message->mutable_found());
    for (Value& value : from.results) put(std::move(value), message->add_results());
}
void put(StatusReply from, pb::Reply& to) {
    auto* message = to.mutable_status();
    message->set_cluster(utf8(std::move(from.cluster_name)));
    message->set_cluster_id(from.cluster.value);
    message->set_epoch(from.epoch.value);
    message->set_master(static_cast<std::uint32_t>(from.master.value));
    message->set_answered_by(static_cast<std::uint32_t>(from.answered_by.value));
    for (NodeStatus& node : from.nodes) {
        auto* added = message->add_nodes();
        added->set_id(static_cast<std::uint32_t>(node.id.value));
        added->set_role(static_cast<pb::Role>(node.role));
        added->set_state(static_cast<pb::NodeState>(node.state));
        added->set_why(utf8(std::move(node.why)));
        added->set_client(utf8(std::move(node.client)));
        added->set_peer(utf8(std::move(node.peer)));
        added->set_http(utf8(std::move(node.http)));
        added->set_sentinel(utf8(std::move(node.sentinel)));
        added->set_incarnation(node.incarnation.value);
        if (node.rank) added->set_rank_epoch(node.rank->epoch.value);
        if (node.rank) added->set_rank_lsn(node.rank->lsn.value);
        if (node.commit) added->set_commit_lsn(node.commit->value);
        if (node.applied) added->set_applied_lsn(node.applied->value);
        if (node.lag_ms) added->set_lag_ms(*node.lag_ms);
        if (node.lag_entries) added->set_lag_entries(*node.lag_entries);
    }
}
void put(SessionReply from, pb::Reply& to) { to.mutable_session()->set_session(from.session.value); }

// -- replies, client side --------------------------------------------------------------------------------------------------------

/// What a newer node may say and this client does not know is "unknown".
template <class Enum>
Enum known_or(Enum fallback, int from, Enum last) {
    return from >= 0 && from <= static_cast<int>(last) ? static_cast<Enum>(from) : fallback;
}
Code known_code(int from) {
    if (pb::ErrorCode_IsValid(from) && from != pb::ERROR_CODE_UNSPECIFIED) return static_cast<Code>(from);
    return from > 100 ? Code::kOutcomeUnknown : Code::kUnsupportedRequest;
}

Topology take(pb::Topology* from) {
    Topology to{{from->epoch()}, {from->master()}, {}};
    for (pb::TopologyNode& node : *from->mutable_nodes()) {
        to.nodes.push_back({{node.id()},
                            known_or(Role::kUnknown, node.role(), Role::kWitness),
                            known_or(NodeState::kUnknown, node.state(), NodeState::kQuarantined),
                            std::move(*node.mutable_client())});
    }
    return to;
}
Value take(pb::Value* from) { return {from->found(), std::move(*from->mutable_value()), {from->version()}}; }
ErrorReply take(pb::Error* from) {
    ErrorReply to{known_code(from->code()), std::move(*from->mutable_message()), {}};
    if (from->has_topology()) to.topology = take(from->mutable_topology());
    return to;
}
HelloReply take(pb::HelloReply* from) {
    return {.protocol_version = from->protocol_version(),
            .server_version = std::move(*from->mutable_server_version()),
            .cluster_name = std::move(*from->mutable_cluster_name()),
            .cluster = {from->cluster_id()},
            .node = {from->node()},
            .topology = take(from->mutable_topology()),
            .default_read_level = known_or(ReadLevel::kDefault, from->default_read_level(), ReadLevel::kLinearizable),
            .default_write_level = known_or(WriteLevel::kDefault, from->default_write_level(), WriteLevel::kAll)};
}
Page take(pb::Page* from) {
    Page to;
    for (pb::Row& row : *from->mutable_rows())
        to.rows.push_back({std::move(*row.mutable_key()), std::move(*row.mutable_value()), {row.version()}});
    if (from->more()) to.next = std::move(*from->mutable_next());
    return to;
}
BatchReply take(pb::BatchReply* from) {
    BatchReply to{from->done(), from->failed_condition(), {}, {}};
    if (from->has_found()) to.found = take(from->mutable_found());
    for (pb::Value& value : *from->mutable_results()) to.results.push_back(take(&value));
    return to;
}
NodeStatus take(pb::NodeStatus* from) {
    NodeStatus to{.id = {from->id()},
                  .role = known_or(Role::kUnknown, from->role(), Role::kWitness),
                  .state = known_or(NodeState::kUnknown, from->state(), NodeState::kQuarantined),
                  .why = std::move(*from->mutable_why()),
                  .client = std::move(*from->mutable_client()),
                  .peer = std::move(*from->mutable_peer()),
                  .http = std::move(*from->mutable_http()),
                  .sentinel = std::move(*from->mutable_sentinel()),
                  .incarnation = {from->incarnation()}};
    if (from->has_rank_epoch() && from->has_rank_lsn()) to.rank = {{from->rank_epoch()}, {from->rank_lsn()}};
    if (from->has_commit_lsn()) to.commit = {from->commit_lsn()};
    if (from->has_applied_lsn()) to.applied = {from->applied_lsn()};
    if (from->has_lag_ms()) to.lag_ms = from->lag_ms();
    if (from->has_lag_entries()) to.lag_entries = from->lag_entries();
    return to;
}
StatusReply take(pb::StatusReply* from) {
    StatusReply to{.cluster_name = std::move(*from->mutable_cluster()),
                   .cluster = {from->cluster_id()},
                   .epoch = {from->epoch()},
                   .master = {from->master()},
                   .answered_by = {from->answered_by()}};
    for (pb::NodeStatus& node : *from->mutable_nodes()) to.nodes.push_back(take(&node));
    return to;
}
std::optional<ReplyBody> take_body(pb::Reply& from) {
    switch (from.body_case()) {
        case pb::Reply::kError: return take(from.mutable_error());
        case pb::Reply::kHello: return take(from.mutable_hello());
        case pb::Reply::kValue: return take(from.mutable_value());
        case pb::Reply::kWritten: return Written{from.written().existed(), {from.written().version()}};
        case pb::Reply::kCompared: {
            auto* compared = from.mutable_compared();
            return Compared{compared->done(), compared->found(), std::move(*compared->mutable_value()), {compared->version()}};
        }
        case pb::Reply::kPage: return take(from.mutable_page());
        case pb::Reply::kBatch: return take(from.mutable_batch());
        case pb::Reply::kStatus: return take(from.mutable_status());
        case pb::Reply::kSession: return SessionReply{{from.session().session()}};
        case pb::Reply::kValues: {
            Values to;
            for (pb::Value& value : *from.mutable_values()->mutable_values()) to.values.push_back(take(&value));
            return to;
        }
        case pb::Reply::BODY_NOT_SET: break;
    }
    return std::nullopt;
}

void put_header(const Reply& from, pb::Reply& to) {
    to.set_id(from.id);
    to.set_epoch(from.epoch.value);
    to.set_lsn(from.at.lsn.value);
    to.set_lsn_epoch(from.at.epoch.value);
    to.set_level_reached(static_cast<pb::WriteLevel>(from.level_reached));
    to.set_replayed(from.replayed);
}

}  // namespace

tl::expected<Request, Reply> decode_request(Bytes frame, const RequestLimits& limits) {
    const auto refuse = [](std::uint64_t id, Code code, std::string message) {
        return tl::unexpected(refusal(id, code, std::move(message)));
    };
    if (frame.size() > kUncountedBytesMax) {
        FieldCount count;
        count.add(as_text(frame), true);
        if (count.fields > FieldCount::kMax)
            return refuse(count.id, Code::kTooLarge, fmt::format("a request of more than {} parts", kBatchItemsMax));
    }
    ScratchArena<pb::Request> scratch;
    pb::Request& from = scratch.message();
    if (!from.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
        return refuse(0, Code::kInvalidRequest, fmt::format("a frame of {} bytes that is no Request of proto/client.proto", frame.size()));
    }
    if (frame.size() > limits.request_bytes_max) {
        return refuse(from.id(), Code::kTooLarge,
                      fmt::format("a request of {} bytes: at most {} are allowed", frame.size(), limits.request_bytes_max));
    }
    if (!pb::ReadLevel_IsValid(from.read_level()))
        return refuse(from.id(), Code::kInvalidRequest, fmt::format("unknown read level {}", static_cast<int>(from.read_level())));
    if (!pb::WriteLevel_IsValid(from.write_level()))
        return refuse(from.id(), Code::kInvalidRequest, fmt::format("unknown write level {}", static_cast<int>(from.write_level())));
    RequestReader reader(limits);
    Request to{.id = from.id(),
               .read_level = static_cast<ReadLevel>(from.read_level()),
               .write_level = static_cast<WriteLevel>(from.write_level()),
               .deadline_ms = from.deadline_ms(),
               .max_lag_ms = from.max_lag_ms(),
               .session = {from.session()},
               .sequence = from.sequence(),
               .lowest_unanswered = from.lowest_unanswered(),
               .body = reader.body(from)};
    if (from.has_token()) to.token = {{from.token().epoch()}, {from.token().lsn()}};
    reader.check(to);
    if (reader.error()) return tl::unexpected(Reply{.id = to.id, .body = *std::move(reader.error())});
    return to;
}

void append_to(std::string& out, Reply reply) {
    ScratchArena<pb::Reply> scratch;
    pb::Reply& to = scratch.message();
    put_header(reply, to);
    std::visit([&](auto& body) { put(std::move(body), to); }, reply.body);
    std::size_t size = to.ByteSizeLong();
    if (size > limits::kFrameBytesMax) {
        // Whoever asked for too much gets nothing of it; but a batch has been executed by then.
        const bool executed = to.has_batch() && to.batch().done();
        put(ErrorReply{executed ? Code::kAnswerForgotten : Code::kTooLarge,
                       fmt::format("the reply has {} bytes: at most {} travel", size, limits::kFrameBytesMax),
                       {}},
            to);
        size = to.ByteSizeLong();
    }
    append_frame(out, to, size);
}

Status append_to(std::string& out, const Request& request) {
    ScratchArena<pb::Request> scratch;
    pb::Request& to = scratch.message();
    to.set_id(request.id);
    if (request.token) {
        to.mutable_token()->set_epoch(request.token->epoch.value);
        to.mutable_token()->set_lsn(request.token->lsn.value);
    }
    to.set_read_level(static_cast<pb::ReadLevel>(request.read_level));
    to.set_write_level(static_cast<pb::WriteLevel>(request.write_level));
    to.set_deadline_ms(request.deadline_ms);
    to.set_max_lag_ms(request.max_lag_ms);
    to.set_session(request.session.value);
    to.set_sequence(request.sequence);
    to.set_lowest_unanswered(request.lowest_unanswered);
    std::visit([&](const auto& body) { put(body, to); }, request.body);
    const std::size_t size = to.ByteSizeLong();
    if (size > limits::kRequestBytesMax) {
        return fail(ErrorCode::kInvalidArgument, "a request of {} bytes: at most {} are allowed", size, limits::kRequestBytesMax);
    }
    append_frame(out, to, size);
    return {};
}

Result<Reply> decode_reply(Bytes frame) {
    ScratchArena<pb::Reply> scratch;
    pb::Reply& from = scratch.message();
    if (!from.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
        return fail(ErrorCode::kCorrupt, "a frame of {} bytes that is no Reply of proto/client.proto", frame.size());
    }
    auto body = take_body(from);
    if (!body) return fail(ErrorCode::kCorrupt, "a reply of a kind that this version does not know, to request {}", from.id());
    return Reply{.id = from.id(),
                 .epoch = {from.epoch()},
                 .at = {{from.lsn_epoch()}, {from.lsn()}},
                 .level_reached = known_or(WriteLevel::kDefault, from.level_reached(), WriteLevel::kAll),
                 .replayed = from.replayed(),
                 .body = *std::move(body)};
}

}  // namespace tanist::protocol::native

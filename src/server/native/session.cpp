// SPDX-License-Identifier: Apache-2.0
#include "server/native/session.h"

#include <spdlog/spdlog.h>

#include <type_traits>
#include <utility>

#include "base/ensure.h"
#include "config/version.h"
#include "protocol/frame.h"
#include "server/clock.h"
#include "server/native/permissions.h"
#include "server/status.h"

namespace tanist::server {

using namespace protocol;  // the words of the wire: native::Request, Frame …

namespace {

constexpr std::size_t kGetsPerLook = 64;
constexpr std::size_t kLookBytesMax = limits::kMiB;

/// Why there was no switchover; see core::SwitchoverEnded.
FailureCode failure_code(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument: return FailureCode::kInvalidRequest;
        case ErrorCode::kNotMaster: return FailureCode::kNotMaster;
        case ErrorCode::kUnavailable: return FailureCode::kNoQuorum;
        case ErrorCode::kOverloaded: return FailureCode::kTryAgain;
        case ErrorCode::kRefused: return FailureCode::kNotPossible;
        default: return FailureCode::kOutcomeUnknown;
    }
}

struct KindOf {
    RequestKind operator()(const native::Get&) const { return RequestKind::kGet; }
    RequestKind operator()(const native::GetMany&) const { return RequestKind::kGet; }
    RequestKind operator()(const native::Scan&) const { return RequestKind::kScan; }
    RequestKind operator()(const native::Put&) const { return RequestKind::kPut; }
    RequestKind operator()(const native::Delete&) const { return RequestKind::kDelete; }
    RequestKind operator()(const native::CompareAndSet&) const { return RequestKind::kCompareAndSet; }
    RequestKind operator()(const native::CompareAndDelete&) const { return RequestKind::kCompareAndDelete; }
    RequestKind operator()(const native::Increment&) const { return RequestKind::kIncrement; }
    RequestKind operator()(const native::Batch&) const { return RequestKind::kBatch; }
    RequestKind operator()(const native::RegisterSession&) const { return RequestKind::kSession; }
    RequestKind operator()(const native::KeepSession&) const { return RequestKind::kSession; }
    RequestKind operator()(const native::CloseSession&) const { return RequestKind::kSession; }
    RequestKind operator()(const native::StatusRequest&) const { return RequestKind::kStatus; }
    RequestKind operator()(const native::Switchover&) const { return RequestKind::kSwitchover; }
    RequestKind operator()(const native::Hello&) const { return RequestKind::kOther; }
};

}  // namespace

// -- requests -----------------------------------------------------------------------------------------------------------------------

bool NativeSession::take_input(ReadBuffer& input) {
    if (!has_preamble_) {
        const Result<bool> taken = take_client_preamble(input);
        if (!taken) {
            reply_error(0, {FailureCode::kInvalidRequest, taken.error().message});
            return false;
        }
        if (!*taken) return true;
        has_preamble_ = true;
    }
    answer_gets();
    bool goes_on = true;
    if (left_ && !is_full()) goes_on = take_request(*std::exchange(left_, std::nullopt));
    while (goes_on && !is_full()) {
        const auto frame = next_frame(input, user_ ? limits::kFrameBytesMax : native::kFrameBeforeHelloBytesMax);
        if (!frame) {
            reply_error(0, {FailureCode::kTooLarge, frame.error().message});
            goes_on = false;
        } else if (!*frame) {
            break;
        } else {
            goes_on = take_request(native::decode_request((*frame)->bytes, services_.settings.limits));
        }
    }
    answer_gets();
    return goes_on;
}

bool NativeSession::take_request(Decoded request) {
    if (!request) {
        const bool is_last = request.error().id == 0;
        reply(std::move(request.error()));
        return !is_last;
    }
    services_.counters.count(std::visit(KindOf{}, request->body));
    if (const auto* hello = std::get_if<native::Hello>(&request->body)) return take_hello(*request, *hello);
    if (user_ == nullptr) {
        reply_error(request->id, {FailureCode::kInvalidRequest, "the first request on a connection must be Hello"});
        return false;
    }
    if (const auto denial = deny(*user_, request->body)) {
        note_denial(denial->reason(), denial->object, user_->name);
        reply_error(request->id, {FailureCode::kNotPermitted, denial->explanation()});
        return true;
    }
    if (std::holds_alternative<native::StatusRequest>(request->body)) {
        take_status(request->id);
    } else if (const auto* switchover = std::get_if<native::Switchover>(&request->body)) {
        take_switchover(request->id, switchover->target);
    } else if (const auto kind = native::write_kind(request->body)) {
        take_write(std::move(*request), *kind);
    } else {
        take_read(std::move(*request));
    }
    return true;
}

bool NativeSession::take_hello(const native::Request& request, const native::Hello& hello) {
    if (auto wrong = native::check(hello, services_.settings.cluster_name)) {
        reply({.id = request.id, .body = std::move(*wrong)});
        return false;
    }
    auto user = authenticate(hello);
    has_said_password_ = !hello.user.empty() || !hello.password.empty();
    if (user == nullptr) {
        if (has_said_password_) note_denial("auth", "Hello", hello.user.empty() ? "default" : std::string_view(hello.user));
        reply_error(request.id, {FailureCode::kUnauthenticated, has_said_password_ ? "no such user, or another password, or the user is off"
                                                                                   : "a user and a password are needed"});
        return false;
    }
    user_ = std::move(user);
    spdlog::debug("client connected from={} protocol=native name=\"{}\"", remote(), hello.client_name);
    const core::View& view = services_.routing.view();
    reply({.id = request.id,
           .at = services_.applied(),
           .body = native::HelloReply{.server_version = std::string(config::version()),
                                      .cluster_name = services_.settings.cluster_name,
                                      .cluster = view.cluster,
                                      .node = view.self.node,
                                      .topology = native::to_topology(view),
                                      .default_read_level = services_.settings.read_level,
                                      .default_write_level = services_.settings.write_level}});
    return true;
}

std::shared_ptr<resp::AclUser> NativeSession::authenticate(const native::Hello& hello) const {
    const resp::Acl& acl = services_.acl;
    if (hello.user.empty() && hello.password.empty()) return acl.is_open() ? acl.default_user() : nullptr;
    return acl.authenticate(hello.user.empty() ? "default" : std::string_view(hello.user), hello.password);
}

void NativeSession::note_denial(std::string_view reason, std::string_view object, std::string_view user) {
    services_.port.records.acl_log.add({.reason = std::string(reason),
                                        .context = "toplevel",
                                        .object = std::string(object),
                                        .user = std::string(user),
                                        .client = fmt::format("addr={} laddr={} native", remote(), local()),
                                        .at_ms = shared().now_ms});
}

void NativeSession::users_changed(bool anew) {
    const bool must_go = user_ != nullptr && (user_->is_gone || (anew && !has_said_password_ && !services_.acl.is_open()));
    if (must_go) drop();
}

void NativeSession::take_status(std::uint64_t id) {
    reply({.id = id, .at = services_.applied(), .body = status_of(services_.routing, services_.settings.cluster_name)});
}

void NativeSession::take_switchover(std::uint64_t id, NodeId target) {
    const std::uint64_t ticket = remember(PendingSwitchover{});
    services_.switchovers.ask(target.is_zero() ? std::nullopt : std::optional(target),
                              [self = shared_from_this(), this, id, ticket](const Result<MemberId>& master) {
                                  static_cast<void>(forget(ticket));
                                  if (!master) return reply_error(id, {failure_code(master.error().code), master.error().message});
                                  reply({.id = id, .at = services_.applied(), .body = native::SwitchoverReply{master->node}});
                              });
}

void NativeSession::take_write(native::Request request, native::WriteKind kind) {
    const auto level = request.write_level == WriteLevel::kDefault ? services_.settings.write_level : request.write_level;
    const WriteTerms terms{.level = level,
                           .deadline_ms = deadline_of(request),
                           // A numbered request may be a repetition, or of an expired session: only executing it tells (S21).
                           .says_nothing_of_state = kind == native::WriteKind::kPut && request.session.is_zero()};
    const std::uint64_t ticket = remember(PendingWrite{request.id, kind, request.session, level});
    if (auto* session = std::get_if<native::RegisterSession>(&request.body); session != nullptr && session->lifetime_ms == 0) {
        session->lifetime_ms = services_.settings.session_lifetime_ms;
    }
    const commands::Logged logged = native::to_logged(std::move(request));
    if (const Status within = commands::check_limits(logged); !within) {
        return on_failed(ticket, {FailureCode::kTooLarge, within.error().message});
    }
    services_.writes.submit(shared_from_this(), ticket, logged, terms);
}

void NativeSession::take_read(native::Request request) {
    const std::uint64_t ticket = remember(std::monostate{});
    Failure failure;
    switch (services_.reads.admit(shared_from_this(), ticket, terms_of(request), failure)) {
        case ReadGate::Admission::kWaiting: pending_[ticket] = std::move(request); return;
        case ReadGate::Admission::kRefused: static_cast<void>(forget(ticket)); return reply_error(request.id, failure);
        case ReadGate::Admission::kNow: static_cast<void>(forget(ticket)); break;
    }
    if (auto* get = std::get_if<native::Get>(&request.body)) {
        gets_.push_back({request.id, std::move(get->key)});
        if (gets_.size() == kGetsPerLook) answer_gets();
    } else {
        read_now(request);
    }
}

ReadTerms NativeSession::terms_of(const native::Request& read) const {
    return {.level = read.read_level == ReadLevel::kDefault ? services_.settings.read_level : read.read_level,
            .token = read.token.value_or(Rank{}),
            .max_lag_ms = read.max_lag_ms == 0 ? services_.settings.max_lag_ms : read.max_lag_ms,
            .deadline_ms = deadline_of(read)};
}

// -- requests that a network thread answers, while the loop stands still ---------------------------------------------------------------

void NativeSession::answer_shared(ReadBuffer& input) {
    if (user_ == nullptr || left_ || !gets_.empty()) return;
    while (!is_full() && !shared_fault_) {
        const auto frame = next_frame(input, limits::kFrameBytesMax);
        if (!frame || !*frame) break;  // an error is told again to the loop
        Decoded request = native::decode_request((*frame)->bytes, services_.settings.limits);
        if (!request || !answer_shared(*request)) {
            left_ = std::move(request);
            break;
        }
    }
    if (const Status looked_up = look_up_gets(); !looked_up) shared_fault_ = looked_up.error();
}

bool NativeSession::answer_shared(native::Request& request) {
    auto* get = std::get_if<native::Get>(&request.body);
    const auto* many = std::get_if<native::GetMany>(&request.body);
    if ((get == nullptr && many == nullptr) || deny(*user_, request.body) || !services_.reads.admits_at_once(terms_of(request)))
        return false;
    if (get != nullptr) {
        gets_.push_back({request.id, std::move(get->key)});
        ++shared_reads_;
        if (gets_.size() < kGetsPerLook) return true;
        if (const Status looked_up = look_up_gets(); !looked_up) shared_fault_ = looked_up.error();
        return true;
    }
    auto answer = get_many(request.id, many->keys);
    if (!answer) shared_fault_ = answer.error();
    if (!answer || std::holds_alternative<native::ErrorReply>(answer->body)) return false;  // the loop finds the same, and counts it
    ++shared_reads_;
    encode(std::move(*answer));
    return true;
}

void NativeSession::settle_shared() {
    if (shared_fault_) return services_.storage_failed(*shared_fault_);
    if (shared().turns.is_shared()) services_.counters.shared_reads += shared_reads_;
    services_.counters.count(RequestKind::kGet, std::exchange(shared_reads_, 0));
    if (unsent() > 0) replied();
}

void NativeSession::on_closed() {
    if (shared_fault_) services_.storage_failed(*shared_fault_);
}

// -- answers ------------------------------------------------------------------------------------------------------------------------

void NativeSession::read_now(const native::Request& request) {
    if (const auto* get = std::get_if<native::Get>(&request.body)) {
        gets_.push_back({request.id, get->key});
        return answer_gets();
    }
    if (const auto* many = std::get_if<native::GetMany>(&request.body)) {
        auto answer = get_many(request.id, many->keys);
        return answer ? reply(std::move(*answer)) : services_.storage_failed(answer.error());
    }
    const auto* scan = std::get_if<native::Scan>(&request.body);
    ENSURE(scan != nullptr);
    auto page = services_.state.scan(native::to_range(*scan));
    if (!page) return services_.storage_failed(page.error());
    if (!user_->may_read_all_keys()) std::erase_if(page->rows, [&](const auto& row) { return !user_->may_read_key(row.key); });
    reply({.id = request.id, .at = services_.applied(), .body = native::to_page(std::move(*page), scan->keys_only)});
}

void NativeSession::answer_gets() {
    if (gets_.empty()) return;
    if (const Status looked_up = look_up_gets(); !looked_up) return services_.storage_failed(looked_up.error());
    replied();
}

Status NativeSession::look_up_gets() {
    if (gets_.empty()) return {};
    std::vector<std::string_view> keys;
    keys.reserve(gets_.size());
    for (const WaitingGet& get : gets_) keys.push_back(get.key);
    std::size_t done = 0;
    while (done < keys.size() && !output_is_full()) {
        auto values = services_.state.get_many(std::span(keys).subspan(done), kLookBytesMax);
        if (!values) return fail(values.error());
        services_.state.count_told(*values);
        for (auto& value : *values) encode({.id = gets_[done++].id, .at = services_.applied(), .body = native::to_value(std::move(value))});
    }
    gets_.erase(gets_.begin(), gets_.begin() + static_cast<std::ptrdiff_t>(done));
    return {};
}

Result<native::Reply> NativeSession::get_many(std::uint64_t id, const std::vector<std::string>& keys) const {
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    native::Values all;
    std::size_t bytes = 0;
    while (all.values.size() < views.size()) {
        auto values = services_.state.get_many(std::span(views).subspan(all.values.size()), kLookBytesMax);
        if (!values) return fail(values.error());
        ENSURE(!values->empty());
        services_.state.count_told(*values);
        for (auto& value : *values) {
            if (value) bytes += value->value.size();
            all.values.push_back(native::to_value(std::move(value)));
        }
        if (bytes > limits::kFrameBytesMax) {
            return native::Reply{.id = id,
                                 .body = native::ErrorReply{
                                     .code = FailureCode::kTooLarge,
                                     .message = fmt::format("the values of {} keys are more than one frame of {} bytes: ask for fewer",
                                                            keys.size(), limits::kFrameBytesMax)}};
        }
    }
    return native::Reply{.id = id, .at = services_.applied(), .body = std::move(all)};
}

void NativeSession::on_written(std::uint64_t ticket, const WriteResult& result) {
    const auto write = std::get<PendingWrite>(forget(ticket));
    native::Reply answer;
    if (result.reached == WriteLevel::kMaster) {
        answer.body = native::Written{.version = result.rank.lsn};
    } else {
        answer = native::to_reply(write.kind, write.session, result.outcome);
    }
    answer.id = write.id;
    if (answer.replayed) {
        answer.at.epoch = services_.epoch_at(answer.at.lsn).value_or(Epoch{});
    } else {
        answer.at = result.rank;
    }
    if (write.level == WriteLevel::kAll) answer.level_reached = result.reached;
    reply(std::move(answer));
}

void NativeSession::on_read_ready(std::uint64_t ticket) {
    const auto request = std::get<native::Request>(forget(ticket));
    if (is_open()) read_now(request);
}

void NativeSession::on_failed(std::uint64_t ticket, const Failure& failure) {
    const Pending pending = forget(ticket);
    const auto* write = std::get_if<PendingWrite>(&pending);
    reply_error(write != nullptr ? write->id : std::get<native::Request>(pending).id, failure);
}

void NativeSession::reply(native::Reply reply) {
    if (!is_open()) return;
    if (const auto* error = std::get_if<native::ErrorReply>(&reply.body)) services_.counters.count(error->code);
    encode(std::move(reply));
    replied();
}

void NativeSession::encode(native::Reply reply) {
    reply.epoch = services_.routing.view().epoch;
    native::append_to(output(), std::move(reply));
}

void NativeSession::reply_error(std::uint64_t id, const Failure& failure) {
    native::ErrorReply error{.code = failure.code, .message = failure.message};
    if (wants_topology(failure.code)) error.topology = native::to_topology(services_.routing.view());
    reply({.id = id, .body = std::move(error)});
}

std::uint64_t NativeSession::deadline_of(const native::Request& request) const {
    return monotonic_ms() + (request.deadline_ms == 0 ? kDefaultDeadlineMs : std::min<std::uint64_t>(request.deadline_ms, 86'400'000));
}

std::uint64_t NativeSession::remember(Pending pending) {
    if (free_.empty()) {
        pending_.push_back(std::move(pending));
        return pending_.size() - 1;
    }
    const std::uint64_t ticket = free_.back();
    free_.pop_back();
    pending_[ticket] = std::move(pending);
    return ticket;
}

NativeSession::Pending NativeSession::forget(std::uint64_t ticket) {
    free_.push_back(ticket);
    return std::exchange(pending_[ticket], std::monostate{});
}

}  // namespace tanist::server

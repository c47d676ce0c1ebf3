// SPDX-License-Identifier: Apache-2.0
#include "client/link.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/ensure.h"

namespace tanist::client {
namespace {

constexpr std::chrono::seconds kAttempt{2};  // from dialling to the node's introduction

}  // namespace

Link::Link(asio::io_context& io, Timers& timers, Random& random, Owner& owner, std::string address, native::Hello hello, Backoff backoff)
    : io_(io), timers_(timers), random_(random), owner_(owner), address_(std::move(address)), hello_(std::move(hello)), backoff_(backoff) {}

Link::~Link() { close(); }

void Link::connect() {
    if (state_ == State::kReady || state_ == State::kConnecting) return;
    state_ = State::kConnecting;
    heard_at_ = Clock::now();
    const auto address = parse_address(address_);
    if (!address) {
        // Not from in here: the owner is told as the last thing, and may be in the middle of something.
        attempt_timer_ = timers_.at(heard_at_, [this, why = address.error().message] { lose(why); });
        return;
    }
    attempt_timer_ = timers_.at(heard_at_ + kAttempt, [this] { lose("no answer while connecting"); });
    connection_ = Connection::dial(io_, *address,
                                   {.connected = [this] { introduce(); },
                                    .replied = [this](native::Reply reply) { take(std::move(reply)); },
                                    .ended = [this](std::string reason) { lose(std::move(reason)); }});
}

void Link::introduce() {
    const auto sent = connection_->send({.id = kHelloId, .body = hello_});
    ENSURE(sent);  // an introduction is small
}

void Link::close() {
    timers_.cancel(attempt_timer_);
    if (connection_) std::exchange(connection_, nullptr)->close();
    under_way_.clear();
    waiting_.clear();
    probing_ = false;
    if (state_ != State::kFailed) state_ = State::kIdle;
}

Status Link::send(CallId call, native::Request& request) {
    request.id = next_request_++;
    if (auto sent = connection_->send(request); !sent) return sent;
    if (under_way_.empty()) heard_at_ = Clock::now();
    under_way_.emplace(request.id, call);
    return {};
}

std::vector<CallId> Link::under_way() const {
    std::vector<CallId> calls;
    for (const auto& [request, call] : under_way_) {
        if (call != kProbe) calls.push_back(call);
    }
    std::ranges::sort(calls);
    return calls;
}

void Link::probe() {
    if (!ready() || probing_) return;
    probing_ = true;
    native::Request question{.body = native::StatusRequest{}};
    const auto sent = send(kProbe, question);
    ENSURE(sent);
}

Clock::duration Link::silence() const {
    const bool owes = state_ == State::kConnecting || (ready() && !under_way_.empty());
    return owes ? Clock::now() - heard_at_ : Clock::duration::zero();
}

void Link::take(native::Reply reply) {
    heard_at_ = Clock::now();
    if (reply.id == 0) {
        const auto* error = std::get_if<native::ErrorReply>(&reply.body);
        note_refusal(reply);
        return lose(error != nullptr ? error->message : "a reply to nothing");
    }
    if (state_ == State::kConnecting) return take_hello(reply);
    const auto found = under_way_.find(reply.id);
    if (found == under_way_.end()) return;  // forgotten
    const CallId call = found->second;
    under_way_.erase(found);
    if (call != kProbe) return owner_.on_reply(*this, call, std::move(reply));
    probing_ = false;
    if (const auto* status = std::get_if<native::StatusReply>(&reply.body)) owner_.on_status(*this, *status);
}

void Link::take_hello(const native::Reply& reply) {
    const auto* hello = std::get_if<native::HelloReply>(&reply.body);
    if (hello == nullptr) {
        const auto* error = std::get_if<native::ErrorReply>(&reply.body);
        note_refusal(reply);
        return lose(error != nullptr ? error->message : "the node did not introduce itself");
    }
    node_ = hello->node;
    if (auto unwanted = owner_.on_hello(*this, *hello); !unwanted.empty()) return lose(std::move(unwanted));
    timers_.cancel(attempt_timer_);
    state_ = State::kReady;
    failures_ = 0;
    failure_.clear();
    refused_as_.reset();
    backoff_.reset();
    owner_.on_ready(*this);
}

void Link::note_refusal(const native::Reply& reply) {
    if (const auto* error = std::get_if<native::ErrorReply>(&reply.body)) refusal_ = error->code;
}

void Link::lose(std::string reason) {
    timers_.cancel(attempt_timer_);
    if (connection_) std::exchange(connection_, nullptr)->close();
    failure_ = std::move(reason);
    refused_as_ = std::exchange(refusal_, std::nullopt);
    if (state_ == State::kReady) {
        state_ = State::kIdle;  // one immediate attempt: a restarted or merely broken connection comes back at once
    } else {
        state_ = State::kFailed;
        ++failures_;
        retry_at_ = Clock::now() + backoff_.next(random_);
    }
    const auto sent = under_way();
    under_way_.clear();
    probing_ = false;
    owner_.on_lost(*this, sent, take_waiting());
}

}  // namespace tanist::client

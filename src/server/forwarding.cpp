// SPDX-License-Identifier: Apache-2.0
#include "server/forwarding.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "server/client_services.h"
#include "server/write_path.h"

namespace tanist::server {
namespace {

/// What a write that is held takes beside its own bytes.
constexpr std::size_t kHeldBytes = 256;

const Failure kOutcomeUnknown{FailureCode::kOutcomeUnknown,
                              "the write was sent to the new master, and has not come back: it may have been executed, or may be yet"};

}  // namespace

/// Registers this node's session.
class Forwarding::SessionClient final : public Client {
public:
    explicit SessionClient(replica::Forwarder& forwarder) : forwarder_(forwarder) {}
    void on_written(std::uint64_t, const WriteResult& result) override { forwarder_.on_logged(result.outcome); }
    void on_read_ready(std::uint64_t) override {}
    void on_failed(std::uint64_t, const Failure&) override { forwarder_.on_not_logged(); }

private:
    replica::Forwarder& forwarder_;
};

/// Writes that another node, or this one, has sent: nobody here is to be answered.
class Forwarding::PeerClient final : public Client {
public:
    void on_written(std::uint64_t, const WriteResult&) override { --pending; }
    void on_read_ready(std::uint64_t) override {}
    void on_failed(std::uint64_t, const Failure&) override { --pending; }
    std::size_t pending = 0;
};

Forwarding::Forwarding(const Routing& routing, Host host)
    : routing_(routing),
      host_(std::move(host)),
      forwarder_({}, [this](std::uint64_t ticket, replica::Forwarder::End end,
                            const replica::Forwarder::Executed* executed) { tell(ticket, end, executed); }),
      session_client_(std::make_shared<SessionClient>(forwarder_)) {}

Forwarding::~Forwarding() = default;

// -- out --------------------------------------------------------------------------------------------------------------------------

bool Forwarding::begin() {
    const bool can_send = !routing_.is_master() && routing_.view().master && forwarder_.has_session(host_.now_ms());
    begun_ms_ = host_.now_ms();
    open_until_ms_ = can_send ? begun_ms_ + kOpenMs : 0;
    return can_send;
}

bool Forwarding::is_open() const {
    return !routing_.is_master() && routing_.view().master && host_.now_ms() < open_until_ms_ && forwarder_.has_session(host_.now_ms());
}

bool Forwarding::takes(const Client& client) const {
    if (open_until_ms_ == 0 && under_way_.empty()) return false;  // as mostly: without a look at the clock for each write
    if (client.follows_redirects() || routing_.is_pausing()) return false;
    // Behind what is on its way goes what comes later of the same connection, whoever is master by then.
    const bool may_come = client.is_parting() || host_.now_ms() < begun_ms_ + kOpenToAllMs;
    return (is_open() && may_come) || (under_way_.contains(&client) && forwarder_.has_session(host_.now_ms()));
}

void Forwarding::take(Held held, commands::Logged logged) {
    auto* request = std::get_if<commands::Request>(&logged);
    const bool can_go = request != nullptr && request->session.is_zero() && !held.client->follows_redirects();
    if (!can_go) return held.client->on_failed(held.ticket, refusal());
    const std::uint64_t ticket = next_ticket_++, deadline_ms = held.deadline_ms;
    held.bytes += kHeldBytes;
    pending_bytes_ += held.bytes;
    ++under_way_[held.client.get()];
    held_.emplace(ticket, std::move(held));
    forwarder_.take(ticket, std::move(*request), deadline_ms);
}

Failure Forwarding::refusal() const {
    if (const auto refused = routing_.refuse_write()) return *refused;
    return {FailureCode::kTryAgain, "mastership was handed over meanwhile"};
}

void Forwarding::end_turn() {
    if (forwarder_.pending() == 0) return;
    const bool is_here = routing_.is_master() && routing_.view().open && !routing_.is_pausing();
    if (!is_here && (routing_.is_master() || !routing_.view().master)) return;
    const std::string* payload = forwarder_.to_send(host_.now_ms());
    if (payload == nullptr) return;
    if (!is_here) return host_.send({*payload});
    arrived({routing_.view().self.node, *payload});
}

void Forwarding::executed(std::span<const commands::Applied> applied) { forwarder_.executed(applied); }

void Forwarding::tick() {
    const std::uint64_t now_ms = host_.now_ms();
    if (now_ms >= open_until_ms_) open_until_ms_ = 0;
    forwarder_.tick(now_ms);
    answer_on_all(now_ms);
}

void Forwarding::tell(std::uint64_t ticket, replica::Forwarder::End end, const replica::Forwarder::Executed* executed) {
    auto node = held_.extract(ticket);
    Held& held = node.mapped();
    const auto count = under_way_.find(held.client.get());
    if (--count->second == 0) under_way_.erase(count);
    if (end == replica::Forwarder::End::kExecuted && held.level == WriteLevel::kAll) {
        on_all_.push_back({std::move(held), executed->outcome, executed->rank});
        return answer_on_all(host_.now_ms());
    }
    pending_bytes_ -= held.bytes;
    switch (end) {
        case replica::Forwarder::End::kRefused: return held.client->on_failed(held.ticket, refusal());
        case replica::Forwarder::End::kUnknown: return held.client->on_failed(held.ticket, kOutcomeUnknown);
        case replica::Forwarder::End::kExecuted: break;
    }
    held.client->on_written(held.ticket, {executed->outcome, executed->rank, WriteLevel::kQuorum});
}

/// The master tells with each message how far all have got.
void Forwarding::answer_on_all(std::uint64_t now_ms) {
    while (!on_all_.empty()) {
        const bool is_there = on_all_.front().rank.lsn <= routing_.view().everywhere;
        if (!is_there && on_all_.front().held.deadline_ms > now_ms) return;
        answer_front_on_all(is_there ? WriteLevel::kAll : WriteLevel::kQuorum);
    }
}

void Forwarding::answer_front_on_all(WriteLevel reached) {
    const OnAll done = std::move(on_all_.front());
    on_all_.pop_front();
    pending_bytes_ -= done.held.bytes;
    done.held.client->on_written(done.held.ticket, {done.outcome, done.rank, reached});
}

void Forwarding::give_up() {
    forwarder_.give_up();
    while (!on_all_.empty()) answer_front_on_all(WriteLevel::kQuorum);
}

// -- in ---------------------------------------------------------------------------------------------------------------------------

void Forwarding::arrived(core::TakeForwarded action) {
    const auto known = peer_clients_.find(action.from);
    const bool is_busy = (known != peer_clients_.end() && known->second->pending > 0) ||
                         std::ranges::find(arrived_, action.from, &core::TakeForwarded::from) != arrived_.end();
    if (!is_busy) arrived_.push_back(std::move(action));  // otherwise it is sent again
}

void Forwarding::begin_turn(WritePath& writes) {
    for (const core::TakeForwarded& forwarded : std::exchange(arrived_, {})) propose(forwarded, writes);
    const bool leads = routing_.is_master() && routing_.view().open && !routing_.is_pausing();
    if (!leads || !has_clients_) return;
    const std::uint64_t now_ms = host_.now_ms();
    if (const auto control = forwarder_.session_control(now_ms))
        writes.submit(session_client_, 0, *control, {.deadline_ms = now_ms + kDefaultDeadlineMs});
}

void Forwarding::propose(const core::TakeForwarded& forwarded, WritePath& writes) {
    const auto requests = commands::decode_payload(forwarded.payload);
    const auto is_numbered = [](const commands::Logged& logged) {
        const auto* request = std::get_if<commands::Request>(&logged);
        return request != nullptr && !request->session.is_zero();
    };
    if (!requests || !std::ranges::all_of(*requests, is_numbered)) {
        return spdlog::warn("forwarded writes dropped: they are no requests of a session from={} bytes={}", forwarded.from.value,
                            forwarded.payload.size());
    }
    auto& client = peer_clients_[forwarded.from];
    if (client == nullptr) client = std::make_shared<PeerClient>();
    const WriteTerms terms{.deadline_ms = host_.now_ms() + kDefaultDeadlineMs};
    if (writes.submit_group(client, forwarded.payload, requests->size(), terms)) client->pending = requests->size();
}

}  // namespace tanist::server

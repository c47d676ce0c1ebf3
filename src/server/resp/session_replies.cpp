// SPDX-License-Identifier: Apache-2.0
// The order of a session's answers: each goes out behind all that were asked for before it.
#include "server/resp/failure.h"
#include "server/resp/session.h"

namespace tanist::server {

using protocol::RespEncoder;

void RespSession::reply_error(std::string_view text) {
    reply([&](RespEncoder& to) { to.error(text); });
}

void RespSession::reply_failure(const Failure& failure) {
    services_.counters.count(failure.code);
    if (failure.code == FailureCode::kStaleToken) token_ = {};
    reply_error(resp::error_of(failure));
}

void RespSession::on_failed(std::uint64_t ticket, const Failure& failure) {
    const Slot& slot = slots_[ticket - first_ticket_];
    const bool was_logged = slot.write_answer != nullptr, is_read = slot.read_answer != nullptr;
    was_logged ? --writes_pending_ : --reads_waiting_;
    const bool may_be_stale = read_level_.value_or(services_.settings.read_level) != ReadLevel::kLinearizable;
    // A read that could not be logged among the writes before it is not their failure.
    if (was_logged && is_read && may_be_stale && services_.routing.serves_reads()) return answer_read(ticket);
    if (slot.start) blocked_.reset();
    services_.counters.count(failure.code);
    if (failure.code == FailureCode::kStaleToken) token_ = {};
    fill(ticket, [&](RespEncoder& to) { to.error(resp::error_of(failure)); });
}

void RespSession::block() {
    static_cast<void>(open_slot());
    blocked_ = first_ticket_ + slots_.size() - 1;
}

void RespSession::unblock(const std::function<void(RespEncoder&)>& encode) {
    if (blocked_) fill(*std::exchange(blocked_, std::nullopt), encode);
}

void RespSession::keep_or_let_go(std::uint64_t ticket, std::string kept) {
    const std::size_t place = ticket - first_ticket_;
    if (place > 0) {
        if (!slots_[place].is_silent) slots_[place].reply = std::move(kept);
        kept_back_ += sizeof slots_[place] + slots_[place].reply.size();
        return;
    }
    slots_.pop_front();
    ++first_ticket_;
    while (!slots_.empty() && slots_.front().ready) {
        if (is_open()) output() += slots_.front().reply;
        kept_back_ -= sizeof slots_.front() + slots_.front().reply.size();
        slots_.pop_front();
        ++first_ticket_;
    }
    replied();
}

void RespSession::take_message(std::string_view pattern, std::string_view channel, std::string_view message) {
    push([&](RespEncoder& to) {
        to.push(pattern.empty() ? 3 : 4);
        to.bulk(pattern.empty() ? "message" : "pmessage");
        if (!pattern.empty()) to.bulk(pattern);
        to.bulk(channel);
        to.bulk(message);
    });
}

void RespSession::take_shard_message(std::string_view channel, std::string_view message) {
    push([&](RespEncoder& to) {
        to.push(3);
        to.bulk("smessage");
        to.bulk(channel);
        to.bulk(message);
    });
}

}  // namespace tanist::server

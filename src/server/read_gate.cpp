// SPDX-License-Identifier: Apache-2.0
#include "server/read_gate.h"

#include <utility>

namespace tanist::server {
namespace {

/// Reads of all clients that wait at a time; each holds its request.
constexpr std::size_t kWaitingMax = 200'000;

Failure stale_token(Rank token) {
    return {FailureCode::kStaleToken,
            fmt::format("the session has seen epoch {} lsn {}, which was never committed and has been cut: begin a new token",
                        token.epoch.value, token.lsn.value)};
}

}  // namespace

ReadGate::Admission ReadGate::admit(const std::shared_ptr<Client>& client, std::uint64_t ticket, const ReadTerms& terms, Failure& failure) {
    if (waiting_ >= kWaitingMax) {
        failure = {FailureCode::kTryAgain, fmt::format("overloaded: {} reads are waiting", waiting_)};
        return Admission::kRefused;
    }
    if (terms.level == ReadLevel::kLinearizable) {
        gathered_.push_back({client, ticket, terms.deadline_ms, {}});
        ++waiting_;
        return Admission::kWaiting;
    }
    if (!routing_.serves_reads() || (terms.max_lag_ms != 0 && routing_.lag_ms_at(host_.now_ms()) > terms.max_lag_ms)) {
        failure = routing_.refuse_read(host_.now_ms());
        return Admission::kRefused;
    }
    if (terms.level == ReadLevel::kStale) return Admission::kNow;
    switch (judge(terms.token)) {
        case TokenState::kReached: return Admission::kNow;
        case TokenState::kCut: failure = stale_token(terms.token); return Admission::kRefused;
        case TokenState::kAhead: break;
    }
    for_lsn_.emplace(terms.token.lsn, Read{client, ticket, terms.deadline_ms, terms.token});
    ++waiting_;
    return Admission::kWaiting;
}

ReadGate::TokenState ReadGate::judge(Rank token) const {
    return replica::judge_token(token, host_.applied().applied.rank(), host_.epoch_at);
}

void ReadGate::end_of_turn() {
    if (!gathered_.empty()) {
        const std::uint64_t token = ++last_token_;
        in_rounds_.emplace(token, std::exchange(gathered_, {}));
        host_.request_read(token);
    }
    if (!for_lsn_.empty()) let_through();
}

void ReadGate::let_through() {
    const Lsn applied = host_.applied().applied.lsn;
    const auto end = for_lsn_.upper_bound(applied);
    for (auto read = for_lsn_.begin(); read != end; ++read) admitted_.push_back(std::move(read->second));
    for_lsn_.erase(for_lsn_.begin(), end);
    for (Read& read : admitted_) {
        if (!read.token.epoch.is_zero() && judge(read.token) == TokenState::kCut) {
            fail(read, stale_token(read.token));
        } else {
            --waiting_;
            read.client->on_read_ready(read.ticket);
        }
    }
    admitted_.clear();
}

void ReadGate::on(const core::ReadReady& action) {
    const auto round = in_rounds_.find(action.token);
    if (round == in_rounds_.end()) return;
    for (Read& read : round->second) for_lsn_.emplace(action.lsn, std::move(read));
    in_rounds_.erase(round);
}

void ReadGate::on(const core::ReadRefused& action) {
    const auto round = in_rounds_.find(action.token);
    if (round == in_rounds_.end()) return;
    const auto code = action.code == ErrorCode::kNotMaster     ? FailureCode::kTooStale
                      : action.code == ErrorCode::kUnavailable ? FailureCode::kNoQuorum
                                                               : FailureCode::kTryAgain;
    auto reads = std::move(round->second);
    in_rounds_.erase(round);
    for (Read& read : reads) fail(read, {code, action.reason});
}

void ReadGate::tick(std::uint64_t now_ms) {
    if (waiting_ == 0) return;
    const auto settle = [&](Read& read) {
        if (read.deadline_ms <= now_ms) {
            fail(read, {FailureCode::kReadTimeout, "the deadline passed before this node could read as fresh as was asked"});
            return true;
        }
        if (!read.token.epoch.is_zero() && judge(read.token) == TokenState::kCut) {
            fail(read, stale_token(read.token));
            return true;
        }
        return false;
    };
    for (auto round = in_rounds_.begin(); round != in_rounds_.end();) {
        std::erase_if(round->second, settle);
        round = round->second.empty() ? in_rounds_.erase(round) : std::next(round);
    }
    for (auto read = for_lsn_.begin(); read != for_lsn_.end();) read = settle(read->second) ? for_lsn_.erase(read) : std::next(read);
}

void ReadGate::fail(Read& read, const Failure& failure) {
    --waiting_;
    read.client->on_failed(read.ticket, failure);
}

}  // namespace tanist::server

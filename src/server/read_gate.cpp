// SPDX-License-Identifier: Apache-2.0
#include "server/read_gate.h"

#include <algorithm>
#include <utility>

namespace tanist::server {
namespace {

/// Reads of all clients that wait at a time; each holds its request.
constexpr std::size_t kWaitingMax = 200'000;
/// So long after a read with a bound of lag another one is expected; and so often that is prepared.
constexpr std::uint64_t kExpectBoundedMs = 60'000, kConfirmEveryMs = 250;

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
    if (terms.level == ReadLevel::kLinearizable) return wait_for_round({client, ticket, terms.deadline_ms, {}});
    if (!routing_.serves_reads()) {
        failure = routing_.refuse_read(host_.now_ms());
        return Admission::kRefused;
    }
    if (terms.max_lag_ms != 0) {
        const Admission bounded = admit_bounded(client, ticket, terms, failure);
        if (bounded != Admission::kNow) return bounded;
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

bool ReadGate::admits_at_once(const ReadTerms& terms) const {
    const bool is_bounded = terms.level == ReadLevel::kLinearizable || terms.max_lag_ms != 0;
    if (is_bounded || waiting_ >= kWaitingMax || !routing_.serves_reads()) return false;
    return terms.level == ReadLevel::kStale || judge(terms.token) == TokenState::kReached;
}

ReadGate::Admission ReadGate::wait_for_round(Read read) {
    gathered_.push_back(std::move(read));
    ++waiting_;
    return Admission::kWaiting;
}

/// kNow: it is known to be fresh enough. Silence alone refuses; that nothing is missing only a round can show (S18).
ReadGate::Admission ReadGate::admit_bounded(const std::shared_ptr<Client>& client, std::uint64_t ticket, const ReadTerms& terms,
                                            Failure& failure) {
    const std::uint64_t now_ms = host_.now_ms();
    bounded_until_ms_ = std::max(bounded_until_ms_, now_ms + kExpectBoundedMs);
    if (routing_.lag_ms_at(now_ms) > terms.max_lag_ms) {
        failure = routing_.refuse_read(now_ms);
        return Admission::kRefused;
    }
    if (freshness_.is_within(terms.max_lag_ms, now_ms, host_.applied().applied.lsn)) return Admission::kNow;
    return wait_for_round({client, ticket, terms.deadline_ms, terms.level == ReadLevel::kStale ? Rank{} : terms.token, true});
}

ReadGate::TokenState ReadGate::judge(Rank token) const {
    return replica::judge_token(token, host_.applied().applied.rank(), host_.epoch_at);
}

void ReadGate::end_of_turn() {
    if (!gathered_.empty()) {
        begin_round();
    }
    if (!for_lsn_.empty()) let_through();
}

void ReadGate::begin_round() {
    const std::uint64_t token = ++last_token_;
    asked_ms_ = host_.now_ms();
    in_rounds_.emplace(token, Round{asked_ms_, std::exchange(gathered_, {})});
    host_.request_read(token);
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
    freshness_.confirm(action.lsn, round->second.asked_ms);
    for (Read& read : round->second.reads) for_lsn_.emplace(std::max(action.lsn, read.token.lsn), std::move(read));
    in_rounds_.erase(round);
}

void ReadGate::on(const core::ReadRefused& action) {
    const auto round = in_rounds_.find(action.token);
    if (round == in_rounds_.end()) return;
    const auto code = action.code == ErrorCode::kNotMaster     ? FailureCode::kTooStale
                      : action.code == ErrorCode::kUnavailable ? FailureCode::kNoQuorum
                                                               : FailureCode::kTryAgain;
    auto reads = std::move(round->second.reads);
    in_rounds_.erase(round);
    for (Read& read : reads) fail(read, {read.is_bounded && code == FailureCode::kNoQuorum ? FailureCode::kTooStale : code, action.reason});
}

void ReadGate::tick(std::uint64_t now_ms) {
    // What bounded reads will need is asked for before they come: a node that is cut off then answers them for as long as it may.
    const bool is_due = now_ms < bounded_until_ms_ && now_ms - asked_ms_ >= kConfirmEveryMs && in_rounds_.empty();
    if (is_due && routing_.serves_reads()) begin_round();
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
        std::erase_if(round->second.reads, settle);
        ++round;
    }
    for (auto read = for_lsn_.begin(); read != for_lsn_.end();) read = settle(read->second) ? for_lsn_.erase(read) : std::next(read);
}

void ReadGate::fail(Read& read, const Failure& failure) {
    --waiting_;
    read.client->on_failed(read.ticket, failure);
}

}  // namespace tanist::server

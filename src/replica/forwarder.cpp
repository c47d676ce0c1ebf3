// SPDX-License-Identifier: Apache-2.0
#include "replica/forwarder.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/mutant.h"

namespace tanist::replica {
namespace {

/// What is sent again and again is sent ever more seldom, up to this many times the first interval.
constexpr std::uint64_t kPatienceFactorMax = 16;
/// Until a session that could not be had is asked for again.
constexpr std::uint64_t kPauseMs = 1000;
/// A mutant's deadline: the end has been told already.
constexpr std::uint64_t kTold = UINT64_MAX;
/// Of requests that are sent together, unless one alone is larger.
constexpr std::size_t kGroupBytesMax = limits::kMiB;

}  // namespace

// -- the session ----------------------------------------------------------------------------------------------------------------------

std::optional<commands::Logged> Forwarder::session_control(std::uint64_t now_ms) {
    const std::uint64_t quarter_ms = options_.session_lifetime_ms / 4;
    const bool is_kept = session_ && now_ms - kept_ms_ < quarter_ms;
    const bool is_asked_for = asked_ && now_ms - asked_->at_ms < quarter_ms;
    if (is_kept || is_asked_for || now_ms < not_before_ms_) return std::nullopt;
    asked_ = {now_ms, !has_session(now_ms)};
    if (asked_->registers) return commands::RegisterSession{options_.session_lifetime_ms};
    const bool is_in_use = group_.unanswered > 0 && group_.session == *session_;
    return commands::KeepSession{*session_, is_in_use ? group_.first : next_sequence_};
}

void Forwarder::on_logged(const commands::Outcome& outcome) {
    if (!asked_) return;
    const Asked asked = *std::exchange(asked_, std::nullopt);
    if (outcome.code != commands::OutcomeCode::kDone) {
        session_.reset();
        not_before_ms_ = asked.at_ms + kPauseMs;
        return refuse_unsent();
    }
    kept_ms_ = asked.at_ms;
    if (!asked.registers) return;
    session_ = SessionId{outcome.version.value};
    next_sequence_ = 1;
}

void Forwarder::on_not_logged() {
    if (asked_) not_before_ms_ = asked_->at_ms + kPauseMs;
    asked_.reset();
}

bool Forwarder::has_session(std::uint64_t now_ms) const {
    return session_ && now_ms - kept_ms_ < options_.session_lifetime_ms - options_.session_lifetime_ms / 4;
}

// -- the requests ---------------------------------------------------------------------------------------------------------------------

void Forwarder::take(std::uint64_t ticket, commands::Request request, std::uint64_t deadline_ms) {
    ENSURE(session_ && request.session.is_zero());
    unsent_.push_back({ticket, deadline_ms, std::move(request)});
}

const std::string* Forwarder::to_send(std::uint64_t now_ms) {
    if (group_.unanswered == 0) number_next();
    const bool is_due = group_.unanswered > 0 && (!group_.sent_ms || now_ms - *group_.sent_ms >= group_.patience_ms);
    if (!is_due) return nullptr;
    group_.patience_ms = group_.sent_ms ? std::min(2 * group_.patience_ms, kPatienceFactorMax * options_.resend_ms) : options_.resend_ms;
    if (group_.sent_ms && mutant(Mutant::kForwardedUnderNewNumbers)) renumber();
    group_.sent_ms = now_ms;
    return &group_.payload;
}

/// Each of the numbers below is settled by then.
void Forwarder::number_next() {
    if (unsent_.empty() || !session_) return;
    group_ = {.session = *session_, .first = next_sequence_};
    while (!unsent_.empty() && group_.requests.size() < commands::kSessionWindow) {
        Unsent& next = unsent_.front();
        next.request.session = *session_;
        next.request.sequence = next_sequence_;
        next.request.lowest_unanswered = group_.first;
        const commands::Logged logged(std::move(next.request));
        if (!group_.payload.empty() && group_.payload.size() + commands::encoded_bytes(logged) > kGroupBytesMax) {
            next.request = std::get<commands::Request>(logged);
            break;
        }
        commands::append_to(group_.payload, logged);
        group_.requests.push_back({next.ticket, next.deadline_ms});
        ++next_sequence_;
        unsent_.pop_front();
    }
    group_.unanswered = group_.requests.size();
}

/// What must not be: the log cannot tell that it has executed them.
void Forwarder::renumber() {
    auto requests = commands::decode_payload(group_.payload);
    group_.first = next_sequence_;
    group_.payload.clear();
    for (commands::Logged& logged : *requests) {
        std::get<commands::Request>(logged).sequence = next_sequence_++;
        commands::append_to(group_.payload, logged);
    }
}

void Forwarder::executed(std::span<const commands::Applied> applied) {
    if (group_.unanswered == 0) return;
    for (const commands::Applied& entry : applied) {
        for (const auto& numbered : entry.numbered) on_executed(entry, numbered);
    }
}

void Forwarder::on_executed(const commands::Applied& entry, const commands::Applied::Numbered& numbered) {
    const bool is_ours = numbered.session == group_.session && numbered.sequence - group_.first < group_.requests.size();
    if (!is_ours) return;
    Sent& sent = group_.requests[numbered.sequence - group_.first];
    const commands::Outcome& outcome = entry.outcomes[numbered.item];
    using enum commands::OutcomeCode;
    switch (outcome.code) {
        case kSessionExpired:
            answer(sent, End::kUnknown);
            if (session_ != group_.session) return;
            session_.reset();
            return refuse_unsent();
        case kTooMany:  // a copy that is under way may yet be executed
        case kAnswerForgotten: return answer(sent, End::kUnknown);
        default: break;
    }
    const Executed executed{outcome, entry.entry.rank(), numbered.item};
    answer(sent, End::kExecuted, &executed);
}

void Forwarder::answer(Sent& sent, End end, const Executed* executed) {
    if (std::exchange(sent.answered, true)) return;
    --group_.unanswered;
    if (mutant(Mutant::kForwardedAfterRefusal) && sent.deadline_ms == kTold) return;
    tell_(sent.ticket, end, executed);
}

void Forwarder::tick(std::uint64_t now_ms) {
    for (Sent& sent : group_.requests) {
        if (sent.deadline_ms <= now_ms) answer(sent, End::kUnknown);
    }
    if (mutant(Mutant::kForwardedAfterRefusal)) return refuse_and_keep(now_ms);
    while (!unsent_.empty() && unsent_.front().deadline_ms <= now_ms) {
        const std::uint64_t ticket = unsent_.front().ticket;
        unsent_.pop_front();
        tell_(ticket, End::kRefused, nullptr);
    }
}

/// What must not be.
void Forwarder::refuse_and_keep(std::uint64_t now_ms) {
    for (Unsent& unsent : unsent_) {
        if (unsent.deadline_ms > now_ms) continue;
        unsent.deadline_ms = kTold;
        tell_(unsent.ticket, End::kRefused, nullptr);
    }
}

void Forwarder::refuse_unsent() {
    for (const Unsent& unsent : std::exchange(unsent_, {})) tell_(unsent.ticket, End::kRefused, nullptr);
}

void Forwarder::give_up() {
    for (Sent& sent : group_.requests) answer(sent, End::kUnknown);
    refuse_unsent();
}

}  // namespace tanist::replica

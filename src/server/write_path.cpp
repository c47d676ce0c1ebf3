// SPDX-License-Identifier: Apache-2.0
#include "server/write_path.h"

#include <utility>

#include "base/ensure.h"
#include "base/entry.h"
#include "base/limits.h"
#include "server/clock.h"

namespace tanist::server {
namespace {

/// Entries larger than this gain nothing from more requests, and hold up those behind them.
constexpr std::size_t kGatheredBytes = limits::kMiB;

const Failure kOutcomeUnknownAtDeadline{FailureCode::kOutcomeUnknown,
                                        "the deadline passed while the write was in the log: it may have been executed, or may be yet"};

}  // namespace

// -- in ---------------------------------------------------------------------------------------------------------------------------

void WritePath::submit(const std::shared_ptr<Client>& client, std::uint64_t ticket, const commands::Logged& logged,
                       const WriteTerms& terms) {
    if (const auto refused = routing_.refuse_write()) return client->on_failed(ticket, *refused);
    if (host_.disk_is_low())
        return client->on_failed(ticket, {FailureCode::kTryAgain, "the disk of the master is nearly full: it takes no writes"});
    const std::size_t begin = payload_.size();
    commands::append_to(payload_, logged);
    const std::size_t bytes = payload_.size() - begin;
    if (pending_bytes_ + bytes > pending_bytes_max_) {
        payload_.resize(begin);
        return client->on_failed(
            ticket, {FailureCode::kTryAgain, fmt::format("overloaded: {} bytes of writes are not answered yet, limits.pending_bytes = {}",
                                                         pending_bytes_, pending_bytes_max_)});
    }
    if (payload_.size() > kPayloadBytesMax && begin > 0) {  // the last one begins the next entry
        std::string rest = payload_.substr(begin);
        payload_.resize(begin);
        propose(read_clock());
        payload_ = std::move(rest);
    }
    gathered_.push_back({.client = client,
                         .ticket = ticket,
                         .deadline_ms = terms.deadline_ms,
                         .bytes = bytes,
                         .level = terms.level,
                         .says_nothing_of_state = terms.says_nothing_of_state});
    gathered_report_durable_ |= terms.level == WriteLevel::kMaster && terms.says_nothing_of_state;
    gathered_report_all_ |= terms.level == WriteLevel::kAll;
    ++pending_;
    pending_bytes_ += bytes;
    if (payload_.size() >= kGatheredBytes) propose(read_clock());
}

void WritePath::end_of_turn(const core::Clock& now) {
    if (!routing_.is_pausing()) {
        for (core::Proposal& proposal : std::exchange(held_, {})) {
            proposal.now = now;
            host_.propose(std::move(proposal));
        }
    }
    if (!gathered_.empty()) propose(now);
}

void WritePath::propose(const core::Clock& now) {
    Batch& batch = batches_.emplace_back();
    batch.writes = std::exchange(gathered_, {});
    batch.proposed = std::chrono::steady_clock::now();
    for (const Write& write : batch.writes) batch.earliest_deadline_ms = std::min(batch.earliest_deadline_ms, write.deadline_ms);
    payload_bytes_last_ = payload_.size();
    core::Proposal proposal{.token = first_token_ + batches_.size() - 1,
                            .payload = std::exchange(payload_, {}),
                            .now = now,
                            .report_durable = std::exchange(gathered_report_durable_, false),
                            .report_all = std::exchange(gathered_report_all_, false)};
    payload_.reserve(payload_bytes_last_);
    routing_.is_pausing() ? held_.push_back(std::move(proposal)) : host_.propose(std::move(proposal));
}

// -- out --------------------------------------------------------------------------------------------------------------------------

WritePath::Batch* WritePath::find(std::uint64_t token) {
    if (token < first_token_ || token - first_token_ >= batches_.size()) return nullptr;
    return &batches_[token - first_token_];
}

void WritePath::on(const core::ProposalAccepted& action) {
    Batch* batch = find(action.token);
    if (batch == nullptr || batch->over) return;
    batch->rank = action.rank;
    logged_.push_back({action.rank, action.token});
}

void WritePath::on(const core::ProposalRefused& action) {
    const auto code = action.code == ErrorCode::kNotMaster     ? FailureCode::kNotMaster
                      : action.code == ErrorCode::kUnavailable ? FailureCode::kNoQuorum
                                                               : FailureCode::kTryAgain;
    fail_batch(action.token, {code, action.reason});
}

void WritePath::on(const core::ProposalUnknown& action) { fail_batch(action.token, {FailureCode::kOutcomeUnknown, action.reason}); }

void WritePath::fail_batch(std::uint64_t token, const Failure& failure) {
    Batch* batch = find(token);
    if (batch == nullptr) return;
    for (Write& write : batch->writes) {
        if (write.outcome) {
            answer(write, {*write.outcome, batch->rank.value_or(Rank{}), WriteLevel::kQuorum});  // executed: only level `all` is missing
        } else {
            fail_write(write, failure);
        }
    }
    settle(*batch);
}

void WritePath::on(const core::ProposalDurable& action) {
    Batch* batch = find(action.token);
    if (batch == nullptr || !batch->rank) return;
    const commands::Outcome in_the_log{.version = batch->rank->lsn};
    for (Write& write : batch->writes) {
        if (write.level == WriteLevel::kMaster && write.says_nothing_of_state)
            answer(write, {in_the_log, *batch->rank, WriteLevel::kMaster});
    }
}

void WritePath::on(const core::ProposalOnAll& action) {
    Batch* batch = find(action.token);
    if (batch == nullptr) return;
    batch->on_all = true;
    for (Write& write : batch->writes) {
        if (write.outcome) answer(write, {*write.outcome, *batch->rank, WriteLevel::kAll});
    }
    settle(*batch);
}

void WritePath::executed(std::span<const commands::Applied> applied) {
    for (const commands::Applied& entry : applied) {
        while (!logged_.empty() && logged_.front().rank.lsn < entry.entry.lsn) logged_.pop_front();
        if (logged_.empty()) return;
        if (logged_.front().rank != entry.entry.rank()) continue;
        Batch* batch = find(logged_.front().token);
        logged_.pop_front();
        if (batch == nullptr || batch->over) continue;
        ENSURE(entry.outcomes.size() == batch->writes.size());
        host_.entry_executed(std::chrono::steady_clock::now() - batch->proposed);
        for (std::size_t i = 0; i < batch->writes.size(); ++i) {
            Write& write = batch->writes[i];
            if (!write.client) continue;
            if (write.level == WriteLevel::kAll && !batch->on_all) {
                write.outcome = std::make_unique<commands::Outcome>(entry.outcomes[i]);
            } else {
                answer(write, {entry.outcomes[i], entry.entry.rank(), batch->on_all ? WriteLevel::kAll : WriteLevel::kQuorum});
            }
        }
        settle(*batch);
    }
}

void WritePath::tick(std::uint64_t now_ms) {
    for (Batch& batch : batches_) {
        if (batch.over || batch.earliest_deadline_ms > now_ms) continue;
        batch.earliest_deadline_ms = UINT64_MAX;
        for (Write& write : batch.writes) {
            if (!write.client) continue;
            if (write.deadline_ms > now_ms) {
                batch.earliest_deadline_ms = std::min(batch.earliest_deadline_ms, write.deadline_ms);
            } else if (write.outcome) {
                answer(write, {*write.outcome, *batch.rank, WriteLevel::kQuorum});
            } else {
                fail_write(write, kOutcomeUnknownAtDeadline);
            }
        }
    }
    if (!batches_.empty()) settle(batches_.front());
}

void WritePath::answer(Write& write, const WriteResult& result) {
    if (!write.client) return;
    write.client->on_written(write.ticket, result);
    release(write);
}

void WritePath::fail_write(Write& write, const Failure& failure) {
    if (!write.client) return;
    write.client->on_failed(write.ticket, failure);
    release(write);
}

void WritePath::release(Write& write) {
    write.client.reset();
    write.outcome.reset();
    --pending_;
    pending_bytes_ -= write.bytes;
}

void WritePath::settle(Batch& batch) {
    batch.over = true;
    for (const Write& write : batch.writes) batch.over &= write.client == nullptr;
    while (!batches_.empty() && batches_.front().over) {
        batches_.pop_front();
        ++first_token_;
    }
}

}  // namespace tanist::server

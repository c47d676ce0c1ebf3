// SPDX-License-Identifier: Apache-2.0
#include "server/write_path.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/entry.h"
#include "base/limits.h"
#include "server/clock.h"

namespace tanist::server {
namespace {

/// Entries larger than this gain nothing from more requests, and hold up those behind them.
constexpr std::size_t kGatheredBytes = limits::kMiB;
/// To be decoded and sent on: not so many that heartbeats wait.
constexpr std::size_t kForwardedBytesPerTurn = 4 * limits::kMiB;

const Failure kOutcomeUnknownAtDeadline{FailureCode::kOutcomeUnknown,
                                        "the deadline passed while the write was in the log: it may have been executed, or may be yet"};

const Failure kCannotBeForwarded{FailureCode::kTryAgain,
                                 "another node has become master, and the request has more parts than can be sent there"};

}  // namespace

// -- in ---------------------------------------------------------------------------------------------------------------------------

std::optional<Failure> WritePath::refusal(const Client& client) const {
    if (forwarding_.takes(client)) return std::nullopt;
    const bool waits = routing_.is_opening() && !client.follows_redirects();
    if (auto refused = routing_.refuse_write(); refused && !waits) return refused;
    if (!host_.disk_is_low()) return std::nullopt;
    return Failure{FailureCode::kTryAgain, "the disk of the master is nearly full: it takes no writes"};
}

bool WritePath::is_refused(Client& client, std::uint64_t ticket) {
    const auto refused = refusal(client);
    if (refused) client.on_failed(ticket, *refused);
    return refused.has_value();
}

std::optional<Failure> WritePath::refuse_bytes(std::size_t bytes) const {
    if (pending_bytes() + bytes <= pending_bytes_max_) return std::nullopt;
    return Failure{FailureCode::kTryAgain, fmt::format("overloaded: {} bytes of writes are not answered yet, limits.pending_bytes = {}",
                                                       pending_bytes(), pending_bytes_max_)};
}

/// The write lies in payload_ from `begin` on.
void WritePath::take(const std::shared_ptr<Client>& client, std::uint64_t ticket, const WriteTerms& terms, std::size_t begin) {
    const std::size_t bytes = payload_.size() - begin;
    if (const auto overloaded = refuse_bytes(bytes)) {
        payload_.resize(begin);
        return client->on_failed(ticket, *overloaded);
    }
    if (payload_.size() > kPayloadBytesMax && begin > 0) {  // the last one begins the next entry
        std::string rest = payload_.substr(begin);
        payload_.resize(begin);
        propose(read_clock());
        payload_ = std::move(rest);
    }
    if (!gathered_.empty() && gathered_.back().is_followed_by(client.get(), ticket, terms)) {
        ++gathered_.back().count;
        gathered_.back().bytes += bytes;
    } else {
        gathered_.push_back({.client = client,
                             .first_ticket = ticket,
                             .deadline_ms = terms.deadline_ms,
                             .bytes = bytes,
                             .level = terms.level,
                             .says_nothing_of_state = terms.says_nothing_of_state});
    }
    ++gathered_writes_;
    gathered_report_durable_ |= terms.level == WriteLevel::kMaster && terms.says_nothing_of_state;
    gathered_report_all_ |= terms.level == WriteLevel::kAll;
    ++pending_;
    pending_bytes_ += bytes;
    if (payload_.size() >= kGatheredBytes) propose(read_clock());
}

bool WritePath::submit_group(const std::shared_ptr<Client>& client, std::string_view payload, std::size_t requests,
                             const WriteTerms& terms) {
    if (refusal(*client) || refuse_bytes(payload.size())) return false;
    if (!gathered_.empty() && payload_.size() + payload.size() > kGatheredBytes) propose(read_clock());
    payload_ += payload;
    gathered_.push_back({.client = client, .count = requests, .deadline_ms = terms.deadline_ms, .bytes = payload.size()});
    gathered_writes_ += requests;
    pending_ += requests;
    pending_bytes_ += payload.size();
    return true;
}

void WritePath::end_of_turn(const core::Clock& now) {
    if (!gathered_.empty()) propose(now);  // behind what is held
    for (std::size_t forwarded = 0; !held_.empty() && !holds_back() && forwarded < kForwardedBytesPerTurn;) {
        core::Proposal proposal = std::move(held_.front());
        held_.pop_front();
        proposal.now = now;
        if (forwarding_.is_open()) {
            forwarded += proposal.payload.size();
            forward(proposal);
        } else {
            hand_over(std::move(proposal));
        }
    }
}

void WritePath::propose(const core::Clock& now) {
    Batch& batch = batches_.emplace_back();
    batch.runs = std::exchange(gathered_, {});
    batch.writes = std::exchange(gathered_writes_, 0);
    batch.proposed = std::chrono::steady_clock::now();
    for (const Run& run : batch.runs) batch.earliest_deadline_ms = std::min(batch.earliest_deadline_ms, run.deadline_ms);
    payload_bytes_last_ = payload_.size();
    core::Proposal proposal{.token = first_token_ + batches_.size() - 1,
                            .payload = std::exchange(payload_, {}),
                            .now = now,
                            .report_durable = std::exchange(gathered_report_durable_, false),
                            .report_all = std::exchange(gathered_report_all_, false)};
    payload_.reserve(payload_bytes_last_);
    const bool goes_at_once = !holds_back() && held_.empty() && !forwarding_.is_open();
    goes_at_once ? hand_over(std::move(proposal)) : held_.push_back(std::move(proposal));
}

void WritePath::hand_over(core::Proposal proposal) {
    if (allowance_ != INT64_MAX) allowance_ -= static_cast<std::int64_t>(proposal.payload.size());
    host_.propose(std::move(proposal));
}

void WritePath::forward(const std::shared_ptr<Client>& client, std::uint64_t ticket, const WriteTerms& terms, std::string_view payload) {
    if (const auto overloaded = refuse_bytes(payload.size())) return client->on_failed(ticket, *overloaded);
    auto logged = commands::decode_payload(payload);
    if (!logged || logged->size() != 1) return client->on_failed(ticket, kCannotBeForwarded);
    forwarding_.take({client, ticket, terms.level, terms.deadline_ms, payload.size()}, std::move(logged->front()));
}

void WritePath::forward(const core::Proposal& proposal) {
    Batch* batch = find(proposal.token);
    if (batch == nullptr) return;
    auto logged = commands::decode_payload(proposal.payload);
    if (!logged || logged->size() != batch->writes) return fail_batch(proposal.token, kCannotBeForwarded);
    auto next = logged->begin();
    for (Run& run : batch->runs) {
        const auto client = run.client;
        const std::size_t bytes = run.bytes / run.count;
        if (client) release(run);  // it is counted there from now on
        for (std::size_t i = 0; i < run.count; ++i, ++next) {
            if (client) forwarding_.take({client, run.first_ticket + i, run.level, run.deadline_ms, bytes}, std::move(*next));
        }
    }
    settle(*batch);
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
    for (Run& run : batch->runs) {
        if (!run.outcomes.empty()) {
            answer(run, run.outcomes, batch->rank.value_or(Rank{}), WriteLevel::kQuorum);  // executed: only level `all` is missing
        } else {
            fail_run(run, failure);
        }
    }
    settle(*batch);
}

void WritePath::on(const core::ProposalDurable& action) {
    Batch* batch = find(action.token);
    if (batch == nullptr || !batch->rank) return;
    for (Run& run : batch->runs) {
        if (run.level != WriteLevel::kMaster || !run.says_nothing_of_state) continue;
        const std::vector<commands::Outcome> in_the_log(run.count, {.version = batch->rank->lsn});
        answer(run, in_the_log, *batch->rank, WriteLevel::kMaster);
    }
}

void WritePath::on(const core::ProposalOnAll& action) {
    Batch* batch = find(action.token);
    if (batch == nullptr) return;
    batch->on_all = true;
    for (Run& run : batch->runs) {
        if (!run.outcomes.empty()) answer(run, run.outcomes, *batch->rank, WriteLevel::kAll);
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
        ENSURE(entry.outcomes.size() == batch->writes);
        host_.entry_executed(std::chrono::steady_clock::now() - batch->proposed);
        std::span<const commands::Outcome> left(entry.outcomes);
        for (Run& run : batch->runs) {
            const auto outcomes = left.first(run.count);
            left = left.subspan(run.count);
            if (run.client && run.level == WriteLevel::kAll && !batch->on_all) {
                run.outcomes.assign(outcomes.begin(), outcomes.end());
            } else {
                answer(run, outcomes, entry.entry.rank(), batch->on_all ? WriteLevel::kAll : WriteLevel::kQuorum);
            }
        }
        settle(*batch);
    }
}

const Client* WritePath::author(Rank entry, std::size_t item) {
    const auto logged = std::ranges::lower_bound(logged_, entry, {}, &Logged::rank);
    if (logged == logged_.end() || logged->rank != entry || logged->token < first_token_ || logged->token - first_token_ >= batches_.size())
        return nullptr;
    const std::vector<Run>& runs = batches_[logged->token - first_token_].runs;
    if (asked_.entry != entry || item < asked_.first_item) asked_ = {.entry = entry};
    while (asked_.run < runs.size() && item >= asked_.first_item + runs[asked_.run].count) asked_.first_item += runs[asked_.run++].count;
    return asked_.run < runs.size() ? runs[asked_.run].client.get() : nullptr;
}

void WritePath::tick(std::uint64_t now_ms) {
    count_held(now_ms);
    const std::size_t room = host_.room();
    allowance_ = room == SIZE_MAX ? INT64_MAX : std::min<std::int64_t>(allowance_, 0) + static_cast<std::int64_t>(room);
    for (Batch& batch : batches_) {
        if (batch.over || batch.earliest_deadline_ms > now_ms) continue;
        batch.earliest_deadline_ms = UINT64_MAX;
        for (Run& run : batch.runs) {
            if (!run.client) continue;
            if (run.deadline_ms > now_ms) {
                batch.earliest_deadline_ms = std::min(batch.earliest_deadline_ms, run.deadline_ms);
            } else if (!run.outcomes.empty()) {
                answer(run, run.outcomes, *batch.rank, WriteLevel::kQuorum);
            } else {
                fail_run(run, kOutcomeUnknownAtDeadline);
            }
        }
    }
    if (!batches_.empty()) settle(batches_.front());
}

void WritePath::count_held(std::uint64_t now_ms) {
    using By = HeldWrites::By;
    const std::uint64_t passed_ms = now_ms - std::exchange(last_tick_ms_, now_ms).value_or(now_ms);
    held_writes_.by = routing_.is_pausing() || routing_.is_opening() || forwarding_.pending() > 0 ? By::kSwitchover : By::kStore;
    if (held_.empty() && forwarding_.pending() == 0) held_writes_.by = By::kNothing;
    if (held_writes_.by == By::kStore) held_writes_.store_ms += passed_ms;
    if (held_writes_.by == By::kSwitchover) held_writes_.switchover_ms += passed_ms;
}

void WritePath::answer(Run& run, std::span<const commands::Outcome> outcomes, Rank rank, WriteLevel reached) {
    if (!run.client) return;
    ENSURE(outcomes.size() == run.count);
    for (std::size_t i = 0; i < run.count; ++i) run.client->on_written(run.first_ticket + i, {outcomes[i], rank, reached});
    release(run);
}

void WritePath::fail_run(Run& run, const Failure& failure) {
    if (!run.client) return;
    for (std::size_t i = 0; i < run.count; ++i) run.client->on_failed(run.first_ticket + i, failure);
    release(run);
}

void WritePath::release(Run& run) {
    run.client.reset();
    run.outcomes = {};
    pending_ -= run.count;
    pending_bytes_ -= run.bytes;
}

void WritePath::settle(Batch& batch) {
    batch.over = std::ranges::all_of(batch.runs, [](const Run& run) { return run.client == nullptr; });
    while (!batches_.empty() && batches_.front().over) {
        batches_.pop_front();
        ++first_token_;
    }
}

}  // namespace tanist::server

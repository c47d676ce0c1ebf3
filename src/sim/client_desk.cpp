// SPDX-License-Identifier: Apache-2.0
#include "sim/client_desk.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "replica/session_token.h"

namespace tanist::sim {
namespace {

constexpr Duration kBatchFor = 100us;
constexpr std::size_t kBatchItemsMax = 64;
constexpr Duration kWaitForApplied = 400ms, kWaitForAll = 300ms;
constexpr std::uint64_t kForwardedForMs = 150, kResendMs = 20;

}  // namespace

bool Write::depends_on_state() const {
    const auto* request = std::get_if<commands::Request>(&logged);
    if (request == nullptr || !request->conditions.empty() || !request->session.is_zero()) return true;
    return !std::ranges::all_of(request->commands, [](const commands::Command& c) { return std::holds_alternative<commands::Put>(c); });
}

ClientDesk::ClientDesk(DeskOwner& owner, NodeId node, bool forwards)
    : owner_(owner),
      node_(node),
      forwards_(forwards),
      forwarder_({.resend_ms = kResendMs}, [this](std::uint64_t ticket, replica::Forwarder::End end,
                                                  const replica::Forwarder::Executed* executed) { told(ticket, end, executed); }) {}

void ClientDesk::ask(Question question, Reply reply) {
    std::visit([&](auto& q) { ask(std::move(q), std::move(reply)); }, question);
}

void ClientDesk::refuse(const Reply& reply) {
    const core::View view = owner_.replica().node().view();
    reply({.verdict = Verdict::kRefused, .from = node_, .master_hint = view.master ? view.master->node : NodeId{}});
}

// -- writes --------------------------------------------------------------------------------------------------------------------------

void ClientDesk::ask(Write write, Reply reply) {
    Writer writer{std::move(write), std::move(reply), std::nullopt};
    if (may_hold(writer.write) && owner_.replica().node().view().pausing) return held_.push_back(std::move(writer));
    if (!owner_.replica().node().open() || owner_.replica().disk_is_low()) return refuse(writer.reply);
    propose_soon(std::move(writer));
}

void ClientDesk::propose_soon(Writer writer) {
    batch_.push_back(std::move(writer));
    if (batch_.size() >= kBatchItemsMax) return propose();
    if (batch_.size() == 1) owner_.later(kBatchFor, [this] { propose(); });
}

void ClientDesk::propose() {
    if (batch_.empty()) return;
    add_session_control();
    const std::uint64_t token = next_token_++;
    core::Proposal proposal{.token = token, .now = owner_.clock()};
    for (const Writer& writer : batch_) {
        commands::append_to(proposal.payload, writer.write.logged);
        proposal.report_durable |= writer.write.level == WriteLevel::kMaster;
        proposal.report_all |= writer.write.level == WriteLevel::kAll;
    }
    proposals_[token].writers = std::exchange(batch_, {});
    owner_.step(std::move(proposal));
}

void ClientDesk::on(const core::ProposalAccepted& action) {
    const auto at = proposals_.find(action.token);
    ENSURE(at != proposals_.end());
    at->second.rank = action.rank;
    const bool first = accepted_.emplace(action.rank, action.token).second;
    ENSURE(first);  // no two proposals become one entry
}

void ClientDesk::on(const core::ProposalRefused& action) {
    const auto at = proposals_.find(action.token);
    ENSURE(at != proposals_.end() && at->second.rank.lsn.is_zero());  // refused is promised never to be in the log
    for (const Writer& writer : at->second.writers) refuse(writer.reply);
    proposals_.erase(at);
}

void ClientDesk::on(const core::ProposalDurable& action) {
    const auto at = proposals_.find(action.token);
    if (at == proposals_.end()) return;
    std::uint32_t item = 0;
    for (Writer& writer : at->second.writers) {
        if (writer.reply && writer.write.level == WriteLevel::kMaster && !writer.write.depends_on_state()) {
            writer.reply({.verdict = Verdict::kDone, .from = node_, .rank = at->second.rank, .item = item, .reached = WriteLevel::kMaster});
            writer.reply = {};
        }
        ++item;
    }
}

void ClientDesk::on(const core::ProposalOnAll& action) {
    const auto at = proposals_.find(action.token);
    if (at == proposals_.end()) return;
    at->second.on_all = true;
    for (Writer& writer : at->second.writers) {
        if (!writer.reply || !writer.answer) continue;
        writer.answer->reached = WriteLevel::kAll;
        writer.reply(std::move(*writer.answer));
        writer.reply = {};
    }
    forget_when_answered(action.token);
}

void ClientDesk::on(const core::ProposalUnknown& action) {
    const auto at = proposals_.find(action.token);
    if (at == proposals_.end()) return;
    for (Writer& writer : at->second.writers) {
        if (writer.reply) writer.reply(writer.answer ? std::move(*writer.answer) : Answer{.verdict = Verdict::kUnknown, .from = node_});
    }
    accepted_.erase(at->second.rank);
    proposals_.erase(at);
}

void ClientDesk::executed(std::span<const commands::Applied> applied) {
    forwarder_.executed(applied);
    for (const commands::Applied& entry : applied) {
        const auto known = accepted_.find(entry.entry.rank());
        if (known == accepted_.end()) continue;
        const std::uint64_t token = known->second;
        Proposal& proposal = proposals_.at(token);
        ENSURE(entry.outcomes.size() == proposal.writers.size());
        proposal.executed = true;
        for (std::size_t i = 0; i < proposal.writers.size(); ++i) {
            Writer& writer = proposal.writers[i];
            if (!writer.reply) continue;
            Answer answer{.verdict = Verdict::kDone, .from = node_, .rank = proposal.rank, .item = static_cast<std::uint32_t>(i)};
            answer.reached = proposal.on_all ? WriteLevel::kAll : WriteLevel::kQuorum;
            answer.outcome = entry.outcomes[i];
            if (writer.write.level == WriteLevel::kAll && !proposal.on_all) {
                writer.answer = std::move(answer);
                owner_.later(kWaitForAll, [this, token] { give_up_on_all(token); });
            } else {
                writer.reply(std::move(answer));
                writer.reply = {};
            }
        }
        accepted_.erase(known);
        forget_when_answered(token);
    }
}

void ClientDesk::give_up_on_all(std::uint64_t token) {
    const auto at = proposals_.find(token);
    if (at == proposals_.end()) return;
    for (Writer& writer : at->second.writers) {
        if (!writer.reply || !writer.answer) continue;
        writer.reply(std::move(*writer.answer));  // it names the level that was reached
        writer.reply = {};
    }
    forget_when_answered(token);
}

void ClientDesk::forget_when_answered(std::uint64_t token) {
    const auto at = proposals_.find(token);
    if (at == proposals_.end() || !at->second.executed) return;
    if (std::ranges::none_of(at->second.writers, [](const Writer& w) { return static_cast<bool>(w.reply); })) proposals_.erase(at);
}

// -- held over a switchover (S17) --------------------------------------------------------------------------------------------------

bool ClientDesk::takes_writes() const { return owner_.replica().node().open() && !owner_.replica().node().view().pausing; }

/// Clients with a session ask the new master again by themselves.
bool ClientDesk::may_hold(const Write& write) const {
    const auto* request = std::get_if<commands::Request>(&write.logged);
    return forwards_ && request != nullptr && request->session.is_zero();
}

void ClientDesk::add_session_control() {
    if (!forwards_ || !takes_writes()) return;
    auto control = forwarder_.session_control(owner_.clock().monotonic_ms);
    if (!control) return;
    batch_.push_back({{std::move(*control)},
                      [this](const Answer& answer) {
                          answer.verdict == Verdict::kDone ? forwarder_.on_logged(*answer.outcome) : forwarder_.on_not_logged();
                      },
                      std::nullopt});
}

void ClientDesk::release_held() {
    const core::View view = owner_.replica().node().view();
    if (held_.empty() || view.pausing) return;
    const bool can_forward = view.master && *view.master != view.self && forwarder_.has_session(owner_.clock().monotonic_ms);
    for (Writer& writer : std::exchange(held_, {})) {
        if (takes_writes()) {
            owner_.later(0us, [this, writer = std::move(writer)] { propose_soon(writer); });
        } else if (can_forward) {
            forward(std::move(writer));
        } else {
            refuse(writer.reply);
        }
    }
}

void ClientDesk::forward(Writer writer) {
    const std::uint64_t ticket = next_token_++;
    const auto request = std::get<commands::Request>(writer.write.logged);
    forwarded_.emplace(ticket, std::move(writer));
    forwarder_.take(ticket, request, owner_.clock().monotonic_ms + kForwardedForMs);
}

void ClientDesk::told(std::uint64_t ticket, replica::Forwarder::End end, const replica::Forwarder::Executed* executed) {
    const Writer writer = std::move(forwarded_.extract(ticket).mapped());
    if (end == replica::Forwarder::End::kRefused) return refuse(writer.reply);
    if (executed == nullptr) return writer.reply({.verdict = Verdict::kUnknown, .from = node_});
    writer.reply({.verdict = Verdict::kDone,
                  .from = node_,
                  .rank = executed->rank,
                  .item = static_cast<std::uint32_t>(executed->item),
                  .reached = WriteLevel::kQuorum,
                  .outcome = executed->outcome});
}

void ClientDesk::tick() {
    const std::uint64_t now_ms = owner_.clock().monotonic_ms;
    forwarder_.tick(now_ms);
    const core::View view = owner_.replica().node().view();
    if (!takes_writes() && (!view.master || *view.master == view.self)) return;
    const std::string* payload = forwarder_.to_send(now_ms);
    if (payload == nullptr) return;
    if (!takes_writes()) return owner_.step(core::ForwardWrites{*payload});
    core::TakeForwarded own{.from = node_, .payload = *payload};
    on(own);
}

void ClientDesk::on(core::TakeForwarded& action) {
    owner_.later(0us, [this, payload = std::move(action.payload)] {
        auto requests = commands::decode_payload(payload);
        ENSURE(requests);
        if (!takes_writes() || owner_.replica().disk_is_low()) return;  // it is sent again
        for (commands::Logged& logged : *requests) propose_soon({{std::move(logged)}, [](const Answer&) {}, std::nullopt});
    });
}

// -- reads ---------------------------------------------------------------------------------------------------------------------------

void ClientDesk::ask(Read read, Reply reply) {
    if (!core::serves_reads(owner_.replica().node().view())) return refuse(reply);
    Reader reader{.read = std::move(read), .reply = std::move(reply)};
    const std::uint64_t now_ms = owner_.clock().monotonic_ms;
    const bool is_bounded = reader.read.max_lag_ms != 0;
    const bool is_fresh =
        !is_bounded || freshness_.is_within(reader.read.max_lag_ms, now_ms, owner_.replica().state().position().applied.lsn);
    if (reader.read.level == ReadLevel::kSession) reader.needed = reader.read.token.lsn;
    if (reader.read.level != ReadLevel::kLinearizable && is_fresh) return wait(std::move(reader));
    reader.asked_ms = now_ms;
    const std::uint64_t token = next_token_++;
    reads_.emplace(token, std::move(reader));
    owner_.step(core::ReadRequest{token});
}

void ClientDesk::on(const core::ReadReady& action) {
    const auto at = reads_.find(action.token);
    ENSURE(at != reads_.end());
    freshness_.confirm(action.lsn, at->second.asked_ms);
    at->second.needed = std::max(at->second.needed, action.lsn);
    Reader reader = std::move(at->second);
    reads_.erase(at);
    wait(std::move(reader));
}

void ClientDesk::on(const core::ReadRefused& action) {
    const auto at = reads_.find(action.token);
    ENSURE(at != reads_.end());
    refuse(at->second.reply);
    reads_.erase(at);
}

/// Serves it in after_step(), or refuses it when it has waited too long.
void ClientDesk::wait(Reader reader) {
    const std::uint64_t number = next_token_++;
    waiting_.emplace(number, std::move(reader));
    owner_.later(kWaitForApplied, [this, number] {
        const auto at = waiting_.find(number);
        if (at == waiting_.end()) return;
        refuse(at->second.reply);
        waiting_.erase(at);
    });
}

void ClientDesk::after_step() {
    release_held();
    for (auto at = waiting_.begin(); at != waiting_.end();) at = serve(at->second) ? waiting_.erase(at) : std::next(at);
}

bool ClientDesk::serve(Reader& reader) {
    const core::Node& node = owner_.replica().node();
    const store::Position position = owner_.replica().state().position();
    if (reader.read.level == ReadLevel::kSession) {
        const auto state = replica::judge_token(reader.read.token, position.applied.rank(), [&](Lsn lsn) { return node.epoch_at(lsn); });
        if (state == replica::TokenState::kCut) {
            reader.reply({.verdict = Verdict::kStaleToken, .from = node_});
            return true;
        }
    }
    if (position.applied.lsn < reader.needed) return false;
    Answer answer{.verdict = Verdict::kDone, .from = node_, .applied = position.applied.rank()};
    auto page = owner_.replica().state().scan({.begin = reader.read.begin, .end = reader.read.end});
    if (!page) {
        owner_.storage_failed(page.error());
        return true;
    }
    answer.rows = std::move(page->rows);
    reader.reply(std::move(answer));
    return true;
}

}  // namespace tanist::sim

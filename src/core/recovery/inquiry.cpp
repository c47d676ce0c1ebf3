// SPDX-License-Identifier: Apache-2.0
// The inquiry (S9): in an epoch of its own, who still has, or never had, what is in doubt here?
#include <algorithm>

#include "base/ensure.h"
#include "base/mutant.h"
#include "core/recovery/repair.h"
#include "core/state.h"

namespace tanist::core {
namespace {

/// Without a word until then, the inquirer backs off at random, as candidates do.
void back_off(State& s) {
    abandon_inquiry(s);
    s.hole->phase = RepairPhase::kWaiting;
    s.hole->source.reset();
    reset_election_timeout(s);
}

void send_inquiry(State& s, Actions& out) {
    Inquiring& q = s.hole->inquiry;
    q.sent_tick = s.time.ticks;
    for (const Peer& peer : s.peers) {
        const bool has_answered = std::ranges::find(q.answers, peer.node, &Answer::node) != q.answers.end();
        if (s.is_member(peer) && !has_answered) send(s, peer.node, Inquiry{q.id, q.from, s.hole->intent}, out);
    }
}

/// What our own log says about entries from `m.from` on.
InquiryAnswer answer_of(const State& s, const Inquiry& m) {
    const bool is_another_history = m.through && s.log.epoch_at(m.from).value_or(Epoch{}) > m.through->epoch;
    if (is_another_history) return InquiryAnswer::kDenies;  // a later master's log differs there: what was in doubt never committed
    if (s.log.last().lsn >= m.from) return InquiryAnswer::kHas;
    if (!s.hole) return InquiryAnswer::kDenies;
    const bool has_single = std::ranges::any_of(
        s.hole->behind, [&](const EntryId& id) { return id.lsn >= m.from && (!m.through || id.lsn <= m.through->lsn); });
    if (has_single) return InquiryAnswer::kHas;
    const bool may_have_had = s.hole->kind == Tail::kUnbounded || s.hole->claimed.lsn >= m.from;
    return may_have_had ? InquiryAnswer::kInDoubtToo : InquiryAnswer::kDenies;
}

/// A member has good entries, and they were fetched as far as they go without ending the hole. If every voter has answered, nothing
/// beyond what those members hold exists any more: that much of the claim falls, so that one of them can be elected, and its
/// append then fills or cuts.
void lower_claim(State& s) {
    Hole& h = *s.hole;
    if (h.kind == Tail::kUnbounded) return;
    Rank bound = std::max(s.log.last().rank(), h.tip().rank());
    if (!h.behind.empty()) bound = std::max(bound, h.behind.back().rank());
    std::size_t answered = 1;
    for (const Answer& a : h.inquiry.answers) {
        if (a.votes) ++answered;
        if (a.answer == InquiryAnswer::kHas) bound = std::max(bound, a.last);
    }
    if (answered >= s.members.current().voters()) h.claimed = std::min(h.claimed, bound);
}

void fetch_next_holder(State& s, Actions& out) {
    Hole& h = *s.hole;
    if (h.source || h.read_token != 0) return;
    if (h.kind != Tail::kUnbounded) drop_untrusted(h);  // the last holder's entries led nowhere
    if (h.sources.empty()) return;
    h.source = h.sources.back();
    h.sources.pop_back();
    h.fetch_id = s.next_id();
    h.fetch_tick = s.time.ticks;
    send(s, *h.source, FetchRequest{h.fetch_id, h.tip().rank(), Lsn{}, kFetchBytesMax}, out);
}

void evaluate(State& s, Actions& out) {
    Hole& h = *s.hole;
    const Membership& members = s.members.current();
    switch (settle(h, members.voters(), members.quorum())) {
        case Settled::kNotYet: return;
        case Settled::kCut: return cut_hole(s, "nobody has what was in doubt", out);
        case Settled::kFetch: return fetch_next_holder(s, out);
    }
}

}  // namespace

void abandon_inquiry(State& s) {
    if (!s.hole) return;
    s.hole->inquiry = Inquiring{};
    if (s.hole->phase == RepairPhase::kInquiring) s.hole->phase = RepairPhase::kWaiting;
}

void start_inquiry(State& s, Actions& out) {
    Hole& h = *s.hole;
    adopt_epoch(s, s.epoch().next(), MemberId{}, out);  // durable before anybody is asked, as it will be at whoever answers
    h.phase = RepairPhase::kInquiring;
    h.phase_deadline = s.time.ticks + s.options.election_timeout_ticks;
    h.source.reset();
    h.sources.clear();
    h.inquiry = {.id = s.next_id(), .epoch = s.epoch(), .from = h.tip().lsn.next()};
    notice(out, NoticeLevel::kInfo, "asking all members for entries in doubt epoch={} from_lsn={}", s.epoch().value, h.inquiry.from.value);
    send_inquiry(s, out);
    evaluate(s, out);
}

void tick_inquiry(State& s, Actions& out) {
    Hole& h = *s.hole;
    const bool is_silent = h.source && s.time.ticks - h.fetch_tick >= 2 * s.options.heartbeat_ticks;
    if (is_silent) h.source.reset();
    const bool has_fetched_all = h.sources.empty() && !h.source && h.read_token == 0;
    if (s.time.ticks >= h.phase_deadline && has_fetched_all) {
        lower_claim(s);
        return back_off(s);
    }
    if (s.time.ticks - h.inquiry.sent_tick >= s.options.heartbeat_ticks) send_inquiry(s, out);
    evaluate(s, out);
}

void on_inquiry(State& s, Peer& from, const Header& header, const Inquiry& m, Actions& out) {
    if (header.epoch < s.epoch()) return send(s, from.node, HigherEpoch{}, out);
    InquiryReply reply{.id = m.id, .last = readable_rank(s)};
    if (hears_master(s)) {  // the epoch is not adopted (S3a): the master settles it
        reply.answer = InquiryAnswer::kHearsMaster;
        reply.master = s.is_master() ? s.self() : s.following.master;
        return send(s, from.node, reply, out);
    }
    reply.answer = answer_of(s, m);
    if (header.epoch > s.epoch() && mutant(Mutant::kInquiryEpochNotSaved)) {
        Message early = message_of(s, reply);
        early.header.epoch = header.epoch;
        out.push_back(Send{from.node, std::move(early)});
        return;
    }
    if (header.epoch > s.epoch()) adopt_epoch(s, header.epoch, MemberId{}, out);
    send(s, from.node, reply, out);
}

void on_inquiry_reply(State& s, Peer& from, const Header& header, const InquiryReply& m, Actions& out) {
    if (header.epoch > s.epoch()) return adopt_epoch(s, header.epoch, MemberId{}, out);
    if (!s.hole || s.hole->inquiry.id == 0 || s.hole->inquiry.id != m.id) return;
    Hole& h = *s.hole;
    if (m.answer == InquiryAnswer::kHearsMaster) return back_off(s);
    const bool is_known = std::ranges::find(h.inquiry.answers, from.node, &Answer::node) != h.inquiry.answers.end();
    if (header.epoch != h.inquiry.epoch || is_known || !s.is_member(from)) return;
    h.inquiry.answers.push_back({from.node, s.is_voter(from), m.answer, m.last});
    if (m.answer == InquiryAnswer::kHas && may_give(h, m.last)) h.sources.push_back(from.node);
    evaluate(s, out);
}

}  // namespace tanist::core

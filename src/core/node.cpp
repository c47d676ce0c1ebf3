// SPDX-License-Identifier: Apache-2.0
#include "core/node.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/mutant.h"
#include "core/invariants.h"
#include "core/membership/admission.h"
#include "core/recovery/repair.h"
#include "core/recovery/start.h"
#include "core/replication/following.h"
#include "core/replication/sending.h"
#include "core/state.h"
#include "core/viewing.h"

namespace tanist::core {
namespace {

/// How a message's epoch is treated before the message is (S3a).
enum class EpochRule : std::uint8_t {
    kOrdinary,    ///< lower: refused and answered with ours; higher: made durable first
    kAnswer,      ///< likewise, but a lower one is dropped: its sender asked nothing
    kHigherOnly,  ///< a higher one is made durable, a lower one is no fault: what a pre-vote or a switchover came to
    kOwn,         ///< the handler decides: pre-votes never, vote requests and inquiries not when the own master is heard
};

template <class T, class... Ts>
inline constexpr bool is_one_of = (std::is_same_v<T, Ts> || ...);

template <class T>
constexpr EpochRule epoch_rule() {
    if (is_one_of<T, PreVoteRequest, VoteRequest, Inquiry, InquiryReply>) return EpochRule::kOwn;
    if (is_one_of<T, PreVoteReply, SwitchoverAnswer>) return EpochRule::kHigherOnly;
    if (is_one_of<T, AppendAck, AppendReject, VoteReply, FetchReply, ReadIndexReply, HigherEpoch>) return EpochRule::kAnswer;
    return EpochRule::kOrdinary;
}

}  // namespace

struct Node::State : core::State {
    using core::State::State;

    void on(const Tick& e, Actions& out);
    void on(const PeerConnected& e, Actions& out);
    void on(const PeerLost& e, Actions& out);
    void on(const PeerMessage& e, Actions& out);
    void on(const Proposal& e, Actions& out) { on_proposal(*this, e, out); }
    void on(const ReadRequest& e, Actions& out) { on_read_request(*this, e, out); }
    void on(const DueAt& e, Actions&) { due = e.timestamp; }
    void on(const WalDurable& e, Actions& out);
    void on(const LogRead& e, Actions& out) { on_log_read(*this, e, out); }
    void on(const Applied& e, Actions& out) { on_applied(*this, e, out); }
    void on(const Stored& e, Actions& out) { on_stored(*this, e, out); }
    void on(const CopyReceived& e, Actions& out) { on_copy_received(*this, e, out); }
    void on(const SwitchoverRequested& e, Actions& out) { on_switchover_requested(*this, e, out); }
    void on(const ForwardWrites& e, Actions& out) { on_forward_writes(*this, e, out); }
    void on(const ShutdownRequested& e, Actions& out);

    void take(Peer& from, const Header& header, const Body& body, Actions& out);
    void on(Peer& from, const Header&, const Heartbeat& m, Actions& out) { on_heartbeat(*this, from, m, out); }
    void on(Peer& from, const Header&, const Append& m, Actions& out) { on_append(*this, from, m, out); }
    void on(Peer& from, const Header&, const AppendAck& m, Actions& out) { on_append_ack(*this, from, m, out); }
    void on(Peer& from, const Header&, const AppendReject& m, Actions& out) { on_append_reject(*this, from, m, out); }
    void on(Peer& from, const Header&, const ReadIndexRequest& m, Actions& out) { on_read_index_request(*this, from, m, out); }
    void on(Peer&, const Header&, const ReadIndexReply& m, Actions& out) { on_read_index_reply(*this, m, out); }
    void on(Peer& from, const Header& h, const PreVoteRequest& m, Actions& out) { on_pre_vote_request(*this, from, h, m, out); }
    void on(Peer& from, const Header&, const PreVoteReply& m, Actions& out) { on_pre_vote_reply(*this, from, m, out); }
    void on(Peer& from, const Header& h, const VoteRequest& m, Actions& out) { on_vote_request(*this, from, h, m, out); }
    void on(Peer& from, const Header&, const VoteReply& m, Actions& out) { on_vote_reply(*this, from, m, out); }
    void on(Peer& from, const Header&, const StandNow& m, Actions& out) { on_stand_now(*this, from, m, out); }
    void on(Peer& from, const Header&, const SwitchoverAsk& m, Actions& out) { on_switchover_ask(*this, from, m, out); }
    void on(Peer&, const Header&, const SwitchoverAnswer& m, Actions& out) { on_switchover_answer(*this, m, out); }
    void on(Peer& from, const Header&, const ForwardedWrites& m, Actions& out) { on_forwarded_writes(*this, from, m, out); }
    void on(Peer& from, const Header&, const FetchRequest& m, Actions& out) { on_fetch_request(*this, from, m, out); }
    void on(Peer& from, const Header& h, const FetchReply& m, Actions& out);
    void on(Peer& from, const Header& h, const Inquiry& m, Actions& out) { on_inquiry(*this, from, h, m, out); }
    void on(Peer& from, const Header& h, const InquiryReply& m, Actions& out) { on_inquiry_reply(*this, from, h, m, out); }
    // Dealt with before (admit), or by the shell (full copies).
    template <class Other>
    void on(Peer&, const Header&, const Other&, Actions&) {}
};

Node::Node(NodeOptions options, StartState start, std::uint64_t seed)
    : state_(std::make_unique<State>(std::move(options), std::move(start), seed)) {}
Node::~Node() = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;

void Node::step(const Event& event, Actions& out) {
    State& s = *state_;
    if (s.stopped) return;
    const RoutingView before = routing_view(s);
    if (!s.started) start_node(s, out);
    if (!s.stopped) std::visit([&](const auto& e) { s.on(e, out); }, event);  // an event without its on() does not compile
    if (!s.stopped) advance_switchover(s, out);
    check_invariants(s);
    if (routing_view(s) != before) out.push_back(ViewChanged{});
}

View Node::view() const { return view_of(*state_); }
Holding Node::holding() const {
    const std::size_t unsynced = state_->log.unsynced_bytes();
    Holding h{.tail = state_->log.tail_bytes() - unsynced, .unsynced = unsynced, .fill = state_->hole ? state_->hole->fill_bytes : 0};
    for (const Peer& peer : state_->peers) h.in_flight = std::max(h.in_flight, peer.progress.flight_bytes);
    return h;
}
Role Node::role() const { return state_->role; }
bool Node::open() const { return state_->is_master() && state_->reign.open; }
Epoch Node::epoch() const { return state_->epoch(); }
Lsn Node::commit() const { return state_->commit; }
Lsn Node::applied() const { return state_->applied; }
std::optional<Epoch> Node::epoch_at(Lsn lsn) const { return state_->log.epoch_at(lsn); }

void Node::State::on(const Tick& e, Actions& out) {
    const std::uint64_t tick_ms = std::max<std::uint32_t>(options.tick_ms, 1);
    const std::uint64_t now_ms = e.now.monotonic_ms;
    if (time.ticks == 0 || now_ms == 0) {  // the first one; or a shell without a clock, whose ticks are counted as they come
        time.counted_ms = now_ms;
        ++time.ticks;
    } else if (now_ms > time.counted_ms) {
        const std::uint64_t passed = (now_ms - time.counted_ms) / tick_ms;
        time.ticks += passed;
        time.counted_ms += passed * tick_ms;
    }
    time.now = e.now;

    tick_shutdown(*this, out);
    tick_formation(*this, out);
    tick_switchover_asks(*this, out);
    if (stopped || !takes_part()) return;
    tick_reign(*this, out);
    tick_election(*this, out);
    tick_pull(*this, out);
    tick_repair(*this, out);
    tick_reads(*this, out);
    tick_following(*this, out);
    tick_copy(*this, out);
    advance_apply(*this, out);
}

void Node::State::on(const PeerConnected& e, Actions& out) {
    Peer* peer = find_peer(e.node);
    if (peer == nullptr) return;
    peer->connected = true;
    send(*this, e.node, own_hello(*this), out);
    if (!is_master()) return;
    peer->progress.reconnect();
    send_heartbeats(*this, true, out);
}

void Node::State::on(const PeerLost& e, Actions& out) {
    Peer* peer = find_peer(e.node);
    if (peer == nullptr) return;
    peer->connected = false;
    if (is_master()) peer->progress.reconnect();
    // A reset alone says little: the shell knocks once more, and only being refused there is evidence (S13).
    const bool is_own_master = following.master && following.master->node == e.node;
    const bool is_evidence = e.loss == Loss::kRefused || (e.loss == Loss::kReset && mutant(Mutant::kResetTakenForDeath));
    if (is_evidence && is_own_master && takes_part()) on_master_dead(*this, out);
}

void Node::State::on(const PeerMessage& e, Actions& out) {
    Peer* from = admit(*this, e.message, out);
    if (from == nullptr) return;
    from->heard_tick = time.ticks;
    take(*from, e.message.header, e.message.body, out);
}

void Node::State::take(Peer& from, const Header& header, const Body& body, Actions& out) {
    std::visit(
        [&]<class M>(const M& m) {
            constexpr EpochRule rule = epoch_rule<M>();
            if constexpr (rule != EpochRule::kOwn) {
                if (header.epoch < epoch() && rule != EpochRule::kHigherOnly && !mutant(Mutant::kLowerEpochTaken)) {
                    if (rule == EpochRule::kOrdinary) send(*this, from.node, HigherEpoch{}, out);
                    return;
                }
                if (header.epoch > epoch()) adopt_epoch(*this, header.epoch, MemberId{}, out);
            }
            on(from, header, m, out);
        },
        body);
}

void Node::State::on(Peer& from, const Header& h, const FetchReply& m, Actions& out) {
    if (m.id == 0 && m.status == FetchStatus::kRecycled) {
        const bool is_old = log.holds(m.previous);  // sent before the checkpoint came that reaches to where the master's log begins
        if (following.master == h.sender && !hole && !is_old)
            need_copy(*this, "the entries that it needs were recycled at the master", out);
    } else if (hole) {
        on_repair_fetch_reply(*this, from, h, m, out);
    } else if (is_master()) {
        on_promotion_fetch_reply(*this, from, m, out);
    } else {
        on_pull_reply(*this, from, m, out);
    }
}

void Node::State::on(const WalDurable& e, Actions& out) {
    if (e.generation != log.generation() && !mutant(Mutant::kStaleCompletionCounts))
        return;                           // a cut has overtaken this completion: it speaks of bytes that are gone (S5)
    ENSURE(e.through <= log.last().lsn);  // durability never runs ahead of what was written
    log.mark_durable(e.through);
    writing.waiting_since = time.ticks;
    if (is_master()) {
        report_durable(*this, out);
        advance_commit(*this, out);
    } else if (following.master && takes_part()) {
        acknowledge(*this, out);
    }
    advance_apply(*this, out);
    stand_if_delayed(*this, out);
}

void Node::State::on(const ShutdownRequested&, Actions& out) {
    if (stopping_since) return;
    stopping_since = time.ticks;
    switch_over_before_shutdown(*this, out);
    tick_shutdown(*this, out);
}

}  // namespace tanist::core

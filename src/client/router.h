// SPDX-License-Identifier: Apache-2.0
// Decides where each call goes and what its answer means: follows redirects and failovers, spreads reads, sends again what was
// left unanswered, until the deadline. Belongs to the client's thread, but for token() and observe().
//
// A call that can go nowhere is parked. While any is, the nodes are asked in rounds, further and further apart, for a topology
// that helps. A newer topology and a node that becomes ready give the parked calls another try; so does time, more rarely.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/call.h"
#include "client/link.h"
#include "client/session.h"
#include "client/timers.h"
#include "client/topology.h"
#include "tanist/client.h"

namespace tanist::client {

class Router final : Link::Owner {
public:
    /// `options` must outlive this.
    Router(asio::io_context& io, const Options& options);

    /// Looks for a first node. `connected` is called once.
    void start(std::function<void(Result<void>)> connected);
    void submit(std::unique_ptr<Call> call);
    /// Ends every call as kClosed. Nothing is called afterwards.
    void close();

    [[nodiscard]] SessionToken token() const;
    void observe(SessionToken token);

private:
    // -- placing calls (router_calls.cpp has their life, router.cpp the cluster) -------------------------------------------
    void dispatch(Call& call);
    [[nodiscard]] Link* route(Call& call);
    [[nodiscard]] Link* route_read(Call& call);
    void choose_token(Call& call);
    void observe_answer(const Call& call, SessionToken at);
    void transmit(Call& call, Link& link);
    void park(Call& call);
    void unpark();
    /// Takes it off its link, so that it can go elsewhere; an answer from there is ignored.
    void detach(Call& call);

    // -- what comes back ---------------------------------------------------------------------------------------------------
    std::string on_hello(Link& link, const native::HelloReply& hello) override;
    void on_ready(Link& link) override;
    void on_reply(Link& link, CallId id, native::Reply reply) override;
    void on_status(Link& link, const native::StatusReply& status) override;
    void on_lost(Link& link, const std::vector<CallId>& sent, const std::vector<CallId>& waiting) override;
    void on_error(Link& link, Call& call, const native::Reply& reply, const native::ErrorReply& error);
    void on_session_expired(Call& call, std::string message);
    void on_deadline(Call& call);
    void finish(Call& call, Result<native::Reply> result);
    void fail_call(Call& call, ErrorCode code, Outcome outcome, std::string message);

    // -- the session -------------------------------------------------------------------------------------------------------
    void register_session();
    void on_session(Result<native::Reply> reply);
    void keep_session();

    // -- the cluster -------------------------------------------------------------------------------------------------------
    void learn(const native::Topology& report, NodeId reporter);
    void follow_master();
    void seek();
    void seek_round();
    void ask_everyone();
    void tick();
    void look_after(Link& link);
    void report_connected(Result<void> result);
    [[nodiscard]] bool gave_up_connecting() const;
    [[nodiscard]] ErrorCode why_not_connected() const;

    [[nodiscard]] Link& link_at(const std::string& address);
    /// nullptr: it serves no clients, or its address is not known.
    [[nodiscard]] Link* link_to(NodeId node);
    [[nodiscard]] bool suspect(const Link& link) const { return link.silence() > 2 * options_.silence; }
    [[nodiscard]] Call* find(CallId id);
    [[nodiscard]] std::string nodes_tried(const Call* call) const;

    asio::io_context& io_;
    const Options& options_;
    Timers timers_;
    Random random_;
    std::map<std::string, std::unique_ptr<Link>> links_;  ///< by address; never removed
    Topology topology_;
    ClusterId cluster_;  ///< of the first node that knew it
    std::unordered_map<CallId, std::unique_ptr<Call>> calls_;
    CallId next_call_ = 1;
    std::vector<CallId> parked_;
    std::uint64_t reads_ = 0;  ///< for taking turns

    std::shared_ptr<Session> session_;
    bool registering_ = false;
    CallId registration_ = 0;
    std::vector<CallId> waiting_for_session_;
    Clock::time_point session_used_;

    std::function<void(Result<void>)> connected_;
    Clock::time_point connect_deadline_;
    bool seeking_ = false;
    Backoff seek_backoff_;   ///< between rounds of questions
    Backoff retry_backoff_;  ///< between sendings of what nobody took
    Clock::time_point retry_at_;
    bool ticking_ = false, closed_ = false;
    Clock::time_point used_, refreshed_;

    mutable std::mutex token_mutex_;  ///< guards the three below, which callers read while answers raise them
    SessionToken token_;
    bool token_is_weak_ = false;  ///< of a write that only its master is known to have
    /// Such a token, of an epoch that has passed since: whether its entry was cut is told by the next session read, which asks.
    std::optional<SessionToken> token_in_doubt_;
};

}  // namespace tanist::client

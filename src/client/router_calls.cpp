// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.h"
#include "client/router.h"

namespace tanist::client {
namespace {

constexpr unsigned kRedirectsMax = 4;        // in a row: two nodes that point at each other must not make the client spin
constexpr unsigned kSessionsExpiredMax = 3;  // of one call
constexpr std::chrono::seconds kKeepInterval{60};
constexpr std::chrono::milliseconds kTooLate{20};
constexpr std::chrono::milliseconds kReadShareMin{200};

/// What to do about an error reply.
enum class Next : std::uint8_t {
    kTellCaller,
    kFollow,     ///< to the master that the topology names
    kWait,       ///< parked: nobody can take it now
    kElsewhere,  ///< a read: another node may do better
    kSendAgain,  ///< the outcome is unknown, but the session lets us ask
    kNewSession,
};
struct Rule {
    native::Code code;
    ErrorCode as;
    Outcome outcome;
    Next next;
};
/// One row for each code of the protocol; a test walks them all.
constexpr std::array kRules = {
    Rule{native::Code::kInvalidRequest, ErrorCode::kInvalidArgument, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kTooLarge, ErrorCode::kTooLarge, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kNotMaster, ErrorCode::kUnavailable, Outcome::kRefused, Next::kFollow},
    Rule{native::Code::kNoQuorum, ErrorCode::kUnavailable, Outcome::kRefused, Next::kWait},
    Rule{native::Code::kTryAgain, ErrorCode::kUnavailable, Outcome::kRefused, Next::kWait},
    Rule{native::Code::kTooStale, ErrorCode::kTooStale, Outcome::kRefused, Next::kElsewhere},
    Rule{native::Code::kStaleToken, ErrorCode::kStaleToken, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kNotAnInteger, ErrorCode::kNotAnInteger, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kOverflow, ErrorCode::kOverflow, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kWrongCluster, ErrorCode::kWrongCluster, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kUnsupportedVersion, ErrorCode::kUnsupported, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kUnsupportedRequest, ErrorCode::kUnsupported, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kReadTimeout, ErrorCode::kUnavailable, Outcome::kRefused, Next::kElsewhere},
    Rule{native::Code::kNotPossible, ErrorCode::kUnavailable, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kUnauthenticated, ErrorCode::kUnauthenticated, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kNotPermitted, ErrorCode::kNotPermitted, Outcome::kRefused, Next::kTellCaller},
    Rule{native::Code::kSessionExpired, ErrorCode::kSessionExpired, Outcome::kUnknown, Next::kNewSession},
    Rule{native::Code::kOutcomeUnknown, ErrorCode::kOutcomeUnknown, Outcome::kUnknown, Next::kSendAgain},
    Rule{native::Code::kAnswerForgotten, ErrorCode::kAnswerForgotten, Outcome::kDone, Next::kTellCaller},
    Rule{native::Code::kStorageFault, ErrorCode::kOutcomeUnknown, Outcome::kUnknown, Next::kSendAgain},
};

Rule rule_for(native::Code code) {
    const auto found = std::ranges::find(kRules, code, &Rule::code);
    ENSURE(found != kRules.end());  // the codec answers no other
    return *found;
}

/// Answers of the executed command itself: they hold whatever became of other sendings.
bool by_execution(native::Code code) { return code == native::Code::kNotAnInteger || code == native::Code::kOverflow; }

}  // namespace

Call* Router::find(CallId id) {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : found->second.get();
}

void Router::submit(std::unique_ptr<Call> submitted) {
    Call& call = *submitted;
    call.id = next_call_++;
    calls_.emplace(call.id, std::move(submitted));
    used_ = Clock::now();
    call.deadline_timer = timers_.at(call.deadline, [this, id = call.id] { on_deadline(*find(id)); });
    if (!std::exchange(ticking_, true)) {
        refreshed_ = used_;
        timers_.at(used_ + options_.silence / 4, [this] { tick(); });
    }
    dispatch(call);
}

// -- out -------------------------------------------------------------------------------------------------------------------------

void Router::dispatch(Call& call) {
    if (call.kind == Kind::kWrite && options_.exactly_once && call.session == nullptr) {
        if (session_ == nullptr) {
            waiting_for_session_.push_back(call.id);
            return register_session();
        }
        call.session = session_;
        call.request.sequence = session_->begin();
    }
    Link* link = route(call);
    if (link == nullptr) return park(call);
    call.link = link;
    if (link->ready()) return transmit(call, *link);
    link->wait(call.id);
    link->connect();
}

Link* Router::route(Call& call) {
    if (options_.direct) {
        Link* only = links_.begin()->second.get();
        return only->usable() ? only : nullptr;
    }
    if (call.kind == Kind::kRead) return route_read(call);
    const auto fits = [&](Link* link) {
        return link != nullptr && link->usable() && std::ranges::find(call.avoid, link) == call.avoid.end();
    };
    Link* master = link_to(topology_.master());
    if (fits(master)) return master;
    if (call.kind != Kind::kStatus) return nullptr;
    for (const auto& [address, link] : links_) {
        if (link->ready() && fits(link.get())) return link.get();
    }
    call.avoid.clear();
    return nullptr;
}

/// Healthy slaves in turn, else the master, else whoever is there: a master that has stepped down still reads (S19).
Link* Router::route_read(Call& call) {
    const auto fits = [&](const Link* link) {
        return link != nullptr && link->usable() && std::ranges::find(call.avoid, link) == call.avoid.end();
    };
    Link* master = link_to(topology_.master());
    if (call.prefer_master && fits(master) && !suspect(*master)) return master;

    std::vector<Link*> slaves;
    for (const auto id : topology_.readers()) {
        Link* link = link_to(id);
        if (fits(link) && !suspect(*link)) slaves.push_back(link);
    }
    if (!slaves.empty()) return slaves[reads_++ % slaves.size()];
    if (fits(master) && !suspect(*master)) return master;
    for (const auto& [id, node] : topology_.nodes()) {
        Link* link = node.role == native::Role::kWitness ? nullptr : link_to(id);
        if (fits(link)) return link;
    }
    for (const auto& [address, link] : links_) {
        const auto node = topology_.nodes().find(link->node());
        const bool witness = node != topology_.nodes().end() && node->second.role == native::Role::kWitness;
        if (link->ready() && !witness && fits(link.get())) return link.get();
    }
    call.avoid.clear();  // all have been tried: from the beginning, in the next round
    call.prefer_master = false;
    return nullptr;
}

void Router::transmit(Call& call, Link& link) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(call.deadline - Clock::now());
    // A read may do better elsewhere, so no node gets all its time. Of the rest a little less than is left, so that what the node
    // has to say at its deadline arrives before ours.
    const auto share = call.kind == Kind::kRead && left > kReadShareMin && !options_.direct ? std::max(kReadShareMin, left / 2) : left;
    const auto for_node = std::max(std::chrono::milliseconds(1), share - std::min(std::chrono::milliseconds(100), share / 10));
    native::Request& request = call.request;
    request.deadline_ms = static_cast<std::uint64_t>(for_node.count());
    if (request.read_level == native::ReadLevel::kDefault || request.read_level == native::ReadLevel::kSession) {
        choose_token(call);
        if (call.kind == Kind::kRead && call.token_sent.lsn != 0) request.token = Rank{{call.token_sent.epoch}, {call.token_sent.lsn}};
    }
    if (call.session != nullptr) {
        request.session = call.session->id();
        request.lowest_unanswered = call.session->lowest_unanswered();
        session_used_ = Clock::now();
    }
    if (const auto sent = link.send(call.id, request); !sent) {
        return fail_call(call, ErrorCode::kTooLarge, Outcome::kRefused, fmt::format("{}: {}", call.name, sent.error().message));
    }
    call.link = &link;
    call.under_way = true;
    ++call.open_sendings;
    if (std::ranges::find(call.sent_to, &link) == call.sent_to.end()) call.sent_to.push_back(&link);
}

void Router::park(Call& call) {
    call.link = nullptr;
    call.under_way = false;
    parked_.push_back(call.id);
    seek();
}

void Router::unpark() {
    const auto now = Clock::now();
    for (const CallId id : std::exchange(parked_, {})) {
        Call* call = find(id);
        if (call == nullptr) continue;
        // Too late to be answered: sent now, a write that nobody has taken would only end as unknown instead of refused.
        const bool too_late = call->deadline - now < std::min<Clock::duration>(kTooLate, call->allowed / 10);
        if (!too_late || call->may_have_been_executed()) dispatch(*call);
    }
}

void Router::detach(Call& call) {
    if (call.under_way) call.link->forget(call.request.id);
    call.link = nullptr;
    call.under_way = false;
}

void Router::choose_token(Call& call) {
    const std::lock_guard lock(token_mutex_);
    call.token_sent = std::max(token_, call.token);
    call.token_wanted = {};
    if (call.kind == Kind::kRead && token_in_doubt_) {
        call.token_wanted = call.token_sent;
        call.token_sent = *token_in_doubt_;
    }
}

/// A session sees its own writes or is told of their loss (S18). An answer of a later epoch that was not asked about the token says
/// nothing about it, and would hide it: so it is kept until a read has asked.
void Router::observe_answer(const Call& call, SessionToken at) {
    const std::lock_guard lock(token_mutex_);
    const bool is_told = call.kind == Kind::kRead && call.request.token.has_value();
    if (is_told && token_in_doubt_ == call.token_sent) token_in_doubt_.reset();
    if (at <= token_) return;
    const bool is_checked = is_told && call.token_sent == token_;
    if (token_is_weak_ && at.epoch > token_.epoch && !is_checked && !token_in_doubt_) token_in_doubt_ = token_;
    token_ = at;
    const native::WriteLevel level = call.request.write_level;
    token_is_weak_ = call.kind == Kind::kWrite && (level == native::WriteLevel::kMaster || level == native::WriteLevel::kDefault);
}

// -- back --------------------------------------------------------------------------------------------------------------------------

void Router::on_reply(Link& link, CallId id, native::Reply reply) {
    Call* call = find(id);
    if (call == nullptr || call->link != &link) return;
    call->link = nullptr;
    call->under_way = false;
    if (const auto* error = std::get_if<native::ErrorReply>(&reply.body)) return on_error(link, *call, reply, *error);
    seek_backoff_.reset();
    retry_backoff_.reset();
    const SessionToken at{.epoch = reply.at.epoch.value, .lsn = reply.at.lsn.value};
    if (at.lsn != 0) observe_answer(*call, at);
    if (at < call->token_wanted) return dispatch(*call);  // it was only asked about the token in doubt
    finish(*call, std::move(reply));
}

void Router::on_error(Link& link, Call& call, const native::Reply& reply, const native::ErrorReply& error) {
    const Rule rule = rule_for(error.code);
    if (rule.outcome == Outcome::kRefused) --call.open_sendings;
    std::string message = fmt::format("{}: {}: {}", call.name, link.address(), error.message);
    if (rule.next != Next::kTellCaller) {
        call.said[&link] = error.message;
        if (rule.outcome == Outcome::kRefused) call.refused_as = rule.as;
    }
    if (error.topology) learn(*error.topology, link.node());

    switch (rule.next) {
        case Next::kTellCaller: {
            if (rule.as == ErrorCode::kStaleToken) {
                const std::lock_guard lock(token_mutex_);
                if (token_ == call.token_sent) token_ = {};
                if (token_in_doubt_ == call.token_sent) token_in_doubt_.reset();
            }
            const bool unknown = rule.outcome == Outcome::kRefused && call.may_have_been_executed() && !by_execution(rule.code);
            const bool done = rule.outcome == Outcome::kDone && !reply.at.lsn.is_zero();
            return fail_call(call, rule.as, unknown || (rule.outcome == Outcome::kDone && !done) ? Outcome::kUnknown : rule.outcome,
                             std::move(message));
        }
        case Next::kFollow: {
            if (options_.direct) return fail_call(call, ErrorCode::kNotMaster, Outcome::kRefused, std::move(message));
            const Link* master = link_to(topology_.master());
            if (master == &link || ++call.redirects > kRedirectsMax) {
                call.redirects = 0;
                return park(call);
            }
            return dispatch(call);
        }
        case Next::kWait: return park(call);
        case Next::kElsewhere: {
            if (options_.direct) return fail_call(call, rule.as, Outcome::kRefused, std::move(message));
            call.avoid.push_back(&link);
            call.prefer_master = true;
            return dispatch(call);
        }
        case Next::kSendAgain: {
            return call.is_repeatable() ? park(call) : fail_call(call, rule.as, Outcome::kUnknown, std::move(message));
        }
        case Next::kNewSession: return on_session_expired(call, std::move(message));
    }
}

void Router::on_session_expired(Call& call, std::string message) {
    if (session_ == call.session) session_ = nullptr;  // the next write registers a new one
    // When this answers the only sending, nothing was executed. Otherwise an earlier one may have been, and nobody can tell any more.
    if (call.kind != Kind::kWrite || call.open_sendings > 1 || call.session == nullptr || ++call.sessions_expired > kSessionsExpiredMax) {
        return fail_call(call, ErrorCode::kSessionExpired, call.open_sendings > 1 ? Outcome::kUnknown : Outcome::kRefused,
                         std::move(message));
    }
    call.open_sendings = 0;
    std::exchange(call.session, nullptr)->end(call.request.sequence);
    dispatch(call);
}

void Router::on_deadline(Call& call) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(call.allowed).count();
    if (call.may_have_been_executed()) {
        std::string sent_to;
        for (const Link* link : call.sent_to) sent_to += (sent_to.empty() ? "" : ", ") + link->address();
        return fail_call(call, ErrorCode::kOutcomeUnknown, Outcome::kUnknown,
                         fmt::format("{} was sent to {}, and no answer came within {} ms: it may or may not be executed ({})", call.name,
                                     sent_to, waited, nodes_tried(&call)));
    }
    const Call* reason = &call;
    if (const Call* registration = find(registration_); registration != nullptr && call.said.empty() && call.kind == Kind::kWrite) {
        reason = registration;  // what kept the session from being registered kept this from being sent
    }
    fail_call(call, reason->refused_as, Outcome::kRefused,
              fmt::format("{}: no node took it within {} ms: {}", call.name, waited, nodes_tried(reason)));
}

void Router::fail_call(Call& call, ErrorCode code, Outcome outcome, std::string message) {
    finish(call, tl::unexpected(Error{code, outcome, std::move(message)}));
}

void Router::finish(Call& call, Result<native::Reply> result) {
    detach(call);
    timers_.cancel(call.deadline_timer);
    if (call.session != nullptr) call.session->end(call.request.sequence);
    const auto owned = std::move(calls_.extract(call.id).mapped());
    if (owned->done) owned->done(std::move(result));
}

// -- the session -------------------------------------------------------------------------------------------------------------------

void Router::register_session() {
    if (std::exchange(registering_, true)) return;
    auto call = std::make_unique<Call>();
    call->kind = Kind::kSession;
    call->name = "registering a session";
    call->request.body = native::RegisterSession{static_cast<std::uint64_t>(options_.session_lifetime.count())};
    call->allowed = options_.deadline;
    call->deadline = Clock::now() + options_.deadline;
    call->done = [this](Result<native::Reply> reply) { on_session(std::move(reply)); };
    registration_ = next_call_;
    submit(std::move(call));
}

void Router::on_session(Result<native::Reply> reply) {
    registering_ = false;
    registration_ = 0;
    const auto waiting = std::exchange(waiting_for_session_, {});
    if (closed_) return;
    const auto* registered = reply ? std::get_if<native::SessionReply>(&reply->body) : nullptr;
    if (registered != nullptr) {
        session_ = std::make_shared<Session>(registered->session);
        session_used_ = Clock::now();
    }
    const bool try_again = !reply && reply.error().code == ErrorCode::kUnavailable;
    for (const CallId id : waiting) {
        Call* call = find(id);
        if (call == nullptr) continue;  // past its deadline
        if (session_ != nullptr || try_again) {
            dispatch(*call);
        } else {
            const Error error =
                reply ? Error{ErrorCode::kUnsupported, {}, "registering a session: an answer to something else"} : reply.error();
            fail_call(*call, error.code, Outcome::kRefused, fmt::format("{}: {}", call->name, error.message));
        }
    }
}

void Router::keep_session() {
    const auto lifetime = options_.session_lifetime;
    const auto interval = lifetime.count() > 0 ? std::min<Clock::duration>(lifetime / 3, kKeepInterval) : Clock::duration(kKeepInterval);
    if (session_ == nullptr || session_->idle() || Clock::now() - session_used_ < interval) return;
    session_used_ = Clock::now();
    auto call = std::make_unique<Call>();
    call->kind = Kind::kSession;
    call->name = "keeping the session";
    call->request.session = session_->id();
    call->request.lowest_unanswered = session_->lowest_unanswered();
    call->request.body = native::KeepSession{};
    call->allowed = interval < options_.deadline ? std::chrono::duration_cast<std::chrono::milliseconds>(interval) : options_.deadline;
    call->deadline = Clock::now() + call->allowed;
    submit(std::move(call));
}

}  // namespace tanist::client

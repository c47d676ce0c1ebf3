// SPDX-License-Identifier: Apache-2.0
#include "client/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "base/ensure.h"

namespace tanist::client {
namespace {

constexpr std::chrono::seconds kInUse{5};   // after the last call, the nodes are still looked after
constexpr std::chrono::seconds kGiveUp{3};  // silence after which a connection counts as lost
constexpr std::chrono::milliseconds kTickMin{10};

Error refused(ErrorCode code, std::string message) { return {code, Outcome::kRefused, std::move(message)}; }

}  // namespace

Router::Router(asio::io_context& io, const Options& options)
    : io_(io),
      options_(options),
      timers_(io),
      random_((static_cast<std::uint64_t>(std::random_device{}()) << 32) | std::random_device{}()),
      seek_backoff_(options.backoff_min, std::max(options.backoff_min, options.backoff_max / 20)),
      retry_backoff_(options.backoff_min, std::max(options.backoff_min, options.backoff_max / 5)) {
    reads_ = random_.next() >> 1;  // one-shot clients spread too
}

// -- finding a first node ------------------------------------------------------------------------------------------------------

void Router::start(std::function<void(Result<void>)> connected) {
    connected_ = std::move(connected);
    connect_deadline_ = Clock::now() + options_.connect_timeout;
    for (const auto& seed : options_.seeds) {
        link_at(seed).connect();
        if (options_.direct) break;
    }
    if (options_.connect_timeout.count() == 0) return;
    timers_.at(connect_deadline_, [this] {
        report_connected(tl::unexpected(refused(why_not_connected(), fmt::format("no node answered within {} ms: {}",
                                                                                 options_.connect_timeout.count(), nodes_tried(nullptr)))));
    });
    seek();
}

void Router::report_connected(Result<void> result) {
    if (connected_) std::exchange(connected_, nullptr)(std::move(result));
}

bool Router::gave_up_connecting() const {
    return std::ranges::all_of(links_, [&](const auto& at) {
        const Link& link = *at.second;
        const bool for_good = link.refused_as() == native::Code::kWrongCluster || link.refused_as() == native::Code::kUnsupportedVersion ||
                              link.refused_as() == native::Code::kUnauthenticated;
        return link.failures() > 0 && (for_good || options_.connect_timeout.count() == 0);
    });
}

/// A wrong password is what the caller must know, also where other nodes are down.
ErrorCode Router::why_not_connected() const {
    const auto is = [](native::Code code) { return [code](const auto& at) { return at.second->refused_as() == code; }; };
    if (std::ranges::any_of(links_, is(native::Code::kUnauthenticated))) return ErrorCode::kUnauthenticated;
    if (std::ranges::all_of(links_, is(native::Code::kWrongCluster))) return ErrorCode::kWrongCluster;
    if (std::ranges::all_of(links_, is(native::Code::kUnsupportedVersion))) return ErrorCode::kUnsupported;
    return ErrorCode::kUnavailable;
}

std::string Router::on_hello(Link& link, const native::HelloReply& hello) {
    if (!hello.cluster.is_zero() && !cluster_.is_zero() && hello.cluster != cluster_) {
        return fmt::format("node {} belongs to cluster {:016x}, and this client to {:016x}", hello.node.value, hello.cluster.value,
                           cluster_.value);
    }
    if (!hello.cluster.is_zero()) cluster_ = hello.cluster;
    learn(hello.topology, hello.node);
    const bool twice = std::ranges::any_of(
        links_, [&](const auto& at) { return at.second.get() != &link && at.second->ready() && at.second->node() == hello.node; });
    // Only a link that nobody waits for: a seed that turned out to be a known node.
    return twice && link.waiting().empty() ? fmt::format("node {} is connected already", hello.node.value) : std::string();
}

void Router::on_ready(Link& link) {
    report_connected({});
    for (const CallId id : link.take_waiting()) {
        Call* call = find(id);
        if (call != nullptr && call->link == &link && !call->under_way) transmit(*call, link);
    }
    unpark();
}

void Router::on_lost(Link& link, const std::vector<CallId>& sent, const std::vector<CallId>& waiting) {
    if (closed_) return;
    if (connected_ && gave_up_connecting())
        return report_connected(tl::unexpected(refused(why_not_connected(), fmt::format("no node answered: {}", nodes_tried(nullptr)))));
    if (!link.node().is_zero() && link.node() == topology_.master()) seek();  // its successor may be known elsewhere already
    for (const auto* calls : {&sent, &waiting}) {
        for (const CallId id : *calls) {
            Call* call = find(id);
            if (call == nullptr || call->link != &link) continue;
            call->link = nullptr;
            call->under_way = false;
            call->said[&link] = link.failure();
            const bool was_sent = calls == &sent;
            if (!was_sent && link.refused_as() == native::Code::kUnauthenticated) {  // users have changed since it was connected
                const bool unknown = call->may_have_been_executed();
                fail_call(*call, ErrorCode::kUnauthenticated, unknown ? Outcome::kUnknown : Outcome::kRefused,
                          fmt::format("{}: {}: {}", call->name, link.address(), link.failure()));
                continue;
            }
            if (was_sent && !call->is_repeatable()) {
                fail_call(*call, ErrorCode::kOutcomeUnknown, Outcome::kUnknown,
                          fmt::format("{} was sent to {}, and the connection was lost before the answer: {}", call->name, link.address(),
                                      link.failure()));
                continue;
            }
            if (call->kind == Kind::kRead || call->kind == Kind::kStatus) call->avoid.push_back(&link);
            dispatch(*call);
        }
    }
}

// -- who is who ------------------------------------------------------------------------------------------------------------------

void Router::on_status(Link& link, const native::StatusReply& status) { learn(topology_of(status), link.node()); }

void Router::learn(const native::Topology& report, NodeId reporter) {
    if (options_.direct) return;
    const auto change = topology_.merge(report, reporter);
    if (change == Topology::Change::kMaster) follow_master();
    if (change != Topology::Change::kNone) unpark();
}

void Router::follow_master() {
    const Link* master = link_to(topology_.master());
    if (master == nullptr) return;
    std::vector<CallId> moving;
    for (const auto& [address, link] : links_) {
        if (link.get() == master) continue;
        for (const auto& calls : {link->under_way(), link->waiting()}) moving.insert(moving.end(), calls.begin(), calls.end());
    }
    std::ranges::sort(moving);
    for (const CallId id : moving) {
        Call* call = find(id);
        if (call == nullptr) continue;
        // What cannot be sent again stays; its answer may still come from where it is.
        const bool goes_to_master = call->kind != Kind::kRead && call->kind != Kind::kStatus;
        const bool safe = goes_to_master && (call->is_repeatable() || !call->under_way);
        if (!safe) continue;
        detach(*call);
        dispatch(*call);
    }
}

Link& Router::link_at(const std::string& address) {
    auto& link = links_[address];
    if (link == nullptr) {
        native::Hello hello{.client_name = options_.client_name,
                            .cluster_name = options_.cluster_name,
                            .user = options_.user,
                            .password = options_.password};
        link = std::make_unique<Link>(io_, timers_, random_, static_cast<Link::Owner&>(*this), address, std::move(hello),
                                      Backoff(options_.backoff_min, options_.backoff_max));
    }
    return *link;
}

Link* Router::link_to(NodeId node) {
    if (node.is_zero()) return nullptr;
    for (const auto& [address, link] : links_) {
        if (link->ready() && link->node() == node) return link.get();
    }
    const auto known = topology_.nodes().find(node);
    if (known != topology_.nodes().end() && !known->second.address.empty()) return &link_at(known->second.address);
    for (const auto& [address, link] : links_) {
        if (link->node() == node) return link.get();
    }
    return nullptr;
}

std::string Router::nodes_tried(const Call* call) const {
    std::string out;
    for (const auto& [address, link] : links_) {
        std::string said = link->failure();
        if (call != nullptr) {
            const auto found = call->said.find(link.get());
            if (found != call->said.end()) said = found->second;
        }
        if (said.empty()) {
            if (link->silence() > options_.silence || (call == nullptr && link->state() == Link::State::kConnecting)) {
                said = "silent";
            } else if (link->ready() && topology_.master().is_zero() && !options_.direct) {
                said = "knows no master";
            } else {
                continue;
            }
        }
        out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", address, said);
    }
    return out.empty() ? "no node said why" : out;
}

// -- seeking: while calls are parked ---------------------------------------------------------------------------------------------

void Router::seek() {
    if (seeking_ || closed_) return;
    seeking_ = true;
    seek_round();
}

void Router::seek_round() {
    ask_everyone();
    timers_.at(Clock::now() + seek_backoff_.next(random_), [this] {
        if (const auto now = Clock::now(); now >= retry_at_) {
            retry_at_ = now + retry_backoff_.next(random_);
            unpark();
        }
        const Link* master = link_to(topology_.master());
        const bool master_in_doubt = !options_.direct && !calls_.empty() && (master == nullptr || !master->ready() || suspect(*master));
        if (parked_.empty() && !connected_ && !master_in_doubt) {
            seeking_ = false;
        } else {
            seek_round();
        }
    });
}

void Router::ask_everyone() {
    for (const auto& [id, node] : topology_.nodes()) {
        if (!node.address.empty()) static_cast<void>(link_to(id));  // makes the link
    }
    for (const auto& [address, link] : links_) {
        const Link* other = link->ready() ? nullptr : link_to(link->node());
        if (other != nullptr && other != link.get() && other->ready()) continue;  // another way to the same node
        if (link->ready()) {
            link->probe();
        } else if (link->usable()) {
            link->connect();
        }
    }
}

// -- looking after the nodes, while the client is in use ------------------------------------------------------------------------------

void Router::tick() {
    const auto now = Clock::now();
    if (closed_ || (calls_.empty() && now - used_ > kInUse)) {
        ticking_ = false;
        return;
    }
    timers_.at(now + std::max(kTickMin, options_.silence / 4), [this] { tick(); });
    for (const auto& [address, link] : links_) look_after(*link);
    keep_session();
    if (options_.direct || now - refreshed_ < options_.refresh) return;
    refreshed_ = now;
    Link* master = link_to(topology_.master());
    if (master != nullptr && master->ready() && !suspect(*master)) {
        master->probe();
    } else {
        ask_everyone();
    }
    for (const auto id : topology_.readers()) {
        Link* link = link_to(id);
        if (link != nullptr && link->usable()) link->connect();
    }
}

void Router::look_after(Link& link) {
    const auto silence = link.silence();
    if (silence <= options_.silence) return;
    link.probe();
    if (!suspect(link)) return;
    if (silence > kGiveUp) return link.give_up("silent");
    auto calls = link.under_way();
    calls.insert(calls.end(), link.waiting().begin(), link.waiting().end());
    for (const CallId id : calls) {
        Call* call = find(id);
        if (call == nullptr || (call->kind != Kind::kRead && call->kind != Kind::kStatus)) continue;
        call->avoid.push_back(&link);
        Link* other = route(*call);
        if (other == nullptr || other == &link) continue;  // nowhere better: it may still answer
        call->said[&link] = "silent";
        detach(*call);
        dispatch(*call);
    }
    if (link.node() == topology_.master() || topology_.master().is_zero()) seek();
}

// -- ends ------------------------------------------------------------------------------------------------------------------------

void Router::close() {
    if (closed_) return;
    if (session_ != nullptr) {
        Link* master = options_.direct ? links_.begin()->second.get() : link_to(topology_.master());
        if (master != nullptr && master->ready()) {
            native::Request request{
                .session = session_->id(), .lowest_unanswered = session_->lowest_unanswered(), .body = native::CloseSession{}};
            static_cast<void>(master->send(0, request));  // if it does not arrive, the session expires by itself
        }
    }
    closed_ = true;
    timers_.stop();
    for (const auto& [address, link] : links_) link->close();
    report_connected(tl::unexpected(refused(ErrorCode::kClosed, "the client was destroyed while it connected")));
    for (auto calls = std::exchange(calls_, {}); auto& [id, call] : calls) {
        const bool unknown = call->may_have_been_executed();
        if (!call->done) continue;
        call->done(tl::unexpected(Error{ErrorCode::kClosed, unknown ? Outcome::kUnknown : Outcome::kRefused,
                                        fmt::format("the client was destroyed before the answer to {}", call->name)}));
    }
}

SessionToken Router::token() const {
    const std::lock_guard lock(token_mutex_);
    return token_;
}

void Router::observe(SessionToken token) {
    const std::lock_guard lock(token_mutex_);
    token_ = std::max(token_, token);
}

}  // namespace tanist::client

// SPDX-License-Identifier: Apache-2.0
// The way to one address: dials it, introduces itself, knows which requests are under way on it, and when to try again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/backoff.h"
#include "client/connection.h"
#include "client/timers.h"

namespace tanist::client {

using CallId = std::uint64_t;  ///< unique in a client; 0: none

class Link {
public:
    enum class State : std::uint8_t {
        kIdle,        ///< no connection, and none has failed since the last good one
        kConnecting,  ///< dialled, the node has not introduced itself yet
        kReady,
        kFailed,  ///< not before retry_at()
    };
    /// Told by the link, always as the last thing that it does.
    class Owner {
    public:
        virtual ~Owner() = default;
        /// The node has introduced itself. Answers why it is not wanted, and then the link closes; empty: welcome.
        virtual std::string on_hello(Link& link, const native::HelloReply& hello) = 0;
        virtual void on_ready(Link& link) = 0;
        virtual void on_reply(Link& link, CallId call, native::Reply reply) = 0;
        virtual void on_status(Link& link, const native::StatusReply& status) = 0;
        /// `sent` were under way, `waiting` had not been sent. The link is kIdle, or kFailed when it never became ready.
        virtual void on_lost(Link& link, const std::vector<CallId>& sent, const std::vector<CallId>& waiting) = 0;
    };

    Link(asio::io_context& io, Timers& timers, Random& random, Owner& owner, std::string address, native::Hello hello, Backoff backoff);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link();

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool ready() const { return state_ == State::kReady; }
    /// Ready, or worth dialling now.
    [[nodiscard]] bool usable() const { return state_ != State::kFailed || Clock::now() >= retry_at_; }
    [[nodiscard]] const std::string& address() const { return address_; }
    /// The node at the other end, as it last said itself; 0: it never did.
    [[nodiscard]] NodeId node() const { return node_; }
    /// Why it failed last; empty: it has not.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    /// Attempts since it was last ready.
    [[nodiscard]] unsigned failures() const { return failures_; }
    /// The error that the node answered instead of its introduction, if it did.
    [[nodiscard]] std::optional<native::Code> refused_as() const { return refused_as_; }

    /// Dials, unless it has.
    void connect();
    void close();
    /// Takes the connection for lost.
    void give_up(std::string reason) { lose(std::move(reason)); }

    /// Until it is ready, calls wait here. The owner sends them in on_ready().
    void wait(CallId call) { waiting_.push_back(call); }
    [[nodiscard]] std::vector<CallId> take_waiting() { return std::exchange(waiting_, {}); }
    /// Gives the request its id. A failure is the request's, not the link's.
    [[nodiscard]] Status send(CallId call, native::Request& request);
    /// A later answer to it is ignored.
    void forget(std::uint64_t request) { under_way_.erase(request); }
    /// In the order in which they were begun.
    [[nodiscard]] std::vector<CallId> under_way() const;
    [[nodiscard]] const std::vector<CallId>& waiting() const { return waiting_; }

    /// Asks for the node's status, which also shows whether it lives; one such question at a time.
    void probe();

    /// How long the node has owed an answer, or an introduction, without a sign of life. Zero when it owes none.
    [[nodiscard]] Clock::duration silence() const;

private:
    void introduce();
    void take(native::Reply reply);
    void take_hello(const native::Reply& reply);
    void note_refusal(const native::Reply& reply);
    void lose(std::string reason);

    static constexpr std::uint64_t kHelloId = 1;
    static constexpr CallId kProbe = 0;

    asio::io_context& io_;
    Timers& timers_;
    Random& random_;
    Owner& owner_;
    const std::string address_;
    const native::Hello hello_;
    Backoff backoff_;

    State state_ = State::kIdle;
    std::shared_ptr<Connection> connection_;
    NodeId node_;
    std::uint64_t next_request_ = kHelloId + 1;
    std::unordered_map<std::uint64_t, CallId> under_way_;  ///< by request id
    bool probing_ = false;
    std::vector<CallId> waiting_;
    std::string failure_;
    unsigned failures_ = 0;
    std::optional<native::Code> refused_as_, refusal_;  ///< the last time that it was lost; and of this attempt
    Clock::time_point retry_at_;
    Clock::time_point heard_at_;  ///< or when the oldest request that waits since then was sent
    Timers::Id attempt_timer_;
};

}  // namespace tanist::client

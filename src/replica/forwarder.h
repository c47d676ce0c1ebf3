// SPDX-License-Identifier: Apache-2.0
// The server's own forwarding (S17, S21): what a master held when it handed over goes to the new master under a session of this node, and
// is answered where this node, a slave by then, applies it. The log tells what was executed, and nobody's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/request.h"
#include "commands/state_machine.h"

namespace tanist::replica {

/// Milliseconds by a monotonic clock.
struct ForwarderOptions {
    std::uint64_t resend_ms = 100;                  ///< then ever more seldom
    std::uint64_t session_lifetime_ms = 3'600'000;  ///< kept alive in each quarter of it in which anything is written
};

/// Requests in the order in which they were taken. At most kSessionWindow of them, and a MiB or one, are under way; the next ones
/// follow when each of these is answered: so a pipeline keeps its order. One thread.
class Forwarder {
public:
    enum class End : std::uint8_t {
        kExecuted,
        kRefused,  ///< never sent, and never will be
        kUnknown,  ///< sent; executed or not, or yet to be
    };
    struct Executed {
        const commands::Outcome& outcome;
        Rank rank;             ///< of the entry
        std::size_t item = 0;  ///< its place in it
    };
    /// `executed`: with kExecuted, else null.
    using Tell = std::function<void(std::uint64_t ticket, End end, const Executed* executed)>;

    Forwarder(ForwarderOptions options, Tell tell) : options_(options), tell_(std::move(tell)) {}

    // -- the session, registered and kept while this node is an open master ---------------------------------------------------------
    /// What is to be logged now, beside what clients write; then on_logged(), on_not_logged(), or neither: after a quarter of the lifetime
    /// it is asked for again.
    [[nodiscard]] std::optional<commands::Logged> session_control(std::uint64_t now_ms);
    void on_logged(const commands::Outcome& outcome);
    void on_not_logged();
    [[nodiscard]] bool has_session(std::uint64_t now_ms) const;

    // -- the requests ------------------------------------------------------------------------------------------------------------------
    /// `request` is of session 0; deadlines do not fall from one to the next. Only while has_session().
    void take(std::uint64_t ticket, commands::Request request, std::uint64_t deadline_ms);
    /// Whoever is master is to get this now, this node included; nullptr: nothing, or not again yet. Valid until the next call here.
    [[nodiscard]] const std::string* to_send(std::uint64_t now_ms);
    void executed(std::span<const commands::Applied> applied);
    /// Answers what is past its deadline.
    void tick(std::uint64_t now_ms);
    /// Answers everything: it is over.
    void give_up();

    /// Not answered yet.
    [[nodiscard]] std::size_t pending() const { return unsent_.size() + group_.unanswered; }

private:
    struct Unsent {
        std::uint64_t ticket, deadline_ms;
        commands::Request request;
    };
    struct Sent {
        std::uint64_t ticket, deadline_ms;
        bool answered = false;
    };
    struct Group {
        SessionId session;
        std::uint64_t first = 1;  ///< sequence number; the others follow
        std::vector<Sent> requests;
        std::size_t unanswered = 0;
        std::string payload;
        std::optional<std::uint64_t> sent_ms;
        std::uint64_t patience_ms = 0;
    };
    struct Asked {
        std::uint64_t at_ms;
        bool registers;
    };

    void number_next();
    void renumber();
    void refuse_and_keep(std::uint64_t now_ms);
    void answer(Sent& sent, End end, const Executed* executed = nullptr);
    void on_executed(const commands::Applied& entry, const commands::Applied::Numbered& numbered);
    void refuse_unsent();

    const ForwarderOptions options_;
    const Tell tell_;

    std::optional<SessionId> session_;
    std::uint64_t not_before_ms_ = 0;  ///< nothing is asked for, it failed just now
    std::optional<Asked> asked_;       ///< what session_control() gave last, until it is settled
    std::uint64_t kept_ms_ = 0;        ///< the session lives for its lifetime from here on, at least
    std::uint64_t next_sequence_ = 1;  ///< of the session

    std::deque<Unsent> unsent_;
    Group group_;  ///< under way, or over
};

}  // namespace tanist::replica

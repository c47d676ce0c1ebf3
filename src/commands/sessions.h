// SPDX-License-Identifier: Apache-2.0
// Client sessions (S21): which requests were executed, and what was answered, so that a repeated one is never executed twice.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "commands/request.h"
#include "store/store.h"

namespace tanist::commands {

/// What is kept of one session, the same on every node.
struct Session {
    std::uint64_t lifetime_ms = 0;
    std::uint64_t deadline = 0;                    ///< log time at which it expires
    std::uint64_t lowest_unanswered = 1;           ///< the client has the replies of all below
    std::map<std::uint64_t, std::string> replies;  ///< encoded outcomes by sequence number, all at or above lowest_unanswered
    std::size_t reply_bytes = 0;                   ///< of `replies`
    bool changed = false;                          ///< differs from its row in the store
};

/// All sessions, in memory as in the store. Log time never goes backwards from one call to the next.
class SessionTable {
public:
    /// Forgets everything and reads the store's rows.
    [[nodiscard]] Status load(const store::Store& store);

    /// False: too many sessions.
    [[nodiscard]] bool open(SessionId id, std::uint64_t lifetime_ms, std::uint64_t now);
    /// The session, its life prolonged from `now` on; null: unknown.
    [[nodiscard]] Session* keep(SessionId id, std::uint64_t lowest_unanswered, std::uint64_t now);
    /// False: unknown.
    [[nodiscard]] bool close(SessionId id);
    /// Ends those whose deadline is at or before `now`.
    void expire(std::uint64_t now);
    /// The earliest deadline; 0: there is no session.
    [[nodiscard]] std::uint64_t next_due() const;
    [[nodiscard]] std::size_t size() const { return sessions_.size(); }

    /// Appends what has changed since the last call as rows of the store.
    void take_changes(std::vector<store::Change>& out);

private:
    struct Due {
        std::uint64_t deadline;
        SessionId id;
        friend auto operator<=>(const Due&, const Due&) = default;
    };
    void change(SessionId id, Session& session);
    void drop_outdated_dues() const;

    std::unordered_map<SessionId, Session> sessions_;
    std::vector<SessionId> changed_;  ///< changed or gone
    std::deque<std::string> taken_;   ///< what take_changes() gave out views of
    /// At least one for each session, at or before its deadline: prolonging a life costs nothing here.
    mutable std::priority_queue<Due, std::vector<Due>, std::greater<>> dues_;
};

enum class Known : std::uint8_t {
    kNew,        ///< to be executed
    kAnswered,   ///< its reply is there
    kForgotten,  ///< confirmed as answered, or no valid number
    kTooFar,     ///< beyond the window: not to be executed now
};
[[nodiscard]] Known look_up(const Session& session, std::uint64_t sequence);

/// Keeps the outcome of a request that was executed at `lsn`; a large one only as "done at lsn".
void keep_reply(Session& session, std::uint64_t sequence, const Outcome& outcome, Lsn lsn);
/// Of Known::kAnswered.
[[nodiscard]] Outcome kept_reply(const Session& session, std::uint64_t sequence);

}  // namespace tanist::commands

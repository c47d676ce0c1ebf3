// SPDX-License-Identifier: Apache-2.0
// Clients that wait for something else than their own requests (WAIT, DEBUG SLEEP), and the pause that makes all of them wait.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tanist::server {

class RespSession;

namespace resp {

/// Loop thread.
class Waiting {
public:
    /// Answers the session once it can; true: it has. `at_deadline`: it must.
    using Settle = std::function<bool(RespSession& session, bool at_deadline)>;

    void add(const std::shared_ptr<RespSession>& session, std::uint64_t deadline_ms, Settle settle);
    /// The same for a session that is blocked already.
    void keep(const std::shared_ptr<RespSession>& session, std::uint64_t deadline_ms, Settle settle);
    /// Asks all of them again: when a turn ends.
    void look(std::uint64_t now_ms);
    /// Ends the wait of a session as if its deadline had come; false: it does not wait.
    bool end(std::uint64_t session_id);
    /// The same, answered with an error.
    bool end(std::uint64_t session_id, std::string_view error);
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// For who answers after a long look, in pieces: the first that asks in a turn may look at one, the others wait for another turn.
    [[nodiscard]] bool may_look_long() { return std::exchange(may_look_long_, false); }

private:
    struct Entry {
        std::weak_ptr<RespSession> session;
        std::uint64_t deadline_ms;
        Settle settle;
    };
    std::vector<Entry> entries_;
    bool may_look_long_ = false;
};

/// CLIENT PAUSE.
struct Pause {
    std::uint64_t until_ms = 0;
    bool only_writes = false;
};

}  // namespace resp
}  // namespace tanist::server

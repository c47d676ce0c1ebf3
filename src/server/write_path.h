// SPDX-License-Identifier: Apache-2.0
// The way of a write through this node: gathered with all others of a turn into one log entry, answered when its level is reached (S20).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/request.h"
#include "commands/state_machine.h"
#include "core/action.h"
#include "core/event.h"
#include "server/client.h"
#include "server/routing.h"

namespace tanist::server {

struct WriteTerms {
    WriteLevel level = WriteLevel::kQuorum;  ///< never kDefault
    std::uint64_t deadline_ms = 0;           ///< by monotonic_ms(): past it the outcome is told as unknown
    bool says_nothing_of_state = false;      ///< the reply does not depend on the state: level `master` may answer before it is executed
};

/// One thread. What it holds is bounded by `pending_bytes_max`: beyond it writes are refused as overloaded.
class WritePath {
public:
    struct Host {
        std::function<void(core::Proposal)> propose;  ///< may call back into on()
        std::function<bool()> disk_is_low;
        std::function<void(std::chrono::nanoseconds)> entry_executed;  ///< so long after it was proposed
    };
    WritePath(const Routing& routing, Host host) : routing_(routing), host_(std::move(host)) {}

    void set_pending_bytes_max(std::size_t bytes) { pending_bytes_max_ = bytes; }

    /// Takes the write into this turn's entry, or refuses it at once.
    void submit(const std::shared_ptr<Client>& client, std::uint64_t ticket, const commands::Logged& logged, const WriteTerms& terms);
    /// Proposes what the turn has gathered, and what was held back before. While mastership is handed over, all is held back; then
    /// it is executed here, or refused with the way to the new master (S17).
    void end_of_turn(const core::Clock& now);
    /// Answers what is past its deadline.
    void tick(std::uint64_t now_ms);

    void on(const core::ProposalAccepted& action);
    void on(const core::ProposalRefused& action);
    void on(const core::ProposalDurable& action);
    void on(const core::ProposalOnAll& action);
    void on(const core::ProposalUnknown& action);
    void executed(std::span<const commands::Applied> applied);

    [[nodiscard]] std::size_t pending() const { return pending_; }
    [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }

private:
    struct Write {
        std::shared_ptr<Client> client;  ///< null once it is answered
        std::uint64_t ticket = 0;
        std::uint64_t deadline_ms = 0;
        std::size_t bytes = 0;
        WriteLevel level = WriteLevel::kQuorum;
        bool says_nothing_of_state = false;
        std::unique_ptr<commands::Outcome> outcome;  ///< executed, and waiting for level `all`
    };
    /// What became, or becomes, one entry.
    struct Batch {
        std::vector<Write> writes;
        std::optional<Rank> rank;
        std::uint64_t earliest_deadline_ms = UINT64_MAX;
        std::chrono::steady_clock::time_point proposed;
        bool on_all = false;
        bool over = false;  ///< all its writes are answered
    };
    struct Logged {
        Rank rank;
        std::uint64_t token;
    };

    [[nodiscard]] Batch* find(std::uint64_t token);
    void propose(const core::Clock& now);
    void answer(Write& write, const WriteResult& result);
    void fail_write(Write& write, const Failure& failure);
    void fail_batch(std::uint64_t token, const Failure& failure);
    void release(Write& write);
    /// Forgets batches at the front that are over.
    void settle(Batch& batch);

    const Routing& routing_;
    const Host host_;
    std::size_t pending_bytes_max_ = 256 << 20;

    std::string payload_;  ///< of the entry that this turn gathers
    std::vector<Write> gathered_;
    bool gathered_report_durable_ = false, gathered_report_all_ = false;

    std::vector<core::Proposal> held_;  ///< while mastership is handed over; their batches are among those below
    std::deque<Batch> batches_;         ///< proposed, by token: the first one's is first_token_
    std::uint64_t first_token_ = 1;
    std::deque<Logged> logged_;  ///< accepted, by rank
    std::size_t pending_ = 0, pending_bytes_ = 0;
    std::size_t payload_bytes_last_ = 0;
};

}  // namespace tanist::server

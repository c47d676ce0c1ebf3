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
#include <string_view>
#include <vector>

#include "commands/request.h"
#include "commands/state_machine.h"
#include "core/action.h"
#include "core/event.h"
#include "server/client.h"
#include "server/forwarding.h"
#include "server/routing.h"

namespace tanist::server {

struct WriteTerms {
    WriteLevel level = WriteLevel::kQuorum;  ///< never kDefault
    std::uint64_t deadline_ms = 0;           ///< by monotonic_ms(): past it the outcome is told as unknown
    bool says_nothing_of_state = false;      ///< the reply does not depend on the state: level `master` may answer before it is executed
};

/// What writes wait for before they are proposed, and for how long they did: the milliseconds of ticks that began with some of them
/// waiting.
struct HeldWrites {
    enum class By : std::uint8_t { kNothing, kStore, kSwitchover };
    By by = By::kNothing;        ///< as of the last tick
    std::uint64_t store_ms = 0;  ///< its disk takes in less than clients write
    std::uint64_t switchover_ms = 0;
};

/// One thread. What it holds is bounded by `pending_bytes_max`: beyond it writes are refused as overloaded.
class WritePath {
public:
    struct Host {
        std::function<void(core::Proposal)> propose;  ///< may call back into on()
        std::function<bool()> disk_is_low;
        std::function<std::size_t()> room;                             ///< bytes that may be proposed until the next tick; SIZE_MAX: any
        std::function<void(std::chrono::nanoseconds)> entry_executed;  ///< so long after it was proposed
    };
    WritePath(const Routing& routing, Forwarding& forwarding, Host host)
        : routing_(routing), forwarding_(forwarding), host_(std::move(host)) {}

    void set_pending_bytes_max(std::size_t bytes) { pending_bytes_max_ = bytes; }

    /// Why nothing is taken from this client now, and nothing is executed; nullopt: it is.
    [[nodiscard]] std::optional<Failure> refusal(const Client& client) const;
    /// Takes the write into this turn's entry, or refuses it at once. `append(std::string& payload)` encodes it there as
    /// commands::append_to() does. After a switchover it may go to the master that took over instead.
    template <class Append>
    void submit_encoded(const std::shared_ptr<Client>& client, std::uint64_t ticket, const WriteTerms& terms, const Append& append) {
        if (is_refused(*client, ticket)) return;
        if (goes_elsewhere(*client)) {
            std::string payload;
            append(payload);
            return forward(client, ticket, terms, payload);
        }
        const std::size_t begin = payload_.size();
        append(payload_);
        take(client, ticket, terms, begin);
    }
    void submit(const std::shared_ptr<Client>& client, std::uint64_t ticket, const commands::Logged& logged, const WriteTerms& terms) {
        submit_encoded(client, ticket, terms, [&](std::string& payload) { commands::append_to(payload, logged); });
    }
    /// Requests that another node has sent, one run of the client's tickets from 0 on: all of them in one entry, in their order, or none.
    /// False: not now, and nobody is told.
    [[nodiscard]] bool submit_group(const std::shared_ptr<Client>& client, std::string_view payload, std::size_t requests,
                                    const WriteTerms& terms);
    /// Proposes what the turn has gathered, and what was held back before. While mastership is handed over, or a master opens, all is held
    /// back; then it is executed here, or goes to the new master; clients that follow redirects are shown the way there (S17). What the
    /// store has no room for yet is held back, too.
    void end_of_turn(const core::Clock& now);
    /// Answers what is past its deadline, and asks how much may be proposed until the next tick.
    void tick(std::uint64_t now_ms);

    void on(const core::ProposalAccepted& action);
    void on(const core::ProposalRefused& action);
    void on(const core::ProposalDurable& action);
    void on(const core::ProposalOnAll& action);
    void on(const core::ProposalUnknown& action);
    void executed(std::span<const commands::Applied> applied);
    /// Who made the request that is number `item` of an entry, before that is executed(); null: nobody here, or it is answered already.
    /// Cheap for items of one entry that are asked for in their order.
    [[nodiscard]] const Client* author(Rank entry, std::size_t item);

    [[nodiscard]] std::size_t pending() const { return pending_ + forwarding_.pending(); }
    [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_ + forwarding_.pending_bytes(); }
    [[nodiscard]] const HeldWrites& held() const { return held_writes_; }

private:
    /// Writes of one client, one behind the other, on the same terms.
    struct Run {
        std::shared_ptr<Client> client;  ///< null once they are answered
        std::uint64_t first_ticket = 0;
        std::size_t count = 1;
        std::uint64_t deadline_ms = 0;
        std::size_t bytes = 0;
        WriteLevel level = WriteLevel::kQuorum;
        bool says_nothing_of_state = false;
        std::vector<commands::Outcome> outcomes;  ///< executed, and waiting for level `all`

        [[nodiscard]] bool is_followed_by(const Client* by, std::uint64_t ticket, const WriteTerms& terms) const {
            return client.get() == by && ticket == first_ticket + count && level == terms.level &&
                   says_nothing_of_state == terms.says_nothing_of_state && deadline_ms == terms.deadline_ms;
        }
    };
    /// What became, or becomes, one entry.
    struct Batch {
        std::vector<Run> runs;
        std::size_t writes = 0;
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
    [[nodiscard]] bool holds_back() const { return routing_.is_pausing() || routing_.is_opening() || allowance_ <= 0; }
    void hand_over(core::Proposal proposal);
    void forward(const std::shared_ptr<Client>& client, std::uint64_t ticket, const WriteTerms& terms, std::string_view payload);
    /// Of clients that follow redirects: refused.
    void forward(const core::Proposal& proposal);
    void count_held(std::uint64_t now_ms);
    [[nodiscard]] bool is_refused(Client& client, std::uint64_t ticket);
    /// Past what is held and gathered, to the new master. While these are on their way there, it goes behind them.
    [[nodiscard]] bool goes_elsewhere(const Client& client) const {
        return forwarding_.takes(client) && !(forwarding_.is_open() && (!held_.empty() || !gathered_.empty()));
    }
    [[nodiscard]] std::optional<Failure> refuse_bytes(std::size_t bytes) const;
    void take(const std::shared_ptr<Client>& client, std::uint64_t ticket, const WriteTerms& terms, std::size_t begin);
    /// `outcomes`: one a write of the run.
    void answer(Run& run, std::span<const commands::Outcome> outcomes, Rank rank, WriteLevel reached);
    void fail_run(Run& run, const Failure& failure);
    void fail_batch(std::uint64_t token, const Failure& failure);
    void release(Run& run);
    /// Forgets batches at the front that are over.
    void settle(Batch& batch);

    const Routing& routing_;
    Forwarding& forwarding_;
    const Host host_;
    std::size_t pending_bytes_max_ = 256 << 20;

    std::string payload_;  ///< of the entry that this turn gathers
    std::vector<Run> gathered_;
    std::size_t gathered_writes_ = 0;
    bool gathered_report_durable_ = false, gathered_report_all_ = false;

    struct Asked {
        Rank entry;
        std::size_t run = 0, first_item = 0;
    } asked_;  ///< author()'s last

    std::deque<core::Proposal> held_;  ///< their batches are among those below
    HeldWrites held_writes_;
    std::optional<std::uint64_t> last_tick_ms_;
    std::int64_t allowance_ = INT64_MAX;  ///< bytes that may be proposed until the next tick; below zero: what was too much before
    std::deque<Batch> batches_;           ///< proposed, by token: the first one's is first_token_
    std::uint64_t first_token_ = 1;
    std::deque<Logged> logged_;  ///< accepted, by rank
    std::size_t pending_ = 0, pending_bytes_ = 0;
    std::size_t payload_bytes_last_ = 0;
};

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// What the server's client sessions do, in small: requests become proposals in batches, what the core says of them becomes
// answers, reads wait until they may be served.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "replica/forwarder.h"
#include "replica/freshness.h"
#include "replica/replica.h"
#include "sim/client_protocol.h"
#include "sim/world.h"

namespace tanist::sim {

/// What the desk needs of the process that it belongs to.
class DeskOwner {
public:
    virtual ~DeskOwner() = default;
    virtual void step(core::Event event) = 0;
    [[nodiscard]] virtual const replica::Replica& replica() const = 0;
    [[nodiscard]] virtual core::Clock clock() const = 0;
    /// The state could not be read: the process ends.
    virtual void storage_failed(const Error& error) = 0;
    /// Later in this process, unless it has ended by then.
    virtual void later(Duration delay, Work work) = 0;
};

class ClientDesk {
public:
    /// `forwards`: writes are held during a switchover, and go to the new master.
    ClientDesk(DeskOwner& owner, NodeId node, bool forwards);

    void ask(Question question, Reply reply);

    // What the host is told.
    void on(const core::ProposalAccepted& action);
    void on(const core::ProposalRefused& action);
    void on(const core::ProposalDurable& action);
    void on(const core::ProposalOnAll& action);
    void on(const core::ProposalUnknown& action);
    void on(const core::ReadReady& action);
    void on(const core::ReadRefused& action);
    void on(core::TakeForwarded& action);
    [[nodiscard]] bool awaits_outcomes() const { return forwarder_.pending() > 0; }
    void executed(std::span<const commands::Applied> applied);
    void tick();
    /// Something may have been applied.
    void after_step();

    /// Of the entry that a proposal has become; nullopt: it is forgotten.
    [[nodiscard]] std::optional<Rank> rank_of(std::uint64_t token) const {
        const auto at = proposals_.find(token);
        return at == proposals_.end() ? std::nullopt : std::optional(at->second.rank);
    }

    [[nodiscard]] std::size_t pending() const {
        return proposals_.size() + reads_.size() + waiting_.size() + held_.size() + forwarder_.pending();
    }

private:
    struct Writer {
        Write write;
        Reply reply;                   ///< empty: answered
        std::optional<Answer> answer;  ///< executed, and waiting for all
    };
    struct Proposal {
        std::vector<Writer> writers;
        Rank rank;
        bool on_all = false, executed = false;
    };
    struct Reader {
        Read read;
        Reply reply;
        Lsn needed;
        std::uint64_t asked_ms = 0;  ///< when its confirmation round was asked for
    };

    void ask(Write write, Reply reply);
    void ask(Read read, Reply reply);
    void propose();
    void refuse(const Reply& reply);
    void give_up_on_all(std::uint64_t token);
    void propose_soon(Writer writer);
    void add_session_control();
    [[nodiscard]] bool takes_writes() const;
    [[nodiscard]] bool may_hold(const Write& write) const;
    /// A switchover is over: what was held goes on here, or at the new master.
    void release_held();
    void forward(Writer writer);
    void told(std::uint64_t ticket, replica::Forwarder::End end, const replica::Forwarder::Executed* executed);
    void forget_when_answered(std::uint64_t token);
    bool serve(Reader& reader);
    void wait(Reader reader);

    DeskOwner& owner_;
    NodeId node_;
    std::uint64_t next_token_ = 1;
    std::vector<Writer> batch_;  ///< to be proposed together, soon
    std::vector<Writer> held_;   ///< during a switchover
    const bool forwards_;
    replica::Forwarder forwarder_;
    std::map<std::uint64_t, Writer> forwarded_;    ///< by the forwarder's ticket
    std::map<std::uint64_t, Proposal> proposals_;  ///< by token
    std::map<Rank, std::uint64_t> accepted_;       ///< token by the rank of the entry
    std::map<std::uint64_t, Reader> reads_;        ///< linearizable, being confirmed; by token
    std::map<std::uint64_t, Reader> waiting_;      ///< for something to be applied; by a number of their own
    replica::Freshness freshness_;
};

}  // namespace tanist::sim

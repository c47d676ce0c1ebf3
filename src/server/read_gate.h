// SPDX-License-Identifier: Apache-2.0
// Decides when a read may be answered from the state here: now, once enough is applied, or not here (S18).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/action.h"
#include "replica/freshness.h"
#include "replica/session_token.h"
#include "server/client.h"
#include "server/routing.h"
#include "store/store.h"

namespace tanist::server {

struct ReadTerms {
    ReadLevel level = ReadLevel::kSession;  ///< never kDefault
    Rank token;                             ///< what the session has seen; for kSession
    std::uint64_t max_lag_ms = 0;           ///< 0: no bound
    std::uint64_t deadline_ms = 0;          ///< by monotonic_ms()
};

/// One thread.
class ReadGate {
public:
    struct Host {
        std::function<void(std::uint64_t token)> request_read;  ///< core::ReadRequest; may call back into on()
        std::function<store::Position()> applied;               ///< of the state that reads are answered from
        std::function<std::optional<Epoch>(Lsn)> epoch_at;
        std::function<std::uint64_t()> now_ms;
    };
    ReadGate(const Routing& routing, Host host) : routing_(routing), host_(std::move(host)) {}

    enum class Admission : std::uint8_t {
        kNow,      ///< read at once; the ticket is not used
        kWaiting,  ///< the client will be called with the ticket
        kRefused,  ///< `failure` says why; the ticket is not used
    };
    /// `failure` is set with kRefused only.
    [[nodiscard]] Admission admit(const std::shared_ptr<Client>& client, std::uint64_t ticket, const ReadTerms& terms, Failure& failure);

    /// Whether admit() would say kNow, where it needs neither a round nor the clock for that. Any thread, while all that this depends on
    /// stands still.
    [[nodiscard]] bool admits_at_once(const ReadTerms& terms) const;

    /// Asks for a confirmation round for the linearizable reads of this turn, and lets through who waited for what has been applied.
    void end_of_turn();
    void tick(std::uint64_t now_ms);
    /// All reads have a bound of lag: the proof that they need is kept at hand from now on.
    void expect_bounded(bool always) { bounded_until_ms_ = always ? std::numeric_limits<std::uint64_t>::max() : 0; }
    void on(const core::ReadReady& action);
    void on(const core::ReadRefused& action);

    [[nodiscard]] std::size_t waiting() const { return waiting_; }

private:
    struct Read {
        std::shared_ptr<Client> client;
        std::uint64_t ticket = 0;
        std::uint64_t deadline_ms = 0;
        Rank token;               ///< epoch 0: nothing to compare
        bool is_bounded = false;  ///< not linearizable: it waits for the proof that it is no older than its bound
    };
    struct Round {
        std::uint64_t asked_ms = 0;
        std::vector<Read> reads;
    };
    using TokenState = replica::TokenState;
    [[nodiscard]] TokenState judge(Rank token) const;
    [[nodiscard]] Admission admit_bounded(const std::shared_ptr<Client>& client, std::uint64_t ticket, const ReadTerms& terms,
                                          Failure& failure);
    [[nodiscard]] Admission wait_for_round(Read read);

    void begin_round();
    void let_through();
    void fail(Read& read, const Failure& failure);

    const Routing& routing_;
    const Host host_;
    replica::Freshness freshness_;
    std::vector<Read> gathered_;                ///< of this turn, for a confirmation round
    std::map<std::uint64_t, Round> in_rounds_;  ///< by the token of their request
    std::multimap<Lsn, Read> for_lsn_;          ///< until it is applied
    std::vector<Read> admitted_;                ///< reused
    std::uint64_t last_token_ = 0, asked_ms_ = 0;
    std::uint64_t bounded_until_ms_ = 0;  ///< until then reads with a bound of lag are expected
    std::size_t waiting_ = 0;
};

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// Writes on their way to the master that took over (S17): of clients that nothing leads there, as Redis's; and those that other nodes send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "commands/request.h"
#include "commands/state_machine.h"
#include "core/action.h"
#include "core/event.h"
#include "replica/forwarder.h"
#include "server/client.h"
#include "server/routing.h"

namespace tanist::server {

class WritePath;

/// One thread. For a while after a switchover it takes what its clients still write here, too.
class Forwarding {
public:
    struct Host {
        std::function<void(core::ForwardWrites)> send;  ///< may call back into executed()
        std::function<std::uint64_t()> now_ms;
    };
    Forwarding(const Routing& routing, Host host);
    ~Forwarding();

    /// Clients are there that need it: from now on this node, when it is master, has a session for them.
    void expect_clients() { has_clients_ = true; }
    /// A switchover has ended, and this node is not the master. False: it cannot be helped, what was held is refused.
    bool begin();
    /// Writes are still taken here for so long after begin(): of clients that were here then, and for moments of those that come, and did
    /// not know better.
    static constexpr std::uint64_t kOpenMs = 10'000, kOpenToAllMs = 250;
    [[nodiscard]] bool is_open() const;
    /// Such a client's write goes this way now.
    [[nodiscard]] bool takes(const Client& client) const;

    /// A write that is held, of a client that takes() said yes to, or may have.
    struct Held {
        std::shared_ptr<Client> client;
        std::uint64_t ticket = 0;
        WriteLevel level = WriteLevel::kQuorum;
        std::uint64_t deadline_ms = 0;
        std::size_t bytes = 0;
    };
    /// What cannot be numbered in a session is refused.
    void take(Held held, commands::Logged logged);

    /// Proposes what others have sent, and what this node's session needs.
    void begin_turn(WritePath& writes);
    /// Sends what there is, or proposes it where this node is master again.
    void end_turn();
    void arrived(core::TakeForwarded action);
    void executed(std::span<const commands::Applied> applied);
    void tick();
    /// The process ends: nothing more is sent.
    void give_up();

    /// Somebody waits for what another node proposes.
    [[nodiscard]] bool awaits_outcomes() const { return forwarder_.pending() > 0; }
    [[nodiscard]] std::size_t pending() const { return held_.size() + on_all_.size(); }
    [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }

private:
    class SessionClient;
    class PeerClient;
    struct OnAll {
        Held held;
        commands::Outcome outcome;
        Rank rank;
    };

    void tell(std::uint64_t ticket, replica::Forwarder::End end, const replica::Forwarder::Executed* executed);
    void answer_on_all(std::uint64_t now_ms);
    void answer_front_on_all(WriteLevel reached);
    void propose(const core::TakeForwarded& forwarded, WritePath& writes);
    [[nodiscard]] Failure refusal() const;

    const Routing& routing_;
    const Host host_;
    std::uint64_t begun_ms_ = 0, open_until_ms_ = 0;
    bool has_clients_ = false;
    replica::Forwarder forwarder_;
    std::unordered_map<std::uint64_t, Held> held_;              ///< by the forwarder's ticket
    std::unordered_map<const Client*, std::size_t> under_way_;  ///< how many of these are whose
    std::uint64_t next_ticket_ = 1;
    std::size_t pending_bytes_ = 0;
    std::deque<OnAll> on_all_;  ///< executed, and waiting for every data voter
    std::shared_ptr<SessionClient> session_client_;
    std::map<NodeId, std::shared_ptr<PeerClient>> peer_clients_;
    std::vector<core::TakeForwarded> arrived_;  ///< to be proposed in this turn
};

}  // namespace tanist::server

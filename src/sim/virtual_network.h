// SPDX-License-Identifier: Apache-2.0
// The network between nodes, and between clients and nodes: delays, losses, partitions, and connections that are refused, reset
// or fall silent, as a shell over TCP would report them to the core.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "core/event.h"
#include "sim/plan.h"
#include "sim/world.h"

namespace tanist::sim {

/// A node as its network sees it.
class Listener {
public:
    virtual ~Listener() = default;
    virtual void on_connected(NodeId peer) = 0;
    virtual void on_lost(NodeId peer, core::Loss loss) = 0;
    virtual void on_message(core::Message message) = 0;
};

enum class HostState : std::uint8_t {
    kListening,  ///< the process is there (it may stand still: its kernel answers for it)
    kNoProcess,  ///< connections are refused, old ones reset
    kDark,       ///< no answer of any kind
};

/// One connection at most between two nodes; both may dial. With NetworkPlan::streams it keeps the order of each lane and loses
/// nothing while it lasts, and what is sent into a partition waits there, as in TCP; without, each message takes its chances.
class VirtualNetwork {
public:
    VirtualNetwork(World& world, const Plan& plan);

    void attach(NodeId node, Listener& listener) { ends_[node].listener = &listener; }
    /// The process came, ended or went dark. Its connections end with it: by a reset where the host lives.
    void set_state(NodeId node, HostState state);

    // -- what a shell does -----------------------------------------------------------------------------------------------------
    /// Keeps connections to all other nodes from now on: dials, and dials again with a back-off.
    void connect_all(NodeId from);
    void send(NodeId from, NodeId to, core::Message message);
    void disconnect(NodeId from, NodeId to);
    [[nodiscard]] bool connected(NodeId from, NodeId to);

    // -- clients -----------------------------------------------------------------------------------------------------------------
    /// A client's request to a node or an answer to it, after a delay; it may be lost. `beside`: the node on whose side of every
    /// partition the client is; 0: it reaches all.
    void post_to_node(NodeId beside, NodeId node, Work arrive, Work refused);
    void post_to_client(NodeId node, NodeId beside, Work arrive);

    // -- faults ------------------------------------------------------------------------------------------------------------------
    void block(NodeId from, NodeId to, bool blocked);
    void refuse(NodeId a, NodeId b, bool refused);
    void reset(NodeId a, NodeId b);
    void set_slowness(std::int64_t factor) { slowness_ = factor; }
    /// Nothing is blocked, refused, slow, narrow or lost any more.
    void heal();
    /// Whether a message sent now would arrive.
    [[nodiscard]] bool passes(NodeId from, NodeId to);
    /// When a message of `from` last arrived at `to`: one that was long under way may arrive after the path was cut.
    [[nodiscard]] Instant arrived_last(NodeId from, NodeId to) { return side(from, to).delivered_last; }
    /// Bytes of entries that wait between two nodes, the most so far: what a sender may have in flight is bounded.
    [[nodiscard]] std::size_t held_bytes_max() const { return held_bytes_max_; }

private:
    struct Held {
        core::Message message;
        std::size_t bytes;
    };
    /// What `from` knows and does about its connection with `to`.
    struct Side {
        bool up = false, dialling = false, heard = false;
        bool evidence = false;  ///< the dial is the immediate reconnect after a reset (S13)
        std::uint32_t attempts = 0;
        // the path from -> to
        bool blocked = false;
        Instant arrives_last{0};         ///< streams keep their order
        Instant urgent_arrives_last{0};  ///< of the urgent lane, which overtakes the other one and is overtaken by none
        Instant entries_sent{0};         ///< when the link has carried all entries given to it
        Instant delivered_last{0};
        Instant unheard_since{0};  ///< since then nothing that was sent has arrived; 0: all is well
        std::deque<Held> held;     ///< sent into a blocked stream
        std::size_t held_bytes = 0;
    };
    struct End {
        Listener* listener = nullptr;
        HostState state = HostState::kDark;
        std::uint64_t process = 0;  ///< dials and resets meant for an earlier one are void
    };
    using Pair = std::pair<NodeId, NodeId>;
    static Pair ordered(NodeId a, NodeId b) { return a < b ? Pair{a, b} : Pair{b, a}; }

    Side& side(NodeId from, NodeId to) { return sides_.find({from, to})->second; }
    std::uint64_t& connection(NodeId a, NodeId b) { return connections_.find(ordered(a, b))->second; }
    [[nodiscard]] Duration delay();
    [[nodiscard]] Duration back_off(const Side& s);
    [[nodiscard]] bool open_both_ways(NodeId a, NodeId b) { return passes(a, b) && passes(b, a); }

    void dial(NodeId from, NodeId to, bool evidence);
    void dial_later(NodeId from, NodeId to);
    void arrive_dial(NodeId from, NodeId to);
    void dial_failed(NodeId from, NodeId to, std::uint64_t process, core::Loss loss);
    [[nodiscard]] Instant carried_at(Side& from, const core::Message& message) const;
    void transmit(NodeId from, NodeId to, core::Message message, Duration extra);
    void deliver(NodeId from, NodeId to, std::uint64_t number, core::Message message);
    /// `node` learns that its connection with `peer` is gone, after a delay, when the news can reach it.
    void tell_reset(NodeId peer, NodeId node);
    void lose(NodeId node, NodeId peer, core::Loss loss);
    void close(Side& s);
    void release_held(NodeId from, NodeId to);
    void watch_silence();

    World& world_;
    NetworkPlan plan_;
    Random random_;
    std::int64_t slowness_ = 1;
    std::map<NodeId, End> ends_;
    std::map<Pair, Side> sides_;                 ///< by (from, to)
    std::map<Pair, std::uint64_t> connections_;  ///< the number of the newest connection of a pair
    std::set<Pair> refused_;
    std::size_t held_bytes_max_ = 0;
};

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// A small cluster of cores in one process: virtual disks, a message queue, ticks. Same seed, same history.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/node.h"

namespace tanist::core::testing {

/// What outlives a process. The log is kept as the entries written; damage makes some unreadable.
struct Disk {
    Identity identity;
    std::optional<Vote> vote;
    bool pristine = true;
    EntryId base;
    std::vector<Entry> log;  ///< from base.lsn.next() on
    std::set<Lsn> unreadable;
    bool slots_unreadable = false;
    Lsn durable;
    Mark mark;               ///< durable
    EntryId written_intent;  ///< maybe not durable
    EntryId applied, stored;
    std::uint64_t applied_timestamp = 0;
    std::optional<Membership> membership;  ///< as of `applied`
    std::vector<EntryId> rescued;

    [[nodiscard]] const Entry* find(Lsn lsn) const;
    [[nodiscard]] EntryId id_of(Lsn lsn) const;
    [[nodiscard]] Lsn last() const { return {base.lsn.value + log.size()}; }
    void truncate(Lsn keep);
};

struct NetworkOptions {
    std::uint64_t delay_ticks_max = 0;
    std::uint64_t lost_percent = 0, duplicated_percent = 0;
};

struct ClusterOptions {
    std::vector<ConfiguredRole> roles;  ///< of nodes 1, 2, …
    std::uint32_t election_timeout_ticks = 10, heartbeat_ticks = 2;
    std::size_t tail_bytes_max = 32 << 20, append_bytes_max = 1 << 20;
    std::uint64_t seed = 1;
    NetworkOptions network;
    bool slow_disks = false;  ///< WalDurable comes some ticks later
};

class Cluster {
public:
    explicit Cluster(ClusterOptions options);

    // -- time and faults ------------------------------------------------------------------------------------------------------
    void run(std::uint64_t ticks);                ///< all nodes tick, all messages that are due arrive
    void tick(NodeId node, std::uint64_t times);  ///< one node alone; nothing arrives
    void deliver();                               ///< what is due, until nothing is
    void kill(NodeId node, bool power_cut = false);
    void start(NodeId node);
    void isolate(NodeId node);
    void heal();
    void cut_link(NodeId a, NodeId b) { cut_.insert({a, b}); }  ///< one way
    /// Of a node that is down.
    void destroy(NodeId node, Lsn from, Lsn through);
    void destroy_slots(NodeId node) { disk(node).slots_unreadable = true; }
    void wipe(NodeId node);
    void recycle(NodeId node, Lsn base);

    // -- clients ----------------------------------------------------------------------------------------------------------------
    std::uint64_t propose(NodeId node, const std::string& payload, bool report_all = false);
    std::uint64_t read(NodeId node);
    std::uint64_t switch_over(NodeId node, std::optional<NodeId> target);
    void shut_down(NodeId node) { step(at(node), ShutdownRequested{}); }

    // -- looking ------------------------------------------------------------------------------------------------------------------
    [[nodiscard]] Node& node(NodeId id) { return *at(id).node; }
    [[nodiscard]] bool running(NodeId id) { return at(id).node != nullptr; }
    [[nodiscard]] Disk& disk(NodeId id) { return at(id).disk; }
    [[nodiscard]] std::optional<NodeId> master();  ///< of the highest epoch, open
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const std::map<Lsn, EntryId>& committed() const { return committed_; }
    /// Runs until an open master exists and all running nodes have applied the same; false after `ticks_max`.
    bool settle(std::uint64_t ticks_max);
    [[nodiscard]] std::vector<std::string> take_transcript();
    [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }
    [[nodiscard]] std::vector<Message>& sent_to(NodeId id) { return at(id).received; }
    std::map<std::uint64_t, std::string> replies;  ///< of proposals and reads, by token: the newest word
    std::map<std::uint64_t, Lsn> read_lsns;
    std::map<std::uint64_t, Rank> accepted;

private:
    struct TestNode {
        NodeId id;
        NodeOptions options;
        Disk disk;
        std::unique_ptr<Node> node;
        std::uint64_t life = 0;
        std::set<NodeId> connected;
        std::deque<Event> events;                                   ///< caused by actions, in order
        std::vector<std::pair<std::uint64_t, WalDurable>> syncing;  ///< by tick
        Lsn recycle_through;
        std::optional<NodeId> donor;
        std::set<std::uint64_t> unanswered;  ///< proposals accepted in this life
        std::vector<Message> received;       ///< when somebody wants to look
    };
    struct Flying {
        std::uint64_t at, order;
        NodeId from, to;
        Message message;
    };

    TestNode& at(NodeId id) { return nodes_[id.value - 1]; }
    void step(TestNode& n, const Event& event);
    void perform(TestNode& n, Action& action);
    void connect_all();
    void lose(TestNode& n, NodeId peer, Loss loss);
    [[nodiscard]] bool passes(NodeId from, NodeId to) const { return !cut_.contains({from, to}); }
    void note(NodeId node, const std::string& text) { transcript_.push_back(fmt::format("{}: {}", node.value, text)); }
    void fail(std::string why) { failures_.push_back(std::move(why)); }
    void on_apply(TestNode& n, const Apply& apply);
    void repair(TestNode& n, const RepairLog& action);
    void finish_syncs(TestNode& n, bool all);
    void check(TestNode& n);
    [[nodiscard]] StartState judge(Disk& disk);
    [[nodiscard]] Clock clock() const { return {1000 + now_ * 10, 1'700'000'000'000 + now_ * 10}; }

    ClusterOptions options_;
    Random random_;
    std::uint64_t now_ = 0, order_ = 0, tokens_ = 0;
    std::vector<TestNode> nodes_;
    std::vector<Flying> flying_;
    std::set<std::pair<NodeId, NodeId>> cut_;
    std::map<Epoch, MemberId> masters_;
    std::map<Lsn, EntryId> committed_;
    std::map<std::pair<Epoch, Lsn>, EntryId> created_;
    std::vector<std::string> transcript_;
    std::vector<std::string> failures_;
};

}  // namespace tanist::core::testing

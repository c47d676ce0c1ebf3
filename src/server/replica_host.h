// SPDX-License-Identifier: Apache-2.0
// The shell as the replica sees it: hands the log's work to its threads, messages to the links, answers to whoever asked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/event.h"
#include "metrics/registry.h"
#include "replica/host.h"
#include "server/log_reader_thread.h"
#include "server/loop.h"
#include "server/peer_links.h"
#include "server/read_gate.h"
#include "server/switchover_desk.h"
#include "server/wal_thread.h"
#include "server/write_path.h"

namespace tanist::server {

/// Loop thread, as the replica is. Starts the threads of the log, which end with end_threads(), before the log is destroyed.
class ReplicaHost final : public replica::Host {
public:
    struct Listener {
        std::function<void(core::Event)> event;  ///< to be fed to the replica
        std::function<Lsn()> stored;             ///< of the store
        std::function<void(std::span<const commands::Applied>)> executed;
        std::function<bool()> awaits_outcomes;
        std::function<void(core::TakeForwarded&)> forwarded;
        std::function<void()> view_changed;
        std::function<void()> store_is_corrupt;
        std::function<void(int exit_code, const std::string& reason)> stop;
    };
    ReplicaHost(Loop& loop, wal::Log& log, PeerLinks& links, WritePath& writes, ReadGate& reads, SwitchoverDesk& switchovers,
                metrics::Registry& registry, Listener listener);
    ~ReplicaHost() override;

    /// Leaves what is queued undone.
    void end_threads();
    /// Writes what is queued, and closes the log for a quick start.
    [[nodiscard]] Status close_log();

    /// Of entries that the log's thread or the disk has.
    [[nodiscard]] std::size_t bytes_on_their_way() const { return bytes_on_their_way_; }

    void append_to_wal(core::AppendToWal append) override;
    [[nodiscard]] Status with_log(const std::function<Status(wal::Log&)>& use) override;
    void read_log(core::ReadLog read) override;
    void recycle_log(Lsn through) override;
    void send(NodeId to, core::Message message) override { links_.send(to, message); }
    void disconnect(NodeId node, const std::string& reason) override { links_.disconnect(node, reason); }
    void on(const core::ProposalAccepted& action) override { writes_.on(action); }
    void on(const core::ProposalRefused& action) override { writes_.on(action); }
    void on(const core::ProposalDurable& action) override { writes_.on(action); }
    void on(const core::ProposalOnAll& action) override { writes_.on(action); }
    void on(const core::ProposalUnknown& action) override { writes_.on(action); }
    void on(const core::ReadReady& action) override { reads_.on(action); }
    void on(const core::ReadRefused& action) override { reads_.on(action); }
    void on(const core::SwitchoverEnded& action) override { switchovers_.on(action); }
    void on(core::TakeForwarded& action) override { listener_.forwarded(action); }
    [[nodiscard]] bool awaits_outcomes() const override { return listener_.awaits_outcomes(); }
    void executed(std::span<const commands::Applied> applied) override { listener_.executed(applied); }
    void on(const core::ViewChanged&) override { listener_.view_changed(); }
    void on(const core::Notice& action) override;
    void store_is_corrupt() override { listener_.store_is_corrupt(); }
    void stop(int exit_code, const std::string& reason) override { listener_.stop(exit_code, reason); }

private:
    void on_synced(const WalSynced& synced);

    Loop& loop_;
    PeerLinks& links_;
    WritePath& writes_;
    ReadGate& reads_;
    SwitchoverDesk& switchovers_;
    const Listener listener_;
    metrics::Counter& wal_bytes_;
    metrics::Counter& wal_syncs_;
    metrics::Histogram& wal_sync_seconds_;
    metrics::Histogram& wal_group_entries_;

    Lsn written_;  ///< as far as the loop knows
    Lsn queued_;   ///< what lies between is on its way to the log and may not be readable yet
    std::size_t bytes_on_their_way_ = 0;
    std::vector<core::ReadLog> too_early_;  ///< reads of entries that are on their way to the log
    std::unique_ptr<LogReaderThread> reader_;
    std::unique_ptr<WalThread> wal_;
};

}  // namespace tanist::server

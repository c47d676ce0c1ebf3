// SPDX-License-Identifier: Apache-2.0
// What a replica needs from the shell that it runs in: the server's sockets and threads, or the simulator's virtual ones.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/entry.h"
#include "commands/state_machine.h"
#include "core/action.h"
#include "wal/log.h"

namespace tanist::replica {

/// Called from inside Replica::step(), on its thread. None of these may call back into the replica before it has returned.
class Host {
public:
    virtual ~Host() = default;

    // -- the log. The shell decides when and on which thread its slow work runs; it runs in the order asked for ------------------
    /// Write and sync these entries some time soon, then step(WalDurable{generation, last of them}).
    virtual void append_to_wal(core::AppendToWal append) = 0;
    /// Runs `use` on the log when every append asked for so far is written, or written and synced, and returns when it is done.
    [[nodiscard]] virtual Status with_log(const std::function<Status(wal::Log&)>& use) = 0;
    /// log.read() some time soon, then step(LogRead). Entries asked for are in the log or on their way there.
    virtual void read_log(core::ReadLog read) = 0;
    /// log.recycle() some time soon, then step(Stored{store.stored(), log.base()}).
    virtual void recycle_log(Lsn through) = 0;

    // -- network -----------------------------------------------------------------------------------------------------------------
    virtual void send(NodeId to, core::Message message) = 0;
    virtual void disconnect(NodeId node, const std::string& reason) = 0;

    // -- clients -------------------------------------------------------------------------------------------------------------------
    virtual void on(const core::ProposalAccepted& action) = 0;
    virtual void on(const core::ProposalRefused& action) = 0;
    virtual void on(const core::ProposalDurable& action) = 0;
    virtual void on(const core::ProposalOnAll& action) = 0;
    virtual void on(const core::ProposalUnknown& action) = 0;
    virtual void on(const core::ReadReady& action) = 0;
    virtual void on(const core::ReadRefused& action) = 0;
    virtual void on(const core::SwitchoverEnded& action) = 0;
    virtual void on(core::TakeForwarded& action) = 0;
    /// Somebody here waits for what others propose; a slave tells no outcomes otherwise.
    [[nodiscard]] virtual bool awaits_outcomes() const = 0;
    /// Entries were executed: what came of them, in order. Whoever was told ProposalAccepted of the same rank gets the outcomes.
    virtual void executed(std::span<const commands::Applied> applied) = 0;

    // -- operators -------------------------------------------------------------------------------------------------------------------
    virtual void on(const core::ViewChanged& action) = 0;
    virtual void on(const core::Notice& action) = 0;
    /// The state store's own bytes are bad: the next start must not use them again. stop() follows.
    virtual void store_is_corrupt() = 0;
    /// The process must end. After a storage fault (exit code 4) nothing more may be sent or answered.
    virtual void stop(int exit_code, const std::string& reason) = 0;
};

}  // namespace tanist::replica

// SPDX-License-Identifier: Apache-2.0
// The log's own thread, simulated: what is asked for takes virtual time, in order; everything that queued up during one sync goes
// into the next.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <variant>
#include <vector>

#include "base/random.h"
#include "core/action.h"
#include "core/event.h"
#include "sim/plan.h"
#include "sim/world.h"
#include "wal/log.h"

namespace tanist::sim {

/// What the log's thread needs of the process that it belongs to.
class WalOwner {
public:
    virtual ~WalOwner() = default;
    /// Later, if the process still runs; when it stands still then, as soon as it goes on.
    virtual void later(Duration delay, Work work) = 0;
    /// To be stepped by the core's thread.
    virtual void report(core::Event event) = 0;
    virtual void on_synced(Lsn through) = 0;
    virtual void on_recycled() = 0;
    /// A write or sync failed: the process must end (S4).
    virtual void on_storage_fault(const Error& error) = 0;
    [[nodiscard]] virtual Lsn stored() const = 0;
    /// How long the disk takes now; stalls included.
    [[nodiscard]] virtual Duration sync_time() = 0;
};

class VirtualWal {
public:
    VirtualWal(WalOwner& owner, wal::Log& log, const DiskPlan& plan, std::uint64_t seed)
        : owner_(owner), log_(log), plan_(plan), random_(seed) {}

    void append(core::AppendToWal append);
    void read(core::ReadLog read);
    void recycle(Lsn through);
    /// As replica::Host::with_log(). What was written on the way may stay unsynced, and is reported when its sync returns: `use` may
    /// have overtaken it by then.
    [[nodiscard]] Status with_log(const std::function<Status(wal::Log&)>& use);
    /// The end of a process that shuts down in order.
    [[nodiscard]] Status close();

    [[nodiscard]] std::size_t queued() const { return queue_.size(); }

private:
    struct Recycle {
        Lsn through;
    };
    using Operation = std::variant<core::AppendToWal, core::ReadLog, Recycle>;

    void go_on();
    void write_and_sync();
    void sync();
    void do_other();
    [[nodiscard]] Status write_queued();
    [[nodiscard]] Status write(const core::AppendToWal& append);
    void idle();
    bool survives(const Status& status);

    WalOwner& owner_;
    wal::Log& log_;
    DiskPlan plan_;
    Random random_;
    std::deque<Operation> queue_;
    std::vector<core::WalDurable> written_;  ///< and not yet synced
    bool busy_ = false, failed_ = false;
    std::uint64_t activity_ = 0;  ///< so that an idle period can be told
};

}  // namespace tanist::sim

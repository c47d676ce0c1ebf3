// SPDX-License-Identifier: Apache-2.0
// One node: a disk and clocks that outlive its processes, and the process that runs now, with the product's replica in it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/random.h"
#include "replica/replica.h"
#include "sim/client_desk.h"
#include "sim/cluster_checker.h"
#include "sim/plan.h"
#include "sim/virtual_network.h"
#include "sim/virtual_wal.h"
#include "sim/watched_store.h"
#include "sim/world.h"
#include "store/memory_store.h"
#include "wal/memory_file_system.h"

namespace tanist::sim {

inline constexpr const char* kDataDirectory = "data";  ///< on each node's own disk

class SimNode final : public replica::Host, public Listener, public DeskOwner, public WalOwner {
public:
    SimNode(World& world, VirtualNetwork& network, ClusterChecker& checker, const Plan& plan, const NodePlan& self);
    ~SimNode() override;

    [[nodiscard]] NodeId id() const { return self_.node; }
    [[nodiscard]] bool running() const { return process_ != nullptr; }
    [[nodiscard]] bool paused() const { return paused_; }
    /// Its work takes time, or has, and waits still.
    [[nodiscard]] bool is_slow() const { return work_takes_ > 0us || (process_ && !process_->inbox.empty()); }
    /// Its identity or vote was lost: it is no member any more, and stays out until it is admitted again (S1, S3).
    [[nodiscard]] bool outcast() const;
    /// What was destroyed on its disk keeps it from starting: a person has to look at it.
    [[nodiscard]] bool given_up() const { return given_up_; }
    [[nodiscard]] const replica::Replica* current() const { return process_ ? process_->replica.get() : nullptr; }
    [[nodiscard]] std::size_t pending() const;
    /// For how long its log has reported nothing, though something waits to be durable.
    [[nodiscard]] Duration log_silence() const;
    [[nodiscard]] Instant up_since() const { return process_->started; }
    [[nodiscard]] std::uint64_t disk_operations() const { return disk_->operations(); }
    [[nodiscard]] std::uint64_t switchovers_done() const { return switchovers_done_; }
    /// The process's own time: what its time-outs are counted in.
    [[nodiscard]] Duration local(Duration duration) const;

    /// A client's question arrives.
    void ask(Question question, Reply reply);

    // -- faults ------------------------------------------------------------------------------------------------------------------
    void start();
    /// A process that ends, for whatever reason, is started again after this time; 0: when somebody starts it.
    void restart_after(Duration delay) { restart_after_ = delay; }
    void kill();
    void cut_power();
    /// At the file operation after the next `operations`, or at the next one of the kind `aimed_at`: a power cut, or an error of that
    /// operation alone.
    void plan_disk_fault(bool power_cut, std::uint64_t operations, std::optional<wal::DiskOperation> aimed_at);
    void shut_down();
    /// To `target`, or to any; asked of whichever node this is.
    void switch_over(std::optional<NodeId> target);
    void pause();
    void resume();
    void wipe();
    // -- to a node that is down: what it finds at its next start
    /// A bit, the end of a segment, its slots, or a whole segment is destroyed.
    void damage();
    /// Its newest segments are lost, one or all, or what is left of the newest has no mark.
    void wreck_log();
    /// A bit of one entry has changed.
    void rot_entry(Lsn lsn);
    /// A part of the newest segment's end, fsynced as it was, is zeroed or cut off.
    void forget_tail(Forgotten what);
    /// Bits of the vote files, or of the identity, have changed.
    void rot_votes(std::uint32_t variant);
    /// The state store cannot be read any more, and is given up as the server does it.
    void lose_state();
    /// An only voter that refused to start for what is corrupt in its log is started with the order to cut it there (S27).
    void cut_log_by_hand();
    // -- to any node
    /// A row of its state store can be read no more; which the process notices once it wants it.
    void rot_state();
    void rot_checkpoints(bool rot);
    /// After `writes` more of records or slots the disk claims to have done one that is lost or has landed elsewhere.
    void lose_write(std::uint64_t writes, std::uint32_t variant);
    /// Room for so many bytes is left.
    void fill_disk(std::uint64_t bytes_left, bool may_end);
    void empty_disk();
    void slow_work(Duration each);
    void jump_clock(std::int64_t ms) { wall_offset_ms_ += ms; }
    void slow_disk(std::int64_t factor) { disk_slowness_ = factor; }
    void stall_disk(Instant until) { disk_stalls_until_ = until; }
    /// Faults that are planned and were not met yet never come.
    void calm();

    // -- replica::Host -----------------------------------------------------------------------------------------------------------
    void append_to_wal(core::AppendToWal append) override;
    [[nodiscard]] Status with_log(const std::function<Status(wal::Log&)>& use) override;
    void read_log(core::ReadLog read) override { process_->wal->read(read); }
    void recycle_log(Lsn through) override { process_->wal->recycle(through); }
    void send(NodeId to, core::Message message) override;
    void disconnect(NodeId node, const std::string& reason) override;
    void on(const core::ProposalAccepted& action) override { process_->desk->on(action); }
    void on(const core::ProposalRefused& action) override { process_->desk->on(action); }
    void on(const core::ProposalDurable& action) override;
    void on(const core::ProposalOnAll& action) override;
    void on(const core::ProposalUnknown& action) override { process_->desk->on(action); }
    void on(const core::ReadReady& action) override { process_->desk->on(action); }
    void on(const core::ReadRefused& action) override { process_->desk->on(action); }
    void on(const core::SwitchoverEnded& action) override;
    void on(core::TakeForwarded& action) override { process_->desk->on(action); }
    [[nodiscard]] bool awaits_outcomes() const override { return process_->desk->awaits_outcomes(); }
    void executed(std::span<const commands::Applied> applied) override { process_->desk->executed(applied); }
    void on(const core::ViewChanged&) override {}
    void on(const core::Notice& action) override;
    void store_is_corrupt() override { condemned_ = true; }  // stop() follows
    void stop(int exit_code, const std::string& reason) override;

    // -- Listener ------------------------------------------------------------------------------------------------------------------
    void on_connected(NodeId peer) override { post(core::PeerConnected{peer}); }
    void on_lost(NodeId peer, core::Loss loss) override { post(core::PeerLost{peer, loss}); }
    void on_message(core::Message message) override { post(core::PeerMessage{std::move(message)}); }

    // -- DeskOwner, WalOwner -------------------------------------------------------------------------------------------------------
    void step(core::Event event) override { process_->replica->step(std::move(event)); }
    [[nodiscard]] const replica::Replica& replica() const override { return *process_->replica; }
    [[nodiscard]] core::Clock clock() const override;
    void storage_failed(const Error& error) override;
    void later(Duration delay, Work work) override;
    void report(core::Event event) override { post(std::move(event)); }
    void on_synced(Lsn through) override;
    void on_recycled() override { checker_.on_recycled(self_.node, process_->replica->log().base().lsn, stored()); }
    void on_storage_fault(const Error& error) override { stop(4, error.message); }
    [[nodiscard]] Lsn stored() const override { return process_->store->stored(); }
    [[nodiscard]] Duration sync_time() override;

private:
    void use_room(std::span<const Entry> entries);
    struct Process {
        std::uint64_t number = 0;
        Instant started{0};
        std::unique_ptr<WatchedStore> store;
        std::unique_ptr<replica::Replica> replica;
        std::unique_ptr<VirtualWal> wal;
        std::unique_ptr<ClientDesk> desk;
        std::deque<Work> inbox;  ///< while it stands still, or is slow
        bool working = false;    ///< on the first of them, which takes its time
        std::uint64_t ticks = 0;
        Instant ticked{0};         ///< when it was last told the time
        bool has_reigned = false;  ///< it has been an open master
        Lsn appended, synced;      ///< what its log was asked to write, and what of that is durable
        Instant log_reported{0};   ///< when that last changed, or something was first asked
        std::optional<int> exit;   ///< it has to end, as soon as the running step is through
        std::string reason;
    };
    enum class DiskFault : std::uint8_t { kPowerCut, kError };

    /// One piece of the process's work: now, or when it goes on.
    void run(Work work);
    void post(core::Event event);
    void work_through(const Work& work);
    /// One piece of the inbox after the other.
    void work_on();
    void tick();
    /// A process that stood still is told of every tick that has passed.
    void make_up_for_ticks();
    void end(HostState left_behind);
    /// Opens the state store as the server does: one that is condemned, or cannot be read, is given up for a full copy (S26).
    void open_store();
    [[nodiscard]] replica::DataDirectoryOptions directory_options() const;
    /// A node that has been an open master answers stale reads for as long as it runs (S19).
    [[nodiscard]] Reply watched(const Question& question, Reply reply);
    void end_as_asked();
    void end_by_power_cut();
    [[nodiscard]] Status before_disk_operation(wal::DiskOperation operation);
    [[nodiscard]] std::optional<wal::MemoryFileSystem::Landing> misplace(const std::string& path, std::uint64_t offset,
                                                                         std::uint64_t bytes);
    [[nodiscard]] std::vector<std::string> segments();
    [[nodiscard]] std::string content_of(const std::string& path);
    [[nodiscard]] core::NodeOptions options() const;
    /// The entries that lie exported on its disk, durably or not.
    [[nodiscard]] std::vector<EntryId> rescued() const;
    [[nodiscard]] Duration monotonic() const;

    World& world_;
    VirtualNetwork& network_;
    ClusterChecker& checker_;
    const Plan& plan_;
    NodePlan self_;
    Random random_;
    std::unique_ptr<wal::MemoryFileSystem> disk_;
    std::shared_ptr<store::DurableImage> image_;
    RottenRow rotten_row_;    ///< of the image
    bool condemned_ = false;  ///< a process found the image corrupt: the next start gives it up
    std::unique_ptr<Process> process_;
    std::uint64_t processes_ = 0, switchovers_ = 0, switchovers_done_ = 0;
    bool paused_ = false, damaged_ = false, given_up_ = false, outcast_ = false, cuts_by_hand_ = false;
    Lsn rotten_entry_;       ///< the one that was damaged; 0: none, or no single one
    bool deceived_ = false;  ///< its disk has lost a write: whatever it reads of its log may turn out bad, also in the middle of its work
    bool rots_checkpoints_ = false, may_lack_room_ = false;
    std::optional<std::uint64_t> room_;  ///< bytes of entries for which a nearly full disk must do: who catches up may need more, and end
    Duration work_takes_{0};
    Duration restart_after_{0};
    std::int64_t wall_offset_ms_ = 0, disk_slowness_ = 1;
    Instant disk_stalls_until_{0};
    std::optional<DiskFault> planned_, met_;
    std::uint64_t operations_left_ = 0;
    std::optional<wal::DiskOperation> aimed_at_;
    std::optional<std::uint64_t> writes_until_lost_;
    std::uint32_t lost_variant_ = 0;
};

}  // namespace tanist::sim

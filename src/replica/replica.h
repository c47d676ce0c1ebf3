// SPDX-License-Identifier: Apache-2.0
// One node put together: the core decides, and what it decides is done to log, votes and state, in its order. Shared by both shells.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "commands/state_machine.h"
#include "core/node.h"
#include "replica/copy.h"
#include "replica/data_directory.h"
#include "replica/host.h"
#include "store/store.h"

namespace tanist::replica {

struct ReplicaOptions {
    core::NodeOptions node;
    /// Applied and not yet stored: beyond it the store is flushed, so that a restart replays little; beyond half of it already where a
    /// flush writes as much as that.
    std::uint64_t flush_bytes = 64 << 20;
    /// Applied and not yet stored: from half of it on the master's writes are slowed down, and beyond it none is taken in.
    std::uint64_t unstored_bytes_max = UINT64_MAX;
    std::uint64_t disk_reserve_bytes = 256 << 20;  ///< near it the master takes no writes (S4)
    std::uint32_t disk_check_ticks = 100;
};

/// One thread. All of `host`, `files` and `store` must outlive it.
class Replica {
public:
    Replica(Host& host, wal::FileSystem& files, store::Store& store, DataDirectory directory, ReplicaOptions options, std::uint64_t seed);

    /// Feeds one event to the core and performs what it answers. Events that this causes at once (Applied) are fed in turn.
    void step(core::Event event);

    [[nodiscard]] const core::Node& node() const { return node_; }
    [[nodiscard]] const commands::StateMachine& state() const { return *directory_.state; }
    /// As commands::StateMachine::watch().
    void watch(std::vector<commands::KeyEvent>* events) { directory_.state->watch(events); }
    /// Too little disk is left: propose nothing now (S4).
    [[nodiscard]] bool disk_is_low() const { return disk_is_low_; }
    /// So many bytes of writes may be proposed until the next tick, SIZE_MAX if nothing bounds them. What lacks to unstored_bytes_max is
    /// given out over a quarter of a second: so the rate settles at what the store takes in, and a restart has a bounded part of the log to
    /// replay. A slave cannot hold to that bound, and may be promoted far above it: then half of what the store takes in may be written,
    /// and a little from the first moment on, so that writes go on while it drains.
    [[nodiscard]] std::size_t room_for_writes() const;
    /// A storage fault or a Stop ended it: steps do nothing any more.
    [[nodiscard]] bool stopped() const { return stopped_; }
    [[nodiscard]] wal::Log& log() { return *directory_.log; }

private:
    void feed(core::Event event);
    void perform(core::Actions& actions);
    /// To be fed when the running step is through.
    void cause(core::Event event);
    /// False, and the end of the replica, when `status` is a failure: such a write or sync is never retried (S4).
    bool survives(const Status& status, std::string_view what);
    bool store_survives(const Status& status, std::string_view what);
    void end(int exit_code, const std::string& reason);

    void perform(core::SaveIdentity& action);
    void perform(core::SaveVote& action);
    void perform(core::ExportRescued& action);
    void perform(core::CutLog& action);
    void perform(core::RepairLog& action);
    void perform(core::InstallCopy& action);
    void perform(core::AppendToWal& action);
    void perform(core::ReadLog& action);
    void perform(core::Apply& action);
    void perform(core::RecycleLog& action);
    void perform(core::StartCopy& action);
    void perform(core::StopCopy& action);
    void perform(core::Send& action);
    void perform(core::Disconnect& action);
    void perform(core::Stop& action);

    void apply_waiting();
    void apply(const std::vector<Entry>& entries);
    [[nodiscard]] core::Header header() const;
    /// True: it belonged to a full copy and was dealt with.
    bool take_copy_message(const core::Message& message);
    [[nodiscard]] core::CopyReply answer_copy(MemberId asker, const core::CopyRequest& request);
    void finish_copy(const Result<store::Position>& received);
    static void drop_entries(core::Message& message);
    void on_tick();
    void check_disk();
    [[nodiscard]] bool flush_is_due() const;
    void share_out_room();

    Host& host_;
    wal::FileSystem& files_;
    store::Store& store_;
    DataDirectory directory_;
    ReplicaOptions options_;
    Identity identity_;
    core::Node node_;
    CopyDonor donor_;
    CopyReceiver receiver_;
    std::vector<core::Event> caused_;         ///< by performing actions; fed when the running step is through
    std::deque<std::vector<Entry>> waiting_;  ///< to be applied, once the store has room; the core bounds them
    std::vector<commands::Applied> applied_;  ///< reused from one Apply to the next
    core::Actions spare_actions_;             ///< keeps its capacity from one step to the next
    Lsn log_base_;                            ///< as last reported by the shell
    Lsn recycle_asked_;
    Lsn stored_reported_;
    Lsn flushing_;  ///< the store was asked to flush up to here
    std::uint64_t due_reported_ = 0;
    std::uint64_t unstored_ = 0;    ///< as of the last tick
    std::uint64_t spare_room_ = 0;  ///< for writes above unstored_bytes_max, given out bit by bit
    std::uint32_t ticks_ = 0;
    bool stepping_ = false;
    bool disk_is_low_ = false;
    bool stopped_ = false;
};

}  // namespace tanist::replica

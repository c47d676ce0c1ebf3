// SPDX-License-Identifier: Apache-2.0
#include "replica/replica.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/ensure.h"
#include "base/mutant.h"
#include "replica/install_marker.h"
#include "replica/rescue.h"
#include "wal/identity_file.h"

namespace tanist::replica {
namespace {

constexpr int kExitStorageFault = 4;
constexpr std::uint64_t kRoomTimeMs = 250;  ///< room for writes is given out over so long

template <class T, class... Ts>
inline constexpr bool is_one_of = (std::is_same_v<T, Ts> || ...);

/// Actions that the shell performs as they are.
template <class T>
inline constexpr bool is_for_host =
    is_one_of<T, core::ProposalAccepted, core::ProposalRefused, core::ProposalDurable, core::ProposalOnAll, core::ProposalUnknown,
              core::ReadReady, core::ReadRefused, core::SwitchoverEnded, core::TakeForwarded, core::ViewChanged, core::Notice>;

}  // namespace

Replica::Replica(Host& host, wal::FileSystem& files, store::Store& store, DataDirectory directory, ReplicaOptions options,
                 std::uint64_t seed)
    : host_(host),
      files_(files),
      store_(store),
      directory_(std::move(directory)),
      options_(std::move(options)),
      identity_(directory_.start.identity),
      node_(options_.node, std::move(directory_.start), seed),
      donor_(store),
      receiver_(store, [this](NodeId donor, core::Body request) { host_.send(donor, {header(), std::move(request)}); }),
      log_base_(directory_.log->base().lsn),
      spare_room_(options_.unstored_bytes_max / 4) {}

core::Header Replica::header() const {
    return {identity_.founding ? identity_.founding->cluster : ClusterId{}, identity_.id, node_.epoch()};
}

void Replica::step(core::Event event) {
    ENSURE(!stepping_);
    stepping_ = true;
    feed(std::move(event));
    for (std::size_t i = 0; i < caused_.size(); ++i) feed(core::Event(std::move(caused_[i])));  // feeding may cause more
    caused_.clear();
    stepping_ = false;
}

void Replica::feed(core::Event event) {
    if (stopped_) return;
    if (auto* message = std::get_if<core::PeerMessage>(&event)) {
        if (take_copy_message(message->message)) return;
        if (disk_is_low_) drop_entries(message->message);
    } else if (const auto* stored = std::get_if<core::Stored>(&event)) {
        log_base_ = stored->log_base;
    }
    const bool is_tick = std::holds_alternative<core::Tick>(event);
    core::Actions actions = std::move(spare_actions_);
    node_.step(event, actions);
    perform(actions);
    actions.clear();
    spare_actions_ = std::move(actions);
    if (is_tick && !stopped_) on_tick();
}

void Replica::perform(core::Actions& actions) {
    for (core::Action& action : actions) {
        if (stopped_) return;
        std::visit(
            [this](auto& a) {
                if constexpr (is_for_host<std::decay_t<decltype(a)>>) {
                    host_.on(a);
                } else {
                    perform(a);
                }
            },
            action);
    }
}

bool Replica::survives(const Status& status, std::string_view what) {
    if (status) return true;
    end(kExitStorageFault, fmt::format("{}: {}", what, status.error().message));
    return false;
}

/// Of what the state store did, which another node can replace when it is corrupt.
bool Replica::store_survives(const Status& status, std::string_view what) {
    if (!status && status.error().code == ErrorCode::kCorrupt && !mutant(Mutant::kCorruptStoreKept)) host_.store_is_corrupt();
    return survives(status, what);
}

void Replica::end(int exit_code, const std::string& reason) {
    stopped_ = true;
    host_.stop(exit_code, reason);
}

void Replica::cause(core::Event event) { caused_.push_back(std::move(event)); }

// -- done at once --------------------------------------------------------------------------------------------------------------

void Replica::perform(core::SaveIdentity& action) {
    identity_ = std::move(action.identity);
    survives(wal::save_identity(files_, directory_.path, identity_), "saving the identity");
}

void Replica::perform(core::SaveVote& action) { survives(directory_.votes->save(action.vote), "saving the vote"); }

void Replica::perform(core::ExportRescued& action) {
    std::string path;
    const Status exported = host_.with_log([&](wal::Log& log) -> Status {
        auto written = export_rescued(files_, directory_.path, log, action.from, action.through);
        if (!written) return fail(written.error());
        path = std::move(*written);
        return {};
    });
    if (!survives(exported, "exporting rescued writes")) return;
    if (path.empty()) return;  // nothing of it could be read
    host_.on(core::Notice{core::NoticeLevel::kWarn,
                          fmt::format("writes not known here to be committed were exported before they are cut from={} through={} file={}",
                                      action.from.value, action.through.value, path)});
}

void Replica::perform(core::CutLog& action) {
    survives(host_.with_log([&](wal::Log& log) { return log.cut(action.keep); }), "cutting the log");
}

void Replica::perform(core::RepairLog& action) {
    survives(host_.with_log([&](wal::Log& log) { return log.repair(action.fill); }), "repairing the log");
}

void Replica::perform(core::InstallCopy& action) {
    ENSURE(waiting_.empty());  // the core installs nothing under entries that it has handed over
    if (!action.keep_log && !mutant(Mutant::kInstallNotMarked) &&
        !survives(mark_install(files_, directory_.path, action.position), "installing a checkpoint"))
        return;
    if (!survives(receiver_.install(), "installing a checkpoint")) return;
    if (!action.keep_log) {
        donor_.stop();
        if (!survives(host_.with_log([&](wal::Log& log) { return log.reset(action.position); }),
                      "starting the log anew behind a checkpoint"))
            return;
        if (!survives(clear_install(files_, directory_.path), "installing a checkpoint")) return;
        log_base_ = action.position.lsn;
    }
    store_survives(directory_.state->reload(), "reading an installed checkpoint");
}

// -- started now, reported later --------------------------------------------------------------------------------------------------

void Replica::perform(core::AppendToWal& action) { host_.append_to_wal(std::move(action)); }

void Replica::perform(core::ReadLog& action) { host_.read_log(std::move(action)); }

void Replica::perform(core::Apply& action) {
    ENSURE(!action.entries.empty());
    waiting_.push_back(std::move(action.entries));
    apply_waiting();
}

/// A store whose disk has fallen behind is left in peace, while everything else goes on.
void Replica::apply_waiting() {
    while (!waiting_.empty() && !stopped_ && store_.has_room()) {
        const std::vector<Entry> entries = std::move(waiting_.front());
        waiting_.pop_front();
        apply(entries);
    }
}

void Replica::apply(const std::vector<Entry>& entries) {
    const bool has_clients = node_.role() == core::Role::kMaster || host_.awaits_outcomes();
    applied_.clear();
    if (!store_survives(directory_.state->apply(entries, has_clients ? &applied_ : nullptr), "applying to the store")) return;
    if (has_clients) host_.executed(applied_);
    cause(core::Applied{entries.back().lsn()});
    if (const std::uint64_t due = directory_.state->next_due(); due != due_reported_) {
        due_reported_ = due;
        cause(core::DueAt{due});
    }
}

void Replica::perform(core::RecycleLog& action) {
    Lsn through = action.through;
    if (const auto pin = donor_.pin(); pin && !mutant(Mutant::kDonorPinIgnored)) through = std::min(through, *pin);
    if (through <= recycle_asked_) return;
    recycle_asked_ = through;
    host_.recycle_log(through);
}

void Replica::perform(core::StartCopy& action) { receiver_.start(action.donor); }

void Replica::perform(core::StopCopy&) { receiver_.stop(); }

// -- network and end ---------------------------------------------------------------------------------------------------------------

void Replica::perform(core::Send& action) { host_.send(action.to, std::move(action.message)); }

void Replica::perform(core::Disconnect& action) { host_.disconnect(action.node, action.reason); }

void Replica::perform(core::Stop& action) { end(action.exit_code, action.reason); }

// -- full copies ---------------------------------------------------------------------------------------------------------------------

bool Replica::take_copy_message(const core::Message& message) {
    const NodeId from = message.header.sender.node;
    const bool same_cluster = identity_.founding.has_value() && message.header.cluster == identity_.founding->cluster;
    if (const auto* request = std::get_if<core::CopyRequest>(&message.body)) {
        if (same_cluster) host_.send(from, {header(), answer_copy(message.header.sender, *request)});
        return true;
    }
    if (const auto* reply = std::get_if<core::CopyReply>(&message.body)) {
        if (!same_cluster) return true;
        if (auto received = receiver_.take(from, *reply)) finish_copy(*received);
        return true;
    }
    if (const auto* ended = std::get_if<core::CopyEnd>(&message.body)) {
        if (same_cluster) donor_.end(from, *ended);
        return true;
    }
    return false;
}

core::CopyReply Replica::answer_copy(MemberId asker, const core::CopyRequest& request) {
    const core::View view = node_.view();
    core::CopyReply refused;
    if (view.membership.find(asker) == nullptr) {
        refused.error = fmt::format("incarnation {:016x} of node {} is no member", asker.incarnation.value, asker.node.value);
        return refused;
    }
    if (view.health != core::Health::kUp || !directory_.state->membership()) {
        refused.error = "this node is not healthy itself";
        return refused;
    }
    return donor_.answer(asker.node, request, *directory_.state->membership());
}

void Replica::finish_copy(const Result<store::Position>& received) {
    if (received) {
        cause(core::CopyReceived{received->applied, received->timestamp, receiver_.membership()});
    } else {
        cause(core::CopyReceived{fail(received.error()), 0, {}});
    }
}

// -- upkeep --------------------------------------------------------------------------------------------------------------------------

void Replica::drop_entries(core::Message& message) {
    // An append without entries is a heartbeat: the master stays heard, and nothing is acknowledged that the disk may not hold (S4).
    if (auto* append = std::get_if<core::Append>(&message.body)) append->entries.clear();
}

void Replica::on_tick() {
    donor_.tick();
    apply_waiting();
    share_out_room();
    if (const auto failed = receiver_.tick()) cause(core::CopyReceived{fail(*failed), 0, {}});
    // Once at a time: each flush closes what was gathered until then, and what changes again behind it is written again.
    if (flush_is_due() && store_.stored() >= flushing_) {
        flushing_ = directory_.state->position().applied.lsn;
        if (!store_survives(store_.flush(), "flushing the store")) return;
    }
    if (const Lsn stored = store_.stored(); stored != stored_reported_) {
        stored_reported_ = stored;
        cause(core::Stored{stored, log_base_});
    }
    if (++ticks_ % options_.disk_check_ticks == 0) check_disk();
}

/// Where keys are written again and again, waiting spares work: of many entries for one key a flush writes the last.
bool Replica::flush_is_due() const {
    const std::uint64_t unstored = store_.unstored_bytes();
    return unstored > options_.flush_bytes || (unstored > options_.flush_bytes / 2 && store_.dirty_bytes() >= unstored);
}

std::size_t Replica::room_for_writes() const {
    const std::uint64_t bound = options_.unstored_bytes_max, unstored = store_.unstored_bytes();
    if (node_.role() != core::Role::kMaster || unstored <= bound / 2) return SIZE_MAX;
    return std::max(bound - std::min(bound, unstored), spare_room_) * options_.node.tick_ms / kRoomTimeMs;
}

/// Once a tick. What the store takes in shows as less that is unstored, at whole generations. Above the bound half of that is for writes,
/// the other half brings it down.
void Replica::share_out_room() {
    const std::uint64_t bound = options_.unstored_bytes_max;
    const std::uint64_t before = std::exchange(unstored_, store_.unstored_bytes());
    if (node_.role() != core::Role::kMaster) {
        spare_room_ = bound / 4;
    } else if (unstored_ <= bound / 2) {
        spare_room_ = 0;  // as long as it stays below the bound, the bound holds
    } else {
        spare_room_ -= spare_room_ * options_.node.tick_ms / kRoomTimeMs;
        if (before > bound) spare_room_ = std::min(spare_room_ + (before - std::min(before, unstored_)) / 2, bound / 2);
    }
}

void Replica::check_disk() {
    const auto free = files_.bytes_free(directory_.path);
    if (!free) return;  // not knowing is no reason to stop; a failing write is
    const bool low = *free < options_.disk_reserve_bytes;
    if (low == disk_is_low_) return;
    disk_is_low_ = low;
    host_.on(core::Notice{low ? core::NoticeLevel::kError : core::NoticeLevel::kInfo,
                          fmt::format("{} bytes_free={} disk_reserve_bytes={}",
                                      low ? "disk nearly full: taking no writes" : "disk has room again: taking writes", *free,
                                      options_.disk_reserve_bytes)});
}

}  // namespace tanist::replica

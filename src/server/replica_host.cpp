// SPDX-License-Identifier: Apache-2.0
#include "server/replica_host.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/ensure.h"

namespace tanist::server {

ReplicaHost::ReplicaHost(Loop& loop, wal::Log& log, PeerLinks& links, WritePath& writes, ReadGate& reads, SwitchoverDesk& switchovers,
                         metrics::Registry& registry, Listener listener)
    : loop_(loop),
      links_(links),
      writes_(writes),
      reads_(reads),
      switchovers_(switchovers),
      listener_(std::move(listener)),
      wal_bytes_(registry.counter(metrics::Metric::kWalBytes)),
      wal_syncs_(registry.counter(metrics::Metric::kWalSyncs)),
      wal_sync_seconds_(registry.histogram(metrics::Metric::kWalSyncSeconds)),
      wal_group_entries_(registry.histogram(metrics::Metric::kWalGroupEntries)),
      written_(log.last().lsn),
      queued_(written_) {
    reader_ = std::make_unique<LogReaderThread>(
        log, [this](core::LogRead read) { loop_.post([this, read = std::move(read)]() mutable { listener_.event(std::move(read)); }); });
    wal_ = std::make_unique<WalThread>(
        log, WalListener{.synced =
                             [this](const WalSynced& synced) {
                                 wal_bytes_.add(synced.bytes);
                                 wal_syncs_.add();
                                 wal_sync_seconds_.observe(synced.duration);
                                 wal_group_entries_.observe(synced.entries);
                                 loop_.post([this, synced] { on_synced(synced); });
                             },
                         .recycled =
                             [this](Lsn log_base) {
                                 loop_.post([this, log_base] { listener_.event(core::Stored{listener_.stored(), log_base}); });
                             },
                         .failed = [this](const Error& error) { loop_.post([this, error] { listener_.stop(4, error.message); }); }});
}

ReplicaHost::~ReplicaHost() { end_threads(); }

void ReplicaHost::end_threads() {
    wal_.reset();
    reader_.reset();
}

Status ReplicaHost::close_log() {
    Status closed = wal_->close();
    end_threads();
    return closed;
}

void ReplicaHost::on_synced(const WalSynced& synced) {
    written_ = std::max(written_, synced.through);
    ENSURE(synced.bytes <= bytes_on_their_way_);
    bytes_on_their_way_ -= synced.bytes;
    listener_.event(core::WalDurable{synced.generation, synced.through});
    for (const core::ReadLog& read : std::exchange(too_early_, {})) read_log(read);
}

void ReplicaHost::append_to_wal(core::AppendToWal append) {
    queued_ = append.entries.back().lsn();
    for (const Entry& entry : append.entries) bytes_on_their_way_ += entry.size();
    wal_->append(std::move(append));
}

Status ReplicaHost::with_log(const std::function<Status(wal::Log&)>& use) {
    return wal_->run([&](wal::Log& log) {
        Status used = use(log);
        queued_ = written_ = log.last().lsn;  // the loop waits meanwhile
        return used;
    });
}

void ReplicaHost::read_log(core::ReadLog read) {
    // Records behind a hole lie above `written_`, too, and are there to be read (S9).
    const bool is_on_its_way = read.from > written_ && read.from <= queued_;
    is_on_its_way ? too_early_.push_back(read) : reader_->read(read);
}

void ReplicaHost::recycle_log(Lsn through) { wal_->recycle(through); }

void ReplicaHost::on(const core::Notice& action) {
    switch (action.level) {
        case core::NoticeLevel::kInfo: spdlog::info(action.text); break;
        case core::NoticeLevel::kWarn: spdlog::warn(action.text); break;
        case core::NoticeLevel::kError: spdlog::error(action.text); break;
    }
}

}  // namespace tanist::server

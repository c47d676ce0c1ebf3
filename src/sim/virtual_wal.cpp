// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_wal.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tanist::sim {
namespace {

constexpr Duration kIdle = 50ms;  ///< without a write, before the mark confirms what was synced (S9)
constexpr Duration kReadTime = 50us;

}  // namespace

void VirtualWal::append(core::AppendToWal append) {
    queue_.emplace_back(std::move(append));
    go_on();
}

void VirtualWal::read(core::ReadLog read) {
    queue_.emplace_back(read);
    go_on();
}

void VirtualWal::recycle(Lsn through) {
    queue_.emplace_back(Recycle{through});
    go_on();
}

bool VirtualWal::survives(const Status& status) {
    if (status) return true;
    failed_ = true;
    owner_.on_storage_fault(status.error());
    return false;
}

void VirtualWal::go_on() {
    if (busy_ || failed_) return;
    ++activity_;
    if (queue_.empty()) {
        owner_.later(kIdle, [this, before = activity_] {
            if (activity_ == before) idle();
        });
        return;
    }
    busy_ = true;
    if (std::holds_alternative<core::AppendToWal>(queue_.front())) {
        owner_.later(plan_.write, [this] { write_and_sync(); });
    } else {
        owner_.later(kReadTime, [this] { do_other(); });
    }
}

void VirtualWal::write_and_sync() {
    while (!queue_.empty() && std::holds_alternative<core::AppendToWal>(queue_.front())) {
        const core::AppendToWal append = std::move(std::get<core::AppendToWal>(queue_.front()));
        queue_.pop_front();
        if (!survives(write(append))) return;
    }
    owner_.later(owner_.sync_time(), [this] { sync(); });
}

Status VirtualWal::write(const core::AppendToWal& append) {
    // A group holds entries of one epoch (S9).
    std::span<const Entry> rest(append.entries);
    while (!rest.empty()) {
        const auto same = std::ranges::find_if(rest, [&](const Entry& e) { return e.epoch() != rest.front().epoch(); });
        const auto count = static_cast<std::size_t>(same - rest.begin());
        if (Status status = log_.write(rest.first(count)); !status) return status;
        rest = rest.subspan(count);
    }
    if (!append.entries.empty()) written_.push_back({append.generation, append.entries.back().lsn()});
    return {};
}

void VirtualWal::sync() {
    // What with_log() wrote meanwhile is synced too, and may already be cut: its completion says which generation it speaks of.
    const std::vector<core::WalDurable> written = std::exchange(written_, {});
    if (!survives(log_.sync())) return;
    owner_.on_synced(log_.last().lsn);
    for (const core::WalDurable& durable : written) owner_.report(durable);
    busy_ = false;
    go_on();
}

void VirtualWal::do_other() {
    if (!queue_.empty() && !std::holds_alternative<core::AppendToWal>(queue_.front())) {
        const Operation operation = std::move(queue_.front());
        queue_.pop_front();
        if (const auto* read = std::get_if<core::ReadLog>(&operation)) {
            owner_.report(core::LogRead{read->token, log_.read(read->from, read->through, read->bytes_max)});
        } else if (const auto* recycle = std::get_if<Recycle>(&operation)) {
            if (!survives(log_.recycle(recycle->through))) return;
            owner_.on_recycled();
            owner_.report(core::Stored{owner_.stored(), log_.base().lsn});
        }
    }
    busy_ = false;
    go_on();
}

void VirtualWal::idle() {
    if (!survives(log_.confirm())) return;
    const auto prepared = log_.prepare_spare();
    if (!prepared) (void)survives(tanist::fail(prepared.error()));
}

Status VirtualWal::write_queued() {
    std::deque<Operation> others;
    for (Operation& operation : queue_) {
        if (const auto* append = std::get_if<core::AppendToWal>(&operation)) {
            if (Status status = write(*append); !status) return status;
        } else {
            others.push_back(std::move(operation));
        }
    }
    queue_ = std::move(others);
    return {};
}

Status VirtualWal::with_log(const std::function<Status(wal::Log&)>& use) {
    if (failed_) return tanist::fail(ErrorCode::kIo, "the log has failed before");
    if (Status status = write_queued(); !status) return status;
    if (random_.chance(1, 2)) {
        if (Status status = log_.sync(); !status) return status;
        owner_.on_synced(log_.last().lsn);
    }
    Status status = use(log_);
    if (!written_.empty() && !busy_) {
        busy_ = true;
        owner_.later(owner_.sync_time(), [this] { sync(); });
    }
    return status;
}

Status VirtualWal::close() {
    if (failed_) return tanist::fail(ErrorCode::kIo, "the log has failed before");
    if (Status status = write_queued(); !status) return status;
    if (Status status = log_.sync(); !status) return status;
    owner_.on_synced(log_.last().lsn);
    return log_.close();
}

}  // namespace tanist::sim

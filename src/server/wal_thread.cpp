// SPDX-License-Identifier: Apache-2.0
#include "server/wal_thread.h"

#include <pthread.h>

#include <utility>

#include "base/ensure.h"
#include "base/limits.h"

namespace tanist::server {
namespace {

using Clock = std::chrono::steady_clock;

/// A group must fit into one segment; one entry always does.
constexpr std::size_t kGroupBytesMax = 24 * limits::kMiB;
/// Without a write for so long, the mark is made to confirm the last sync (S9).
constexpr std::chrono::milliseconds kConfirmAfter{50};
/// A busy log is never quiet: after so many bytes written, one piece of a spare segment (1 MiB) is zeroed anyway, so that the next
/// segment is there when this one is full.
constexpr std::size_t kZeroingPace = 768 * limits::kKiB;

}  // namespace

WalThread::WalThread(wal::Log& log, WalListener listener) : log_(log), listener_(std::move(listener)), thread_([this] { main(); }) {
    pthread_setname_np(thread_.native_handle(), "tanist-wal");
}

WalThread::~WalThread() { end_thread(); }

void WalThread::append(core::AppendToWal append) { enqueue(std::move(append)); }

void WalThread::recycle(Lsn through) { enqueue(Recycle{through}); }

void WalThread::enqueue(Job job) {
    bool must_wake = false;
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(job));
        must_wake = std::exchange(waiting_, false);
    }
    if (must_wake) wake_.notify_one();
}

Status WalThread::run(const std::function<Status(wal::Log&)>& use) {
    Task task{use, std::nullopt};
    enqueue(&task);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return task.result.has_value(); });
    return *std::move(task.result);
}

Status WalThread::close() {
    Status closed = run([](wal::Log& log) { return log.close(); });
    end_thread();
    return closed;
}

void WalThread::end_thread() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

// -- the thread -----------------------------------------------------------------------------------------------------------------

void WalThread::main() {
    std::vector<Job> jobs;
    std::unique_lock lock(mutex_);
    while (!ending_) {
        if (queue_.empty()) {
            idle(lock);
            continue;
        }
        std::swap(jobs, queue_);
        lock.unlock();
        perform(jobs);
        jobs.clear();
        lock.lock();
    }
}

/// Waits for work. When there was none for a while, does what the log wants done in quiet times, one piece at a time.
void WalThread::idle(std::unique_lock<std::mutex>& lock) {
    const auto has_work = [this] { return ending_ || !queue_.empty(); };
    waiting_ = true;
    if (!unconfirmed_ && !may_lack_spare_) {
        wake_.wait(lock, has_work);
    } else if (!wake_.wait_for(lock, unconfirmed_ ? kConfirmAfter : std::chrono::milliseconds(0), has_work)) {
        waiting_ = false;
        lock.unlock();
        if (!std::exchange(unconfirmed_, false)) {
            prepare_spare();
        } else if (!fault_) {
            static_cast<void>(survives(log_.confirm(), "confirming the mark of the log"));
        }
        lock.lock();
    }
    waiting_ = false;
}

void WalThread::prepare_spare() {
    const Result<bool> prepared = fault_ ? Result<bool>(false) : log_.prepare_spare();
    may_lack_spare_ = prepared.value_or(false);
    bytes_since_zeroing_ = 0;
    if (!prepared) static_cast<void>(survives(fail(prepared.error()), "preparing a spare segment"));
}

void WalThread::perform(std::vector<Job>& jobs) {
    write_began_ = Clock::now();
    for (Job& job : jobs) {
        if (auto* append = std::get_if<core::AppendToWal>(&job)) {
            take(*append);
            continue;
        }
        sync();
        if (const auto* recycle = std::get_if<Recycle>(&job)) {
            if (fault_ || !survives(log_.recycle(recycle->through), "recycling the log")) continue;
            may_lack_spare_ = true;
            listener_.recycled(log_.base().lsn);
        } else {
            Task& task = *std::get<Task*>(job);
            finish(task, fault_ ? Status(fail(*fault_)) : task.use(log_));
        }
    }
    sync();
    if (bytes_since_zeroing_ >= kZeroingPace) prepare_spare();
}

void WalThread::take(core::AppendToWal& append) {
    if (fault_ || append.entries.empty()) return;
    if (append.generation != unsynced_.generation) sync();
    unsynced_.generation = append.generation;
    for (Entry& entry : append.entries) {
        const bool fits = group_.empty() || (group_.back().epoch() == entry.epoch() && group_bytes_ + entry.size() <= kGroupBytesMax);
        if (!fits) write_group();
        group_bytes_ += entry.size();
        group_.push_back(std::move(entry));
    }
}

void WalThread::write_group() {
    if (group_.empty()) return;
    if (!fault_ && survives(log_.write(group_), "writing to the log")) {
        unsynced_.through = group_.back().lsn();
        unsynced_.entries += group_.size();
        unsynced_.bytes += group_bytes_;
    }
    group_.clear();
    group_bytes_ = 0;
}

void WalThread::sync() {
    write_group();
    if (fault_ || unsynced_.entries == 0) return;
    if (!survives(log_.sync(), "syncing the log")) return;
    const auto now = Clock::now();
    unsynced_.duration = now - std::exchange(write_began_, now);
    listener_.synced(unsynced_);
    bytes_since_zeroing_ += unsynced_.bytes;
    unsynced_ = WalSynced{.generation = unsynced_.generation};
    unconfirmed_ = true;
}

void WalThread::finish(Task& task, Status status) {
    {
        const std::lock_guard lock(mutex_);
        task.result = std::move(status);
    }
    done_.notify_one();
}

bool WalThread::survives(const Status& status, const char* what) {
    if (status) return true;
    if (!fault_) {
        fault_ = Error{status.error().code, fmt::format("{}: {}", what, status.error().message)};
        listener_.failed(*fault_);
    }
    return false;
}

}  // namespace tanist::server

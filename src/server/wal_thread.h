// SPDX-License-Identifier: Apache-2.0
// The thread that writes the log: everything that queued up during one fdatasync goes into the next (group commit).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "base/result.h"
#include "core/action.h"
#include "wal/log.h"

namespace tanist::server {

/// What one fdatasync covered.
struct WalSynced {
    std::uint64_t generation = 0;
    Lsn through;
    std::size_t entries = 0, bytes = 0;
    std::chrono::nanoseconds duration{};  ///< of writing and syncing
};

/// Called on the WAL thread: whoever listens passes it on to the loop.
struct WalListener {
    std::function<void(const WalSynced&)> synced;
    std::function<void(Lsn log_base)> recycled;
    std::function<void(const Error&)> failed;  ///< final (S4): nothing is written any more
};

/// Owns the writing side of `log` from construction to destruction. The queue is bounded by its caller: the core lets no more than
/// NodeOptions::uncommitted_bytes_max be under way.
class WalThread {
public:
    WalThread(wal::Log& log, WalListener listener);
    /// Leaves what is queued undone, as a crash would: close() first for a clean end.
    ~WalThread();
    WalThread(const WalThread&) = delete;
    WalThread& operator=(const WalThread&) = delete;

    void append(core::AppendToWal append);
    void recycle(Lsn through);
    /// Runs `use` on the WAL thread when everything asked for before is written and synced; returns when it is done.
    [[nodiscard]] Status run(const std::function<Status(wal::Log&)>& use);
    /// Writes and syncs what is queued, closes the log so that the next start need not copy, and ends the thread.
    [[nodiscard]] Status close();

private:
    /// One call of run(), on the caller's stack.
    struct Task {
        const std::function<Status(wal::Log&)>& use;
        std::optional<Status> result;
    };
    struct Recycle {
        Lsn through;
    };
    using Job = std::variant<core::AppendToWal, Recycle, Task*>;

    void enqueue(Job job);
    void main();
    void perform(std::vector<Job>& jobs);
    void take(core::AppendToWal& append);
    void write_group();
    void sync();
    void finish(Task& task, Status status);
    void idle(std::unique_lock<std::mutex>& lock);
    void prepare_spare();
    [[nodiscard]] bool survives(const Status& status, const char* what);
    void end_thread();

    wal::Log& log_;
    const WalListener listener_;

    std::mutex mutex_;  ///< guards the next three, and Task::result
    std::vector<Job> queue_;
    bool ending_ = false;
    bool waiting_ = false;
    std::condition_variable wake_, done_;

    // Of the thread alone.
    std::vector<Entry> group_;
    std::size_t group_bytes_ = 0;
    WalSynced unsynced_;
    std::chrono::steady_clock::time_point write_began_;
    std::optional<Error> fault_;
    bool unconfirmed_ = true, may_lack_spare_ = true;
    std::size_t bytes_since_zeroing_ = 0;

    std::thread thread_;
};

}  // namespace tanist::server

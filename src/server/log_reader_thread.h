// SPDX-License-Identifier: Apache-2.0
// The thread that reads the log back from disk for slaves that are behind, so that neither the loop nor the writer waits for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/action.h"
#include "core/event.h"
#include "wal/log.h"

namespace tanist::server {

/// Its queue is short: the core asks once for each slave and waits for the answer.
class LogReaderThread {
public:
    /// `answer` is called on the reader thread.
    LogReaderThread(const wal::Log& log, std::function<void(core::LogRead)> answer);
    ~LogReaderThread();
    LogReaderThread(const LogReaderThread&) = delete;
    LogReaderThread& operator=(const LogReaderThread&) = delete;

    void read(core::ReadLog request);

private:
    void main();

    const wal::Log& log_;
    const std::function<void(core::LogRead)> answer_;
    std::mutex mutex_;  ///< guards the next two
    std::vector<core::ReadLog> queue_;
    bool ending_ = false;
    std::condition_variable wake_;
    std::thread thread_;
};

}  // namespace tanist::server

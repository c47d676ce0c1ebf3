// SPDX-License-Identifier: Apache-2.0
#include "server/log_reader_thread.h"

#include <pthread.h>

#include <utility>

namespace tanist::server {

LogReaderThread::LogReaderThread(const wal::Log& log, std::function<void(core::LogRead)> answer)
    : log_(log), answer_(std::move(answer)), thread_([this] { main(); }) {
    pthread_setname_np(thread_.native_handle(), "tanist-reader");
}

LogReaderThread::~LogReaderThread() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void LogReaderThread::read(core::ReadLog request) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(request);
    }
    wake_.notify_one();
}

void LogReaderThread::main() {
    std::vector<core::ReadLog> requests;
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
        if (ending_) return;
        std::swap(requests, queue_);
        lock.unlock();
        for (const core::ReadLog& request : requests) {
            answer_(core::LogRead{request.token, log_.read(request.from, request.through, request.bytes_max)});
        }
        requests.clear();
        lock.lock();
    }
}

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// How long a lone write of the log takes from the loop to the disk and back, by a thread and by io_uring (docs/decisions/0018).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tanist::bench {
namespace {

constexpr std::size_t kBlock = 4096, kSlotBytes = 512, kRecordBytes = 400, kFileBytes = 16 << 20;

/// One slot of the mark, and one record behind those before it: as the log writes them under one fdatasync.
struct Places {
    std::uint64_t slot, record;
};

/// Zeroed and synced, as a segment is before its first record.
class Segment {
public:
    explicit Segment(int flags) {
        std::string name = (std::filesystem::temp_directory_path() / "tanist-sync-bench-XXXXXX").string();
        const int made = ::mkstemp(name.data());
        const std::vector<char> zeros(kFileBytes);
        good_ = made >= 0 && ::write(made, zeros.data(), zeros.size()) == static_cast<ssize_t>(kFileBytes) && ::fsync(made) == 0;
        ::close(made);
        descriptor_ = ::open(name.c_str(), O_RDWR | flags);
        ::unlink(name.c_str());
    }
    ~Segment() { ::close(descriptor_); }
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    [[nodiscard]] bool good() const { return good_ && descriptor_ >= 0; }
    [[nodiscard]] int descriptor() const { return descriptor_; }
    Places next() {
        const Places places{number_ % 2 * kBlock, 2 * kBlock + number_ * kRecordBytes % (kFileBytes - 4 * kBlock)};
        ++number_;
        return places;
    }

private:
    bool good_ = false;
    int descriptor_ = -1;
    std::uint64_t number_ = 0;
};

/// The loop's side: waits in epoll until it has been told of so many ends.
class Ends {
public:
    Ends() {
        epoll_event event{.events = EPOLLIN, .data = {}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event);
    }
    ~Ends() {
        ::close(epoll_);
        ::close(event_);
    }
    [[nodiscard]] int descriptor() const { return event_; }
    void await() const {
        epoll_event event{};
        std::uint64_t told = 0;
        ::epoll_wait(epoll_, &event, 1, -1);
        static_cast<void>(::read(event_, &told, sizeof told) < 0);
    }
    void tell() const {
        const std::uint64_t one = 1;
        static_cast<void>(::write(event_, &one, sizeof one) < 0);
    }

private:
    int event_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
};

/// As the server does it.
class ByThread {
public:
    static constexpr int kFlags = 0;
    explicit ByThread(Segment& segment) : segment_(segment), thread_([this] { main(); }) {}
    ~ByThread() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }
    bool write(Places places) {
        {
            const std::lock_guard lock(mutex_);
            places_ = places;
            asked_ = true;
        }
        wake_.notify_one();
        ends_.await();
        return good_;
    }

private:
    void main() {
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock, [this] { return asked_ || ending_; });
            if (ending_) return;
            asked_ = false;
            const int file = segment_.descriptor();
            good_ = ::pwrite(file, bytes_.data(), kSlotBytes, static_cast<off_t>(places_.slot)) == kSlotBytes &&
                    ::pwrite(file, bytes_.data(), kRecordBytes, static_cast<off_t>(places_.record)) == kRecordBytes &&
                    ::fdatasync(file) == 0;
            ends_.tell();
        }
    }

    Segment& segment_;
    Ends ends_;
    const std::array<char, kSlotBytes> bytes_{'x'};
    std::mutex mutex_;  ///< guards the next two lines
    Places places_{};
    bool asked_ = false, ending_ = false;
    std::atomic<bool> good_ = true;
    std::condition_variable wake_;
    std::thread thread_;
};

/// Two writes and an fdatasync behind them in one call, which tells of its end without a thread of ours.
template <bool kDirect>
class ByRing {
public:
    static constexpr int kFlags = kDirect ? O_DIRECT : 0;
    explicit ByRing(Segment& segment) : segment_(segment) {
        good_ = ::io_uring_queue_init(8, &ring_, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN) == 0;
        if (good_) ::io_uring_register_eventfd(&ring_, ends_.descriptor());
    }
    ~ByRing() {
        if (good_) ::io_uring_queue_exit(&ring_);
    }
    bool write(Places places) {
        if (!good_) return false;
        put(places.slot, kSlotBytes);
        put(places.record, kRecordBytes);
        io_uring_sqe* sync = ::io_uring_get_sqe(&ring_);
        ::io_uring_prep_fsync(sync, segment_.descriptor(), IORING_FSYNC_DATASYNC);
        if (::io_uring_submit(&ring_) != 3) return false;
        bool written = true;
        for (int left = 3; left > 0;) {
            ends_.await();
            for (io_uring_cqe* end = nullptr; ::io_uring_peek_cqe(&ring_, &end) == 0; --left) {
                written = written && end->res >= 0;
                ::io_uring_cqe_seen(&ring_, end);
            }
        }
        return written;
    }

private:
    /// Of a file that goes past the page cache, the block around it.
    void put(std::uint64_t offset, std::size_t bytes) {
        const std::uint64_t from = kDirect ? offset / kBlock * kBlock : offset;
        const std::size_t count = kDirect ? (offset + bytes + kBlock - 1) / kBlock * kBlock - from : bytes;
        io_uring_sqe* write = ::io_uring_get_sqe(&ring_);
        ::io_uring_prep_write(write, segment_.descriptor(), bytes_.data(), static_cast<unsigned>(count), from);
        write->flags |= IOSQE_IO_LINK;  // what follows waits for it; IOSQE_IO_DRAIN takes half as long again
    }

    Segment& segment_;
    Ends ends_;
    alignas(kBlock) std::array<char, 2 * kBlock> bytes_{'x'};
    io_uring ring_{};
    bool good_ = false;
};

template <class Way>
void SyncALoneWrite(benchmark::State& state) {
    Segment segment(Way::kFlags);
    if (!segment.good()) return state.SkipWithError("no file can be made here, or not one past the page cache");
    const auto way = std::make_unique<Way>(segment);
    for (auto _ : state) {
        if (!way->write(segment.next())) return state.SkipWithError("writing failed, or io_uring is not allowed here");
    }
}
BENCHMARK(SyncALoneWrite<ByThread>)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(SyncALoneWrite<ByRing<false>>)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(SyncALoneWrite<ByRing<true>>)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tanist::bench

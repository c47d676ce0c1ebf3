// SPDX-License-Identifier: Apache-2.0
// Preloaded into a node by the end-to-end tests (LD_PRELOAD): its disk fails and its wall clock jumps on command. The commands lie in
// a file of 32 bytes, integers little-endian, which is mapped and may be changed at any time:
//   offset  size  field
//        0     4  failing: a sum of 1 fsync and fdatasync, 2 writes, 4 reads
//        4     4  error: the errno that they fail with
//        8     8  clock_offset_ns, signed: added to the wall clock; clocks that only count time are left alone
//       16     8  failed: how many calls have failed, counted by the shim
//       24     8  reserved
// TANIST_FAULTS names that file; TANIST_FAULTS_UNDER the folder whose files fail, all others work on.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

struct Control {
    std::atomic<std::uint32_t> failing, error;
    std::atomic<std::int64_t> clock_offset_ns;
    std::atomic<std::uint64_t> failed, reserved;
};
static_assert(sizeof(Control) == 32 && std::atomic<std::uint64_t>::is_always_lock_free);

constexpr std::uint32_t kSyncs = 1, kWrites = 2, kReads = 4;
constexpr std::int64_t kSecond = 1'000'000'000;

Control* map_control() {
    const char* const path = std::getenv("TANIST_FAULTS");
    if (path == nullptr) return nullptr;
    const int file = ::open(path, O_RDWR | O_CLOEXEC);
    void* const memory = file < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) ::close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<Control*>(memory);
}

/// Null: nothing fails. Also asked before constructors of other libraries have run.
Control* control() {
    static Control* const mapped = map_control();
    return mapped;
}

bool is_below_the_folder(int descriptor) {
    static const char* const folder = std::getenv("TANIST_FAULTS_UNDER");
    if (folder == nullptr) return false;
    char link[64], path[4096];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = ::readlink(link, path, sizeof path);
    const std::size_t wanted = std::strlen(folder);
    return length > static_cast<ssize_t>(wanted) && std::memcmp(path, folder, wanted) == 0 && path[wanted] == '/';
}

/// Whether a call of this kind fails now; errno is set then.
bool fails(std::uint32_t kind, int descriptor) {
    Control* const c = control();
    if (c == nullptr || (c->failing.load(std::memory_order_relaxed) & kind) == 0 || !is_below_the_folder(descriptor)) return false;
    c->failed.fetch_add(1, std::memory_order_relaxed);
    errno = static_cast<int>(c->error.load(std::memory_order_relaxed));
    return true;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::int64_t clock_offset() {
    const Control* const c = control();
    return c == nullptr ? 0 : c->clock_offset_ns.load(std::memory_order_relaxed);
}

}  // namespace

// The names are the C library's, each with its own signature.
#define TANIST_FAILS(kind, result, name, signature, arguments)                     \
    extern "C" result name signature {                                             \
        static auto* const real = next<result signature>(#name);                   \
        return fails(kind, descriptor) ? static_cast<result>(-1) : real arguments; \
    }

TANIST_FAILS(kSyncs, int, fsync, (int descriptor), (descriptor))
TANIST_FAILS(kSyncs, int, fdatasync, (int descriptor), (descriptor))
TANIST_FAILS(kWrites, ssize_t, write, (int descriptor, const void* bytes, size_t count), (descriptor, bytes, count))
TANIST_FAILS(kWrites, ssize_t, pwrite, (int descriptor, const void* bytes, size_t count, off_t at), (descriptor, bytes, count, at))
TANIST_FAILS(kWrites, ssize_t, pwrite64, (int descriptor, const void* bytes, size_t count, off64_t at), (descriptor, bytes, count, at))
TANIST_FAILS(kWrites, ssize_t, pwritev, (int descriptor, const iovec* parts, int count, off_t at), (descriptor, parts, count, at))
TANIST_FAILS(kWrites, ssize_t, pwritev64, (int descriptor, const iovec* parts, int count, off64_t at), (descriptor, parts, count, at))
TANIST_FAILS(kWrites, int, fallocate, (int descriptor, int mode, off_t at, off_t count), (descriptor, mode, at, count))
TANIST_FAILS(kWrites, int, fallocate64, (int descriptor, int mode, off64_t at, off64_t count), (descriptor, mode, at, count))
TANIST_FAILS(kReads, ssize_t, pread, (int descriptor, void* bytes, size_t count, off_t at), (descriptor, bytes, count, at))
TANIST_FAILS(kReads, ssize_t, pread64, (int descriptor, void* bytes, size_t count, off64_t at), (descriptor, bytes, count, at))

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    static auto* const real = next<int(clockid_t, timespec*)>("clock_gettime");
    const int result = real(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        const std::int64_t now = time->tv_sec * kSecond + time->tv_nsec + clock_offset();
        *time = {.tv_sec = now / kSecond, .tv_nsec = now % kSecond};
    }
    return result;
}

extern "C" int gettimeofday(timeval* time, void*) noexcept {
    timespec now{};
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

extern "C" time_t time(time_t* to) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (to != nullptr) *to = now.tv_sec;
    return now.tv_sec;
}

// SPDX-License-Identifier: Apache-2.0
// Readers beside the writer, while segments roll, are cut, recycled, zeroed and used again under their hands. Most telling under
// the thread sanitizer.
#include <atomic>
#include <latch>
#include <thread>

#include "tests/wal/support.h"

namespace tanist::wal {
namespace {

constexpr int kGroups = 1500;

/// An entry whose content can be checked by whoever reads it, without asking the writer.
Entry entry_after(const EntryId& last, Epoch epoch) {
    const std::uint64_t lsn = last.lsn.value + 1;
    return Entry::make(epoch, last, lsn, EntryKind::kCommands,
                       std::string(10 + lsn % 90, static_cast<char>('a' + (lsn + epoch.value) % 26)));
}

void expect_true_entries(const std::vector<Entry>& entries, Lsn from) {
    for (const Entry& entry : entries) {
        ASSERT_EQ(entry.lsn(), from);
        ASSERT_EQ(entry.payload(), std::string(10 + from.value % 90, static_cast<char>('a' + (from.value + entry.epoch().value) % 26)));
        ASSERT_TRUE(&entry == &entries.front() || entry.follows((&entry)[-1].id()));
        from = from.next();
    }
}

void read_until(const std::atomic<bool>& done, const Log& log, std::uint64_t seed, std::atomic<std::uint64_t>& reads) {
    Random random(seed);
    while (!done.load()) {
        const Lsn base = log.base().lsn, last = log.last().lsn;
        if (last <= base) continue;
        const Lsn from{random.between(base.value + 1, last.value)};
        const auto entries = log.read(from, Lsn{from.value + random.below(40)}, random.below(3000));
        if (entries) {
            ASSERT_FALSE(entries->empty());
            expect_true_entries(*entries, from);
            ++reads;
        } else {  // gone since we asked, never garbage
            ASSERT_TRUE(entries.error().code == ErrorCode::kRecycled || entries.error().code == ErrorCode::kNotFound)
                << entries.error().message;
        }
        const auto id = log.id_of(from);
        ASSERT_TRUE(id ? id->lsn == from : id.error().code != ErrorCode::kCorrupt) << id.error().message;
        static_cast<void>(log.bytes_on_disk());
    }
}

TEST(Concurrency, ReadersSeeTrueEntriesOrAreToldThatTheyAreGone) {
    MemoryFileSystem files;
    const auto log = open_log(files);
    std::atomic<bool> done = false;
    std::atomic<std::uint64_t> reads = 0, spares = 0;
    std::latch started(4);
    std::vector<std::thread> threads;
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        threads.emplace_back([&, seed] {
            started.arrive_and_wait();
            read_until(done, *log, seed, reads);
        });
    }
    threads.emplace_back([&] {
        started.arrive_and_wait();
        while (!done.load()) {
            const auto more = log->prepare_spare();
            ASSERT_TRUE(more.has_value()) << more.error().message;
            if (*more) {
                ++spares;
            } else {
                std::this_thread::yield();
            }
        }
    });
    started.arrive_and_wait();
    Random random(7);
    Epoch epoch{1};
    for (int group = 0; group < kGroups || reads < 100 || spares < 10; ++group) {
        std::vector<Entry> entries;
        EntryId last = log->last();
        for (std::uint64_t i = random.between(1, 12); i > 0; --i) last = entries.emplace_back(entry_after(last, epoch)).id();
        ASSERT_OK(append(*log, entries));
        if (random.chance(1, 40)) {
            ASSERT_OK(log->cut(Lsn{random.between(log->base().lsn.value, log->last().lsn.value)}));
            epoch = epoch.next();
        }
        if (random.chance(1, 10)) ASSERT_OK(log->recycle(Lsn{log->last().lsn.value - std::min<std::uint64_t>(log->last().lsn.value, 300)}));
    }
    done = true;
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace tanist::wal

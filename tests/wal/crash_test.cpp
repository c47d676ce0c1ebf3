// SPDX-License-Identifier: Apache-2.0
// The power goes at every operation of everything that a log does, and again at every operation of the start after it. What was
// acknowledged is there afterwards, nothing that was never written is, and no crash looks like corruption.
#include <functional>

#include "tests/wal/history.h"

namespace tanist::wal {
namespace {

// Each keeps another subset of what was not synced; the first few go on with a second crash.
constexpr int kCrashesAPoint = 24, kSecondCrashesAPoint = 4;

using Work = std::function<Status(Log&, History&)>;

/// Opens after a crash; a crash may leave doubt, but never corruption.
std::unique_ptr<Log> recover(MemoryFileSystem& files, History& history, std::uint64_t seed) {
    auto log = open_log(files, small_log(), seed);
    if (!log) return nullptr;
    EXPECT_NE(log->tail(), Tail::kCorrupt) << log->found().where;
    EXPECT_NE(log->tail(), Tail::kUnbounded) << log->found().where;
    history.check(*log);
    for (const std::string& name : names_in(files)) {
        if (!name.ends_with(".spare")) continue;
        const auto content = read_file(files, kDirectory + "/" + name, 4 * kSmallSegment);
        EXPECT_EQ(content->find_first_not_of('\0'), std::string::npos) << name << " is not all zero";
    }
    return log;
}

/// From the disk as the crash left it: starts, with a second crash at each operation of the start, and then goes on.
void expect_recovery(const MemoryFileSystem& crashed, const History& before, std::uint64_t seed) {
    const std::uint64_t operations = crashed.operations();
    for (std::uint64_t point = 1;; ++point) {
        const auto files = crashed.snapshot();
        History history = before;
        files->fail_from(operations + point);
        auto log = try_open(*files, small_log(), seed + point);
        const bool interrupted = !log.has_value();
        if (log) log->reset();
        Random random(seed * 1000 + point);
        files->crash(random);
        auto recovered = recover(*files, history, seed + point + 1);
        if (!recovered || testing::Test::HasFailure()) {
            ADD_FAILURE() << "second crash at operation " << point << " of the start";
            return;
        }
        if (!interrupted) {  // once is enough for what follows
            history.settle(*recovered, seed);
            const auto status = history.append(*recovered, Epoch{90}, 5);
            EXPECT_TRUE(status.has_value());
            recovered.reset();
            files->crash(random);
            recovered = recover(*files, history, seed + point + 2);
            return;
        }
    }
}

/// Crashes at each operation of `work`, which starts from the disk and history that `before` leaves.
void crash_everywhere(const Work& before, const Work& work) {
    MemoryFileSystem start;
    History start_history;
    {
        auto log = open_log(start);
        const auto status = before(*log, start_history);
        ASSERT_TRUE(status.has_value()) << status.error().message;
        ASSERT_TRUE(log->close().has_value());
    }
    const std::uint64_t operations = start.operations();
    for (std::uint64_t point = 1;; ++point) {
        bool finished = false;
        for (int crash = 0; crash < kCrashesAPoint; ++crash) {
            const auto files = start.snapshot();
            History history = start_history;
            auto log = open_log(*files);
            files->fail_from(operations + point);
            finished = work(*log, history).has_value();
            log.reset();
            Random random(point * 100 + static_cast<std::uint64_t>(crash));
            crash == 0 ? files->kill() : files->crash(random);  // the process alone at first: its page cache stays, and is not the disk
            const std::uint64_t seed = point * 100 + static_cast<std::uint64_t>(crash);
            if (crash < kSecondCrashesAPoint) {
                expect_recovery(*files, history, seed);
            } else {
                recover(*files, history, seed);
            }
            ASSERT_FALSE(testing::Test::HasFailure()) << "crash " << crash << " at operation " << point;
        }
        if (finished) {
            EXPECT_GT(point, 3U) << "nothing to crash into";
            return;
        }
    }
}

Status nothing(Log&, History&) { return {}; }
Status some_entries(Log& log, History& history) {
    for (int i = 0; i < 6; ++i) {
        if (auto status = history.append(log, Epoch{1}, 25); !status) return status;
    }
    return {};
}

TEST(Crash, WhileALogIsMade) {
    for (std::uint64_t point = 1;; ++point) {
        MemoryFileSystem files;
        files.fail_from(point);
        const bool finished = try_open(files).has_value();
        Random random(point);
        files.crash(random);
        expect_recovery(files, History(), point);
        ASSERT_FALSE(testing::Test::HasFailure()) << "crash at operation " << point;
        if (finished) break;
    }
}

TEST(Crash, WhileAppending) {
    crash_everywhere(nothing, [](Log& log, History& history) -> Status {
        for (int i = 0; i < 4; ++i) {
            if (auto status = history.append(log, Epoch{1}, 1 + 5 * i); !status) return status;
        }
        if (auto status = log.confirm(); !status) return status;
        return history.append(log, Epoch{1}, 3, 700);
    });
}

TEST(Crash, WhileGroupsShareASync) {
    crash_everywhere(nothing, [](Log& log, History& history) -> Status {
        for (int i = 0; i < 9; ++i) {
            if (auto status = history.write(log, Epoch{1 + static_cast<std::uint64_t>(i) / 4}, 3); !status) return status;
            if (i % 3 == 2) {
                if (auto status = history.sync(log); !status) return status;
            }
        }
        return {};
    });
}

TEST(Crash, WhileRollingToNewSegments) {
    crash_everywhere(some_entries, [](Log& log, History& history) { return history.append(log, Epoch{2}, 40, 300); });
}

TEST(Crash, BetweenANewSegmentAndTheSealOfTheOldIsMendedAtTheStart) {  // S10
    MemoryFileSystem files;
    auto log = open_log(files);
    const auto entries = Chain().next(Epoch{1}, 30);
    ASSERT_OK(append(*log, entries));
    ASSERT_OK(log->confirm());
    bool is_renamed = false;
    files.set_hook([&](DiskOperation operation, const std::string& path) -> Status {
        if (operation == DiskOperation::kRename && path.ends_with(".new")) is_renamed = true;
        if (is_renamed && operation == DiskOperation::kWrite) return fail(ErrorCode::kIo, "gone");
        return {};
    });
    EXPECT_FALSE(log->cut(Lsn{20}).has_value());
    files.set_hook({});
    log.reset();
    Random random(1);
    files.crash(random);
    log = open_log(files);
    EXPECT_EQ(log->last(), entries[19].id());
    log.reset();
    files.lose(segment_paths(files).back());
    EXPECT_EQ(open_log(files)->tail(), Tail::kUnbounded);  // only the seal can tell
}

TEST(Crash, WhileCutting) {
    for (const std::uint64_t keep : {149U, 130U, 40U, 0U}) {
        crash_everywhere(some_entries, [keep](Log& log, History& history) -> Status {
            if (auto status = history.cut(log, Lsn{keep}); !status) return status;
            return history.append(log, Epoch{2}, 10);
        });
    }
}

TEST(Crash, WhileCuttingWhatIsNotYetSynced) {
    crash_everywhere(some_entries, [](Log& log, History& history) -> Status {
        if (auto status = history.write(log, Epoch{1}, 10); !status) return status;
        if (auto status = history.cut(log, Lsn{155}); !status) return status;
        if (auto status = history.write(log, Epoch{2}, 4); !status) return status;
        return history.cut(log, Lsn{150});
    });
}

TEST(Crash, WhileRecyclingAndUsingSpareSegments) {
    crash_everywhere(some_entries, [](Log& log, History& history) -> Status {
        for (int round = 0; round < 2; ++round) {
            if (auto status = history.recycle(log, log.last().lsn); !status) return status;
            for (bool more = true; more;) {
                const auto done = log.prepare_spare();
                if (!done) return fail(done.error());
                more = *done;
            }
            if (auto status = history.append(log, Epoch{2}, 60, 150); !status) return status;
        }
        return {};
    });
}

TEST(Crash, WhileResetting) {
    crash_everywhere(some_entries, [](Log& log, History& history) -> Status {
        if (auto status = history.reset(log, {Epoch{5}, Lsn{1000}, 42}); !status) return status;
        return history.append(log, Epoch{5}, 10);
    });
}

/// A log with the records `bad` destroyed, opened, repaired by peers' copies of them; crashes at each operation of the repair.
void crash_while_repairing(const std::vector<Lsn>& bad, Tail tail, bool cut) {
    MemoryFileSystem start;
    History whole;
    {
        auto log = open_log(start);
        ASSERT_OK(some_entries(*log, whole));
        if (tail == Tail::kCorrupt) ASSERT_OK(log->close());
    }
    start.kill();
    for (const Lsn lsn : bad) {
        for (const auto& path : segment_paths(start)) {
            // Payloads are runs of one letter: destroy the record by its place among the content.
            const std::string content = read_file(start, path, kSmallSegment).value();
            const Entry& entry = whole.now().entries[lsn.value - 1];
            if (const auto at = content.find(as_text(entry.bytes())); at != std::string::npos) start.zero(path, at - 8, entry.size() + 8);
        }
    }
    const Lsn first = bad.front(), last = bad.back();
    const auto& entries = whole.now().entries;
    std::vector<Entry> fill;
    if (!cut)
        fill.assign(entries.begin() + static_cast<std::ptrdiff_t>(first.value - 1),
                    entries.begin() + static_cast<std::ptrdiff_t>(last.value));
    Outcome holed = whole.now(), after = whole.now();
    holed.durable = first.value - 1;  // of those without a gap
    if (cut) after.entries.resize(first.value - 1);
    after.durable = after.entries.size();

    for (std::uint64_t point = 1;; ++point) {
        const auto files = start.snapshot();
        auto log = open_log(*files);
        ASSERT_EQ(log->tail(), tail) << log->found().where;
        ASSERT_EQ(log->last().lsn, first.previous());
        files->fail_from(files->operations() + point);
        const bool finished = log->repair(fill).has_value();
        if (finished) {
            ASSERT_EQ(log->tail(), Tail::kClean);
            ASSERT_EQ(ids_in(*log), ids_of(after.entries));
        }
        log.reset();
        Random random(point);
        files->crash(random);
        log = open_log(*files, small_log(), 99);
        if (log->tail() == Tail::kClean) {
            EXPECT_EQ(after.mismatch(*log), std::nullopt);
        } else {  // still a hole, not larger, and nothing else is lost
            EXPECT_FALSE(finished);
            EXPECT_EQ(holed.mismatch(*log), std::nullopt);
            for (const Entry& entry : entries) {
                const auto read = log->read(entry.lsn(), entry.lsn(), 0);
                if (std::ranges::find(bad, entry.lsn()) != bad.end()) continue;
                ASSERT_TRUE(read.has_value()) << read.error().message;
                EXPECT_EQ(read->front().id(), entry.id());
            }
            const Lsn rest_from = log->last().lsn.next();
            std::vector<Entry> rest = fill;
            if (!cut) rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(rest_from.value - first.value));
            ASSERT_OK(log->repair(rest));
            EXPECT_EQ(after.mismatch(*log), std::nullopt);
        }
        ASSERT_FALSE(testing::Test::HasFailure()) << "crash at operation " << point;
        if (finished) {
            EXPECT_GT(point, 4U);
            break;
        }
    }
}

TEST(Crash, WhileMendingAHoleInAnOlderSegment) { crash_while_repairing({Lsn{10}, Lsn{11}}, Tail::kCorrupt, false); }
TEST(Crash, WhileMendingHolesInSeveralSegments) { crash_while_repairing({Lsn{10}, Lsn{70}, Lsn{148}}, Tail::kCorrupt, false); }
TEST(Crash, WhileFillingAHoleInTheNewestSegment) { crash_while_repairing({Lsn{148}}, Tail::kCorrupt, false); }
TEST(Crash, WhileFillingAHoleInDoubt) { crash_while_repairing({Lsn{140}, Lsn{141}}, Tail::kInDoubt, false); }
TEST(Crash, WhileCuttingAtAHole) { crash_while_repairing({Lsn{140}}, Tail::kInDoubt, true); }
TEST(Crash, WhileCuttingAtAHoleInAnOlderSegment) { crash_while_repairing({Lsn{20}}, Tail::kCorrupt, true); }

}  // namespace
}  // namespace tanist::wal

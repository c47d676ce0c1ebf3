// SPDX-License-Identifier: Apache-2.0
// The log without faults: append, read, roll, cut, recycle, reset, and starts after a clean stop.
#include "tests/wal/support.h"

#include "wal/segment_name.h"
#include "wal/slot.h"

namespace tanist::wal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Log, OfAnEmptyDirectoryIsNewAndEmpty) {
    MemoryFileSystem files;
    const auto log = open_log(files);
    EXPECT_TRUE(log->found().created);
    EXPECT_EQ(log->found().tail, Tail::kClean);
    EXPECT_EQ(log->base(), EntryId{});
    EXPECT_EQ(log->last(), EntryId{});
    EXPECT_EQ(code_of(log->read(Lsn{1}, Lsn{1}, 100)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(log->read(Lsn{0}, Lsn{1}, 100)), ErrorCode::kRecycled);
    EXPECT_EQ(log->id_of(Lsn{0}), EntryId{});
}

TEST(Log, ReadsBackWhatItWroteAcrossSegments) {
    MemoryFileSystem files;
    const auto log = open_log(files);
    Chain chain;
    std::vector<Entry> all;
    for (int group = 0; group < 50; ++group) {
        const auto entries = chain.next(Epoch{1 + static_cast<std::uint64_t>(group) / 20}, 1 + group % 7);
        ASSERT_OK(append(*log, entries));
        all.insert(all.end(), entries.begin(), entries.end());
    }
    EXPECT_GT(segment_paths(files).size(), 3U);
    EXPECT_EQ(log->last(), chain.last());
    EXPECT_EQ(ids_in(*log), ids_of(all));
    for (const Entry& entry : all) {
        EXPECT_EQ(log->id_of(entry.lsn()), entry.id());
        const auto one = log->read(entry.lsn(), entry.lsn(), 0);  // at least one, whatever the budget
        ASSERT_OK(one);
        ASSERT_EQ(one->size(), 1U);
        EXPECT_EQ(one->front().payload(), entry.payload());
    }
}

TEST(Log, ReadStaysWithinItsBudgetOfBytes) {
    MemoryFileSystem files;
    const auto log = open_log(files);
    Chain chain;
    std::vector<Entry> entries;
    for (int i = 0; i < 10; ++i) entries.push_back(chain.one(Epoch{1}, 60));
    ASSERT_OK(append(*log, entries));
    EXPECT_EQ(log->read(Lsn{1}, Lsn{10}, 300)->size(), 3U);
    EXPECT_EQ(log->read(Lsn{1}, Lsn{10}, 299)->size(), 2U);
    EXPECT_EQ(log->read(Lsn{9}, Lsn{10}, 1000)->size(), 2U);
}

TEST(Log, TakesAGroupThatIsLargerThanASegmentAndAnEntryThatIsToo) {
    MemoryFileSystem files;
    auto log = open_log(files);
    Chain chain;
    std::vector<Entry> group = chain.next(Epoch{1}, 200);
    group.push_back(chain.one(Epoch{1}, 3 * kSmallSegment));
    group.push_back(chain.one(Epoch{1}, 10));
    ASSERT_OK(append(*log, group));
    EXPECT_EQ(ids_in(*log), ids_of(group));
    ASSERT_OK(log->close());
    log = open_log(files);
    EXPECT_EQ(ids_in(*log), ids_of(group));
}

TEST(Log, AfterACleanStopGoesOnInTheSameSegment) {
    MemoryFileSystem files;
    Chain chain;
    auto log = open_log(files);
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 3)));
    ASSERT_OK(append(*log, chain.next(Epoch{2}, 3)));
    ASSERT_OK(log->close());
    log.reset();
    files.kill();
    const auto before = segment_paths(files);
    log = open_log(files);
    EXPECT_TRUE(log->found().clean_stop);
    EXPECT_EQ(log->found().tail, Tail::kClean);
    EXPECT_EQ(log->found().last, chain.last());
    EXPECT_EQ(log->found().last_timestamp, 1005U);
    EXPECT_THAT(log->found().epochs, ElementsAre(EpochRun{Epoch{1}, Lsn{1}}, EpochRun{Epoch{2}, Lsn{4}}));
    EXPECT_EQ(segment_paths(files), before);
    ASSERT_OK(append(*log, chain.next(Epoch{2}, 1)));
    EXPECT_EQ(ids_in(*log).size(), 7U);
}

TEST(Log, AfterAnUncleanStopCopiesWhatIsNotConfirmedIntoANewSegment) {  // S4
    MemoryFileSystem files;
    Chain chain;
    auto log = open_log(files);
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 3)));
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 2)));  // this slot confirms the first three
    log.reset();
    files.kill();
    log = open_log(files, small_log(), 2);
    EXPECT_FALSE(log->found().clean_stop);
    const auto paths = segment_paths(files);
    ASSERT_EQ(paths.size(), 2U);
    EXPECT_EQ(parse_file_name(paths[1].substr(4))->first_lsn, Lsn{4});
    log.reset();
    log = open_log(files);
    EXPECT_TRUE(log->found().clean_stop);
    EXPECT_EQ(log->found().mark, (Mark{.intent = chain.last(), .confirmed = chain.last()}));
    EXPECT_EQ(segment_paths(files), paths);
}

TEST(Log, WhatASyncFailedToWriteIsNotTrustedBecauseTheCacheShowsIt) {  // S4; ATC'20
    MemoryFileSystem files;
    Chain chain;
    auto log = open_log(files);
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 3)));
    const auto second = chain.next(Epoch{1}, 3);
    ASSERT_OK(log->write(second));
    files.set_hook([](DiskOperation operation, const std::string&) -> Status {
        return operation == DiskOperation::kSync ? Status{fail(ErrorCode::kIo, "broken")} : Status{};
    });
    EXPECT_EQ(code_of(log->sync()), ErrorCode::kIo);
    EXPECT_EQ(code_of(log->write(chain.next(Epoch{1}, 1))), ErrorCode::kIo);  // never retried
    files.set_hook({});
    log.reset();
    files.kill();
    log = open_log(files);
    EXPECT_EQ(log->last(), second.back().id());  // reported durable from here on, so it must survive this:
    log.reset();
    Random random(1);
    files.crash(random);
    log = open_log(files);
    EXPECT_EQ(log->last(), second.back().id());
}

TEST(Log, ConfirmsOnceAndOnlyWhatIsNotConfirmed) {
    MemoryFileSystem files;
    const auto log = open_log(files);
    Chain chain;
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 3)));
    ASSERT_OK(log->confirm());
    const auto operations = files.operations();
    ASSERT_OK(log->confirm());
    ASSERT_OK(log->sync());
    EXPECT_EQ(files.operations(), operations);
}

TEST(Log, AGroupCostsTwoWritesAndOneSync) {
    MemoryFileSystem files;
    const auto log = open_log(files);
    Chain chain;
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 1)));  // with the zeros behind it, which are good for many
    const auto writes = files.operations(DiskOperation::kWrite), syncs = files.operations(DiskOperation::kSync);
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 20)));
    EXPECT_EQ(files.operations(DiskOperation::kWrite) - writes, 2U);
    EXPECT_EQ(files.operations(DiskOperation::kSync) - syncs, 1U);
}

TEST(Log, EntriesOfTwoEpochsNeverShareASlot) {  // S9
    MemoryFileSystem files;
    const auto log = open_log(files);
    Chain chain;
    std::vector<Entry> group = chain.next(Epoch{1}, 2);
    const auto later = chain.next(Epoch{2}, 2);
    group.insert(group.end(), later.begin(), later.end());
    const auto syncs = files.operations(DiskOperation::kSync);
    ASSERT_OK(log->write(group));
    EXPECT_EQ(files.operations(DiskOperation::kSync) - syncs, 1U);
    ASSERT_OK(log->sync());
    EXPECT_EQ(files.operations(DiskOperation::kSync) - syncs, 2U);
    EXPECT_EQ(ids_in(*log), ids_of(group));
}

TEST(Log, CutKeepsTheFirstPartAndForgetsTheRest) {
    MemoryFileSystem files;
    auto log = open_log(files);
    Chain chain;
    const auto entries = chain.next(Epoch{1}, 300);
    ASSERT_OK(append(*log, entries));
    for (const std::uint64_t keep : {299U, 250U, 150U, 1U, 0U}) {
        ASSERT_OK(log->cut(Lsn{keep}));
        EXPECT_EQ(log->last(), keep == 0 ? EntryId{} : entries[keep - 1].id());
        EXPECT_EQ(code_of(log->read(Lsn{keep + 1}, Lsn{keep + 1}, 10)), ErrorCode::kNotFound);
        log.reset();
        log = open_log(files);
        EXPECT_EQ(log->found().tail, Tail::kClean);
        EXPECT_TRUE(log->found().clean_stop);
        EXPECT_EQ(ids_in(*log), ids_of(std::span(entries).first(keep)));
    }
    EXPECT_EQ(segment_paths(files).size(), 1U);
}

TEST(Log, AfterACutTakesOtherEntriesInPlace) {
    MemoryFileSystem files;
    auto log = open_log(files);
    Chain chain;
    std::vector<Entry> entries = chain.next(Epoch{1}, 300);
    ASSERT_OK(append(*log, entries));
    ASSERT_OK(log->cut(Lsn{100}));
    entries.resize(100);
    Chain other(entries.back().id(), 3);
    const auto more = other.next(Epoch{2}, 150);
    ASSERT_OK(append(*log, more));
    entries.insert(entries.end(), more.begin(), more.end());
    EXPECT_EQ(ids_in(*log), ids_of(entries));
    log.reset();
    log = open_log(files);
    EXPECT_EQ(ids_in(*log), ids_of(entries));
    EXPECT_THAT(log->found().epochs, ElementsAre(EpochRun{Epoch{1}, Lsn{1}}, EpochRun{Epoch{2}, Lsn{101}}));
}

TEST(Log, RecyclesWholeSegmentsBelowALimitAndOverItsBudget) {  // S11
    MemoryFileSystem files;
    LogOptions options = small_log();
    options.retention_bytes = 6000;
    auto log = open_log(files, options);
    Chain chain;
    const auto entries = chain.next(Epoch{1}, 300);
    ASSERT_OK(append(*log, entries));
    ASSERT_OK(log->recycle(Lsn{0}));
    EXPECT_EQ(log->base().lsn, Lsn{0});
    ASSERT_OK(log->recycle(Lsn{60}));
    const EntryId base = log->base();
    EXPECT_GT(base.lsn, Lsn{0});
    EXPECT_LE(base.lsn, Lsn{60});
    EXPECT_EQ(base, entries[base.lsn.value - 1].id());
    EXPECT_EQ(log->id_of(base.lsn), base);
    EXPECT_EQ(code_of(log->read(base.lsn, base.lsn, 10)), ErrorCode::kRecycled);
    ASSERT_OK(log->recycle(Lsn{300}));
    std::uint64_t kept = 0;
    for (std::uint64_t i = log->base().lsn.value; i < 300; ++i) kept += entries[i].size() + 8;
    EXPECT_GE(kept, 6000U);
    EXPECT_LT(kept, 6000U + kSmallSegment);
    const EntryId end = log->base();
    log.reset();
    log = open_log(files, options);
    EXPECT_EQ(log->base(), end);
    EXPECT_EQ(log->found().base, end);
    EXPECT_EQ(log->found().last, chain.last());
}

TEST(Log, ZeroesRecycledSegmentsAndUsesThemAgain) {
    MemoryFileSystem files;
    auto log = open_log(files);
    Chain chain;
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 300)));
    ASSERT_OK(log->recycle(Lsn{300}));
    while (log->prepare_spare().value()) {
    }
    std::vector<std::string> spares;
    for (const std::string& name : names_in(files)) {
        if (!name.ends_with(".wal")) spares.push_back(name);
    }
    ASSERT_EQ(spares.size(), 2U);
    for (const std::string& name : spares) {
        EXPECT_TRUE(name.ends_with(".spare")) << name;
        const std::string content = read_file(files, kDirectory + "/" + name, kSmallSegment).value();
        EXPECT_EQ(content, std::string(kSmallSegment, '\0'));
    }
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 100)));
    const auto creations = files.operations(DiskOperation::kCreate);
    EXPECT_EQ(files.operations(DiskOperation::kCreate), creations);
    for (const std::string& name : names_in(files)) EXPECT_TRUE(name.ends_with(".wal")) << name;
}

TEST(Log, NearAFullDiskGivesSpaceBackInsteadOfTakingItAhead) {  // S4
    MemoryFileSystem files;
    files.set_capacity(100 * 1024);
    auto log = open_log(files);
    Chain chain;
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 600)));
    ASSERT_OK(log->recycle(Lsn{600}));
    while (log->prepare_spare().value()) {
    }
    for (const std::string& name : names_in(files)) EXPECT_TRUE(name.ends_with(".wal")) << name;
}

TEST(Log, BytesBehindTheLastRecordAreZero) {
    MemoryFileSystem files;
    auto log = open_log(files);
    Chain chain;
    for (int i = 0; i < 20; ++i) {
        ASSERT_OK(append(*log, chain.next(Epoch{1}, 37)));
        ASSERT_OK(log->recycle(chain.last().lsn));
        while (log->prepare_spare().value()) {
        }
    }
    ASSERT_OK(log->close());
    std::uint64_t end = kRecordsOffset;
    for (Lsn at = parse_file_name(segment_paths(files).back().substr(4))->first_lsn; at <= log->last().lsn; at = at.next()) {
        end += 8 + log->read(at, at, 0)->front().size();
    }
    const std::string content = read_file(files, segment_paths(files).back(), kSmallSegment).value();
    EXPECT_EQ(content.substr(end), std::string(kSmallSegment - end, '\0'));
}

TEST(Log, ResetStartsAgainBehindACheckpoint) {  // S25
    MemoryFileSystem files;
    auto log = open_log(files);
    Chain chain;
    ASSERT_OK(append(*log, chain.next(Epoch{1}, 100)));
    const EntryId checkpoint{Epoch{3}, Lsn{500}, 77};
    ASSERT_OK(log->reset(checkpoint));
    EXPECT_EQ(log->tail(), Tail::kClean);
    EXPECT_EQ(log->base(), checkpoint);
    EXPECT_EQ(log->last(), checkpoint);
    log.reset();
    log = open_log(files);
    EXPECT_EQ(log->found().tail, Tail::kClean);
    EXPECT_EQ(log->found().base, checkpoint);
    EXPECT_EQ(log->found().last, checkpoint);
    EXPECT_THAT(log->found().epochs, IsEmpty());
    Chain other(checkpoint);
    const auto entries = other.next(Epoch{3}, 5);
    ASSERT_OK(append(*log, entries));
    EXPECT_EQ(ids_in(*log), ids_of(entries));
}

TEST(Log, ResetKeepsTheRankThatTheNodeHad) {  // S25, S9
    for (const EntryId checkpoint : {EntryId{Epoch{2}, Lsn{50}, 7}, EntryId{Epoch{2}, Lsn{500}, 7}}) {
        MemoryFileSystem files;
        auto log = open_log(files);
        Chain chain;
        ASSERT_OK(append(*log, chain.next(Epoch{3}, 100)));
        const EntryId had = chain.last();
        ASSERT_OK(log->reset(checkpoint));
        EXPECT_EQ(log->tail(), Tail::kInDoubt);
        log.reset();
        log = open_log(files);
        EXPECT_EQ(log->found().tail, Tail::kInDoubt);
        EXPECT_EQ(log->found().mark.intent, had);
        EXPECT_EQ(log->found().last, checkpoint);
        Chain other(checkpoint);
        const auto low = other.next(Epoch{2}, 3);
        EXPECT_EQ(code_of(log->write(low)), ErrorCode::kRefused);
        EXPECT_EQ(code_of(log->repair(low)), ErrorCode::kRefused);
        auto high = low;
        high.push_back(other.one(Epoch{4}));
        ASSERT_OK(log->repair(high));
        EXPECT_EQ(log->tail(), Tail::kClean);
        log.reset();
        log = open_log(files);
        EXPECT_EQ(log->found().tail, Tail::kClean);
        EXPECT_EQ(ids_in(*log), ids_of(high));
    }
}

TEST(Log, FindsTheMembershipsThatItHolds) {
    MemoryFileSystem files;
    auto log = open_log(files);
    std::vector<Entry> entries{Entry::make(Epoch{1}, {}, 5, EntryKind::kMembership, "one")};
    entries.push_back(Entry::make(Epoch{1}, entries.back().id(), 5, EntryKind::kCommands, "x"));
    entries.push_back(Entry::make(Epoch{2}, entries.back().id(), 5, EntryKind::kMembership, "two"));
    ASSERT_OK(append(*log, entries));
    log.reset();
    log = open_log(files);
    EXPECT_THAT(log->found().memberships, ElementsAre(entries[0], entries[2]));
    EXPECT_EQ(log->found().memberships[1].payload(), "two");
}

TEST(Log, ThatMustExistIsNotMadeAnew) {
    MemoryFileSystem files;
    LogOptions options = small_log();
    options.must_exist = true;
    const auto log = open_log(files, options);
    EXPECT_FALSE(log->found().created);
    EXPECT_EQ(log->found().tail, Tail::kUnbounded);
    EXPECT_THAT(segment_paths(files), IsEmpty());
    EXPECT_EQ(code_of(log->write(Chain().next(Epoch{1}, 1))), ErrorCode::kRefused);
    const auto fill = Chain().next(Epoch{2}, 3);
    ASSERT_OK(log->repair(fill));
    EXPECT_EQ(ids_in(*log), ids_of(fill));
}

TEST(Log, RefusesAFileThatOnlyLooksLikeASegment) {
    MemoryFileSystem files;
    open_log(files);
    ASSERT_OK(files.open("wal/garbage.wal", OpenMode::kCreate));
    const auto log = try_open(files);
    EXPECT_EQ(code_of(log), ErrorCode::kCorrupt);
    EXPECT_THAT(log.error().message, testing::HasSubstr("wal/garbage.wal"));
}

}  // namespace
}  // namespace tanist::wal

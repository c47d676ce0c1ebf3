// SPDX-License-Identifier: Apache-2.0
// Every truncation, every flipped bit and every lost sector of a small log, judged against its mark (S9): never a wrong record
// returned, never a confirmed one called torn, never one that may have been acknowledged forgotten.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "tests/wal/support.h"
#include "wal/segment_name.h"
#include "wal/slot.h"

namespace tanist::wal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LogOptions tiny_log() { return {.segment_bytes = kRecordsOffset + 740, .retention_bytes = 0, .spare_segments_max = 0}; }

/// Where a record lies.
struct Extent {
    std::string path;
    std::uint64_t begin, end;
    EntryId id;
};

/// Three segments, the newest with records up to `confirmed`, then up to `intent`, then some above.
class SmallLog {
public:
    enum class Stop { kClean, kBetweenGroups, kWithinAGroup };

    explicit SmallLog(Stop stop) {
        auto log = open_log(files, tiny_log());
        write(*log, 18);
        EXPECT_TRUE(log->sync().has_value());
        write(*log, 2);
        EXPECT_TRUE(log->sync().has_value());
        mark = {.intent = entries.back().id(), .confirmed = entries[17].id()};
        if (stop == Stop::kWithinAGroup) write(*log, 2);
        if (stop == Stop::kClean) {
            EXPECT_TRUE(log->close().has_value());
            mark.confirmed = mark.intent;
        }
        log.reset();
        files.kill();
        for (const auto& path : segment_paths(files)) {
            const auto name = parse_file_name(path.substr(4));
            std::uint64_t at = kRecordsOffset;
            for (const Entry& entry : entries) {
                if (entry.lsn() < name->first_lsn) continue;
                while (!extents.empty() && extents.back().id.lsn >= entry.lsn()) extents.pop_back();
                extents.push_back({path, at, at + 8 + entry.size(), entry.id()});
                at += 8 + entry.size();
            }
        }
        EXPECT_EQ(segment_paths(files).size(), 3U);
        newest = segment_paths(files).back();
    }

    /// The first record that an intact file up to `offset` does not hold whole; none: they are all before it.
    [[nodiscard]] const Extent* first_at_or_behind(const std::string& path, std::uint64_t offset) const {
        const auto it = std::ranges::find_if(extents, [&](const Extent& e) { return e.path == path && e.end > offset; });
        return it == extents.end() ? nullptr : &*it;
    }

    MemoryFileSystem files;
    std::vector<Entry> entries;
    Mark mark;
    std::vector<Extent> extents;
    std::string newest;

private:
    void write(Log& log, int count) {
        const auto group = chain_.next(Epoch{1}, count);
        EXPECT_TRUE(log.write(group).has_value());
        entries.insert(entries.end(), group.begin(), group.end());
    }
    Chain chain_;
};

/// What a start must say when the first bad record is `bad` (none: no record is).
Tail expected_tail(const SmallLog& small, const Extent* bad) {
    if (bad == nullptr) return Tail::kClean;
    if (bad->id.lsn <= small.mark.confirmed.lsn) return Tail::kCorrupt;
    if (bad->id.lsn <= small.mark.intent.lsn) return Tail::kInDoubt;
    return Tail::kTorn;
}

/// Opens a damaged copy and holds it against what the damage was. `tails`: what it may be called.
void expect_judged(const SmallLog& small, MemoryFileSystem& files, const std::vector<Tail>& tails, const Extent* bad,
                   const std::string& what) {
    const auto log = open_log(files, tiny_log(), 7);
    ASSERT_TRUE(log) << what;
    const Found& found = log->found();
    EXPECT_THAT(tails, testing::Contains(found.tail)) << what << ": " << found.where;
    const Lsn last_good = bad ? bad->id.lsn.previous() : small.entries.back().lsn();
    EXPECT_EQ(found.last.lsn, last_good) << what << ": " << found.where;
    EXPECT_EQ(ids_in(*log), ids_of(std::span(small.entries).first(last_good.value))) << what;
    for (const EntryId& id : found.behind_hole) {
        EXPECT_EQ(id, small.entries[id.lsn.value - 1].id()) << what;
        const auto read = log->read(id.lsn, id.lsn, 0);
        ASSERT_TRUE(read.has_value()) << what << ": " << read.error().message;
        EXPECT_EQ(read->front().payload(), small.entries[id.lsn.value - 1].payload()) << what;
    }
    if (found.tail == Tail::kInDoubt || found.tail == Tail::kCorrupt) {
        EXPECT_EQ(found.mark, small.mark) << what;
        EXPECT_THAT(found.where, testing::HasSubstr(".wal:")) << what;
        const auto more = Chain(log->last()).next(Epoch{9}, 1);
        EXPECT_EQ(code_of(log->write(more)), ErrorCode::kRefused) << what;
    }
}

using Damage = std::function<void(MemoryFileSystem&)>;

class EveryDamage : public testing::TestWithParam<SmallLog::Stop> {
protected:
    SmallLog small_{GetParam()};

    void judge(const Damage& damage, const std::vector<Tail>& tails, const Extent* bad, const std::string& what) {
        const auto files = small_.files.snapshot();
        damage(*files);
        expect_judged(small_, *files, tails, bad, what);
    }
};

TEST_P(EveryDamage, FlippedBit) {
    for (const auto& path : segment_paths(small_.files)) {
        const bool newest = path == small_.newest;
        const std::uint64_t size = tiny_log().segment_bytes;
        for (std::uint64_t offset = 0; offset < size; ++offset) {
            const bool in_slot = offset % kSlotStride < kSlotBytes && offset < kRecordsOffset;
            const auto extent = std::ranges::find_if(
                small_.extents, [&](const Extent& e) { return e.path == path && e.begin <= offset && offset < e.end; });
            const Extent* bad = extent == small_.extents.end() ? nullptr : &*extent;
            std::vector<Tail> tails{expected_tail(small_, bad)};
            if (in_slot && newest) tails = {Tail::kUnbounded};
            if (bad == nullptr && newest && offset >= kRecordsOffset) tails = {Tail::kTorn};  // not zero behind the end
            const bool meant = bad != nullptr || (in_slot && offset % kSlotStride < 108);     // elsewhere all is zero: a sample will do
            if (!meant && offset % 7 != 0) continue;
            for (std::uint64_t bit = 0; bit < 8; ++bit) {
                if (!meant && bit != offset % 8) continue;
                judge([&](MemoryFileSystem& files) { files.corrupt(path, offset, static_cast<std::uint8_t>(1U << bit)); }, tails, bad,
                      fmt::format("bit {} of {}:{}", bit, path, offset));
            }
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_P(EveryDamage, Truncation) {
    for (const auto& path : segment_paths(small_.files)) {
        for (std::uint64_t size = 0; size < tiny_log().segment_bytes; size += size < kRecordsOffset ? 32 : 1) {
            const Extent* bad = small_.first_at_or_behind(path, size);
            std::vector<Tail> tails{expected_tail(small_, bad)};
            if (path == small_.newest) {
                if (size < kSlotStride + kSlotBytes) tails = {Tail::kUnbounded};
                // What is cut off above the intent was never promised: whole records missing at the end leave no trace.
                if (bad && bad->id.lsn > small_.mark.intent.lsn) tails = {Tail::kTorn, Tail::kClean};
            }
            judge([&](MemoryFileSystem& files) { files.cut_short(path, size); }, tails, bad, fmt::format("{} cut to {} bytes", path, size));
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_P(EveryDamage, ZeroedTail) {
    for (const auto& path : segment_paths(small_.files)) {
        for (std::uint64_t from = kRecordsOffset; from < tiny_log().segment_bytes; ++from) {
            const Extent* bad = small_.first_at_or_behind(path, from);
            if (bad && bad->end - from < 2) continue;  // the last byte may well have been zero before
            std::vector<Tail> tails{expected_tail(small_, bad)};
            if (bad && bad->id.lsn > small_.mark.intent.lsn) tails = {Tail::kTorn, Tail::kClean};
            judge([&](MemoryFileSystem& files) { files.zero(path, from, tiny_log().segment_bytes); }, tails, bad,
                  fmt::format("{} zeroed from {}", path, from));
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_P(EveryDamage, UnreadableSector) {
    for (const auto& path : segment_paths(small_.files)) {
        for (std::uint64_t sector = 0; sector * 512 < tiny_log().segment_bytes; ++sector) {
            const std::uint64_t offset = sector * 512;
            const Extent* bad = offset < kRecordsOffset ? nullptr : small_.first_at_or_behind(path, offset);
            std::vector<Tail> tails{expected_tail(small_, bad)};
            if (bad == nullptr && path == small_.newest && offset >= kRecordsOffset) tails = {Tail::kTorn};
            if (path == small_.newest && offset % kSlotStride == 0 && offset < kRecordsOffset) tails = {Tail::kUnbounded};
            judge([&](MemoryFileSystem& files) { files.make_unreadable(path, offset, 1); }, tails, bad,
                  fmt::format("sector {} of {}", sector, path));
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_P(EveryDamage, LostSegment) {
    const auto paths = segment_paths(small_.files);
    judge([&](MemoryFileSystem& files) { files.lose(paths[1]); }, {Tail::kCorrupt}, small_.first_at_or_behind(paths[1], 0),
          "middle segment lost");
    judge([&](MemoryFileSystem& files) { files.lose(paths[2]); }, {Tail::kUnbounded}, small_.first_at_or_behind(paths[2], 0),
          "newest segment lost");
}

INSTANTIATE_TEST_SUITE_P(Log, EveryDamage,
                         testing::Values(SmallLog::Stop::kClean, SmallLog::Stop::kBetweenGroups, SmallLog::Stop::kWithinAGroup),
                         [](const auto& test) {
                             return test.param == SmallLog::Stop::kClean           ? "AfterACleanStop"
                                    : test.param == SmallLog::Stop::kBetweenGroups ? "AfterACrashBetweenGroups"
                                                                                   : "AfterACrashWithinAGroup";
                         });

TEST(Damage, GoodRecordsBehindAHoleAreKnownAndReadable) {  // S9: single good records it gives to peers
    SmallLog small(SmallLog::Stop::kClean);
    for (const std::size_t i : {3U, 4U, 9U}) small.files.corrupt(small.extents[i].path, small.extents[i].begin + 30);
    const auto log = open_log(small.files, tiny_log());
    EXPECT_EQ(log->tail(), Tail::kCorrupt);
    EXPECT_EQ(log->last(), small.entries[2].id());
    std::vector<EntryId> behind;
    for (std::size_t i = 0; i < small.entries.size(); ++i) {
        if (i > 4 && i != 9) behind.push_back(small.entries[i].id());
    }
    EXPECT_EQ(log->found().behind_hole, behind);
    for (const EntryId& id : behind) {
        EXPECT_EQ(log->id_of(id.lsn), id);
        EXPECT_EQ(log->read(id.lsn, id.lsn, 0)->front().id(), id);
    }
    EXPECT_EQ(code_of(log->read(Lsn{4}, Lsn{4}, 100)), ErrorCode::kNotFound);
    EXPECT_EQ(log->read(Lsn{6}, Lsn{20}, 100000)->size(), 4U);  // up to the next hole
}

TEST(Damage, ARecordThatRotsAfterTheStartIsNeverReturned) {
    SmallLog small(SmallLog::Stop::kClean);
    const auto log = open_log(small.files, tiny_log());
    small.files.corrupt(small.extents[4].path, small.extents[4].end - 1);
    EXPECT_EQ(log->read(Lsn{1}, Lsn{20}, 100000)->size(), 4U);
    EXPECT_EQ(code_of(log->read(Lsn{5}, Lsn{20}, 100000)), ErrorCode::kCorrupt);
    EXPECT_EQ(log->read(Lsn{6}, Lsn{6}, 0)->front().id(), small.entries[5].id());
}

/// Puts another entry of the same size in the place of the record `lsn`, as valid as that one.
void swap_records(MemoryFileSystem& files, const std::vector<Entry>& entries, Lsn lsn) {
    MemoryFileSystem twins;
    const auto twin = open_log(twins);
    const auto kept = std::span(entries).first(lsn.value - 1);
    const Entry& entry = entries[lsn.value - 1];
    Entry other = Chain(kept.back().id(), 1).one(entry.epoch(), entry.payload().size());
    ASSERT_OK(twin->write(kept));
    ASSERT_OK(twin->write({&other, 1}));
    ASSERT_EQ(segment_paths(files), segment_paths(twins));  // the same seed, so the same use id
    std::uint64_t begin = kRecordsOffset;
    for (const Entry& before : kept) begin += 8 + before.size();
    const std::string content = read_file(twins, segment_paths(twins)[0], kSmallSegment).value();
    const auto file = files.open(segment_paths(files)[0], OpenMode::kWrite).value();
    ASSERT_OK(file->write_at(begin, as_bytes(std::string_view(content).substr(begin, 8 + other.size()))));
}

TEST(Damage, ARecordOtherThanTheOneThatTheMarkNamesIsBad) {  // a lost write that left a valid older record
    MemoryFileSystem files;
    auto log = open_log(files);
    const auto entries = Chain().next(Epoch{1}, 5);
    ASSERT_OK(append(*log, entries));
    ASSERT_OK(log->close());
    swap_records(files, entries, Lsn{5});
    log = open_log(files);
    EXPECT_EQ(log->tail(), Tail::kCorrupt);
    EXPECT_EQ(log->last(), entries[3].id());
}

TEST(Damage, ARecordThatDoesNotFollowTheOneBeforeItIsBad) {
    MemoryFileSystem files;
    auto log = open_log(files);
    const auto entries = Chain().next(Epoch{1}, 5);
    ASSERT_OK(append(*log, entries));
    ASSERT_OK(log->close());
    swap_records(files, entries, Lsn{3});
    log = open_log(files);
    EXPECT_EQ(log->tail(), Tail::kCorrupt);
    EXPECT_LE(log->last().lsn, Lsn{3});
}

TEST(Damage, OneUnreadableSlotMeansUnboundedUntilRepair) {  // S9: not even the records are known to be all
    for (const std::uint64_t slot : {std::uint64_t{0}, kSlotStride}) {
        SmallLog small(SmallLog::Stop::kBetweenGroups);
        small.files.corrupt(small.newest, slot + 100);
        auto log = open_log(small.files, tiny_log());
        EXPECT_EQ(log->tail(), Tail::kUnbounded);
        EXPECT_EQ(log->last(), small.entries.back().id());
        EXPECT_EQ(code_of(log->cut(Lsn{5})), ErrorCode::kRefused);
        EXPECT_EQ(code_of(log->write(Chain(log->last()).next(Epoch{2}, 1))), ErrorCode::kRefused);
        ASSERT_OK(log->close());
        log.reset();
        log = open_log(small.files, tiny_log());  // nothing that this start did made it forget
        EXPECT_EQ(log->tail(), Tail::kUnbounded);
        const auto fill = Chain(log->last()).next(Epoch{2}, 1);
        ASSERT_OK(log->repair(fill));
        EXPECT_EQ(log->tail(), Tail::kClean);
        log.reset();
        log = open_log(small.files, tiny_log());
        EXPECT_EQ(log->tail(), Tail::kClean);
        EXPECT_EQ(log->last(), fill.back().id());
        EXPECT_EQ(ids_in(*log).size(), small.entries.size() + 1);
    }
}

TEST(Damage, ResetDoesNotMakeUnboundedCorruptionForgotten) {  // S9: no new segment that gives it readable slots, unless it says so
    SmallLog small(SmallLog::Stop::kClean);
    small.files.corrupt(small.newest, 100);
    auto log = open_log(small.files, tiny_log());
    const EntryId checkpoint{Epoch{4}, Lsn{100}, 9};
    ASSERT_OK(log->reset(checkpoint));
    EXPECT_EQ(log->tail(), Tail::kUnbounded);
    log.reset();
    log = open_log(small.files, tiny_log());
    EXPECT_EQ(log->tail(), Tail::kUnbounded);
    EXPECT_EQ(log->base(), checkpoint);
    ASSERT_OK(log->repair(Chain(checkpoint).next(Epoch{5}, 1)));
    log.reset();
    log = open_log(small.files, tiny_log());
    EXPECT_EQ(log->tail(), Tail::kClean);
}

TEST(Damage, BothSlotsLostStillLeavesTheRecordsReadable) {
    SmallLog small(SmallLog::Stop::kClean);
    for (const auto& path : segment_paths(small.files)) {
        small.files.corrupt(path, 8);
        small.files.corrupt(path, kSlotStride + 8);
    }
    const auto log = open_log(small.files, tiny_log());
    EXPECT_EQ(log->tail(), Tail::kUnbounded);
    EXPECT_EQ(ids_in(*log), ids_of(small.entries));
}

TEST(Damage, ADoubtThatIsCutIsGone) {
    SmallLog small(SmallLog::Stop::kBetweenGroups);
    small.files.zero(small.newest, small.extents[18].begin, 10000);
    auto log = open_log(small.files, tiny_log());
    ASSERT_EQ(log->tail(), Tail::kInDoubt);
    ASSERT_OK(log->repair({}));
    EXPECT_EQ(log->tail(), Tail::kClean);
    EXPECT_EQ(log->last(), small.entries[17].id());
    log.reset();
    log = open_log(small.files, tiny_log());
    EXPECT_EQ(log->tail(), Tail::kClean);
    EXPECT_EQ(log->found().mark.intent, small.entries[17].id());
}

TEST(Damage, WhatALostSegmentReplacedDoesNotComeBack) {  // S10: what an older segment holds from there on is void
    MemoryFileSystem files;
    Chain chain;
    const auto entries = chain.next(Epoch{1}, 8);
    {
        auto log = open_log(files);
        ASSERT_OK(append(*log, entries));
        ASSERT_OK(log->cut(Lsn{5}));
        ASSERT_OK(append(*log, Chain(entries[4].id(), 3).next(Epoch{2}, 2)));
    }
    ASSERT_EQ(segment_paths(files).size(), 2U);
    files.kill();
    files.lose(segment_paths(files).back());
    const auto log = open_log(files);
    EXPECT_EQ(log->tail(), Tail::kUnbounded);
    EXPECT_EQ(log->last(), entries[4].id());
    EXPECT_THAT(log->found().behind_hole, IsEmpty());
}

TEST(Damage, ARecordThatLandedElsewhereInAnOlderSegmentIsRepairedWithAllBehindIt) {  // S9: in place it cannot be mended
    MemoryFileSystem files;
    Chain chain;
    std::vector<Entry> entries;
    std::optional<std::uint64_t> second_record;
    files.set_liar([&](const std::string&, std::uint64_t offset, std::uint64_t bytes) {
        std::optional<MemoryFileSystem::Landing> landing;
        if (offset == kRecordsOffset) second_record = offset + bytes;  // of the first group
        if (entries.size() == 6 && offset > kRecordsOffset) landing = {segment_paths(files).back(), *second_record + 13, bytes};
        return landing;
    });
    {
        auto log = open_log(files, tiny_log());
        while (segment_paths(files).size() < 3) {
            entries.push_back(chain.one(Epoch{1}));
            ASSERT_OK(append(*log, {&entries.back(), 1}));
            ASSERT_OK(log->confirm());
        }
    }
    files.set_liar({});
    files.kill();
    auto log = open_log(files, tiny_log());
    ASSERT_EQ(log->tail(), Tail::kCorrupt);
    ASSERT_EQ(log->last(), entries[0].id()) << log->found().where;
    ASSERT_OK(log->repair(std::span(entries).subspan(1, 6)));
    EXPECT_EQ(ids_in(*log), ids_of(entries));
    log.reset();
    files.kill();
    EXPECT_EQ(ids_in(*open_log(files, tiny_log())), ids_of(entries));
}

TEST(Damage, AFillThatLeavesAHoleBelowTheOldIntentIsRefused) {  // S9: doubt is not forgotten by a rewrite
    SmallLog small(SmallLog::Stop::kClean);
    small.files.zero(small.newest, small.extents[17].begin, 10000);
    auto log = open_log(small.files, tiny_log());
    ASSERT_EQ(log->tail(), Tail::kCorrupt);
    const std::span entries(small.entries);
    EXPECT_EQ(code_of(log->repair(entries.subspan(17, 2))), ErrorCode::kRefused);
    EXPECT_EQ(log->tail(), Tail::kCorrupt);
    EXPECT_EQ(code_of(log->repair(entries.subspan(18, 2))), ErrorCode::kInvalidArgument);  // does not start at the hole
    ASSERT_OK(log->repair(entries.subspan(17, 3)));
    EXPECT_EQ(ids_in(*log), ids_of(entries));
}

TEST(Damage, ALaterMastersEntryInAHoleCutsWhatDoesNotChainToIt) {  // S9
    SmallLog small(SmallLog::Stop::kClean);
    small.files.corrupt(small.extents[4].path, small.extents[4].begin + 20);
    auto log = open_log(small.files, tiny_log());
    ASSERT_EQ(log->last(), small.entries[3].id());
    ASSERT_EQ(log->found().behind_hole.size(), 15U);
    const auto fill = Chain(log->last(), 5).next(Epoch{2}, 2);
    ASSERT_OK(log->repair(fill));
    EXPECT_EQ(log->last(), fill.back().id());
    log.reset();
    log = open_log(small.files, tiny_log());
    EXPECT_EQ(log->tail(), Tail::kClean);
    EXPECT_EQ(log->last(), fill.back().id());
    EXPECT_EQ(log->read(Lsn{1}, Lsn{6}, 100000)->size(), 6U);
}

TEST(Damage, TheOnlyVoterRefusesCorruptionAndNamesThePlace) {  // S9
    SmallLog small(SmallLog::Stop::kClean);
    small.files.corrupt(small.extents[4].path, small.extents[4].begin + 20);
    LogOptions options = tiny_log();
    options.only_voter = true;
    const auto log = try_open(small.files, options);
    EXPECT_EQ(code_of(log), ErrorCode::kCorrupt);
    EXPECT_THAT(log.error().message, testing::HasSubstr(fmt::format("{}:{}", small.extents[4].path, small.extents[4].begin)));
    EXPECT_THAT(log.error().message, testing::HasSubstr("--cut-corrupt-log"));
    options.cut_corruption = true;
    const auto cut = open_log(small.files, options);
    EXPECT_TRUE(cut->found().cut_in_doubt);
    EXPECT_EQ(cut->last(), small.entries[3].id());
    EXPECT_EQ(cut->tail(), Tail::kClean);
}

TEST(Damage, TheOnlyVoterCutsWhatIsInDoubtAndSaysSo) {  // S9
    SmallLog small(SmallLog::Stop::kBetweenGroups);
    small.files.corrupt(small.newest, small.extents[19].begin + 20);
    LogOptions options = tiny_log();
    options.only_voter = true;
    auto log = open_log(small.files, options);
    EXPECT_TRUE(log->found().cut_in_doubt);
    EXPECT_EQ(log->found().mark.intent, small.entries[19].id());
    EXPECT_EQ(log->tail(), Tail::kClean);
    EXPECT_EQ(log->last(), small.entries[18].id());
    log.reset();
    log = open_log(small.files, options);
    EXPECT_FALSE(log->found().cut_in_doubt);
    EXPECT_EQ(log->last(), small.entries[18].id());
}

TEST(Damage, RecordsOfAnEarlierUseOfASegmentAreNeverRead) {  // S10
    // Records of the first use, with LSNs that would fit, lie where those of the second are to be.
    MemoryFileSystem files;
    auto log = open_log(files);
    const auto entries = Chain().next(Epoch{1}, 12);
    ASSERT_OK(append(*log, entries));
    const std::string old = read_file(files, segment_paths(files)[0], kSmallSegment).value();
    ASSERT_OK(log->cut(Lsn{0}));  // a new use
    ASSERT_OK(append(*log, std::span(entries).first(4)));
    ASSERT_OK(log->close());
    std::uint64_t end = kRecordsOffset;
    for (const Entry& entry : std::span(entries).first(4)) end += 8 + entry.size();
    auto file = files.open(segment_paths(files).back(), OpenMode::kWrite).value();
    ASSERT_OK(file->write_at(end, as_bytes(std::string_view(old).substr(end))));  // a disk that lost the zeroing
    log = open_log(files);
    EXPECT_EQ(log->found().tail, Tail::kTorn);
    EXPECT_EQ(log->last(), entries[3].id());
}

TEST(Damage, ASegmentUnderAWrongNameHasNoReadableSlot) {
    SmallLog small(SmallLog::Stop::kClean);
    SegmentName name = *parse_file_name(small.newest.substr(4));
    name.use_id ^= 1;
    ASSERT_OK(small.files.rename(small.newest, "wal/" + file_name(name)));
    EXPECT_EQ(open_log(small.files, tiny_log())->tail(), Tail::kUnbounded);
}

}  // namespace
}  // namespace tanist::wal

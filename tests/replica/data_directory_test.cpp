// SPDX-License-Identifier: Apache-2.0
// Opening a data directory: identity, votes, log and store are judged together, and what does not belong together is refused.
#include "replica/data_directory.h"

#include <gmock/gmock.h>

#include "replica/install_marker.h"
#include "replica/rescue.h"
#include "store/memory_store.h"
#include "wal/identity_file.h"
#include "wal/memory_file_system.h"
#include "wal/record.h"
#include "wal/slot.h"

namespace tanist::replica {
namespace {

using testing::HasSubstr;

constexpr NodeId kNode{2};
const std::string kPath = "data";

class DataDirectoryTest : public testing::Test {
protected:
    DataDirectoryTest() { EXPECT_TRUE(files_.make_directory(kPath)); }

    Result<DataDirectory> open(std::size_t configured_voters = 3, bool cut_corruption = false) {
        DataDirectoryOptions options{.path = kPath, .node = kNode, .configured_voters = configured_voters};
        options.log.segment_bytes = 1 << 20;
        options.log.cut_corruption = cut_corruption;
        return open_data_directory(files_, *store_, options, ++seed_);
    }

    /// A member of a formed cluster: `voters` of them, and the epoch 1 voted in.
    void form(DataDirectory& directory, std::size_t voters = 3) {
        Identity identity = directory.start.identity;
        Membership founding{.cluster = {99}, .cluster_name = "test"};
        for (std::uint64_t i = 1; i <= 3; ++i) {
            const bool is_self = i == kNode.value;
            if (is_self || voters > 1) founding.members.push_back({.id = {{i}, is_self ? identity.id.incarnation : Incarnation{i}}});
        }
        identity.founding = founding;
        ASSERT_TRUE(wal::save_identity(files_, kPath, identity));
        ASSERT_TRUE(directory.votes->save({.epoch = {1}}));
    }

    static std::vector<Entry> entries(EntryId previous, int count) {
        std::vector<Entry> made;
        for (int i = 0; i < count; ++i) {
            made.push_back(Entry::make({1}, previous, 1000, EntryKind::kTick, ""));
            previous = made.back().id();
        }
        return made;
    }

    void append(DataDirectory& directory, const std::vector<Entry>& group) {
        ASSERT_TRUE(directory.log->write(group));
        ASSERT_TRUE(directory.log->sync());
        ASSERT_TRUE(directory.log->close());
    }

    wal::MemoryFileSystem files_;
    std::unique_ptr<store::Store> store_ = store::open_memory_store(std::make_shared<store::DurableImage>());
    std::uint64_t seed_ = 0;
};

TEST_F(DataDirectoryTest, AFreshOneIsPristineAndKeepsItsIncarnation) {  // S1, S2
    auto first = open();
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_TRUE(first->start.pristine);
    EXPECT_EQ(first->start.identity.id.node, kNode);
    EXPECT_FALSE(first->start.identity.id.incarnation.is_zero());
    const MemberId id = first->start.identity.id;
    first = open();
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->start.identity.id, id);
    EXPECT_TRUE(first->start.pristine);
}

TEST_F(DataDirectoryTest, IsNotPristineOnceItHasVoted) {  // S2
    auto directory = open();
    ASSERT_TRUE(directory && directory->votes->save({.epoch = {1}}));
    directory = open();
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_FALSE(directory->start.pristine);
}

TEST_F(DataDirectoryTest, OfAnotherNodeIsRefused) {
    ASSERT_TRUE(wal::save_identity(files_, kPath, Identity{.id = {{7}, {1}}, .founding = std::nullopt}));
    const auto directory = open();
    ASSERT_FALSE(directory);
    EXPECT_THAT(directory.error().message, HasSubstr("belongs to node 7, and node.id = 2"));
}

TEST_F(DataDirectoryTest, WithDataButNoIdentityIsRefused) {
    auto directory = open();
    ASSERT_TRUE(directory);
    ASSERT_TRUE(directory->votes->save({.epoch = {1}}));
    ASSERT_TRUE(files_.remove(kPath + "/identity"));
    const auto again = open();
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("identity is missing"));
}

TEST_F(DataDirectoryTest, AVoteFileThatTellsNothingIsReportedAndNotTakenForNone) {  // S3, S2
    auto directory = open();
    ASSERT_TRUE(directory);
    ASSERT_TRUE(directory->votes->save({.epoch = {4}}));
    for (const char* name : {"/vote.a", "/vote.b"}) files_.corrupt(kPath + name, 8);
    directory = open();
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_FALSE(directory->start.vote);
    EXPECT_FALSE(directory->start.pristine);
    EXPECT_THAT(directory->start.vote_lost, HasSubstr("vote"));
}

TEST_F(DataDirectoryTest, AMembersLogWithoutAnySegmentIsDamagedWithoutBoundNotAnEmptyOne) {  // S9
    auto directory = open();
    ASSERT_TRUE(directory);
    form(*directory);
    append(*directory, entries({}, 3));
    directory = open();
    ASSERT_TRUE(directory) << directory.error().message;
    const auto names = files_.list(kPath + "/wal");
    ASSERT_TRUE(names);
    for (const std::string& name : *names) {
        if (name.ends_with(".wal")) files_.lose(kPath + "/wal/" + name);
    }
    directory = open();  // it votes for nobody, and is repaired by the others
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_EQ(directory->start.tail, Tail::kUnbounded);
    EXPECT_FALSE(directory->start.pristine);
    EXPECT_THAT(directory->start.tail_where, HasSubstr("no segment is there"));
}

TEST_F(DataDirectoryTest, TheOnlyVotersCorruptLogIsCutByHandAndBeginsAnewBehindWhatTheStoreHasApplied) {  // S9, S27
    auto directory = open(1);
    ASSERT_TRUE(directory);
    form(*directory, 1);
    const auto group = entries({}, 6);
    append(*directory, group);
    ASSERT_TRUE(store_->apply({}, {group[3].id(), 1000}));
    *directory = {};
    const auto names = files_.list(kPath + "/wal");
    const auto segment = std::ranges::find_if(*names, [](const std::string& name) { return name.ends_with(".wal"); });
    ASSERT_NE(segment, names->end());
    const std::uint64_t third = wal::kRecordsOffset + 2 * wal::record_bytes(group[0]);
    files_.corrupt(kPath + "/wal/" + *segment, third + 20);
    const auto refused = open(1);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("--cut-corrupt-log"));

    directory = open(1, true);
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_THAT(directory->start.storage_warning, HasSubstr("log cut behind lsn=2"));
    EXPECT_EQ(directory->start.base, group[3].id());
    directory = open(1);  // and needs the flag no more
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_EQ(directory->start.base, group[3].id());
    EXPECT_EQ(directory->start.last, group[3].id());
}

TEST_F(DataDirectoryTest, AStoreBeyondTheLogsEndIsRefused) {  // S7
    auto directory = open();
    ASSERT_TRUE(directory);
    form(*directory);
    const auto group = entries({}, 3);
    append(*directory, group);
    ASSERT_TRUE(store_->apply({}, {{{1}, {9}, 1}, 1000}));
    const auto again = open();
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("the log ends at lsn=3, and the store has applied lsn=9"));
}

TEST_F(DataDirectoryTest, AStoreThatAppliedAnotherHistoryIsRefused) {
    auto directory = open();
    ASSERT_TRUE(directory);
    form(*directory);
    append(*directory, entries({}, 3));
    ASSERT_TRUE(store_->apply({}, {{{1}, {2}, 4711}, 1000}));
    const auto again = open();
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("not of one node"));
}

TEST_F(DataDirectoryTest, AStoreThatEndsBeforeTheLogBeginsWantsACopyUnlessItIsTheOnlyVoters) {  // S25
    auto directory = open();
    ASSERT_TRUE(directory);
    form(*directory);
    ASSERT_TRUE(directory->log->reset({{1}, {50}, 3}));
    directory = open();
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_THAT(directory->start.storage_warning, HasSubstr("it was lost applied_lsn=0 log_base=50"));
    form(*directory, 1);
    const auto alone = open(1);
    ASSERT_FALSE(alone);
    EXPECT_THAT(alone.error().message, HasSubstr("nobody to copy from"));
}

TEST_F(DataDirectoryTest, ACrashBetweenInstallingACheckpointAndResettingTheLogIsFinishedAtTheNextStart) {  // S25
    auto directory = open();
    ASSERT_TRUE(directory);
    form(*directory);
    append(*directory, entries({}, 3));
    const EntryId position{{1}, {50}, 3};
    ASSERT_TRUE(mark_install(files_, kPath, position));
    ASSERT_TRUE(store_->apply({}, {position, 1000}));  // the store was replaced, then the process died
    directory = open();
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_EQ(directory->start.base, position);
    EXPECT_EQ(directory->start.last, position);
    EXPECT_TRUE(directory->start.epochs.empty());
    EXPECT_FALSE(*files_.exists(kPath + "/copy.installing"));
}

TEST_F(DataDirectoryTest, ACrashBeforeTheCheckpointWasInstalledLeavesTheOldState) {  // S25
    auto directory = open();
    ASSERT_TRUE(directory);
    form(*directory);
    append(*directory, entries({}, 3));
    ASSERT_TRUE(mark_install(files_, kPath, {{1}, {50}, 3}));
    directory = open();
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_EQ(directory->start.last.lsn, Lsn{3});
    EXPECT_FALSE(*files_.exists(kPath + "/copy.installing"));
}

TEST_F(DataDirectoryTest, RescuedWritesHoldTheEntriesByteForByteAndSurviveACrash) {  // S8
    auto directory = open();
    ASSERT_TRUE(directory);
    form(*directory);
    const auto group = entries({}, 5);
    append(*directory, group);
    const auto path = export_rescued(files_, kPath, *directory->log, {3}, {5});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(*path, "data/rescued/1-3-5.entries");
    Random random(1);
    files_.crash(random);
    const auto content = wal::read_file(files_, *path, 1 << 20);
    ASSERT_TRUE(content) << content.error().message;
    std::string expected;
    for (std::size_t i = 2; i < 5; ++i) expected += as_text(group[i].bytes());
    EXPECT_EQ(*content, expected);
}

}  // namespace
}  // namespace tanist::replica

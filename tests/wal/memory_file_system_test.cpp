// SPDX-License-Identifier: Apache-2.0
// The virtual disk must lose what a real one may lose, and nothing else: what the crash tests prove rests on it.
#include "wal/memory_file_system.h"

#include <set>

#include "tests/wal/support.h"

namespace tanist::wal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string content(FileSystem& files, const std::string& path) {
    auto read = read_file(files, path, 1 << 20);
    return read ? *read : "(" + std::string(to_string(read.error().code)) + ")";
}

/// All contents that 200 crashes leave of a disk on which `work` was done.
template <class Work, class Look>
auto after_crashes(Work work, Look look) {
    MemoryFileSystem files;
    work(files);
    std::set<decltype(look(files))> seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const auto copy = files.snapshot();
        Random random(seed);
        copy->crash(random);
        seen.insert(look(*copy));
    }
    return seen;
}

void put(FileSystem& files, const std::string& path, std::uint64_t offset, std::string_view text) {
    auto file = files.open(path, OpenMode::kCreate);
    ASSERT_OK(file);
    ASSERT_OK((*file)->write_at(offset, as_bytes(text)));
}

void sync(FileSystem& files, const std::string& path) { ASSERT_OK(files.open(path, OpenMode::kWrite).value()->sync_data()); }

TEST(MemoryFileSystem, KeepsWhatWasSyncedAndNoMoreForSure) {
    const auto seen = after_crashes(
        [](FileSystem& files) {
            put(files, "f", 0, "old");
            sync(files, "f");
            ASSERT_OK(files.sync_directory("."));
            put(files, "f", 0, "new");
        },
        [](FileSystem& files) { return content(files, "f"); });
    EXPECT_THAT(seen, UnorderedElementsAre("old", "new"));
}

TEST(MemoryFileSystem, LosesSectorsEachOnItsOwnButNeverTearsOne) {
    const auto seen = after_crashes(
        [](FileSystem& files) {
            put(files, "f", 0, std::string(1024, '-'));
            sync(files, "f");
            ASSERT_OK(files.sync_directory("."));
            put(files, "f", 0, std::string(1024, 'x'));
        },
        [](FileSystem& files) {
            const std::string text = content(files, "f");
            for (const std::size_t sector : {0U, 512U}) EXPECT_EQ(text.substr(sector, 512), std::string(512, text[sector]));
            return std::string{text[0], text[512]};
        });
    EXPECT_THAT(seen, UnorderedElementsAre("--", "-x", "x-", "xx"));
}

TEST(MemoryFileSystem, MayKeepAnEarlierVersionOfASectorWrittenTwice) {
    const auto seen = after_crashes(
        [](FileSystem& files) {
            put(files, "f", 0, "0");
            sync(files, "f");
            ASSERT_OK(files.sync_directory("."));
            put(files, "f", 0, "1");
            put(files, "f", 0, "2");
        },
        [](FileSystem& files) { return content(files, "f"); });
    EXPECT_THAT(seen, UnorderedElementsAre("0", "1", "2"));
}

TEST(MemoryFileSystem, AFileMayBeGoneUntilItsDirectoryIsSynced) {
    const auto seen = after_crashes(
        [](FileSystem& files) {
            put(files, "f", 0, "x");
            sync(files, "f");
        },
        [](FileSystem& files) { return content(files, "f"); });
    EXPECT_THAT(seen, UnorderedElementsAre("(not found)", "x"));
}

TEST(MemoryFileSystem, ARenameLeavesTheOldOrTheNewAndNeverNeither) {
    const auto seen = after_crashes(
        [](FileSystem& files) {
            for (const char* name : {"a", "b"}) {
                put(files, name, 0, name);
                sync(files, name);
            }
            ASSERT_OK(files.sync_directory("."));
            ASSERT_OK(files.rename("a", "b"));
        },
        [](FileSystem& files) { return content(files, "a") + content(files, "b"); });
    EXPECT_THAT(seen, UnorderedElementsAre("ab", "(not found)a"));
}

TEST(MemoryFileSystem, MayKeepALaterChangeOfADirectoryAndLoseAnEarlierOne) {  // all that POSIX promises
    const auto seen = after_crashes(
        [](FileSystem& files) {
            put(files, "a", 0, "a");
            put(files, "b", 0, "b");
            sync(files, "a");
            sync(files, "b");
        },
        [](FileSystem& files) { return fmt::format("{}", fmt::join(files.list(".").value(), " ")); });
    EXPECT_THAT(seen, UnorderedElementsAre("", "a", "b", "a b"));
}

TEST(MemoryFileSystem, ADirectoryThatWasNotSyncedTakesItsFilesWithIt) {
    MemoryFileSystem files;
    ASSERT_OK(files.make_directory("d"));
    put(files, "d/f", 0, "x");
    sync(files, "d/f");
    ASSERT_OK(files.sync_directory("d"));
    std::set<bool> seen;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto copy = files.snapshot();
        Random random(seed);
        copy->crash(random);
        EXPECT_EQ(copy->exists("d"), copy->exists("d/f"));
        seen.insert(copy->exists("d").value());
    }
    EXPECT_EQ(seen.size(), 2U);
}

TEST(MemoryFileSystem, AfterAFailedSyncTheCacheLiesAndNoLaterSyncHelps) {  // ATC'20
    MemoryFileSystem files;
    put(files, "f", 0, "old");
    sync(files, "f");
    ASSERT_OK(files.sync_directory("."));
    put(files, "f", 0, "new");
    files.set_hook([](DiskOperation operation, const std::string&) -> Status {
        return operation == DiskOperation::kSync ? Status{fail(ErrorCode::kIo, "bad disk")} : Status{};
    });
    EXPECT_FALSE(files.open("f", OpenMode::kWrite).value()->sync_data().has_value());
    files.set_hook({});
    EXPECT_EQ(content(files, "f"), "new");
    sync(files, "f");
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto copy = files.snapshot();
        Random random(seed);
        copy->crash(random);
        EXPECT_EQ(content(*copy, "f"), "old");
    }
}

TEST(MemoryFileSystem, FailsFromAnOperationOnAndChangesNothingMore) {
    MemoryFileSystem files;
    put(files, "f", 0, "a");
    files.fail_from(files.operations() + 2);
    auto file = files.open("f", OpenMode::kWrite).value();
    EXPECT_TRUE(file->write_at(0, as_bytes("b")).has_value());
    EXPECT_EQ(code_of(file->write_at(0, as_bytes("c"))), ErrorCode::kIo);
    EXPECT_EQ(code_of(file->sync_data()), ErrorCode::kIo);
    EXPECT_EQ(code_of(files.rename("f", "g")), ErrorCode::kIo);
    files.kill();
    EXPECT_EQ(content(files, "f"), "b");
    EXPECT_EQ(code_of(file->write_at(0, as_bytes("d"))), ErrorCode::kIo);  // opened by the process that died
}

TEST(MemoryFileSystem, IsFullAtItsCapacity) {
    MemoryFileSystem files;
    files.set_capacity(1024);
    put(files, "f", 0, std::string(1024, 'x'));
    EXPECT_EQ(files.bytes_free("f"), 0U);
    auto file = files.open("f", OpenMode::kWrite).value();
    EXPECT_EQ(code_of(file->write_at(1024, as_bytes("x"))), ErrorCode::kIo);
    EXPECT_TRUE(file->write_at(0, as_bytes("y")).has_value());
}

TEST(MemoryFileSystem, WhatIsCutOffReadsAsZerosWhenTheFileGrowsAgain) {
    MemoryFileSystem files;
    put(files, "f", 0, "abcdef");
    auto file = files.open("f", OpenMode::kWrite).value();
    ASSERT_OK(file->truncate(2));
    ASSERT_OK(file->truncate(4));
    EXPECT_EQ(content(files, "f"), std::string("ab\0\0", 4));
}

TEST(MemoryFileSystem, SameCallsAndSeedSameDisk) {
    std::string contents[2];
    for (std::string& text : contents) {
        MemoryFileSystem files;
        put(files, "f", 0, std::string(10000, 'x'));
        ASSERT_OK(files.sync_directory("."));
        Random random(5);
        files.crash(random);
        text = content(files, "f");
    }
    EXPECT_EQ(contents[0], contents[1]);
}

TEST(ReplaceFile, LeavesAllOfTheOldOrAllOfTheNew) {
    MemoryFileSystem start;
    ASSERT_OK(replace_file(start, "f", std::string(2000, 'o')));
    for (std::uint64_t point = 1; point < 20; ++point) {
        const auto files = start.snapshot();
        files->fail_from(start.operations() + point);
        const bool done = replace_file(*files, "f", std::string(1500, 'n')).has_value();
        Random random(point);
        files->crash(random);
        const std::string text = content(*files, "f");
        if (done) {
            EXPECT_EQ(text, std::string(1500, 'n'));
        }
        EXPECT_TRUE(text == std::string(2000, 'o') || text == std::string(1500, 'n')) << text.size();
    }
}

}  // namespace
}  // namespace tanist::wal

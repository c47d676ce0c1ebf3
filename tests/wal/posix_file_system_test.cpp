// SPDX-License-Identifier: Apache-2.0
#include "wal/posix_file_system.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/temporary_directory.h"
#include "tests/wal/support.h"
#include "wal/data_directory_lock.h"

namespace tanist::wal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A directory of its own for each test, gone afterwards.
class PosixFileSystemTest : public testing::Test {
protected:
    [[nodiscard]] std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

    TemporaryDirectory directory_;
    PosixFileSystem files_;
};

TEST_F(PosixFileSystemTest, WritesReadsRenamesAndLists) {
    ASSERT_OK(files_.make_directory(path("a/b")));
    auto file = files_.open(path("a/b/f"), OpenMode::kCreate);
    ASSERT_OK(file);
    const Bytes parts[] = {as_bytes("one"), as_bytes("two"), as_bytes("three")};
    ASSERT_OK((*file)->write_parts_at(4, parts));
    ASSERT_OK((*file)->write_at(0, as_bytes("zero")));
    ASSERT_OK((*file)->sync_data());
    EXPECT_EQ((*file)->size(), 15U);
    ASSERT_OK(files_.rename(path("a/b/f"), path("a/b/g")));
    ASSERT_OK(files_.sync_directory(path("a/b")));
    EXPECT_EQ(read_file(files_, path("a/b/g"), 100), "zeroonetwothree");
    EXPECT_EQ(code_of(read_file(files_, path("a/b/g"), 14)), ErrorCode::kCorrupt);
    EXPECT_THAT(files_.list(path("a/b")).value(), ElementsAre("g"));
    EXPECT_EQ(files_.exists(path("a/b/f")), false);
    ASSERT_OK(files_.remove(path("a/b/g")));
    ASSERT_OK(files_.remove(path("a/b/g")));
    EXPECT_GT(files_.bytes_free(directory_.path()).value(), 0U);
}

TEST_F(PosixFileSystemTest, GathersMorePartsThanOneCallTakes) {
    auto file = files_.open(path("f"), OpenMode::kCreate).value();
    std::vector<std::string> texts;
    std::string expected;
    for (int i = 0; i < 1000; ++i) expected += texts.emplace_back(fmt::format("{},", i));
    std::vector<Bytes> parts;
    for (const auto& text : texts) parts.push_back(as_bytes(text));
    ASSERT_OK(file->write_parts_at(0, parts));
    EXPECT_EQ(read_file(files_, path("f"), 10000), expected);
}

TEST_F(PosixFileSystemTest, ErrorsNameOperationPathAndReason) {
    const auto missing = files_.open(path("none"), OpenMode::kRead);
    EXPECT_EQ(code_of(missing), ErrorCode::kNotFound);
    EXPECT_THAT(missing.error().message, testing::AllOf(HasSubstr("open"), HasSubstr("/none"), HasSubstr("No such file")));
    const auto rename = files_.rename(path("none"), path("other"));
    EXPECT_THAT(rename.error().message, testing::AllOf(HasSubstr("rename"), HasSubstr("/other")));
    ASSERT_OK(files_.open(path("f"), OpenMode::kCreate));
    auto read_only = files_.open(path("f"), OpenMode::kRead).value();
    EXPECT_EQ(code_of(read_only->write_at(0, as_bytes("x"))), ErrorCode::kIo);
}

TEST_F(PosixFileSystemTest, AnInterruptedLogComesBackFromARealDisk) {
    Chain chain;
    {
        auto log = Log::open(files_, path("wal"), small_log(), 1);
        ASSERT_OK(log);
        for (int i = 0; i < 10; ++i) ASSERT_OK(append(**log, chain.next(Epoch{1}, 20)));
        ASSERT_OK((*log)->recycle(Lsn{100}));
        ASSERT_OK((*log)->prepare_spare());
    }
    auto log = Log::open(files_, path("wal"), small_log(), 2);
    ASSERT_OK(log);
    EXPECT_EQ((*log)->found().tail, Tail::kClean);
    EXPECT_FALSE((*log)->found().clean_stop);
    EXPECT_EQ((*log)->last(), chain.last());
    EXPECT_EQ(ids_in(**log).size(), 200 - (*log)->base().lsn.value);
}

TEST_F(PosixFileSystemTest, ANewSegmentHasBlocksOfZerosBeforeRecordsComeThere) {
    Chain chain;
    auto log = Log::open(files_, path("wal"), {.segment_bytes = 4 << 20}, 1);
    ASSERT_OK(log);
    ASSERT_OK(append(**log, chain.next(Epoch{1}, 2)));
    struct stat segment{};
    ASSERT_EQ(::stat(path("wal/" + files_.list(path("wal")).value().at(0)).c_str(), &segment), 0);
    EXPECT_GE(segment.st_blocks * 512, 250 << 10);
    EXPECT_LE(segment.st_blocks * 512, 1 << 20);
}

TEST_F(PosixFileSystemTest, ADataDirectoryIsLockedForOneProcess) {
    auto lock = DataDirectoryLock::acquire(path("data"));
    ASSERT_OK(lock);
    const auto second = DataDirectoryLock::acquire(path("data"));
    EXPECT_EQ(code_of(second), ErrorCode::kLocked);
    EXPECT_THAT(second.error().message, testing::AllOf(HasSubstr(path("data")), HasSubstr(fmt::format("process {}", ::getpid()))));
    {
        const auto released = std::move(*lock);
    }
    EXPECT_TRUE(DataDirectoryLock::acquire(path("data")).has_value());
}

TEST_F(PosixFileSystemTest, ADataDirectoryIsLockedAlsoWhereTheHolderCannotBeWrittenDown) {  // S4: a node can start on a full disk
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit nothing{0, 0};  // each write to a file fails, as on a full disk
        const bool is_full = ::setrlimit(RLIMIT_FSIZE, &nothing) == 0;
        const auto lock = DataDirectoryLock::acquire(path("data"));
        const auto second = DataDirectoryLock::acquire(path("data"));
        ::_exit(is_full && lock && code_of(second) == ErrorCode::kLocked ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_F(PosixFileSystemTest, ADeadProcessHoldsNoLock) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = DataDirectoryLock::acquire(path("data"));
        ::_exit(lock ? 0 : 1);  // without giving it back
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(DataDirectoryLock::acquire(path("data")).has_value());
}

}  // namespace
}  // namespace tanist::wal

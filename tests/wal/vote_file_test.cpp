// SPDX-License-Identifier: Apache-2.0
#include "wal/vote_file.h"

#include "tests/wal/support.h"

namespace tanist::wal {
namespace {

Vote vote(std::uint64_t epoch, std::uint64_t node = 0) { return {.epoch = {epoch}, .candidate = {{node}, {node == 0 ? 0 : 100 + node}}}; }

Result<std::optional<Vote>> load(FileSystem& files) { return VoteFile(files, ".").load(); }

void put(FileSystem& files, const std::string& path, const Vote& content) { ASSERT_OK(replace_file(files, path, encode(content))); }

TEST(VoteFile, OfAFreshDirectoryIsNone) {
    MemoryFileSystem files;
    EXPECT_EQ(load(files).value(), std::nullopt);
}

TEST(VoteFile, KeepsWhatWasSaved) {
    MemoryFileSystem files;
    VoteFile file(files, ".");
    ASSERT_OK(file.save(vote(1)));
    ASSERT_OK(file.save(vote(1, 2)));
    ASSERT_OK(file.save(vote(1, 2)));
    ASSERT_OK(file.save(vote(7)));
    EXPECT_EQ(read_file(files, "vote.a", 512).value(), encode(vote(7)));
    EXPECT_EQ(read_file(files, "vote.b", 512).value(), encode(vote(7)));
    EXPECT_EQ(load(files).value(), vote(7));
    EXPECT_LE(encode(vote(~std::uint64_t{0}, ~std::uint64_t{0} - 200)).size(), 512U);
}

TEST(VoteFile, CrashAtEveryOperationKeepsTheLastVoteThatWasActedUpon) {  // S3
    const Vote votes[] = {vote(1), vote(1, 2), vote(2, 3), vote(5), vote(5, 1)};
    for (std::uint64_t point = 1;; ++point) {
        std::size_t saved = 0;
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
            MemoryFileSystem files;
            files.fail_from(point);
            VoteFile file(files, ".");
            saved = 0;
            while (saved < std::size(votes) && file.save(votes[saved]).has_value()) ++saved;
            Random random(seed);
            seed == 0 ? files.kill() : files.crash(random);
            // The start may be cut short as well, at any operation, and nothing it answered may change.
            for (std::uint64_t second = 1;; ++second) {
                const auto again = files.snapshot();
                again->fail_from(again->operations() + second);
                const auto first = load(*again);
                again->crash(random);
                const auto loaded = load(*again);
                ASSERT_OK(loaded);
                ASSERT_TRUE(saved == 0 || loaded->has_value());
                const bool old = saved == 0 ? !loaded->has_value() : *loaded == votes[saved - 1];
                const bool interrupted = saved < std::size(votes) && loaded->has_value() && **loaded == votes[saved];
                EXPECT_TRUE(old || interrupted) << "crash at operation " << point << ", then " << second;
                if (first) {
                    EXPECT_TRUE(*first == *loaded);
                    break;
                }
            }
        }
        if (saved == std::size(votes)) break;
    }
}

TEST(VoteFile, IsWrittenAgainAtTheStartBecauseTheCacheIsNotTheDisk) {  // S4
    MemoryFileSystem files;
    {
        VoteFile file(files, ".");
        ASSERT_OK(file.save(vote(1, 2)));
        files.set_hook([](DiskOperation operation, const std::string&) -> Status {
            return operation == DiskOperation::kSync ? Status{fail(ErrorCode::kIo, "bad disk")} : Status{};
        });
        EXPECT_EQ(code_of(file.save(vote(2, 3))), ErrorCode::kIo);
        files.set_hook({});
    }
    files.kill();
    EXPECT_EQ(load(files).value(), vote(2, 3));  // as the cache shows it, and from here on it may be acted upon
    Random random(1);
    files.crash(random);
    EXPECT_EQ(load(files).value(), vote(2, 3));
}

TEST(VoteFile, AtTheStartTheCopyThatDiffersIsWrittenFirst) {  // so that a good one is there all the time
    for (const std::string stale : {"vote.a", "vote.b"}) {
        MemoryFileSystem files;
        put(files, "vote.a", vote(3));
        put(files, "vote.b", vote(3));
        put(files, stale, vote(2, 1));
        std::vector<std::string> written;
        files.set_hook([&](DiskOperation operation, const std::string& path) -> Status {
            if (operation == DiskOperation::kWrite) written.push_back(path);
            return {};
        });
        EXPECT_EQ(load(files).value(), vote(3));
        ASSERT_EQ(written.size(), 2U);
        EXPECT_THAT(written.front(), testing::EndsWith(stale));
    }
}

TEST(VoteFile, EveryFlippedBitAndTruncationOfOneFileIsNoticedAndHealedFromTheOther) {
    const std::string text = encode(vote(3, 2));
    for (const std::string path : {"vote.a", "vote.b"}) {
        for (std::size_t i = 0; i < text.size() * 9; ++i) {
            MemoryFileSystem files;
            put(files, "vote.a", vote(3, 2));
            put(files, "vote.b", vote(3, 2));
            if (i < text.size() * 8) {
                files.corrupt(path, i / 8, static_cast<std::uint8_t>(1U << (i % 8)));
                ASSERT_EQ(decode_vote(read_file(files, path, 512).value()), std::nullopt);
            } else {
                files.cut_short(path, i - text.size() * 8);
            }
            ASSERT_EQ(load(files).value(), vote(3, 2));
            ASSERT_EQ(read_file(files, "vote.a", 512), text);
            ASSERT_EQ(read_file(files, "vote.b", 512), text);
        }
    }
}

TEST(VoteFile, IsLostWhenNoCopyIsGoodOrTheCopiesContradict) {  // S3
    struct Case {
        std::optional<std::string> a, b;
        std::optional<Vote> expected;  ///< nullopt: lost
    };
    const std::string rotten = "garbage";
    const Case cases[] = {
        {rotten, rotten, std::nullopt},
        {rotten, std::nullopt, std::nullopt},
        {std::nullopt, rotten, std::nullopt},
        {encode(vote(4, 1)), encode(vote(4, 2)), std::nullopt},
        {encode(vote(4)), encode(vote(4, 2)), vote(4, 2)},  // none and one: a crash between the files, the vote counts
        {encode(vote(4, 2)), encode(vote(4)), vote(4, 2)},
        {encode(vote(5)), encode(vote(4, 2)), vote(5)},
        {encode(vote(4, 2)), encode(vote(5)), vote(5)},
        {encode(vote(4, 2)), std::nullopt, vote(4, 2)},
        {std::nullopt, encode(vote(4, 2)), vote(4, 2)},
        {encode(vote(4, 2)), rotten, vote(4, 2)},
    };
    for (const Case& c : cases) {
        MemoryFileSystem files;
        if (c.a) ASSERT_OK(replace_file(files, "vote.a", *c.a));
        if (c.b) ASSERT_OK(replace_file(files, "vote.b", *c.b));
        const auto loaded = load(files);
        if (c.expected) {
            ASSERT_OK(loaded);
            EXPECT_EQ(*loaded, c.expected);
        } else {
            EXPECT_EQ(code_of(loaded), ErrorCode::kCorrupt);
            EXPECT_THAT(loaded.error().message, testing::HasSubstr("vote.a"));
        }
    }
}

TEST(VoteFileDeath, NeverGoesBackNorVotesTwiceInAnEpoch) {  // S13
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    MemoryFileSystem files;
    VoteFile file(files, ".");
    ASSERT_OK(file.save(vote(3, 2)));
    EXPECT_DEATH(static_cast<void>(file.save(vote(2))), "this must hold");
    EXPECT_DEATH(static_cast<void>(file.save(vote(3, 1))), "this must hold");
    EXPECT_DEATH(static_cast<void>(file.save(vote(3))), "this must hold");
}

}  // namespace
}  // namespace tanist::wal

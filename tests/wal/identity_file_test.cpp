// SPDX-License-Identifier: Apache-2.0
#include "wal/identity_file.h"

#include "tests/wal/support.h"

namespace tanist::wal {
namespace {

Identity founded() {
    Membership membership{.cluster = {0x1234}, .cluster_name = "demo"};
    membership.members.push_back({.id = {{1}, {77}}, .addresses = {.peer = "127.0.0.1:7501", .client = "127.0.0.1:7401"}});
    return {.id = {{1}, {77}}, .founding = membership};
}

TEST(IdentityFile, OfAFreshDirectoryIsNone) {
    MemoryFileSystem files;
    EXPECT_EQ(load_identity(files, ".").value(), std::nullopt);
}

TEST(IdentityFile, KeepsWhatWasSaved) {
    MemoryFileSystem files;
    const Identity unfounded{.id = {{3}, {99}}, .founding = std::nullopt};
    ASSERT_OK(save_identity(files, ".", unfounded));
    EXPECT_EQ(load_identity(files, ".").value(), unfounded);
    ASSERT_OK(save_identity(files, ".", founded()));
    Random random(1);
    files.crash(random);
    EXPECT_EQ(load_identity(files, ".").value(), founded());
}

TEST(IdentityFile, EveryFlippedBitAndTruncationIsNoticed) {
    MemoryFileSystem files;
    ASSERT_OK(save_identity(files, ".", founded()));
    const std::size_t size = read_file(files, "identity", 1000)->size();
    for (std::size_t i = 0; i < size * 9; ++i) {
        const auto copy = files.snapshot();
        if (i < size * 8) {
            copy->corrupt("identity", i / 8, static_cast<std::uint8_t>(1U << (i % 8)));
        } else {
            copy->cut_short("identity", i - size * 8);
        }
        const auto loaded = load_identity(*copy, ".");
        ASSERT_EQ(code_of(loaded), ErrorCode::kCorrupt) << i;
        ASSERT_THAT(loaded.error().message, testing::HasSubstr("identity"));
    }
}

TEST(IdentityFile, CrashAtEveryOperationLeavesTheOldOrTheNew) {
    MemoryFileSystem start;
    const Identity old{.id = {{1}, {77}}, .founding = std::nullopt};
    ASSERT_OK(save_identity(start, ".", old));
    for (std::uint64_t point = 1;; ++point) {
        const auto files = start.snapshot();
        files->fail_from(start.operations() + point);
        const bool saved = save_identity(*files, ".", founded()).has_value();
        Random random(point);
        files->crash(random);
        const auto loaded = load_identity(*files, ".");
        ASSERT_OK(loaded);
        EXPECT_TRUE(*loaded == founded() || (!saved && *loaded == old));
        if (saved) break;
    }
}

}  // namespace
}  // namespace tanist::wal

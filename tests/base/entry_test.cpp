// SPDX-License-Identifier: Apache-2.0
#include "base/entry.h"

#include <gtest/gtest.h>

#include <string>

namespace tanist {
namespace {

Entry make_entry(std::string_view payload = "payload") {
    return Entry::make(Epoch{3}, EntryId{Epoch{2}, Lsn{6}, 99}, 1234, EntryKind::kCommands, payload);
}

TEST(Entry, DecodesToWhatWasMade) {
    const Entry made = make_entry();
    std::string bytes(as_text(made.bytes()));
    bytes += "the next entry";
    const auto decoded = Entry::decode(nullptr, as_bytes(bytes));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, made);
    EXPECT_EQ(decoded->epoch(), Epoch{3});
    EXPECT_EQ(decoded->lsn(), Lsn{7});
    EXPECT_EQ(decoded->timestamp(), 1234U);
    EXPECT_EQ(decoded->predecessor_checksum(), 99U);
    EXPECT_EQ(decoded->payload(), "payload");
    EXPECT_EQ(decoded->size(), 47U);
    EXPECT_EQ(Entry::encoded_bytes(as_bytes(bytes)), 47U);
}

TEST(Entry, EveryFlippedBitAndTruncationIsNoticed) {
    const std::string good(as_text(make_entry().bytes()));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_FALSE(Entry::decode(nullptr, as_bytes(bad)).has_value()) << "bit " << bit;
    }
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Entry::decode(nullptr, as_bytes(good).first(size)).has_value());
}

TEST(Entry, FollowsOnlyThePredecessorThatItNames) {
    const Entry entry = make_entry();
    EXPECT_TRUE(entry.follows({Epoch{2}, Lsn{6}, 99}));
    EXPECT_FALSE(entry.follows({Epoch{2}, Lsn{5}, 99}));
    EXPECT_FALSE(entry.follows({Epoch{2}, Lsn{6}, 98}));
    EXPECT_FALSE(entry.follows({Epoch{4}, Lsn{6}, 99}));
}

TEST(Entry, WithoutPayloadIsAHeader) {
    const Entry entry = Entry::make(Epoch{1}, {}, 0, EntryKind::kEpochStart, "");
    EXPECT_EQ(entry.size(), sizeof(EntryHeader));
    EXPECT_EQ(entry.payload(), "");
    EXPECT_TRUE(entry.follows({}));
}

TEST(Entry, OutlivesTheFrameThatItWasTakenFrom) {
    auto frame = std::make_shared<std::string>(as_text(make_entry("x").bytes()));
    const Entry entry = Entry::decode(frame, as_bytes(*frame)).value();
    const std::weak_ptr<std::string> watch = frame;
    frame.reset();
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(entry.payload(), "x");
}

}  // namespace
}  // namespace tanist

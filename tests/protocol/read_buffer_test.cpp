// SPDX-License-Identifier: Apache-2.0
#include "protocol/read_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocol/draw.h"

namespace tanist::protocol {
namespace {

constexpr std::size_t kChunk = 4096;

TEST(ReadBuffer, TakesNoMemoryBeforeTheFirstRead) {
    ReadBuffer buffer(kChunk);
    EXPECT_EQ(buffer.capacity(), 0u);
    EXPECT_TRUE(buffer.unread().empty());
}

TEST(ReadBuffer, GivesBackWhatWasPutInWhateverThePieces) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Random random(seed);
        ReadBuffer buffer(kChunk);
        std::string in, out;
        std::vector<std::pair<std::shared_ptr<const void>, std::string_view>> shares;  // with the text that each keeps
        std::vector<std::string> shared_text;
        for (int i = 0; i < 200; ++i) {
            const std::string piece = draw_bytes(random, random.chance(1, 10) ? 20'000 : 3000);
            in += piece;
            buffer.append(as_bytes(piece));
            if (random.chance(1, 5)) buffer.expect(random.below(30'000));
            const std::size_t taken = random.below(buffer.unread().size() + 1);
            const auto text = as_text(buffer.unread().first(taken));
            out += text;
            buffer.consume(taken);
            if (random.chance(1, 10)) {
                shares.emplace_back(buffer.share(), text);
                shared_text.emplace_back(text);
            }
        }
        out += as_text(buffer.unread());
        ASSERT_EQ(out, in) << "seed " << seed;
        for (std::size_t i = 0; i < shares.size(); ++i) ASSERT_EQ(shares[i].second, shared_text[i]) << "seed " << seed;
    }
}

TEST(ReadBuffer, LargeValueThatWasAnnouncedMovesOnce) {
    ReadBuffer buffer(kChunk);
    buffer.append(as_bytes(std::string(100, 'a')));
    buffer.expect(1'000'000);
    EXPECT_GE(buffer.prepare().size(), 1'000'000u - 100);
    const auto* const start = buffer.unread().data();
    for (int i = 0; i < 999; ++i) {
        (void)buffer.prepare();
        buffer.commit(1000);
        buffer.expect(1'000'000);
    }
    EXPECT_EQ(buffer.unread().data(), start);
}

TEST(ReadBuffer, LargeChunkIsLetGoWhenItIsEmpty) {
    ReadBuffer buffer(kChunk);
    buffer.expect(10'000'000);
    (void)buffer.prepare();
    buffer.commit(10);
    buffer.consume(10);
    (void)buffer.prepare();
    EXPECT_EQ(buffer.capacity(), kChunk);
}

// A peer could otherwise make us move megabytes for every few bytes that it sends.
TEST(ReadBuffer, MovingStaysLinearWhenNothingIsAnnounced) {
    ReadBuffer buffer(kChunk);
    std::size_t moved = 0;
    const std::byte* at = nullptr;
    for (int i = 0; i < 4000; ++i) {
        const auto before = buffer.unread().size();
        (void)buffer.prepare();
        if (buffer.unread().data() != at) moved += before;
        at = buffer.unread().data();
        buffer.commit(1000);
    }
    EXPECT_LT(moved, 4'000'000u * 3);
}

}  // namespace
}  // namespace tanist::protocol

// SPDX-License-Identifier: Apache-2.0
// In which order what is said to a peer goes to its socket.
#include "server/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace tanist::server {
namespace {

using core::Lane;
using protocol::kPieceBytesMax;
using ::testing::ElementsAre;

/// Each frame carries its number as its length and its content, so that what arrives can be told.
protocol::EncodedFrame frame(std::size_t body_bytes, char content) {
    protocol::EncodedFrame out;
    ByteWriter(out.head).u32(static_cast<std::uint32_t>(body_bytes));
    const std::size_t in_head = std::min<std::size_t>(body_bytes, 24);
    out.head.append(in_head, content);
    if (body_bytes > in_head) {  // the rest as an entry, whatever its bytes
        out.entries.push_back(
            Entry::make({1}, {}, 0, EntryKind::kCommands, std::string(body_bytes - in_head - sizeof(EntryHeader), content)));
    }
    return out;
}

class OutboxTest : public ::testing::Test {
protected:
    /// Moves at most `bytes_max` bytes from the outbox to the other side.
    std::size_t move(std::size_t bytes_max) {
        std::array<asio::const_buffer, 3> buffers;
        std::size_t moved = 0;
        for (const asio::const_buffer& buffer : outbox_.next(buffers)) {
            const std::size_t taken = std::min(buffer.size(), bytes_max - moved);
            input_.append({static_cast<const std::byte*>(buffer.data()), taken});
            moved += taken;
        }
        outbox_.consume(moved);
        while (true) {
            const auto next = protocol::next_frame_of_pieces(input_, pieces_);
            EXPECT_TRUE(next.has_value());
            if (!next || !*next) return moved;
            arrived_.push_back(static_cast<char>((*next)->bytes.front()));
        }
    }
    void move_all() {
        while (move(1 << 20) > 0) continue;
        EXPECT_TRUE(outbox_.empty());
        EXPECT_EQ(outbox_.bytes(), 0U);
    }

    Outbox outbox_;
    protocol::ReadBuffer input_{4096}, pieces_{4096};
    std::vector<char> arrived_;
};

TEST_F(OutboxTest, UrgentOnesGoFirstAndEachLaneKeepsItsOrder) {
    outbox_.push(Lane::kBulk, frame(10, 'a'));
    outbox_.push(Lane::kUrgent, frame(10, 'b'));
    outbox_.push(Lane::kBulk, frame(10, 'c'));
    outbox_.push(Lane::kUrgent, frame(10, 'd'));
    move_all();
    EXPECT_THAT(arrived_, ElementsAre('b', 'd', 'a', 'c'));
}

TEST_F(OutboxTest, UrgentOnesGoBetweenThePiecesOfALargeFrame) {
    outbox_.push(Lane::kBulk, frame(20 * kPieceBytesMax, 'a'));
    std::size_t moved = move(1000);
    outbox_.push(Lane::kUrgent, frame(10, 'b'));
    const std::size_t before = moved;
    while (arrived_.empty() && moved < 20 * kPieceBytesMax) moved += move(1000);
    EXPECT_THAT(arrived_, ElementsAre('b'));
    EXPECT_LE(moved - before, kPieceBytesMax + 2000) << "no more than the piece that was begun went before it";
    move_all();
    EXPECT_THAT(arrived_, ElementsAre('b', 'a'));
}

TEST_F(OutboxTest, ManyMessagesOfAllSizesArriveInTheOrderOfTheirLanes) {
    Random random(3);
    std::vector<char> bulk, urgent;
    for (int i = 0; i < 300; ++i) {
        const bool is_urgent = random.chance(1, 2);
        const char content = static_cast<char>((is_urgent ? 'a' : 'A') + i % 26);
        const std::size_t sizes[] = {1, 100, 5000, kPieceBytesMax - 4, kPieceBytesMax - 3, 3 * kPieceBytesMax + 17};
        outbox_.push(is_urgent ? Lane::kUrgent : Lane::kBulk, frame(sizes[random.below(is_urgent ? 2 : 6)], content));
        (is_urgent ? urgent : bulk).push_back(content);
        for (std::uint64_t k = random.below(4); k > 0; --k) move(random.between(1, 2 * kPieceBytesMax));
    }
    move_all();
    std::vector<char> arrived_bulk, arrived_urgent;
    for (const char content : arrived_) (content >= 'a' ? arrived_urgent : arrived_bulk).push_back(content);
    EXPECT_EQ(arrived_bulk, bulk);
    EXPECT_EQ(arrived_urgent, urgent);
}

}  // namespace
}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
#include "protocol/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocol/draw.h"

namespace tanist::protocol {
namespace {

using testing::HasSubstr;

std::string frame(std::string_view body) {
    std::string out;
    ByteWriter(out).u32(static_cast<std::uint32_t>(body.size()));
    return out.append(body);
}

/// Every frame that `bytes` holds when they arrive in pieces that end at `cuts`, ascending.
std::vector<std::string> read_in_pieces(std::string_view bytes, const std::vector<std::size_t>& cuts) {
    std::vector<std::string> out;
    ReadBuffer buffer(4096);
    std::size_t from = 0;
    const auto feed = [&](std::size_t to) {
        buffer.append(as_bytes(bytes.substr(from, to - from)));
        from = to;
        for (;;) {
            const auto next = next_frame(buffer);
            EXPECT_TRUE(next.has_value());
            if (!next || !*next) return;
            out.emplace_back(as_text((*next)->bytes));
        }
    };
    for (const std::size_t cut : cuts) feed(cut);
    feed(bytes.size());
    return out;
}

TEST(Frame, ComesOutWholeWhereverItIsCut) {
    const std::vector<std::string> bodies = {"", "a", "hello", std::string(300, 'x'), ""};
    std::string bytes;
    for (const std::string& body : bodies) bytes += frame(body);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        for (const std::size_t second : {cut, cut + (bytes.size() - cut) / 2}) ASSERT_EQ(read_in_pieces(bytes, {cut, second}), bodies);
    }
    std::vector<std::size_t> each_byte(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) each_byte[i] = i;
    EXPECT_EQ(read_in_pieces(bytes, each_byte), bodies);
}

std::string piece(std::string_view bytes) {
    std::string out;
    ByteWriter(out).u32(static_cast<std::uint32_t>(bytes.size()) | kPieceFlag);
    return out.append(bytes);
}

TEST(FrameOfPieces, IsPutTogetherWhileOthersGoBetween) {
    const std::string large = frame(std::string(kPieceBytesMax, 'x')), bytes = piece(large.substr(0, 7)) + frame("between") +
                                                                               piece(large.substr(7, kPieceBytesMax - 7)) + frame("") +
                                                                               piece(large.substr(kPieceBytesMax)) + frame("behind");
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, bytes.size()}) {
        ReadBuffer buffer(4096), pieces(4096);
        std::vector<std::string> out;
        for (std::size_t from = 0; from < bytes.size(); from += step) {
            buffer.append(as_bytes(bytes).subspan(from, std::min(step, bytes.size() - from)));
            while (true) {
                const auto next = next_frame_of_pieces(buffer, pieces);
                ASSERT_TRUE(next.has_value());
                if (!*next) break;
                out.emplace_back(as_text((*next)->bytes));
            }
        }
        ASSERT_EQ(out, (std::vector<std::string>{"between", "", large.substr(kFrameHeadBytes), "behind"})) << step;
    }
}

TEST(FrameOfPieces, OfNoBytesOrOfTooManyEndsTheConnection) {
    for (const std::size_t size : {std::size_t{0}, kPieceBytesMax + 1}) {
        ReadBuffer buffer(4096), pieces(4096);
        buffer.append(as_bytes(piece(std::string(size, 'x'))));
        EXPECT_THAT(next_frame_of_pieces(buffer, pieces).error().message, HasSubstr("1 to 131072 are allowed"));
    }
    ReadBuffer buffer(4096), pieces(4096);
    buffer.append(as_bytes(piece(frame("").replace(0, 4, "\xff\xff\xff\x7f"))));
    EXPECT_FALSE(next_frame_of_pieces(buffer, pieces).has_value()) << "a frame above the limit, in pieces";
}

TEST(Frame, LargeOnesComeOutWhole) {
    Random random(1);
    for (int i = 0; i < 30; ++i) {
        std::vector<std::string> bodies;
        std::string bytes;
        std::vector<std::size_t> cuts;
        for (int k = 0; k < 6; ++k) {
            bodies.push_back(draw_bytes(random, random.chance(1, 3) ? 100'000 : 500));
            bytes += frame(bodies.back());
        }
        for (std::size_t at = 0; at < bytes.size(); at += random.between(1, 5000)) cuts.push_back(at);
        ASSERT_EQ(read_in_pieces(bytes, cuts), bodies);
    }
}

TEST(Frame, LargeOneIsMovedOnceAtMost) {
    ReadBuffer buffer;
    const std::string bytes = frame(std::string(10'000'000, 'x'));
    const std::byte* at = nullptr;
    int moves = 0;
    for (std::size_t from = 0; from < bytes.size();) {
        const auto room = buffer.prepare();
        moves += buffer.unread().data() != at;
        at = buffer.unread().data();
        const std::size_t taken = std::min<std::size_t>({room.size(), bytes.size() - from, 50'000});
        std::memcpy(room.data(), bytes.data() + from, taken);
        buffer.commit(taken);
        from += taken;
        ASSERT_EQ(next_frame(buffer)->has_value(), from == bytes.size());
    }
    EXPECT_LE(moves, 2);  // the first chunk, and the one that holds all
}

TEST(Frame, LengthBeyondTheLimitIsRefusedBeforeMemoryIsTaken) {
    ReadBuffer buffer;
    buffer.append(as_bytes(std::string_view("\xff\xff\xff\xff", 4)));
    const auto next = next_frame(buffer);
    ASSERT_FALSE(next.has_value());
    EXPECT_EQ(next.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(next.error().message, "a frame of 4294967295 bytes: at most 50331648 are allowed");
    EXPECT_LE(buffer.capacity(), 64u * 1024);
}

TEST(Frame, LimitIsExact) {
    for (const std::size_t size : {10u, 11u}) {
        ReadBuffer buffer;
        buffer.append(as_bytes(frame(std::string(size, 'x'))));
        EXPECT_EQ(next_frame(buffer, 10).has_value(), size == 10);
    }
}

TEST(Preamble, FirstByteTellsTheDialect) {
    EXPECT_EQ(dialect_of(std::byte{1}), Dialect::kNative);
    EXPECT_EQ(dialect_of(std::byte{2}), Dialect::kPeer);
    EXPECT_EQ(dialect_of(std::byte{'*'}), Dialect::kResp);
    EXPECT_EQ(dialect_of(std::byte{'P'}), Dialect::kResp);
}

TEST(Preamble, BytesOnTheWireStayTheSame) {
    EXPECT_EQ(hex(peer_preamble()), "0254414e05000000");
    EXPECT_EQ(hex(kClientPreamble), "0154414e");
}

TEST(Preamble, IsTakenByteByByteAndNothingBehindIt) {
    const std::string bytes = peer_preamble() + "behind";
    ReadBuffer buffer;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i < 8) {
            EXPECT_FALSE(take_peer_preamble(buffer).value()) << i;
        } else if (i == 8) {
            EXPECT_TRUE(take_peer_preamble(buffer).value());
        }
        buffer.append(as_bytes(bytes).subspan(i, 1));
    }
    EXPECT_EQ(as_text(buffer.unread()), "behind");
}

TEST(Preamble, OfAClientIsTaken) {
    ReadBuffer buffer;
    buffer.append(as_bytes(kClientPreamble.substr(0, 3)));
    EXPECT_FALSE(take_client_preamble(buffer).value());
    buffer.append(as_bytes("Nx"));
    EXPECT_TRUE(take_client_preamble(buffer).value());
    EXPECT_EQ(as_text(buffer.unread()), "x");
}

TEST(Preamble, OtherProtocolsAreNamedInTheError) {
    ReadBuffer http;
    http.append(as_bytes("GET / HTTP/1.1\r\n"));
    EXPECT_THAT(take_peer_preamble(http).error().message,
                HasSubstr("a connection between nodes starts with '\\x02TAN', this one with 'GET / HTTP/1.1\\x0d\\x0a'"));
    ReadBuffer client;
    client.append(as_bytes(kClientPreamble));
    EXPECT_THAT(take_peer_preamble(client).error().message, HasSubstr("this one with '\\x01TAN'"));
    ReadBuffer at_once;
    at_once.append(as_bytes("\x02x"));
    EXPECT_FALSE(take_peer_preamble(at_once).has_value());
}

TEST(Preamble, OtherVersionIsNamedInTheError) {
    ReadBuffer buffer;
    buffer.append(as_bytes(peer_preamble(7)));
    EXPECT_EQ(take_peer_preamble(buffer).error().message, "version 7 of the peer protocol: this node speaks version 5");
}

}  // namespace
}  // namespace tanist::protocol

// SPDX-License-Identifier: Apache-2.0
#include "protocol/peer_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/crc32c.h"
#include "tests/protocol/draw.h"
#include "tests/protocol/fuzz.h"

namespace tanist::protocol {
namespace {

using testing::HasSubstr;

constexpr std::size_t kKinds = std::variant_size_v<core::Body>;

std::string frame_of(const core::Message& message) {
    std::string out;
    encode(message).append_to(out);
    return out;
}
Bytes body_of(const std::string& frame) { return as_bytes(frame).subspan(kFrameHeadBytes); }
Result<core::Message> decode(const std::string& frame) { return decode_message(body_of(frame), nullptr); }

core::Message from_node_1(core::Body body) { return {{{0xc1}, {{1}, {0xa1}}, {7}}, std::move(body)}; }

/// A frame around any envelope and entries, its length and checksum right.
std::string seal(std::string_view envelope, std::string_view entries = {}) {
    std::string summed;
    ByteWriter(summed).u32(static_cast<std::uint32_t>(envelope.size()));
    summed += envelope;
    std::string frame;
    ByteWriter writer(frame);
    writer.u32(static_cast<std::uint32_t>(sizeof(std::uint32_t) + summed.size() + entries.size()));
    writer.u32(crc32c(as_bytes(summed)));
    return frame.append(summed).append(entries);
}
std::string envelope_of(const std::string& frame) { return frame.substr(12, load_le<std::uint32_t>(as_bytes(frame).data() + 8)); }
std::string replace_once(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
}

void expect_refused(const Result<core::Message>& result, ErrorCode code, std::string_view why) {
    ASSERT_FALSE(result.has_value()) << "taken, though: " << why;
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(std::string(why)));
}

TEST(PeerCodec, EveryMessageComesOutAsItWentIn) {
    Random random(1);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        for (int i = 0; i < 200; ++i) {
            const core::Message message = draw_message(random, kind);
            const EncodedFrame frame = encode(message);
            std::string bytes;
            frame.append_to(bytes);
            ASSERT_EQ(bytes.size(), frame.size());
            ASSERT_EQ(load_le<std::uint32_t>(as_bytes(bytes).data()), bytes.size() - kFrameHeadBytes);
            const auto back = decode(bytes);
            ASSERT_TRUE(back.has_value()) << "kind " << kind << ": " << back.error().message;
            ASSERT_EQ(*back, message) << "kind " << kind;
        }
    }
}

TEST(PeerCodec, EmptyMessagesComeOutAsTheyWentIn) {
    for (const core::Body& body :
         {core::Body(core::Append{}), core::Body(core::AppendAck{}), core::Body(core::CopyReply{}), core::Body(core::Hello{})}) {
        const auto back = decode(frame_of(from_node_1(body)));
        ASSERT_TRUE(back.has_value()) << back.error().message;
        EXPECT_EQ(back->body, body);
    }
}

TEST(PeerCodec, LargestNumbersTravel) {
    const Rank all_ones{{UINT64_MAX}, {UINT64_MAX}};
    const core::Message message{{{UINT64_MAX}, {{UINT32_MAX}, {UINT64_MAX}}, {UINT64_MAX}},
                                core::AppendAck{{UINT64_MAX}, {UINT64_MAX}, all_ones, UINT64_MAX}};
    EXPECT_EQ(decode(frame_of(message)).value(), message);
}

// The wire format cannot drift silently: nodes of two builds talk to each other during an upgrade.
TEST(PeerCodec, BytesOnTheWireStayTheSame) {
    const Entry entry = Entry::make(Epoch{7}, EntryId{{6}, {41}, 0x01020304}, 1'700'000'000'000, EntryKind::kCommands, "payload");
    EXPECT_EQ(hex(frame_of(from_node_1(core::Append{{{6}, {41}}, {entry}, {40}, 3, {39}, {38}}))),
              "620000007c39e7182b00000009c100000000000000120b080111a10000000000000018078a01100a04080610291028180320"
              "01282730266f097aa00700000007000000000000002a000000000000000068e5cf8b01000004030201010000007061796c6f"
              "6164");
    EXPECT_EQ(hex(frame_of(from_node_1(core::AppendAck{{42}, {40}, {{7}, {42}}, 3}))),
              "2f000000486dab0a2700000009c100000000000000120b080111a100000000000000180792010c082a10281a040807102a20"
              "03");
    EXPECT_EQ(hex(frame_of(from_node_1(core::Hello{.cluster_name = "demo",
                                                   .role = core::ConfiguredRole::kMaster,
                                                   .addresses = {"h:1", "h:2", "h:3", "h:4"},
                                                   .configured = {{1}, {2}, {3}},
                                                   .pristine = true,
                                                   .intent = {{6}, {41}}}))),
              "4b00000032f32d494300000009c100000000000000120b080111a10000000000000018075a290a0464656d6f10011a03683a"
              "312203683a322a03683a333203683a343a0301020340014a0408061029");
    EXPECT_EQ(hex(frame_of(from_node_1(core::VoteRequest{{{6}, {41}}, Epoch{6}}))),
              "2b0000000fa8d1112300000009c100000000000000120b080111a1000000000000001807c201080a04080610291006");
}

TEST(PeerCodec, NumberOfABodyOnTheWireIsElevenPlusItsPlace) {
    Random random(2);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        core::Message message = draw_message(random, kind);
        message.header = {{1}, {{1}, {1}}, message.header.epoch};
        const std::string envelope = envelope_of(frame_of(message));
        // cluster (9 bytes) and sender (13), then the epoch, a varint; then the body's tag
        ByteReader reader(std::string_view(envelope).substr(9 + 13));
        ASSERT_EQ(reader.varint() >> 3, 3u);
        reader.varint();
        EXPECT_EQ(reader.varint() >> 3, kind + 11);
    }
}

TEST(PeerCodec, EntriesAreNeitherCopiedByTheEncoderNorByTheDecoder) {
    const Entry entry = Entry::make(Epoch{7}, EntryId{{6}, {41}, 1}, 0, EntryKind::kCommands, std::string(5000, 'x'));
    const EncodedFrame frame = encode(from_node_1(core::Append{.previous = {{6}, {41}}, .entries = {entry}}));
    std::vector<const std::byte*> pieces;
    frame.for_each_piece([&](Bytes piece) { pieces.push_back(piece.data()); });
    ASSERT_EQ(pieces.size(), 2u);
    EXPECT_EQ(pieces[1], entry.bytes().data());

    ReadBuffer buffer;
    std::string bytes;
    frame.append_to(bytes);
    buffer.append(as_bytes(bytes));
    const std::byte* const read_to = buffer.unread().data();
    const auto message = decode_message(**next_frame(buffer));
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(std::get<core::Append>(message->body).entries[0].bytes().data(), read_to + bytes.size() - entry.size());
}

TEST(PeerCodec, EntriesOutliveTheBufferThatTheyWereReadInto) {
    std::vector<Entry> kept, sent;
    {
        Random random(3);
        ReadBuffer buffer(4096);
        Rank previous{{5}, {10}};
        for (int i = 0; i < 100; ++i) {
            core::Message message = from_node_1(core::Append{.previous = previous, .entries = draw_entries(random, previous, false)});
            auto& entries = std::get<core::Append>(message.body).entries;
            if (!entries.empty()) previous = entries.back().rank();
            message.header.epoch = {previous.epoch.value + 1};
            sent.insert(sent.end(), entries.begin(), entries.end());
            buffer.append(as_bytes(frame_of(message)));
            const auto decoded = decode_message(**next_frame(buffer));
            ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
            const auto& back = std::get<core::Append>(decoded->body).entries;
            kept.insert(kept.end(), back.begin(), back.end());
        }
    }
    ASSERT_EQ(kept.size(), sent.size());
    for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(as_text(kept[i].bytes()), as_text(sent[i].bytes()));
}

TEST(PeerCodec, BufferIsUsedAgainWhenAMessageHasNoEntries) {
    ReadBuffer buffer;
    const std::string frame = frame_of(from_node_1(core::Heartbeat{}));
    buffer.append(as_bytes(frame));
    const auto* const first = buffer.unread().data();
    ASSERT_TRUE(decode_message(**next_frame(buffer)).has_value());
    buffer.append(as_bytes(frame));
    EXPECT_EQ(buffer.unread().data(), first);
}

// -- bad bytes --------------------------------------------------------------------------------------------------------------------

TEST(PeerCodec, NoTruncationIsTaken) {
    Random random(4);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        const std::string frame = frame_of(draw_message(random, kind));
        for (std::size_t bytes = 0; bytes < frame.size() - kFrameHeadBytes; bytes += frame.size() > 4000 ? 97 : 1) {
            expect_refused(decode_message(body_of(frame).first(bytes), nullptr), ErrorCode::kCorrupt, "");
        }
    }
}

// An acknowledgement with one bit changed could lose a write: the envelope has a checksum, and each entry its own.
TEST(PeerCodec, NoFlippedBitIsTaken) {
    Random random(5);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        std::string frame = frame_of(draw_message(random, kind));
        const std::size_t step = frame.size() > 2000 ? 31 : 1;
        for (std::size_t bit = 8 * kFrameHeadBytes; bit < 8 * frame.size(); bit += step) {
            frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
            expect_refused(decode(frame), ErrorCode::kCorrupt, "");
            frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
        }
    }
}

TEST(PeerCodec, BytesBehindTheLastEntryAreRefused) {
    expect_refused(decode(seal(envelope_of(frame_of(from_node_1(core::Heartbeat{}))), "x")), ErrorCode::kCorrupt,
                   "1 bytes behind the last entry");
}

TEST(PeerCodec, EntriesThatAreAnnouncedAndMissingAreRefused) {
    const std::string frame =
        frame_of(from_node_1(core::Append{.previous = {{5}, {9}}, .entries = {Entry::make({6}, {{5}, {9}, 1}, 0, EntryKind::kTick, "")}}));
    expect_refused(decode(seal(envelope_of(frame))), ErrorCode::kCorrupt, "1 entries in 0 bytes");
}

TEST(PeerCodec, ManyEntriesAreClaimedWithoutMemoryBeingTaken) {
    std::string envelope = envelope_of(frame_of(from_node_1(core::FormationAccept{})));
    envelope.resize(envelope.size() - 2);                                // its tag and length 0
    envelope += std::string("\x8a\x01\x06\x20\xff\xff\xff\xff\x0f", 9);  // Append{entries: 2^32-1}
    expect_refused(decode(seal(envelope)), ErrorCode::kCorrupt, "4294967295 entries in 0 bytes");
}

// A newer node may send what this one does not know: that is skipped, and the connection goes on.
TEST(PeerCodec, UnknownBodyIsAnInvalidArgumentAndNotCorrupt) {
    std::string envelope = envelope_of(frame_of(from_node_1(core::CopyEnd{})));
    envelope.resize(envelope.size() - 3);
    expect_refused(decode(seal(envelope)), ErrorCode::kInvalidArgument, "from node 1: a message of a kind");
    expect_refused(decode(seal(envelope + "\x92\x03\x02hi", "entries of a future kind")), ErrorCode::kInvalidArgument,
                   "a message of a kind");
}

TEST(PeerCodec, UnknownFieldsOfANewerNodeAreIgnored) {
    const core::Message message = from_node_1(core::Heartbeat{});
    EXPECT_EQ(decode(seal(envelope_of(frame_of(message)) + "\xa2\x06\x02hi")).value(), message);
}

TEST(PeerCodec, UnknownEnumeratorsAreRefused) {
    const auto hello = envelope_of(frame_of(from_node_1(core::Hello{.role = core::ConfiguredRole::kWitness})));
    expect_refused(decode(seal(replace_once(hello, "\x10\x04", "\x10\x05"))), ErrorCode::kInvalidArgument,
                   "hello.role: 5 is not among 1 .. 4");
    expect_refused(decode(seal(replace_once(hello, "\x10\x04", std::string_view("\x10\x00", 2)))), ErrorCode::kInvalidArgument,
                   "hello.role: 0");
    const auto reply = envelope_of(frame_of(from_node_1(core::FetchReply{.status = core::FetchStatus::kBusy})));
    expect_refused(decode(seal(replace_once(reply, "\x10\x04", "\x10\x09"))), ErrorCode::kInvalidArgument, "fetch reply.status: 9");
    const auto inquiry = envelope_of(frame_of(from_node_1(core::InquiryReply{.answer = core::InquiryAnswer::kInDoubtToo})));
    expect_refused(decode(seal(replace_once(inquiry, "\x10\x04", "\x10\x05"))), ErrorCode::kInvalidArgument, "inquiry reply.answer: 5");
}

TEST(PeerCodec, SenderMustBeNamed) {
    const std::string envelope = envelope_of(frame_of({{{1}, {{9}, {0x0807060504030201}}, {3}}, core::Heartbeat{}}));
    const std::string sender("\x12\x0b\x08\x09\x11\x01\x02\x03\x04\x05\x06\x07\x08", 13);
    expect_refused(decode(seal(replace_once(envelope, sender, ""))), ErrorCode::kInvalidArgument, "sender: node 0");
    expect_refused(decode(seal(replace_once(envelope, sender, "\x12\x02\x08\x09"))), ErrorCode::kInvalidArgument, "incarnation 0");
}

struct Refused {
    core::Body body;
    std::string_view why;
};

TEST(PeerCodec, WhatTheDesignDoesNotAllowIsRefused) {
    const Entry entry = Entry::make({6}, {{5}, {9}, 1}, 0, EntryKind::kTick, "");
    const Entry next = Entry::make({6}, entry.id(), 0, EntryKind::kTick, "");
    const Entry stranger = Entry::make({6}, {{6}, {10}, 99}, 0, EntryKind::kTick, "");
    const Entry later = Entry::make({8}, {{5}, {9}, 1}, 0, EntryKind::kTick, "");
    const Rank previous{{5}, {9}};
    std::vector<EpochRun> many;
    for (std::uint64_t i = 1; i <= core::kEpochRunsMax + 1; ++i) many.push_back({{i}, {i}});
    const std::vector<Refused> cases = {
        {core::Append{.previous = {{5}, {8}}, .entries = {entry}}, "does not follow epoch=5 lsn=8"},
        {core::Append{.previous = {{7}, {9}}, .entries = {entry}}, "does not follow epoch=7 lsn=9"},
        {core::Append{.previous = previous, .entries = {entry, stranger}}, "entry 2 of 2, epoch=6 lsn=11, does not follow"},
        {core::Append{.previous = previous, .entries = {entry, entry}}, "entry 2 of 2"},
        {core::Append{.previous = previous, .entries = {later}}, "in a message of epoch 7"},
        {core::FetchReply{.previous = previous, .entries = {next, entry}}, "entry 2 of 2"},
        {core::FetchReply{.epochs = {{{2}, {5}}, {{2}, {6}}}}, "the run of epoch 2 from lsn 6 stands behind"},
        {core::AppendReject{.epochs = {{{2}, {5}}, {{3}, {5}}}}, "stands behind"},
        {core::AppendReject{.epochs = many}, "1025 runs, at most 1024"},
        {core::Hello{.configured = {{2}, {1}}}, "hello.configured: node 1 stands behind node 2"},
        {core::Hello{.configured = {{1}, {1}}}, "hello.configured"},
        {core::Hello{.configured = {{0}}}, "hello.configured: node 0"},
        {core::FetchRequest{.bytes_max = limits::kFrameBytesMax}, "fetch request.bytes_max"},
        {core::InquiryReply{.answer = core::InquiryAnswer::kHearsMaster}, "a master goes with"},
        {core::InquiryReply{.answer = core::InquiryAnswer::kHas, .master = MemberId{{1}, {1}}}, "a master goes with"},
        {core::StandNow{.target = {{1}, {0}}}, "stand now.target: node 1 incarnation 0"},
        {core::PreVoteReply{.master = MemberId{{0}, {1}}}, "pre-vote reply.master"},
        {core::SwitchoverAnswer{.master = MemberId{{0}, {1}}}, "switchover answer.master"},
        {core::ForwardedWrites{std::string(kPayloadBytesMax + 1, 'x')}, "forwarded writes.payload: "},
        {core::FormationProposal{Membership{{1}, "c", {{{{2}, {1}}, Seat::kVoter, {}}, {{{1}, {1}}, Seat::kVoter, {}}}}},
         "formation proposal: membership"},
        {core::CopyReply{.files = {{"../../etc/passwd", 1}}}, "'../../etc/passwd' is no plain file name"},
        {core::CopyReply{.files = {{"..", 1}}}, "'..' is no plain file name"},
        {core::CopyReply{.files = {{"", 1}}}, "'' is no plain file name"},
        {core::CopyReply{.files = {{std::string("a\0b", 3), 1}}}, "is no plain file name"},
    };
    for (const Refused& refused : cases) {
        expect_refused(decode(frame_of(from_node_1(refused.body))), ErrorCode::kInvalidArgument, refused.why);
    }
}

TEST(PeerCodec, GarbageNeverCrashes) {
    Random random(6);
    std::vector<std::string> seeds;
    for (std::size_t kind = 0; kind < kKinds; ++kind) seeds.push_back(frame_of(draw_message(random, kind)));
    for (int i = 0; i < 30'000; ++i) {
        // What is mutated is the envelope, under a right checksum: otherwise nothing would get past it.
        const std::string& seed = seeds[random.below(seeds.size())];
        std::string envelope = envelope_of(seed);
        for (std::uint64_t n = random.between(1, 4); n > 0; --n) {
            const std::size_t at = random.below(envelope.size());
            switch (random.below(3)) {
                case 0: envelope[at] = static_cast<char>(random.next()); break;
                case 1: envelope.erase(at, random.between(1, 4)); break;
                default: envelope.insert(at, draw_bytes(random, 4)); break;
            }
            if (envelope.empty()) envelope = "\x08";
        }
        fuzz_peer(body_of(seal(envelope, std::string_view(seed).substr(12 + envelope_of(seed).size()))));
        fuzz_peer(as_bytes(draw_bytes(random, 60)));
    }
}

}  // namespace
}  // namespace tanist::protocol

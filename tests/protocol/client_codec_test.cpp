// SPDX-License-Identifier: Apache-2.0
#include "protocol/client_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "tests/protocol/draw.h"
#include "tests/protocol/fuzz.h"

namespace tanist::protocol::native {
namespace {

using testing::HasSubstr;

constexpr std::size_t kRequestKinds = std::variant_size_v<RequestBody>;
constexpr std::size_t kReplyKinds = std::variant_size_v<ReplyBody>;

std::string frame_of(const Request& request) {
    std::string out;
    EXPECT_TRUE(append_to(out, request).has_value());
    return out;
}
std::string frame_of(const Reply& reply) {
    std::string out;
    append_to(out, reply);
    return out;
}
Bytes body_of(const std::string& frame) { return as_bytes(frame).subspan(kFrameHeadBytes); }

void expect_refused(const tl::expected<Request, Reply>& result, std::uint64_t id, Code code, std::string_view why) {
    ASSERT_FALSE(result.has_value()) << "taken, though: " << why;
    EXPECT_EQ(result.error().id, id);
    const auto& error = std::get<ErrorReply>(result.error().body);
    EXPECT_EQ(error.code, code) << error.message;
    EXPECT_THAT(error.message, HasSubstr(std::string(why)));
}

TEST(ClientCodec, EveryRequestComesOutAsItWentIn) {
    Random random(1);
    for (std::size_t kind = 0; kind < kRequestKinds; ++kind) {
        for (int i = 0; i < 200; ++i) {
            const Request request = draw_request(random, kind);
            const std::string frame = frame_of(request);
            ASSERT_EQ(load_le<std::uint32_t>(as_bytes(frame).data()), frame.size() - kFrameHeadBytes);
            const auto back = decode_request(body_of(frame));
            ASSERT_TRUE(back.has_value()) << "kind " << kind << ": " << std::get<ErrorReply>(back.error().body).message;
            ASSERT_EQ(*back, request) << "kind " << kind;
        }
    }
}

TEST(ClientCodec, EveryReplyComesOutAsItWentIn) {
    Random random(2);
    for (std::size_t kind = 0; kind < kReplyKinds; ++kind) {
        for (int i = 0; i < 200; ++i) {
            const Reply reply = draw_reply(random, kind);
            const auto back = decode_reply(body_of(frame_of(reply)));
            ASSERT_TRUE(back.has_value()) << "kind " << kind << ": " << back.error().message;
            ASSERT_EQ(*back, reply) << "kind " << kind;
        }
    }
}

TEST(ClientCodec, FramesAreAppendedBehindEachOther) {
    std::string out = frame_of(Request{.id = 1, .body = Get{"a"}});
    ASSERT_TRUE(append_to(out, Request{.id = 2, .body = Get{"b"}}).has_value());
    ReadBuffer buffer;
    buffer.append(as_bytes(out));
    EXPECT_EQ(decode_request((**next_frame(buffer)).bytes)->id, 1u);
    EXPECT_EQ(decode_request((**next_frame(buffer)).bytes)->id, 2u);
    EXPECT_FALSE(next_frame(buffer)->has_value());
}

// Clients of other versions and languages rely on these.
TEST(ClientCodec, BytesOnTheWireStayTheSame) {
    EXPECT_EQ(hex(frame_of(Request{.id = 5, .session = {9}, .sequence = 4, .lowest_unanswered = 3, .body = Put{"key", "value"}})),
              "17000000080538094004480392010c0a036b6579120576616c7565");
    EXPECT_EQ(hex(frame_of(Request{.id = 6, .token = Rank{{7}, {42}}, .read_level = ReadLevel::kLinearizable, .body = Get{"key"}})),
              "12000000080612040807102a18038a01050a036b6579");
    EXPECT_EQ(hex(frame_of(Request{.id = 1, .body = Hello{1, "cli", "demo", "", ""}})), "12000000080182010d08011203636c691a0464656d6f");
    EXPECT_EQ(hex(frame_of(Reply{.id = 5, .epoch = {7}, .at = {{7}, {42}}, .body = Written{true, {42}}})),
              "0f00000008051007182a20079a01040801102a");
    EXPECT_EQ(hex(frame_of(Reply{
                  .id = 6,
                  .epoch = {7},
                  .body = ErrorReply{Code::kNotMaster, "go to 2", Topology{{7}, {2}, {{{2}, Role::kMaster, NodeState::kUp, "h:1"}}}}})),
              "250000000806100782011e08031207676f20746f20321a11080710021a0b0802100118012203683a31");
}

// -- what a client may not send --------------------------------------------------------------------------------------------------

TEST(ClientCodec, HelloCarriesUserAndPassword) {
    const Request request{.id = 1, .body = Hello{1, "cli", "demo", "bob", std::string("p\0w", 3)}};
    EXPECT_EQ(decode_request(body_of(frame_of(request))).value(), request);
}

TEST(ClientCodec, RequestsBeyondALimitAreAnsweredWithTheirId) {
    const RequestLimits limits{.key_bytes_max = 10, .value_bytes_max = 20, .request_bytes_max = 200};
    const std::string key(11, 'k'), value(21, 'v');
    struct Case {
        RequestBody body;
        std::string_view why;
    };
    const std::vector<Case> cases = {
        {Get{key}, "a key of 11 bytes: at most 10 are allowed"},
        {Put{key, ""}, "a key of 11 bytes"},
        {Put{"k", value}, "a value of 21 bytes: at most 20 are allowed"},
        {Delete{key}, "a key"},
        {Increment{key, 1}, "a key"},
        {CompareAndSet{key, Absent{}, ""}, "a key"},
        {CompareAndSet{"k", Absent{}, value}, "a value"},
        {CompareAndSet{"k", ValueIs{value}, ""}, "a value"},
        {CompareAndDelete{"k", ValueIs{value}}, "a value"},
        {GetMany{{"k", key}}, "a key"},
        {Batch{{{key, Exists{}}}, {}}, "a key"},
        {Batch{{{"k", ValueIs{value}}}, {}}, "a value"},
        {Batch{{}, {Put{"k", value}}}, "a value"},
        {Batch{{}, {Get{key}}}, "a key"},
        {Hello{1, std::string(257, 'n'), "", "", ""}, "a request of"},
        {Scan{std::string(180, 'b'), "", std::string(50, 'p')}, "a request of 24"},
    };
    for (const Case& one : cases) {
        expect_refused(decode_request(body_of(frame_of(Request{.id = 8, .body = one.body})), limits), 8, Code::kTooLarge, one.why);
    }
    const auto whole = [](RequestBody body) { return decode_request(body_of(frame_of(Request{.id = 8, .body = std::move(body)}))); };
    expect_refused(whole(Hello{1, std::string(257, 'n'), "", "", ""}), 8, Code::kTooLarge, "a client name of 257 bytes");
    expect_refused(whole(Hello{1, "", "", "", std::string(513, 'p')}), 8, Code::kTooLarge, "more than the 512 bytes");
    expect_refused(whole(Scan{.begin = std::string(65538, 'b')}), 8, Code::kTooLarge, "a bound of 65538 bytes");
    EXPECT_TRUE(whole(Scan{.begin = std::string(65537, 'b')}).has_value());
    expect_refused(whole(GetMany{std::vector<std::string>(kKeysMax + 1)}), 8, Code::kTooLarge, "a list of more than the 10000");
    expect_refused(whole(Batch{{}, std::vector<Command>(kBatchItemsMax + 1, Delete{})}), 8, Code::kTooLarge,
                   "a list of more than the 100000");
    expect_refused(whole(Batch{{{"k", Exists{}}}, std::vector<Command>(kBatchItemsMax, Delete{"k"})}), 8, Code::kTooLarge,
                   "a batch of 100001");
    EXPECT_TRUE(whole(Batch{{}, std::vector<Command>(kBatchItemsMax, Delete{"k"})}).has_value());
    EXPECT_TRUE(whole(Put{std::string(limits::kKeyBytesMax, 'k'), std::string(limits::kValueBytesMax, 'v')}).has_value());
}

// Two bytes could otherwise stand for an object of a hundred.
TEST(ClientCodec, ListIsReadNoFurtherThanItsBound) {
    std::string commands;
    for (int i = 0; i < 5'000'000; ++i) commands += std::string_view("\x12\x00", 2);  // Command{}
    std::string body("\x08\x08\xba\x01");
    ByteWriter(body).string(commands);
    expect_refused(decode_request(as_bytes(body)), 8, Code::kTooLarge, "a list of more than the 100000");
}

TEST(ClientCodec, RequestsThatMakeNoSenseAreRefused) {
    const auto decode = [](const Request& request) { return decode_request(body_of(frame_of(request))); };
    expect_refused(decode({.id = 0, .body = Get{"k"}}), 0, Code::kInvalidRequest, "without an id");
    expect_refused(decode({.id = 8, .body = Batch{}}), 8, Code::kInvalidRequest, "an empty batch");
    expect_refused(decode({.id = 8, .body = CompareAndDelete{"k", Absent{}}}), 8, Code::kInvalidRequest, "CompareAndDelete without");
    expect_refused(decode({.id = 8, .body = KeepSession{}}), 8, Code::kInvalidRequest, "which session");
    expect_refused(decode({.id = 8, .body = CloseSession{}}), 8, Code::kInvalidRequest, "which session");
    expect_refused(decode({.id = 8, .sequence = 1, .body = Delete{"k"}}), 8, Code::kInvalidRequest, "without a session");
    expect_refused(decode({.id = 8, .session = {3}, .sequence = 1, .lowest_unanswered = 2, .body = Delete{"k"}}), 8, Code::kInvalidRequest,
                   "lowest_unanswered 2");
    expect_refused(decode({.id = 8, .read_level = static_cast<ReadLevel>(9), .body = Get{"k"}}), 8, Code::kInvalidRequest,
                   "a read or write level");
    expect_refused(decode({.id = 8, .write_level = static_cast<WriteLevel>(9), .body = Get{"k"}}), 8, Code::kInvalidRequest,
                   "a read or write level");
    expect_refused(decode_request(as_bytes("garbage")), 0, Code::kInvalidRequest, "no Request of proto/client.proto");
    // id 8 and field 29, Watch, which no version serves yet
    expect_refused(decode_request(as_bytes(std::string_view("\x08\x08\xea\x01\x00", 5))), 8, Code::kUnsupportedRequest, "does not know");
    // a batch with a command, and one with a condition, of a kind of the future
    expect_refused(decode_request(as_bytes(std::string_view("\x08\x08\xba\x01\x02\x12\x00", 7))), 8, Code::kUnsupportedRequest,
                   "a command");
    expect_refused(decode_request(as_bytes(std::string_view("\x08\x08\xba\x01\x02\x0a\x00", 7))), 8, Code::kUnsupportedRequest,
                   "a condition");
}

// -- replies that cannot be sent or understood as they are --------------------------------------------------------------------------

TEST(ClientCodec, ReplyThatDoesNotFitIntoAFrameSaysSo) {
    const Value large{true, std::string(limits::kValueBytesMax, 'v'), {1}};
    const auto back = decode_reply(body_of(frame_of(Reply{.id = 8, .at = {{1}, {5}}, .body = Values{{large, large, large}}})));
    EXPECT_EQ(std::get<ErrorReply>(back->body).code, Code::kTooLarge);
    const auto executed = decode_reply(
        body_of(frame_of(Reply{.id = 8, .at = {{1}, {5}}, .body = BatchReply{.done = true, .results = {large, large, large}}})));
    EXPECT_EQ(std::get<ErrorReply>(executed->body).code, Code::kAnswerForgotten);  // it was executed, and must not be sent again
    EXPECT_EQ(executed->at.lsn, Lsn{5});
}

TEST(ClientCodec, ErrorCodeOfANewerNodeBecomesTheOneThatPromisesAsMuch) {
    const auto code_of = [](int code) {
        return std::get<ErrorReply>(
                   decode_reply(body_of(frame_of(Reply{.id = 8, .body = ErrorReply{static_cast<Code>(code), "", {}}})))->body)
            .code;
    };
    EXPECT_EQ(code_of(77), Code::kUnsupportedRequest);
    EXPECT_EQ(code_of(0), Code::kUnsupportedRequest);
    EXPECT_EQ(code_of(177), Code::kOutcomeUnknown);
    EXPECT_EQ(code_of(101), Code::kSessionExpired);
}

TEST(ClientCodec, TextThatIsNotUtf8StillArrives) {
    const auto message_of = [](std::string text) {
        const auto reply = decode_reply(body_of(frame_of(Reply{.id = 8, .body = ErrorReply{Code::kTryAgain, std::move(text), {}}})));
        return reply ? std::get<ErrorReply>(reply->body).message : "not taken";
    };
    EXPECT_EQ(message_of("Gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x98\x80"), "Gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(message_of("a\xff\xfe"
                         "b\xc3"),
              "a??b?");
    EXPECT_EQ(message_of("\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82"), "?? ??? ???? ??");
}

TEST(ClientCodec, ReplyOfAKindOfTheFutureIsAnError) {
    EXPECT_THAT(decode_reply(as_bytes(std::string_view("\x08\x08\xd2\x01\x00", 5))).error().message, HasSubstr("to request 8"));
    EXPECT_EQ(decode_reply(as_bytes("garbage")).error().code, ErrorCode::kCorrupt);
}

TEST(ClientCodec, GarbageNeverCrashes) {
    Random random(6);
    std::vector<std::string> seeds;
    for (std::size_t kind = 0; kind < kRequestKinds; ++kind) seeds.push_back(frame_of(draw_request(random, kind)).substr(kFrameHeadBytes));
    for (std::size_t kind = 0; kind < kReplyKinds; ++kind) seeds.push_back(frame_of(draw_reply(random, kind)).substr(kFrameHeadBytes));
    for (const std::string& seed : seeds) {
        for (std::size_t bytes = 0; bytes <= seed.size(); bytes += 1 + seed.size() / 500) {
            fuzz_request(as_bytes(seed).first(bytes));
            fuzz_reply(as_bytes(seed).first(bytes));
        }
    }
    for (int i = 0; i < 30'000; ++i) {
        std::string body = seeds[random.below(seeds.size())];
        for (std::uint64_t n = random.between(1, 4); n > 0 && !body.empty(); --n) {
            const std::size_t at = random.below(body.size());
            switch (random.below(3)) {
                case 0: body[at] = static_cast<char>(random.next()); break;
                case 1: body.erase(at, random.between(1, 4)); break;
                default: body.insert(at, draw_bytes(random, 4)); break;
            }
        }
        fuzz_request(as_bytes(body));
        fuzz_reply(as_bytes(body));
    }
}

}  // namespace
}  // namespace tanist::protocol::native

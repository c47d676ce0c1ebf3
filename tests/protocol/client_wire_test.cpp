// SPDX-License-Identifier: Apache-2.0
// The native protocol's own reader and writer, held against the code that protoc makes of proto/client.proto.
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "client.pb.h"
#include "protocol/client_codec.h"
#include "protocol/wire.h"
#include "tests/protocol/draw.h"

namespace tanist::protocol::native {
namespace {

/// Text that is no UTF-8 makes Protobuf write to standard error.
[[maybe_unused]] google::protobuf::LogHandler* const kDefaultLogHandler = google::protobuf::SetLogHandler(nullptr);

/// Whether any message in `message` holds a field that the proto file does not name, or names with another type.
bool has_unknown_fields(const google::protobuf::Message& message) {
    const auto* reflection = message.GetReflection();
    if (!reflection->GetUnknownFields(message).empty()) return true;
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const auto* field : fields) {
        if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
        if (!field->is_repeated() && has_unknown_fields(reflection->GetMessage(message, field))) return true;
        for (int i = 0; field->is_repeated() && i < reflection->FieldSize(message, field); ++i) {
            if (has_unknown_fields(reflection->GetRepeatedMessage(message, field, i))) return true;
        }
    }
    return false;
}

/// What Protobuf makes of our bytes, written by Protobuf again.
template <class Message>
std::string through_protobuf(const std::string& frame) {
    Message message;
    const std::string body = frame.substr(kFrameHeadBytes);
    EXPECT_TRUE(message.ParseFromString(body)) << hex(body);
    EXPECT_FALSE(has_unknown_fields(message)) << message.DebugString();
    EXPECT_EQ(message.ByteSizeLong(), body.size());
    return message.SerializeAsString();
}

TEST(ClientWire, RequestsAreWrittenByteForByteAsProtobufWritesThem) {
    Random random(1);
    for (std::size_t kind = 0; kind < std::variant_size_v<RequestBody>; ++kind) {
        for (int i = 0; i < 300; ++i) {
            std::string frame;
            ASSERT_TRUE(append_to(frame, draw_request(random, kind)).has_value());
            ASSERT_EQ(hex(through_protobuf<v1::Request>(frame)), hex(frame.substr(kFrameHeadBytes))) << "kind " << kind;
        }
    }
}

TEST(ClientWire, RepliesAreWrittenByteForByteAsProtobufWritesThem) {
    Random random(2);
    for (std::size_t kind = 0; kind < std::variant_size_v<ReplyBody>; ++kind) {
        for (int i = 0; i < 300; ++i) {
            std::string frame;
            append_to(frame, draw_reply(random, kind));
            ASSERT_EQ(hex(through_protobuf<v1::Reply>(frame)), hex(frame.substr(kFrameHeadBytes))) << "kind " << kind;
        }
    }
}

/// Names of fields and enumerators are compared by what they are written from here and read by there.
TEST(ClientWire, FieldsMeanWhatTheProtoFileSays) {
    std::string frame;
    ASSERT_TRUE(append_to(frame, Request{.id = 1,
                                         .token = Rank{{2}, {3}},
                                         .read_level = ReadLevel::kSession,
                                         .write_level = WriteLevel::kAll,
                                         .deadline_ms = 4,
                                         .max_lag_ms = 5,
                                         .session = {6},
                                         .sequence = 8,
                                         .lowest_unanswered = 7,
                                         .body = Batch{{{"a", Exists{}}, {"b", Absent{}}, {"c", ValueIs{"d"}}, {"e", VersionIs{{9}}}},
                                                       {Put{"f", "g"}, Delete{"h"}, Increment{"i", -10}, Get{"j"}}}})
                    .has_value());
    v1::Request request;
    ASSERT_TRUE(request.ParseFromString(frame.substr(kFrameHeadBytes)));
    EXPECT_EQ(request.ShortDebugString(),
              "id: 1 token { epoch: 2 lsn: 3 } read_level: READ_LEVEL_SESSION write_level: WRITE_LEVEL_ALL deadline_ms: 4 max_lag_ms: 5 "
              "session: 6 "
              "sequence: 8 lowest_unanswered: 7 batch { conditions { key: \"a\" exists: true } conditions { key: \"b\" exists: false } "
              "conditions { key: \"c\" value_equals: \"d\" } conditions { key: \"e\" version_equals: 9 } commands { put { key: \"f\" "
              "value: \"g\" } } "
              "commands { delete { key: \"h\" } } commands { increment { key: \"i\" by: -10 } } commands { get { key: \"j\" } } }");
    frame.clear();
    append_to(frame,
              Reply{.id = 1,
                    .epoch = {2},
                    .at = {{3}, {4}},
                    .level_reached = WriteLevel::kQuorum,
                    .replayed = true,
                    .body = ErrorReply{Code::kOutcomeUnknown, "m", Topology{{5}, {6}, {{{7}, Role::kSpare, NodeState::kInDoubt, "h:1"}}}}});
    v1::Reply reply;
    ASSERT_TRUE(reply.ParseFromString(frame.substr(kFrameHeadBytes)));
    EXPECT_EQ(
        reply.ShortDebugString(),
        "id: 1 epoch: 2 lsn: 4 lsn_epoch: 3 level_reached: WRITE_LEVEL_QUORUM replayed: true error { code: OUTCOME_UNKNOWN message: \"m\" "
        "topology { epoch: 5 master: 6 nodes { id: 7 role: ROLE_SPARE state: NODE_STATE_IN_DOUBT client: \"h:1\" } } }");
    frame.clear();
    append_to(frame, Reply{.body = StatusReply{"c",
                                               {1},
                                               {2},
                                               {3},
                                               {{.id = {4},
                                                 .why = "w",
                                                 .client = "a",
                                                 .peer = "b",
                                                 .http = "c",
                                                 .sentinel = "d",
                                                 .incarnation = {5},
                                                 .rank = Rank{{6}, {7}},
                                                 .commit = Lsn{8},
                                                 .applied = Lsn{0},
                                                 .lag_ms = 9,
                                                 .lag_entries = 10}},
                                               {11}}});
    ASSERT_TRUE(reply.ParseFromString(frame.substr(kFrameHeadBytes)));
    EXPECT_EQ(reply.ShortDebugString(),
              "status { cluster: \"c\" cluster_id: 1 epoch: 2 master: 3 nodes { id: 4 why: \"w\" client: \"a\" peer: \"b\" http: \"c\" "
              "sentinel: \"d\" "
              "incarnation: 5 rank_epoch: 6 rank_lsn: 7 commit_lsn: 8 applied_lsn: 0 lag_ms: 9 lag_entries: 10 } answered_by: 11 }");
}

/// Of a damaged message, Protobuf and we think the same: both refuse it, or both read the same from it.
template <class Message, class Encode>
void expect_agreement(const std::string& body, const char* what, bool taken, Encode&& encode) {
    Message theirs;
    if (!theirs.ParseFromString(body)) return;  // groups apart, we read what they do; text that is no UTF-8, we mend
    if (!taken) return;
    Message ours;
    const std::string frame = encode();
    ASSERT_TRUE(ours.ParseFromString(frame.substr(kFrameHeadBytes))) << what;
    theirs.DiscardUnknownFields();
    ASSERT_EQ(ours.ShortDebugString(), theirs.ShortDebugString()) << what << ' ' << hex(body);
}

TEST(ClientWire, OfDamagedRequestsTheSameIsReadAsProtobufReads) {
    Random random(3);
    int taken = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string frame;
        ASSERT_TRUE(append_to(frame, draw_request(random, random.below(std::variant_size_v<RequestBody>))).has_value());
        std::string body = frame.substr(kFrameHeadBytes);
        body[random.below(body.size())] = static_cast<char>(random.next());
        const auto request = decode_request(as_bytes(body));
        taken += request.has_value();
        expect_agreement<v1::Request>(body, "request", request.has_value(), [&] {
            std::string again;
            EXPECT_TRUE(append_to(again, *request).has_value());
            return again;
        });
        if (HasFatalFailure()) return;
    }
    EXPECT_GT(taken, 5000);
}

TEST(ClientWire, WhatProtobufCannotParseIsRefused) {
    Random random(4);
    int refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string frame;
        append_to(frame, draw_reply(random, random.below(std::variant_size_v<ReplyBody>)));
        std::string body = frame.substr(kFrameHeadBytes, random.below(frame.size()));
        v1::Reply theirs;
        if (theirs.ParseFromString(body)) continue;
        ++refused;
        ASSERT_FALSE(decode_reply(as_bytes(body)).has_value()) << hex(body);
    }
    EXPECT_GT(refused, 5000);
}

TEST(ClientWire, EnumeratorsAreThoseOfTheProtoFile) {
    EXPECT_EQ(static_cast<int>(ReadLevel::kLinearizable), v1::ReadLevel_MAX);
    EXPECT_EQ(static_cast<int>(WriteLevel::kAll), v1::WriteLevel_MAX);
    EXPECT_EQ(static_cast<int>(Role::kWitness), v1::Role_MAX);
    EXPECT_EQ(static_cast<int>(NodeState::kQuarantined), v1::NodeState_MAX);
    EXPECT_EQ(static_cast<int>(Code::kNotPossible), v1::NOT_POSSIBLE);
    EXPECT_EQ(static_cast<int>(Code::kNotPermitted), v1::NOT_PERMITTED);
    EXPECT_EQ(static_cast<int>(Code::kTooStale), v1::TOO_STALE);
    EXPECT_EQ(static_cast<int>(Code::kSessionExpired), v1::SESSION_EXPIRED);
    EXPECT_EQ(static_cast<int>(Code::kStorageFault), v1::ErrorCode_MAX);
}

}  // namespace
}  // namespace tanist::protocol::native

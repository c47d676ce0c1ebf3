// SPDX-License-Identifier: Apache-2.0
#include "protocol/client_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocol/draw.h"

namespace tanist::protocol::native {
namespace {

using commands::Outcome;
using commands::OutcomeCode;
using testing::ElementsAre;

commands::Request logged(RequestBody body) {
    return std::get<commands::Request>(
        to_logged({.id = 1, .session = {3}, .sequence = 5, .lowest_unanswered = 4, .body = std::move(body)}));
}

// -- writes to what is logged --------------------------------------------------------------------------------------------------

TEST(ClientMapping, WritesCarryTheirSessionIntoTheLog) {
    EXPECT_EQ(logged(Put{"k", "v"}), (commands::Request{{3}, 5, 4, {}, {commands::Put{"k", "v"}}}));
}

TEST(ClientMapping, EachWriteBecomesItsCommandsAndConditions) {
    EXPECT_THAT(logged(Delete{"k"}).commands, ElementsAre(commands::Delete{"k"}));
    EXPECT_THAT(logged(Increment{"k", -3}).commands, ElementsAre(commands::Increment{"k", -3}));

    const auto set = logged(CompareAndSet{"k", ValueIs{"old"}, "new"});
    EXPECT_THAT(set.conditions, ElementsAre(commands::ValueEquals{"k", "old"}));
    EXPECT_THAT(set.commands, ElementsAre(commands::Put{"k", "new"}));
    EXPECT_THAT(logged(CompareAndSet{"k", Absent{}, "new"}).conditions, ElementsAre(commands::KeyAbsent{"k"}));
    EXPECT_THAT(logged(CompareAndSet{"k", VersionIs{{9}}, "new"}).conditions, ElementsAre(commands::VersionEquals{"k", {9}}));

    const auto del = logged(CompareAndDelete{"k", VersionIs{{9}}});
    EXPECT_THAT(del.conditions, ElementsAre(commands::VersionEquals{"k", {9}}));
    EXPECT_THAT(del.commands, ElementsAre(commands::Delete{"k"}));

    const auto batch = logged(Batch{{{"a", Exists{}}, {"b", Absent{}}, {"c", ValueIs{"v"}}, {"d", VersionIs{{2}}}},
                                    {Put{"e", "v"}, Delete{"f"}, Increment{"g", 2}, Get{"h"}}});
    EXPECT_THAT(batch.conditions, ElementsAre(commands::KeyExists{"a"}, commands::KeyAbsent{"b"}, commands::ValueEquals{"c", "v"},
                                              commands::VersionEquals{"d", {2}}));
    EXPECT_THAT(batch.commands,
                ElementsAre(commands::Put{"e", "v"}, commands::Delete{"f"}, commands::Increment{"g", 2}, commands::Get{"h"}));
}

TEST(ClientMapping, SessionControlIsLoggedAsItself) {
    EXPECT_EQ(to_logged({.id = 1, .body = RegisterSession{60'000}}), commands::Logged(commands::RegisterSession{60'000}));
    EXPECT_EQ(to_logged({.id = 1, .session = {3}, .lowest_unanswered = 7, .body = KeepSession{}}),
              commands::Logged(commands::KeepSession{{3}, 7}));
    EXPECT_EQ(to_logged({.id = 1, .session = {3}, .body = CloseSession{}}), commands::Logged(commands::CloseSession{{3}}));
}

TEST(ClientMapping, WhatHasNoWriteKindIsNotLogged) {
    Random random(1);
    int writes = 0;
    for (std::size_t kind = 0; kind < std::variant_size_v<RequestBody>; ++kind) {
        Request request = draw_request(random, kind);
        if (!write_kind(request.body)) continue;
        ++writes;
        (void)to_logged(std::move(request));
    }
    EXPECT_EQ(writes, 9);
    EXPECT_EQ(write_kind(Get{}), std::nullopt);
    EXPECT_EQ(write_kind(Scan{}), std::nullopt);
}

// -- outcomes to replies ---------------------------------------------------------------------------------------------------------

Reply reply(WriteKind kind, Outcome outcome) { return to_reply(kind, {3}, std::move(outcome)); }
Outcome done(std::vector<commands::CommandResult> results) { return {.version = {42}, .results = std::move(results)}; }

TEST(ClientMapping, DoneWritesAreAnsweredByTheirKind) {
    EXPECT_EQ(reply(WriteKind::kPut, done({{{}, {42}, true}})), (Reply{.at = {{}, {42}}, .body = Written{true, {42}}}));
    EXPECT_EQ(reply(WriteKind::kDelete, done({{{}, {42}, false}})).body, ReplyBody(Written{false, {42}}));
    EXPECT_EQ(reply(WriteKind::kIncrement, done({{"7", {42}, false}})).body, ReplyBody(Value{true, "7", {42}}));
    EXPECT_EQ(reply(WriteKind::kCompareAndSet, done({{{}, {42}, true}})).body, ReplyBody(Compared{.done = true, .version = {42}}));
    EXPECT_EQ(reply(WriteKind::kBatch, done({{"v", {9}, true}, {{}, {}, false}})).body,
              ReplyBody(BatchReply{.done = true, .results = {{true, "v", {9}}, {false, "", {}}}}));
    EXPECT_EQ(reply(WriteKind::kRegisterSession, done({})).body, ReplyBody(SessionReply{{42}}));
    EXPECT_EQ(reply(WriteKind::kKeepSession, done({})).body, ReplyBody(SessionReply{{3}}));
}

TEST(ClientMapping, FailedConditionShowsWhatTheKeyHeld) {
    const Outcome failed{.code = OutcomeCode::kConditionFailed, .failed_condition = 2, .value = "was", .version = {9}};
    EXPECT_EQ(reply(WriteKind::kCompareAndSet, failed).body, ReplyBody(Compared{false, true, "was", {9}}));
    EXPECT_EQ(reply(WriteKind::kBatch, failed).body, ReplyBody(BatchReply{.failed_condition = 2, .found = {true, "was", {9}}}));
    EXPECT_EQ(reply(WriteKind::kCompareAndDelete, {.code = OutcomeCode::kConditionFailed}).body, ReplyBody(Compared{}));
}

TEST(ClientMapping, RefusedWritesAreAnsweredByTheirCode) {
    const auto code_of = [](OutcomeCode code) { return std::get<ErrorReply>(reply(WriteKind::kPut, {.code = code}).body).code; };
    EXPECT_EQ(code_of(OutcomeCode::kNotAnInteger), Code::kNotAnInteger);
    EXPECT_EQ(code_of(OutcomeCode::kOverflow), Code::kOverflow);
    EXPECT_EQ(code_of(OutcomeCode::kTooLarge), Code::kTooLarge);
    EXPECT_EQ(code_of(OutcomeCode::kSessionExpired), Code::kSessionExpired);
    EXPECT_EQ(code_of(OutcomeCode::kAnswerForgotten), Code::kAnswerForgotten);
    EXPECT_EQ(code_of(OutcomeCode::kTooMany), Code::kTryAgain);
}

TEST(ClientMapping, SequenceNumberUsedTwiceIsAnErrorAndNoCrash) {  // S21: the kept reply is that of another request
    for (int i = 0; i <= static_cast<int>(WriteKind::kCloseSession); ++i) {
        const auto kind = static_cast<WriteKind>(i);
        const bool any_number = kind >= WriteKind::kBatch;
        EXPECT_EQ(std::holds_alternative<ErrorReply>(reply(kind, done({})).body), !any_number) << i;
        EXPECT_EQ(std::holds_alternative<ErrorReply>(reply(kind, done({{}, {}})).body), !any_number) << i;
    }
    EXPECT_TRUE(std::holds_alternative<ErrorReply>(reply(WriteKind::kIncrement, done({{{}, {42}, true}})).body));
    EXPECT_TRUE(std::holds_alternative<ErrorReply>(reply(WriteKind::kPut, {.code = OutcomeCode::kConditionFailed}).body));
}

// -- scans -----------------------------------------------------------------------------------------------------------------------

TEST(ClientMapping, ScanMeansItsPrefixAndItsBoundsAtOnce) {
    const auto range = [](Scan scan) {
        const auto out = to_range(scan);
        return std::pair(out.begin, out.end);
    };
    using Range = std::pair<std::string, std::string>;
    EXPECT_EQ(range({}), Range("", ""));
    EXPECT_EQ(range({.begin = "b", .end = "d"}), Range("b", "d"));
    EXPECT_EQ(range({.prefix = "ab"}), Range("ab", "ac"));
    EXPECT_EQ(range({.prefix = "a\xff\xff"}), Range("a\xff\xff", "b"));
    EXPECT_EQ(range({.prefix = "\xff\xff"}), Range("\xff\xff", ""));
    EXPECT_EQ(range({.begin = "abc", .end = "abx", .prefix = "ab"}), Range("abc", "abx"));
    EXPECT_EQ(range({.begin = "a", .end = "b", .prefix = "ab"}), Range("ab", "ac"));
    EXPECT_EQ(range({.prefix = "a\x7f"}), Range("a\x7f", "a\x80"));
}

TEST(ClientMapping, ScanIsBoundedInRows) {
    EXPECT_EQ(to_range({}).rows_max, 1000u);
    EXPECT_EQ(to_range({.limit = 5}).rows_max, 5u);
    EXPECT_EQ(to_range({.limit = 4'000'000'000}).rows_max, 10'000u);
}

// -- views -----------------------------------------------------------------------------------------------------------------------

Member member(std::uint64_t node, Seat seat = Seat::kVoter) {
    return {{{node}, {node + 100}}, seat, {fmt::format("h:{}5", node), fmt::format("h:{}4", node), "", ""}};
}

core::View view_of_slave() {
    core::View view;
    view.self = {{2}, {102}};
    view.cluster = {77};
    view.epoch = {6};
    view.health = core::Health::kUp;
    view.master = MemberId{{1}, {101}};
    view.last = {{6}, {50}};
    view.durable = {49};
    view.commit = {45};
    view.applied = {40};
    view.master_commit = {48};
    view.silence_ms = 30;
    view.membership = {{77}, "demo", {member(1), member(2), member(3), member(4, Seat::kWitness), member(5, Seat::kSpare)}};
    view.peers = {
        {.id = {{1}, {101}}, .connected = true}, {.id = {{3}, {103}}, .connected = false}, {.id = {{4}, {104}}, .connected = true}};
    return view;
}

TEST(ClientMapping, TopologyNamesMasterRolesAndStates) {
    EXPECT_EQ(to_topology(view_of_slave()), (Topology{{6},
                                                      {1},
                                                      {{{1}, Role::kMaster, NodeState::kUp, "h:14"},
                                                       {{2}, Role::kSlave, NodeState::kUp, "h:24"},
                                                       {{3}, Role::kSlave, NodeState::kDown, "h:34"},
                                                       {{4}, Role::kWitness, NodeState::kUnknown, "h:44"},
                                                       {{5}, Role::kSpare, NodeState::kUnknown, "h:54"}}}));
}

TEST(ClientMapping, AMemberThatIsKeptOutOrThatTheMasterDoesNotHearIsDown) {
    core::View view = view_of_slave();
    view.peers[0].refusal = "its data directory was replaced";
    EXPECT_EQ(to_status(view).nodes[0].state, NodeState::kDown);
    EXPECT_EQ(to_status(view).nodes[0].why, "its data directory was replaced");
    view.role = core::Role::kMaster;
    view.master = view.self;
    EXPECT_EQ(to_status(view).nodes[3].state, NodeState::kUnknown);  // not open yet: it has not asked
    view.open = true;
    EXPECT_EQ(to_status(view).nodes[3].state, NodeState::kDown);
}

TEST(ClientMapping, StatusOfASlaveTellsItsOwnLag) {
    core::View view = view_of_slave();
    NodeStatus self = to_status(view).nodes[1];
    EXPECT_EQ(self.rank, (Rank{{6}, {49}}));
    EXPECT_EQ(self.lag_entries, 8u);
    EXPECT_EQ(self.lag_ms, std::nullopt);
    view.applied = view.master_commit;
    self = to_status(view).nodes[1];
    EXPECT_EQ(self.lag_entries, 0u);
    EXPECT_EQ(self.lag_ms, 30u);
    view.master = std::nullopt;
    EXPECT_EQ(to_status(view).nodes[1].lag_entries, std::nullopt);
    EXPECT_EQ(to_status(view).master, NodeId{0});
}

TEST(ClientMapping, StatusOfAMasterTellsTheLagOfAll) {
    core::View view = view_of_slave();
    view.role = core::Role::kMaster;
    view.master = view.self;
    view.peers[0].applied = Lsn{43};
    view.peers[0].health = core::Health::kCatchingUp;
    const StatusReply status = to_status(view);
    EXPECT_EQ(status.master, NodeId{2});
    EXPECT_EQ(status.answered_by, NodeId{2});
    EXPECT_EQ(status.nodes[0].lag_entries, 2u);
    EXPECT_EQ(status.nodes[0].state, NodeState::kCatchingUp);
    EXPECT_EQ(status.nodes[1].role, Role::kMaster);
    EXPECT_EQ(status.nodes[1].lag_ms, 0u);
    EXPECT_EQ(status.nodes[2].lag_entries, std::nullopt);
}

TEST(ClientMapping, RefusalSaysWhereToGo) {  // S19, S20
    core::View view = view_of_slave();
    EXPECT_EQ(to_error(ErrorCode::kNotMaster, "m", view), (ErrorReply{Code::kNotMaster, "m", to_topology(view)}));
    EXPECT_EQ(to_error(ErrorCode::kUnavailable, "m", view).code, Code::kNotMaster);
    view.master = std::nullopt;
    EXPECT_EQ(to_error(ErrorCode::kNotMaster, "m", view), (ErrorReply{Code::kNoQuorum, "m", to_topology(view)}));
    view.role = core::Role::kMaster;
    EXPECT_EQ(to_error(ErrorCode::kUnavailable, "m", view), (ErrorReply{Code::kTryAgain, "m", {}}));
    EXPECT_EQ(to_error(ErrorCode::kOverloaded, "m", view).code, Code::kTryAgain);
    EXPECT_EQ(to_error(ErrorCode::kOutcomeUnknown, "m", view).code, Code::kOutcomeUnknown);
    EXPECT_EQ(to_error(ErrorCode::kIo, "m", view).code, Code::kStorageFault);
}

TEST(ClientMapping, HelloOfAnotherVersionOrClusterIsRefused) {
    EXPECT_EQ(check(Hello{.cluster_name = "demo"}, "demo"), std::nullopt);
    EXPECT_EQ(check(Hello{}, "demo"), std::nullopt);
    EXPECT_EQ(check(Hello{.protocol_version = 9}, "demo")->code, Code::kUnsupportedVersion);
    EXPECT_EQ(check(Hello{.cluster_name = "prod"}, "demo")->message, "this node is of the cluster 'demo', not 'prod'");
}

}  // namespace
}  // namespace tanist::protocol::native

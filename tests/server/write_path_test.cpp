// SPDX-License-Identifier: Apache-2.0
#include "server/write_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/server/views.h"

namespace tanist::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Notes how each ticket was answered: "3 done quorum 7", "4 failed try_again".
class NotingClient final : public Client {
public:
    void on_written(std::uint64_t ticket, const WriteResult& result) override {
        const char* level = result.reached == WriteLevel::kMaster ? "master" : result.reached == WriteLevel::kAll ? "all" : "quorum";
        notes.push_back(fmt::format("{} done {} {}", ticket, level, result.rank.lsn.value));
    }
    void on_read_ready(std::uint64_t) override { FAIL() << "not a read"; }
    void on_failed(std::uint64_t ticket, const Failure& failure) override {
        notes.push_back(fmt::format("{} failed {}", ticket, static_cast<int>(failure.code)));
    }
    std::vector<std::string> notes;
};

constexpr int kTryAgain = static_cast<int>(FailureCode::kTryAgain), kUnknown = static_cast<int>(FailureCode::kOutcomeUnknown);

class WritePathTest : public ::testing::Test {
protected:
    WritePathTest() { routing_.refresh(open_master(), 0); }
    void submit(std::uint64_t ticket, WriteTerms terms = {.deadline_ms = 1000}) {
        path_.submit(client_, ticket, commands::Request{.commands = {commands::Put{"key", "value"}}}, terms);
    }
    void end_turn() { path_.end_of_turn({}); }
    void pause(bool pausing) {
        core::View view = routing_.view();
        view.pausing = pausing;
        routing_.refresh(view, 0);
    }
    void execute(Rank rank, std::size_t requests) {
        path_.executed(std::vector{commands::Applied{{rank.epoch, rank.lsn, 0}, std::vector<commands::Outcome>(requests)}});
    }

    Routing routing_;
    std::vector<core::Proposal> proposals_;
    bool disk_is_low_ = false;
    std::size_t room_ = SIZE_MAX;
    Forwarding forwarding_{routing_, {.send = [](core::ForwardWrites) {}, .now_ms = [] { return std::uint64_t{0}; }}};
    WritePath path_{routing_,
                    forwarding_,
                    {.propose = [this](core::Proposal p) { proposals_.push_back(std::move(p)); },
                     .disk_is_low = [this] { return disk_is_low_; },
                     .room = [this] { return room_; },
                     .entry_executed = [](std::chrono::nanoseconds) {}}};
    std::shared_ptr<NotingClient> client_ = std::make_shared<NotingClient>();
};

constexpr Rank kRank{Epoch{1}, Lsn{7}};

TEST_F(WritePathTest, AllWritesOfOneTurnBecomeOneEntry) {
    submit(1);
    submit(2);
    submit(3);
    EXPECT_THAT(proposals_, IsEmpty());
    end_turn();
    ASSERT_EQ(proposals_.size(), 1u);
    EXPECT_EQ(commands::decode_payload(proposals_[0].payload)->size(), 3u);
}

TEST_F(WritePathTest, WhatWouldNotFitIntoAnEntryBeginsTheNextOne) {  // S12
    const commands::Request large{.commands = {commands::Put{"key", std::string(limits::kValueBytesMax, 'x')}}};
    for (std::uint64_t ticket = 1; ticket <= 4; ++ticket) path_.submit(client_, ticket, large, {.deadline_ms = 1000});
    end_turn();
    for (const core::Proposal& proposal : proposals_) EXPECT_LE(proposal.payload.size(), kPayloadBytesMax);
    EXPECT_GE(proposals_.size(), 2u);
}

TEST_F(WritePathTest, WhatTheStoreHasNoRoomForWaitsInOrder) {
    const auto turn = [&](std::uint64_t now_ms) { path_.tick(now_ms), end_turn(); };
    room_ = 30;
    turn(0);
    for (std::uint64_t ticket = 1; ticket <= 4; ++ticket) submit(ticket), end_turn();
    const std::size_t first = proposals_.size();
    EXPECT_GE(first, 1u);
    EXPECT_LT(first, 4u);
    room_ = 0;
    turn(10), turn(20);
    EXPECT_EQ(proposals_.size(), first);
    EXPECT_EQ(path_.held().by, HeldWrites::By::kStore);
    EXPECT_EQ(path_.held().store_ms, 20u);
    room_ = SIZE_MAX;
    turn(30);
    ASSERT_EQ(proposals_.size(), 4u);
    EXPECT_EQ(path_.held().store_ms, 30u);
    turn(40);
    EXPECT_EQ(path_.held().by, HeldWrites::By::kNothing);
    EXPECT_EQ(path_.held().store_ms, 30u);
    EXPECT_EQ(path_.held().switchover_ms, 0u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(proposals_[i].token, i + 1);
    submit(5), end_turn();
    EXPECT_EQ(proposals_.size(), 5u);
}

TEST_F(WritePathTest, AWriteThatWasTooLargeForTheRoomIsPaidForByTheNextTicks) {
    room_ = 10;
    path_.tick(0);
    submit(1), end_turn();
    submit(2), end_turn();
    ASSERT_EQ(proposals_.size(), 1u);
    ASSERT_GT(proposals_[0].payload.size(), 10u);
    for (std::uint64_t given = 10; given <= proposals_[0].payload.size(); given += 10) {
        EXPECT_EQ(proposals_.size(), 1u) << given;
        path_.tick(given), end_turn();
    }
    EXPECT_EQ(proposals_.size(), 2u);
}

TEST_F(WritePathTest, AHeldWriteFailsAtItsDeadline) {
    room_ = 0;
    path_.tick(0);
    submit(1), end_turn();
    path_.tick(1000);
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", kUnknown)));
}

TEST_F(WritePathTest, LevelQuorumIsAnsweredWhenExecuted) {  // S20
    submit(1);
    end_turn();
    path_.on(core::ProposalAccepted{proposals_[0].token, kRank});
    path_.on(core::ProposalDurable{proposals_[0].token});
    EXPECT_THAT(client_->notes, IsEmpty());
    execute(kRank, 1);
    EXPECT_THAT(client_->notes, ElementsAre("1 done quorum 7"));
    EXPECT_EQ(path_.pending(), 0u);
    EXPECT_EQ(path_.pending_bytes(), 0u);
}

TEST_F(WritePathTest, LevelMasterIsAnsweredWhenDurableHereUnlessTheReplyDependsOnTheState) {  // S20
    submit(1, {.level = WriteLevel::kMaster, .deadline_ms = 1000, .says_nothing_of_state = true});
    submit(2, {.level = WriteLevel::kMaster, .deadline_ms = 1000, .says_nothing_of_state = false});
    end_turn();
    EXPECT_TRUE(proposals_[0].report_durable);
    path_.on(core::ProposalAccepted{proposals_[0].token, kRank});
    path_.on(core::ProposalDurable{proposals_[0].token});
    EXPECT_THAT(client_->notes, ElementsAre("1 done master 7"));
    execute(kRank, 2);
    EXPECT_THAT(client_->notes, ElementsAre("1 done master 7", "2 done quorum 7"));
}

TEST_F(WritePathTest, LevelAllWaitsForEveryDataVoterAndNamesTheLevelReachedAtItsDeadline) {  // S20
    submit(1, {.level = WriteLevel::kAll, .deadline_ms = 1000});
    end_turn();
    submit(2, {.level = WriteLevel::kAll, .deadline_ms = 1000});
    end_turn();
    EXPECT_TRUE(proposals_[0].report_all);
    path_.on(core::ProposalAccepted{proposals_[0].token, kRank});
    path_.on(core::ProposalAccepted{proposals_[1].token, {Epoch{1}, Lsn{8}}});
    execute(kRank, 1);
    execute({Epoch{1}, Lsn{8}}, 1);
    EXPECT_THAT(client_->notes, IsEmpty());
    path_.on(core::ProposalOnAll{proposals_[0].token});
    EXPECT_THAT(client_->notes, ElementsAre("1 done all 7"));
    path_.tick(1000);
    EXPECT_THAT(client_->notes, ElementsAre("1 done all 7", "2 done quorum 8"));
}

TEST_F(WritePathTest, PastItsDeadlineAWriteIsUnknownAndIsNotAnsweredAgain) {  // S20
    submit(1, {.deadline_ms = 100});
    submit(2, {.deadline_ms = 1000});
    end_turn();
    path_.on(core::ProposalAccepted{proposals_[0].token, kRank});
    path_.tick(99);
    EXPECT_THAT(client_->notes, IsEmpty());
    path_.tick(100);
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", kUnknown)));
    execute(kRank, 2);
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", kUnknown), "2 done quorum 7"));
}

TEST_F(WritePathTest, AMasterThatStepsDownAnswersUnknownForWhatIsInItsLog) {  // S16
    submit(1);
    end_turn();
    path_.on(core::ProposalAccepted{proposals_[0].token, kRank});
    path_.on(core::ProposalUnknown{proposals_[0].token, "no majority"});
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", kUnknown)));
    execute(kRank, 1);  // it was committed after all: nobody is told twice
    EXPECT_EQ(client_->notes.size(), 1u);
}

TEST_F(WritePathTest, AnEntryOfAnotherMasterAtTheSameLsnAnswersNobody) {
    submit(1);
    end_turn();
    path_.on(core::ProposalAccepted{proposals_[0].token, kRank});
    execute({Epoch{2}, kRank.lsn}, 5);
    EXPECT_THAT(client_->notes, IsEmpty());
}

TEST_F(WritePathTest, WhileMastershipIsHandedOverWritesAreHeldBackInTheirOrder) {  // S17
    submit(1);
    pause(true);
    end_turn();  // gathered before
    submit(2);
    end_turn();
    submit(3, {.deadline_ms = 100});
    end_turn();
    EXPECT_THAT(proposals_, IsEmpty());
    EXPECT_THAT(client_->notes, IsEmpty());
    EXPECT_EQ(path_.pending(), 3u);
    path_.tick(10), path_.tick(20);
    EXPECT_EQ(path_.held().by, HeldWrites::By::kSwitchover);
    EXPECT_EQ(path_.held().switchover_ms, 10u);
    EXPECT_EQ(path_.held().store_ms, 0u);
    pause(false);
    submit(4);
    end_turn();
    ASSERT_EQ(proposals_.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(proposals_[i].token, i + 1);
    for (const core::Proposal& proposal : proposals_) path_.on(core::ProposalRefused{proposal.token, ErrorCode::kNotMaster, "node 2 is"});
    const int elsewhere = static_cast<int>(FailureCode::kNotMaster);
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", elsewhere), fmt::format("2 failed {}", elsewhere),
                                            fmt::format("3 failed {}", elsewhere), fmt::format("4 failed {}", elsewhere)));
}

TEST_F(WritePathTest, ARefusedProposalPromisesThatNothingWasExecuted) {
    submit(1);
    end_turn();
    path_.on(core::ProposalRefused{proposals_[0].token, ErrorCode::kOverloaded, "too much is pending"});
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", kTryAgain)));
}

TEST_F(WritePathTest, RefusesWhenTooMuchIsPendingOrTheDiskIsNearlyFull) {  // S4
    path_.set_pending_bytes_max(40);
    submit(1);
    submit(2);
    submit(3);
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("3 failed {}", kTryAgain)));
    path_.set_pending_bytes_max(1000);
    disk_is_low_ = true;
    submit(4);
    EXPECT_EQ(client_->notes.back(), fmt::format("4 failed {}", kTryAgain));
    end_turn();
    EXPECT_EQ(commands::decode_payload(proposals_.at(0).payload)->size(), 2u);
}

}  // namespace
}  // namespace tanist::server

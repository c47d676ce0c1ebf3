// SPDX-License-Identifier: Apache-2.0
// Writes that are held when mastership goes elsewhere: the clients of Redis cannot follow, so the server does it for them (S17).
#include "server/forwarding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/write_path.h"
#include "tests/server/views.h"

namespace tanist::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MemberId kSelf{NodeId{1}, Incarnation{1}}, kOther{NodeId{2}, Incarnation{1}};
constexpr SessionId kSession{4};
const int kNotMaster = static_cast<int>(FailureCode::kNotMaster), kUnknown = static_cast<int>(FailureCode::kOutcomeUnknown);

class NotingClient final : public Client {
public:
    explicit NotingClient(bool follows) : follows_(follows) {}
    void on_written(std::uint64_t ticket, const WriteResult& result) override {
        notes.push_back(fmt::format("{} done {}{}", ticket, result.rank.lsn.value, result.reached == WriteLevel::kAll ? " all" : ""));
    }
    void on_read_ready(std::uint64_t) override { FAIL() << "not a read"; }
    void on_failed(std::uint64_t ticket, const Failure& failure) override {
        notes.push_back(fmt::format("{} failed {}", ticket, static_cast<int>(failure.code)));
    }
    [[nodiscard]] bool follows_redirects() const override { return follows_; }
    [[nodiscard]] bool is_parting() const override { return parting; }
    std::vector<std::string> notes;
    bool parting = false;

private:
    bool follows_;
};

class ForwardingTest : public ::testing::Test {
protected:
    ForwardingTest() {
        lead();
        forwarding_.expect_clients();
        turn();  // registers the session
        accept({Epoch{1}, Lsn{4}});
        execute({Epoch{1}, Lsn{4}}, {{.version = {kSession.value}}});
        proposals_.clear();
    }
    void show(core::View view) {
        view.self = kSelf;
        routing_.refresh(std::move(view), now_ms_);
    }
    void lead() { show(open_master()); }
    void pause() {
        core::View view = open_master();
        view.pausing = true;
        show(view);
    }
    /// The switchover is over: node 2 is master.
    void follow(Lsn everywhere = {}) {
        core::View view;
        view.master = kOther;
        view.epoch = Epoch{2};
        view.everywhere = everywhere;
        show(view);
    }
    void turn() {
        forwarding_.begin_turn(path_);
        path_.end_of_turn({});
        forwarding_.end_turn();
    }
    void write(std::uint64_t ticket, WriteLevel level = WriteLevel::kQuorum,
               commands::Logged logged = commands::Request{.commands = {commands::Put{"key", "value"}}}) {
        path_.submit(client_, ticket, logged, {.level = level, .deadline_ms = 50'000});
    }
    void accept(Rank rank) { path_.on(core::ProposalAccepted{proposals_.back().token, rank}); }
    void execute(Rank rank, std::vector<commands::Outcome> outcomes, std::vector<commands::Applied::Numbered> numbered = {}) {
        const std::vector applied{commands::Applied{{rank.epoch, rank.lsn, 0}, std::move(outcomes), std::move(numbered)}};
        path_.executed(applied);
        forwarding_.executed(applied);
    }
    /// The request with this number of our session has been executed.
    void execute_forwarded(Lsn lsn, std::uint64_t sequence) {
        execute({Epoch{2}, lsn}, {{}}, {{.item = 0, .session = kSession, .sequence = sequence}});
    }
    static std::string payload_of(const commands::Logged& logged) {
        std::string payload;
        commands::append_to(payload, logged);
        return payload;
    }

    std::uint64_t now_ms_ = 10;
    Routing routing_;
    std::vector<core::Proposal> proposals_;
    std::vector<core::ForwardWrites> sent_;
    Forwarding forwarding_{
        routing_, {.send = [this](core::ForwardWrites f) { sent_.push_back(std::move(f)); }, .now_ms = [this] { return now_ms_; }}};
    WritePath path_{routing_,
                    forwarding_,
                    {.propose = [this](core::Proposal p) { proposals_.push_back(std::move(p)); },
                     .disk_is_low = [] { return false; },
                     .room = [] { return SIZE_MAX; },
                     .entry_executed = [](std::chrono::nanoseconds) {}}};
    std::shared_ptr<NotingClient> client_ = std::make_shared<NotingClient>(false), follower_ = std::make_shared<NotingClient>(true);
};

TEST_F(ForwardingTest, WhatIsHeldGoesToTheNewMasterAndIsAnsweredWhenItIsExecutedHere) {  // S17
    pause();
    write(1);
    write(2);
    turn();
    EXPECT_THAT(proposals_, IsEmpty());
    follow();
    ASSERT_TRUE(forwarding_.begin());
    turn();
    ASSERT_THAT(sent_, SizeIs(1));
    const auto requests = *commands::decode_payload(sent_[0].payload);
    ASSERT_THAT(requests, SizeIs(2));
    EXPECT_EQ(std::get<commands::Request>(requests[1]).session, kSession);
    EXPECT_EQ(std::get<commands::Request>(requests[1]).sequence, 2u);
    EXPECT_EQ(path_.pending(), 2u);
    EXPECT_THAT(client_->notes, IsEmpty());
    execute_forwarded({9}, 1);
    execute_forwarded({10}, 2);
    EXPECT_THAT(client_->notes, ElementsAre("1 done 9", "2 done 10"));
    EXPECT_EQ(path_.pending(), 0u);
    EXPECT_EQ(path_.pending_bytes(), 0u);
    EXPECT_THAT(proposals_, IsEmpty()) << "nothing of it is proposed here, too";
}

TEST_F(ForwardingTest, ClientsThatFollowRedirectsAndChangesOfUsersAreRefused) {
    pause();
    path_.submit(follower_, 1, commands::Request{.commands = {commands::Put{"key", "value"}}}, {.deadline_ms = 1000});
    write(2, WriteLevel::kQuorum, commands::ChangeUsers{});
    turn();
    follow();
    ASSERT_TRUE(forwarding_.begin());
    turn();
    EXPECT_THAT(follower_->notes, ElementsAre(fmt::format("1 failed {}", kNotMaster)));
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("2 failed {}", kNotMaster)));
    EXPECT_THAT(sent_, IsEmpty());
    EXPECT_EQ(path_.pending(), 0u);
}

TEST_F(ForwardingTest, WhoComesAfterTheFirstMomentsFindsASlave) {
    pause(), follow();
    ASSERT_TRUE(forwarding_.begin());
    write(1);
    turn();
    execute_forwarded({9}, 1);
    now_ms_ += Forwarding::kOpenToAllMs;
    write(2);
    client_->parting = true;
    write(3);
    turn();
    execute_forwarded({10}, 2);
    EXPECT_THAT(client_->notes, ElementsAre("1 done 9", fmt::format("2 failed {}", kNotMaster), "3 done 10"));
}

TEST_F(ForwardingTest, ForAWhileItTakesWhatItsClientsStillWriteHere) {
    client_->parting = true;
    pause(), follow();
    ASSERT_TRUE(forwarding_.begin());
    write(1);
    path_.submit(follower_, 2, commands::Request{}, {.deadline_ms = 1000});
    turn();
    EXPECT_THAT(sent_, SizeIs(1));
    EXPECT_THAT(follower_->notes, ElementsAre(fmt::format("2 failed {}", kNotMaster)));
    now_ms_ += Forwarding::kOpenMs;
    write(3);  // behind what is on its way
    execute_forwarded({9}, 1);
    turn();
    EXPECT_THAT(sent_, SizeIs(2));
    execute_forwarded({10}, 2);
    write(4);
    EXPECT_THAT(client_->notes, ElementsAre("1 done 9", "3 done 10", fmt::format("4 failed {}", kNotMaster)));
}

TEST_F(ForwardingTest, InTheTurnInWhichTheSwitchoverEndsWhatComesLaterStaysBehind) {
    pause();
    write(1);
    turn();
    write(2);  // gathered, and the switchover ends in the same turn
    follow();
    ASSERT_TRUE(forwarding_.begin());
    write(3);
    turn();
    EXPECT_THAT(proposals_, IsEmpty());
    EXPECT_THAT(client_->notes, IsEmpty());
    ASSERT_THAT(sent_, SizeIs(1));
    ASSERT_THAT(*commands::decode_payload(sent_[0].payload), SizeIs(3));
    for (std::uint64_t i = 1; i <= 3; ++i) execute_forwarded({8 + i}, i);
    EXPECT_THAT(client_->notes, ElementsAre("1 done 9", "2 done 10", "3 done 11"));
}

TEST_F(ForwardingTest, AMasterThatIsAboutToOpenHoldsWhatCannotFollowAndRefusesOthers) {
    core::View view = open_master();
    view.open = false;
    show(view);
    write(1);
    path_.submit(follower_, 2, commands::Request{}, {.deadline_ms = 1000});
    turn();
    EXPECT_THAT(proposals_, IsEmpty());
    EXPECT_THAT(client_->notes, IsEmpty());
    EXPECT_THAT(follower_->notes, ElementsAre(fmt::format("2 failed {}", static_cast<int>(FailureCode::kTryAgain))));
    lead();
    turn();
    EXPECT_THAT(proposals_, SizeIs(1));
}

TEST_F(ForwardingTest, OthersWritesOnTheirWayDoNotTakeAClientAlong) {
    pause(), follow();
    ASSERT_TRUE(forwarding_.begin());
    write(1);
    turn();
    now_ms_ += Forwarding::kOpenMs;
    const auto other = std::make_shared<NotingClient>(false);
    path_.submit(other, 1, commands::Request{}, {.deadline_ms = 1000});
    EXPECT_THAT(other->notes, ElementsAre(fmt::format("1 failed {}", kNotMaster)));
}

TEST_F(ForwardingTest, WhatIsExecutedIsAnsweredWhenItGivesUp) {
    pause();
    write(1, WriteLevel::kAll);
    write(2), write(3);
    turn();
    follow();
    ASSERT_TRUE(forwarding_.begin());
    turn();
    write(4);
    execute_forwarded({9}, 1);
    EXPECT_EQ(forwarding_.pending(), 4u) << "one waits for level all";
    forwarding_.give_up();
    EXPECT_THAT(client_->notes,
                ::testing::UnorderedElementsAre("1 done 9", fmt::format("2 failed {}", kUnknown), fmt::format("3 failed {}", kUnknown),
                                                fmt::format("4 failed {}", kNotMaster)));
    EXPECT_EQ(path_.pending_bytes(), 0u);
}

TEST_F(ForwardingTest, AGroupIsTakenWholeOrNotAtAll) {
    std::string payload;
    for (std::uint64_t i = 1; i <= 2; ++i) {
        const std::string value(i == 1 ? 900 : 1, 'x');
        commands::append_to(payload, commands::Request{.session = SessionId{77}, .sequence = i, .commands = {commands::Put{"k", value}}});
    }
    path_.set_pending_bytes_max(800);
    forwarding_.arrived({NodeId{2}, payload});
    turn();
    EXPECT_THAT(proposals_, IsEmpty()) << "the second would have had room";
    path_.set_pending_bytes_max(2000);
    forwarding_.arrived({NodeId{2}, payload});
    turn();
    ASSERT_THAT(proposals_, SizeIs(1));
    EXPECT_EQ(proposals_[0].payload, payload);
}

TEST_F(ForwardingTest, LevelAllWaitsUntilTheMasterSaysSoAndIsToldTheLevelReachedAtItsDeadline) {  // S20
    pause();
    write(1, WriteLevel::kAll);
    write(2, WriteLevel::kAll);
    turn();
    follow();
    ASSERT_TRUE(forwarding_.begin());
    turn();
    execute_forwarded({9}, 1);
    execute_forwarded({10}, 2);
    forwarding_.tick();
    EXPECT_THAT(client_->notes, IsEmpty());
    follow(Lsn{9});
    forwarding_.tick();
    EXPECT_THAT(client_->notes, ElementsAre("1 done 9 all"));
    now_ms_ = 50'000;
    forwarding_.tick();
    EXPECT_THAT(client_->notes, ElementsAre("1 done 9 all", "2 done 10"));
}

TEST_F(ForwardingTest, WithoutASessionOrAMasterWhatIsHeldIsRefused) {
    Forwarding none(routing_, {.send = [](core::ForwardWrites) {}, .now_ms = [] { return 10u; }});
    follow();
    EXPECT_FALSE(none.begin()) << "no session";
    pause();
    write(1);
    turn();
    core::View view;
    show(view);
    EXPECT_FALSE(forwarding_.begin()) << "nobody to send it to";
    turn();
    ASSERT_THAT(proposals_, SizeIs(1)) << "the core refuses it";
    path_.on(core::ProposalRefused{proposals_[0].token, ErrorCode::kUnavailable, "no master"});
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", static_cast<int>(FailureCode::kNoQuorum))));
}

TEST_F(ForwardingTest, WhatNobodySaysWasExecutedIsUnknownAtItsDeadline) {
    pause();
    write(1);
    turn();
    follow();
    ASSERT_TRUE(forwarding_.begin());
    turn();
    now_ms_ = 50'000;
    forwarding_.tick();
    EXPECT_THAT(client_->notes, ElementsAre(fmt::format("1 failed {}", kUnknown)));
    execute_forwarded({9}, 1);
    EXPECT_THAT(client_->notes, SizeIs(1));
}

TEST_F(ForwardingTest, OnANodeThatIsMasterAgainTheyAreProposedHere) {
    pause();
    write(1);
    turn();
    follow();
    ASSERT_TRUE(forwarding_.begin());
    turn();
    lead();
    now_ms_ += 100;
    turn();  // arrives here
    turn();
    ASSERT_THAT(proposals_, SizeIs(1));
    EXPECT_EQ(proposals_[0].payload, sent_[0].payload);
    accept({Epoch{3}, Lsn{12}});
    execute({Epoch{3}, Lsn{12}}, {{}}, {{.item = 0, .session = kSession, .sequence = 1}});
    EXPECT_THAT(client_->notes, ElementsAre("1 done 12"));
}

TEST_F(ForwardingTest, TheMasterProposesWhatOthersSendOnceAtATime) {
    const std::string payload =
        payload_of(commands::Request{.session = SessionId{77}, .sequence = 1, .commands = {commands::Put{"k", "v"}}});
    forwarding_.arrived({NodeId{3}, payload});
    forwarding_.arrived({NodeId{3}, payload});
    forwarding_.arrived({NodeId{2}, payload});
    turn();
    ASSERT_THAT(proposals_, SizeIs(1));
    EXPECT_EQ(proposals_[0].payload, payload + payload) << "one of each node";
    forwarding_.arrived({NodeId{3}, payload});
    turn();
    EXPECT_THAT(proposals_, SizeIs(1)) << "it is under way";
    accept({Epoch{1}, Lsn{6}});
    execute({Epoch{1}, Lsn{6}}, {{}, {}});
    forwarding_.arrived({NodeId{3}, payload});
    turn();
    EXPECT_THAT(proposals_, SizeIs(2));
}

TEST_F(ForwardingTest, WhatIsNoNumberedRequestIsNotTakenFromAPeer) {
    forwarding_.arrived({NodeId{2}, "\x05nonsense"});
    forwarding_.arrived({NodeId{3}, payload_of(commands::Request{.commands = {commands::Put{"k", "v"}}})});
    turn();
    forwarding_.arrived({NodeId{2}, payload_of(commands::CloseSession{kSession})});
    turn();
    EXPECT_THAT(proposals_, IsEmpty());
}

}  // namespace
}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
#include "server/read_gate.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace tanist::server {
namespace {

class NotingClient final : public Client {
public:
    void on_written(std::uint64_t, const WriteResult&) override { FAIL() << "not a write"; }
    void on_read_ready(std::uint64_t ticket) override { ready.push_back(ticket); }
    void on_failed(std::uint64_t ticket, const Failure& failure) override { failed[ticket] = failure.code; }
    std::vector<std::uint64_t> ready;
    std::map<std::uint64_t, FailureCode> failed;
};

core::View slave(bool in_sync) {
    core::View view;
    view.self = {NodeId{2}, Incarnation{22}};
    view.health = core::Health::kUp;
    view.in_sync = in_sync;
    return view;
}

/// A slave that has applied up to epoch 3, LSN 20; entries 11 .. 15 are of epoch 2, those before of epoch 1.
class ReadGateTest : public ::testing::Test {
protected:
    ReadGateTest() { routing_.refresh(slave(true), 0); }
    ReadGate::Admission admit(ReadTerms terms, std::uint64_t ticket = 1) {
        terms.deadline_ms = 1000;
        return gate_.admit(client_, ticket, terms, failure_);
    }

    Routing routing_;
    std::uint64_t now_ms_ = 0;
    EntryId applied_{Epoch{3}, Lsn{20}, 0};
    /// It asks for a round and is told that `commit` is committed.
    void confirm(Lsn commit) {
        gate_.end_of_turn();
        ASSERT_FALSE(rounds_.empty());
        gate_.on(core::ReadReady{rounds_.back(), commit});
        gate_.end_of_turn();
    }
    std::vector<std::uint64_t> rounds_;
    ReadGate gate_{routing_,
                   {.request_read = [this](std::uint64_t token) { rounds_.push_back(token); },
                    .applied = [this] { return store::Position{applied_, 0}; },
                    .epoch_at = [](Lsn lsn) -> std::optional<Epoch> {
                        return Epoch{lsn.value > 15 ? 3u : lsn.value > 10 ? 2u : 1u};
                    },
                    .now_ms = [this] { return now_ms_; }}};
    std::shared_ptr<NotingClient> client_ = std::make_shared<NotingClient>();
    Failure failure_;
};

TEST_F(ReadGateTest, AStaleReadIsAnsweredAtOnceByANodeThatWasInSync) {
    EXPECT_EQ(admit({.level = ReadLevel::kStale}), ReadGate::Admission::kNow);
}

/// As a network thread asks, which can neither wait nor refuse.
TEST_F(ReadGateTest, AdmitsAtOnceOnlyWhatNeedsNothingButTheState) {
    const auto at_once = [&](ReadTerms terms) {
        const bool admitted = gate_.admits_at_once(terms);
        if (admitted) {
            EXPECT_EQ(admit(terms), ReadGate::Admission::kNow);
        }
        return admitted;
    };
    EXPECT_TRUE(at_once({.level = ReadLevel::kStale}));
    EXPECT_TRUE(at_once({.level = ReadLevel::kSession}));
    EXPECT_TRUE(at_once({.level = ReadLevel::kSession, .token = {Epoch{3}, Lsn{20}}}));
    EXPECT_FALSE(at_once({.level = ReadLevel::kSession, .token = {Epoch{3}, Lsn{21}}})) << "not applied yet";
    EXPECT_FALSE(at_once({.level = ReadLevel::kSession, .token = {Epoch{1}, Lsn{12}}})) << "cut";
    EXPECT_TRUE(at_once({.level = ReadLevel::kStale, .token = {Epoch{3}, Lsn{21}}}));
    EXPECT_FALSE(at_once({.level = ReadLevel::kLinearizable}));
    EXPECT_FALSE(at_once({.level = ReadLevel::kStale, .max_lag_ms = 500})) << "that takes a look at the clock";
    routing_.refresh(slave(false), 0);
    EXPECT_FALSE(at_once({.level = ReadLevel::kStale}));
}

TEST_F(ReadGateTest, ANodeThatWasNeverInSyncRefusesInsteadOfAnsweringNotFound) {  // S18
    routing_.refresh(slave(false), 0);
    for (const ReadLevel level : {ReadLevel::kStale, ReadLevel::kSession}) {
        EXPECT_EQ(admit({.level = level}), ReadGate::Admission::kRefused);
        EXPECT_EQ(failure_.code, FailureCode::kTooStale);
    }
}

TEST_F(ReadGateTest, ANodeBeyondMaxLagRefuses) {  // S18
    core::View silent = slave(true);
    silent.silence_ms = 700;
    routing_.refresh(silent, now_ms_ = 1000);
    EXPECT_EQ(admit({.level = ReadLevel::kStale, .max_lag_ms = 500}), ReadGate::Admission::kRefused);
    EXPECT_EQ(failure_.code, FailureCode::kTooStale);
}

/// It goes on with what clients have sent meanwhile, before any tick tells it that it was deaf.
TEST_F(ReadGateTest, LagGrowsWhileTheProcessStandsStill) {  // S18
    for (const core::Role role : {core::Role::kSlave, core::Role::kMaster}) {
        core::View view = slave(true);
        view.role = role;
        view.open = role == core::Role::kMaster;
        now_ms_ += 10'000;
        routing_.refresh(view, now_ms_);
        EXPECT_NE(admit({.level = ReadLevel::kStale, .max_lag_ms = 500}), ReadGate::Admission::kRefused);
        now_ms_ += 501;
        EXPECT_EQ(admit({.level = ReadLevel::kStale, .max_lag_ms = 500}), ReadGate::Admission::kRefused);
        EXPECT_EQ(failure_.code, FailureCode::kTooStale);
    }
}

/// A deposed master's word, or one that was long under way, is no proof: a round is, from the moment in which it was asked for.
TEST_F(ReadGateTest, ABoundOfLagIsProvenByARound) {  // S18
    for (const ReadLevel level : {ReadLevel::kStale, ReadLevel::kSession}) {
        now_ms_ += 1000;
        routing_.refresh(slave(true), now_ms_);
        EXPECT_EQ(admit({.level = level, .max_lag_ms = 500}), ReadGate::Admission::kWaiting);
        gate_.end_of_turn();
        now_ms_ += 400;
        routing_.refresh(slave(true), now_ms_);
        confirm(Lsn{20});
        EXPECT_EQ(std::exchange(client_->ready, {}), std::vector<std::uint64_t>{1});
        now_ms_ += 100;
        EXPECT_EQ(admit({.level = level, .max_lag_ms = 500}), ReadGate::Admission::kNow);
        now_ms_ += 1;
        EXPECT_EQ(admit({.level = level, .max_lag_ms = 500}), ReadGate::Admission::kWaiting) << "it counts from the question";
        confirm(Lsn{20});
        client_->ready.clear();
    }
}

TEST_F(ReadGateTest, ABoundOfLagWaitsForWhatTheRoundReturned) {  // S18
    EXPECT_EQ(admit({.level = ReadLevel::kStale, .max_lag_ms = 500}), ReadGate::Admission::kWaiting);
    confirm(Lsn{21});
    EXPECT_TRUE(client_->ready.empty());
    EXPECT_EQ(admit({.level = ReadLevel::kStale, .max_lag_ms = 500}, 2), ReadGate::Admission::kWaiting) << "not applied here yet";
    applied_.lsn = Lsn{21};
    confirm(Lsn{21});
    EXPECT_EQ(client_->ready, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(ReadGateTest, ABoundOfLagThatNobodyCanProveIsRefused) {  // S18
    EXPECT_EQ(admit({.level = ReadLevel::kStale, .max_lag_ms = 500}), ReadGate::Admission::kWaiting);
    gate_.end_of_turn();
    gate_.on(core::ReadRefused{rounds_.back(), ErrorCode::kUnavailable, "no majority"});
    EXPECT_EQ(client_->failed[1], FailureCode::kTooStale);
}

/// So that a node which is cut off answers for as long as it may, and not only if somebody happened to read there before.
TEST_F(ReadGateTest, TheProofIsKeptAtHandWhereReadsHaveABound) {  // S18
    gate_.tick(now_ms_ += 1000);
    EXPECT_TRUE(rounds_.empty()) << "nobody has asked for a bound";
    gate_.expect_bounded(true);
    gate_.tick(now_ms_ += 1000);
    ASSERT_EQ(rounds_.size(), 1u);
    gate_.tick(now_ms_ += 1000);
    EXPECT_EQ(rounds_.size(), 1u) << "one at a time";
    gate_.on(core::ReadReady{rounds_.back(), Lsn{20}});
    routing_.refresh(slave(true), now_ms_);
    EXPECT_EQ(admit({.level = ReadLevel::kStale, .max_lag_ms = 1000}), ReadGate::Admission::kNow);
}

TEST_F(ReadGateTest, ASessionReadWaitsUntilWhatItsSessionHasSeenIsApplied) {  // S18
    EXPECT_EQ(admit({.token = {Epoch{3}, Lsn{20}}}), ReadGate::Admission::kNow);
    EXPECT_EQ(admit({.token = {Epoch{3}, Lsn{21}}}), ReadGate::Admission::kWaiting);
    gate_.end_of_turn();
    EXPECT_TRUE(client_->ready.empty());
    applied_.lsn = Lsn{21};
    gate_.end_of_turn();
    EXPECT_EQ(client_->ready, std::vector<std::uint64_t>{1});
    EXPECT_EQ(gate_.waiting(), 0u);
}

struct TokenCase {
    Rank token;
    ReadGate::Admission admission;
};

TEST_F(ReadGateTest, ATokenWhoseEntryWasCutIsAnExplicitError) {  // S18
    const std::vector<TokenCase> cases{
        {{Epoch{1}, Lsn{10}}, ReadGate::Admission::kNow},
        {{Epoch{1}, Lsn{11}}, ReadGate::Admission::kRefused},  // there, an entry of epoch 2 took its place
        {{Epoch{2}, Lsn{15}}, ReadGate::Admission::kNow},
        {{Epoch{2}, Lsn{16}}, ReadGate::Admission::kRefused},
        {{Epoch{2}, Lsn{30}}, ReadGate::Admission::kRefused},  // beyond our end, and our history has left that epoch already
        {{Epoch{3}, Lsn{30}}, ReadGate::Admission::kWaiting},
        {{Epoch{4}, Lsn{30}}, ReadGate::Admission::kWaiting},
        {{Epoch{4}, Lsn{20}}, ReadGate::Admission::kRefused},
    };
    for (const TokenCase& each : cases) {
        EXPECT_EQ(admit({.token = each.token}), each.admission) << each.token.epoch.value << " " << each.token.lsn.value;
        if (each.admission == ReadGate::Admission::kRefused) {
            EXPECT_EQ(failure_.code, FailureCode::kStaleToken);
        }
    }
}

TEST_F(ReadGateTest, AWaitingReadWhoseEntryIsCutFailsAsSoonAsItIsKnown) {  // S18
    EXPECT_EQ(admit({.token = {Epoch{3}, Lsn{22}}}), ReadGate::Admission::kWaiting);
    applied_ = {Epoch{4}, Lsn{21}, 0};
    gate_.tick(10);
    EXPECT_EQ(client_->failed[1], FailureCode::kStaleToken);
}

TEST_F(ReadGateTest, LinearizableReadsOfATurnShareARoundAndWaitForItsCommitLsn) {  // S18
    EXPECT_EQ(admit({.level = ReadLevel::kLinearizable}, 1), ReadGate::Admission::kWaiting);
    EXPECT_EQ(admit({.level = ReadLevel::kLinearizable}, 2), ReadGate::Admission::kWaiting);
    gate_.end_of_turn();
    ASSERT_EQ(rounds_.size(), 1u);
    EXPECT_EQ(admit({.level = ReadLevel::kLinearizable}, 3), ReadGate::Admission::kWaiting);
    gate_.on(core::ReadReady{rounds_[0], Lsn{21}});
    gate_.end_of_turn();
    EXPECT_EQ(rounds_.size(), 2u);  // the third came after the round had begun
    EXPECT_TRUE(client_->ready.empty());
    applied_.lsn = Lsn{21};
    gate_.end_of_turn();
    EXPECT_EQ(client_->ready, (std::vector<std::uint64_t>{1, 2}));
    gate_.on(core::ReadRefused{rounds_[1], ErrorCode::kUnavailable, "no majority"});
    EXPECT_EQ(client_->failed[3], FailureCode::kNoQuorum);
}

TEST_F(ReadGateTest, AReadPastItsDeadlineFails) {
    EXPECT_EQ(admit({.token = {Epoch{3}, Lsn{21}}}, 1), ReadGate::Admission::kWaiting);
    EXPECT_EQ(admit({.level = ReadLevel::kLinearizable}, 2), ReadGate::Admission::kWaiting);
    gate_.end_of_turn();
    gate_.tick(999);
    EXPECT_TRUE(client_->failed.empty());
    gate_.tick(1000);
    EXPECT_EQ(client_->failed[1], FailureCode::kReadTimeout);
    EXPECT_EQ(client_->failed[2], FailureCode::kReadTimeout);
    EXPECT_EQ(gate_.waiting(), 0u);
}

}  // namespace
}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// What a master held when it handed over goes to the next one, in order and once (S17, S21).
#include "replica/forwarder.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "store/memory_store.h"

namespace tanist::replica {
namespace {

using commands::Logged;
using commands::OutcomeCode;
using commands::Request;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kLifetimeMs = 4000, kNever = 1'000'000;

/// A log that executes what it is given: a cluster, as far as a forwarder sees it.
class Log {
public:
    std::vector<commands::Applied> append(const std::string& payload) {
        const Entry entry = Entry::make({1}, last_, 1000, EntryKind::kCommands, payload);
        last_ = entry.id();
        std::vector<commands::Applied> applied;
        EXPECT_TRUE(state_->apply(std::vector{entry}, &applied));
        return applied;
    }
    std::string value(std::string_view key) { return (*state_->get(key))->value; }

private:
    std::unique_ptr<store::Store> store_ = store::open_memory_store(std::make_shared<store::DurableImage>());
    std::unique_ptr<commands::StateMachine> state_ = *commands::StateMachine::open(*store_);
    EntryId last_;
};

class ForwarderTest : public ::testing::Test {
protected:
    void register_session(std::uint64_t now_ms = 0) {
        const auto control = forwarder_.session_control(now_ms);
        ASSERT_TRUE(control);
        std::string payload;
        commands::append_to(payload, *control);
        forwarder_.on_logged(log_.append(payload)[0].outcomes[0]);
    }
    void take(std::uint64_t ticket, std::string value, std::uint64_t deadline_ms = kNever) {
        forwarder_.take(ticket, {.commands = {commands::Redis{{"APPEND", "k", std::move(value)}}}}, deadline_ms);
    }
    /// Of what is to be sent; "": nothing.
    std::string to_send(std::uint64_t now_ms) {
        const std::string* payload = forwarder_.to_send(now_ms);
        return payload == nullptr ? "" : *payload;
    }
    void execute(const std::string& payload) { forwarder_.executed(log_.append(payload)); }

    Log log_;
    std::vector<std::string> told_;
    Forwarder forwarder_{
        {.resend_ms = 100, .session_lifetime_ms = kLifetimeMs},
        [this](std::uint64_t ticket, Forwarder::End end, const Forwarder::Executed* executed) {
            const char* what = end == Forwarder::End::kExecuted ? "done" : end == Forwarder::End::kRefused ? "refused" : "unknown";
            told_.push_back(executed ? fmt::format("{} {} item {}", ticket, what, executed->item) : fmt::format("{} {}", ticket, what));
        }};
};

TEST_F(ForwarderTest, SendsTheSameAgainUntilItIsExecutedAndIsExecutedOnce) {  // S21
    register_session();
    take(7, "a");
    take(8, "b");
    const std::string sent = to_send(0);
    ASSERT_NE(sent, "");
    EXPECT_EQ(to_send(99), "");
    EXPECT_EQ(to_send(100), sent);
    EXPECT_EQ(to_send(250), "") << "ever more seldom";
    EXPECT_EQ(to_send(300), sent);
    execute(sent);
    EXPECT_THAT(told_, ElementsAre("7 done item 0", "8 done item 1"));
    EXPECT_EQ(forwarder_.pending(), 0u);
    EXPECT_EQ(to_send(10'000), "");
    execute(sent);
    execute(sent);
    EXPECT_EQ(told_.size(), 2u);
    EXPECT_EQ(log_.value("k"), "ab") << "copies that come later are not executed";
}

TEST_F(ForwarderTest, TheNextOnesFollowWhenAllBeforeThemAreAnswered) {
    register_session();
    take(1, "a");
    const std::string first = to_send(0);
    take(2, "b");
    EXPECT_EQ(to_send(100), first);
    execute(first);
    const std::string second = to_send(101);
    ASSERT_NE(second, "");
    EXPECT_NE(second, first);
    execute(second);
    execute(first);  // a copy, late
    EXPECT_THAT(told_, ElementsAre("1 done item 0", "2 done item 0"));
    EXPECT_EQ(log_.value("k"), "ab");
}

TEST_F(ForwarderTest, SendsAsManyTogetherAsASessionMayUseAndAMibibyteHolds) {
    register_session();
    for (std::uint64_t i = 0; i < commands::kSessionWindow + 5; ++i) take(i, "");
    EXPECT_EQ(commands::decode_payload(to_send(0))->size(), commands::kSessionWindow);
    forwarder_.give_up();
    for (std::uint64_t i = 0; i < 3; ++i) take(i, std::string(limits::kMiB * 2 / 3, 'x'));
    EXPECT_EQ(commands::decode_payload(to_send(0))->size(), 1u);
}

TEST_F(ForwarderTest, PastItsDeadlineWhatWasSentIsUnknownAndWhatWasNotIsRefusedAndNeverSent) {  // S17, S20
    register_session();
    take(1, "a", 500);
    const std::string sent = to_send(0);
    take(2, "b", 600);
    take(3, "c", 700);
    forwarder_.tick(499);
    EXPECT_THAT(told_, IsEmpty());
    forwarder_.tick(650);
    EXPECT_THAT(told_, ElementsAre("1 unknown", "2 refused"));
    execute(to_send(650));
    EXPECT_THAT(told_, ElementsAre("1 unknown", "2 refused", "3 done item 0"));
    execute(sent);
    EXPECT_EQ(log_.value("k"), "c") << "the first one had been given up when the third was sent: it comes too late";
}

TEST_F(ForwarderTest, TheSessionIsRegisteredOnceAndKeptInEachQuarterOfItsLife) {
    EXPECT_FALSE(forwarder_.has_session(0));
    const auto registration = forwarder_.session_control(0);
    ASSERT_TRUE(registration && std::holds_alternative<commands::RegisterSession>(*registration));
    EXPECT_FALSE(forwarder_.session_control(1)) << "it is under way";
    EXPECT_FALSE(forwarder_.has_session(1));
    forwarder_.on_not_logged();
    EXPECT_FALSE(forwarder_.session_control(999)) << "not without a pause";
    constexpr std::uint64_t kThen = 1000;
    register_session(kThen);
    EXPECT_TRUE(forwarder_.has_session(kThen));
    EXPECT_FALSE(forwarder_.session_control(kThen + kLifetimeMs / 4 - 1));
    const auto keep = forwarder_.session_control(kThen + kLifetimeMs / 4);
    ASSERT_TRUE(keep && std::holds_alternative<commands::KeepSession>(*keep));
    std::string payload;
    commands::append_to(payload, *keep);
    forwarder_.on_logged(log_.append(payload)[0].outcomes[0]);
    EXPECT_TRUE(forwarder_.has_session(kThen + kLifetimeMs - 1)) << "kept";
    EXPECT_FALSE(forwarder_.has_session(kThen + 2 * kLifetimeMs)) << "it may have expired";
    const auto anew = forwarder_.session_control(kThen + 2 * kLifetimeMs);
    EXPECT_TRUE(anew && std::holds_alternative<commands::RegisterSession>(*anew));
}

TEST_F(ForwarderTest, AnExpiredSessionLeavesWhatWasSentUnknownAndRefusesTheRest) {  // S21
    register_session();
    take(1, "a");
    const std::string sent = to_send(0);
    take(2, "b");
    const auto numbered = std::get<Request>(commands::decode_payload(sent)->front());
    std::string payload;
    commands::append_to(payload, commands::CloseSession{numbered.session});
    (void)log_.append(payload);
    execute(sent);
    EXPECT_THAT(told_, ElementsAre("1 unknown", "2 refused"));
    EXPECT_FALSE(forwarder_.has_session(1));
    EXPECT_EQ(to_send(1000), "");
}

TEST_F(ForwarderTest, WhatDidNotHappenIsUnknownForACopyMayBeExecuted) {
    register_session();
    take(1, "a");
    const std::string sent = to_send(0);
    const auto numbered = std::get<Request>(commands::decode_payload(sent)->front());
    const commands::Applied too_many{.entry = {{1}, {9}, 0},
                                     .outcomes = {{.code = OutcomeCode::kTooMany}},
                                     .numbered = {{.item = 0, .session = numbered.session, .sequence = numbered.sequence}}};
    forwarder_.executed(std::vector{too_many});
    EXPECT_THAT(told_, ElementsAre("1 unknown"));
    EXPECT_EQ(to_send(100), "");
}

TEST_F(ForwarderTest, AnswersNobodyForTheRequestsOfOtherSessions) {
    register_session();
    take(1, "a");
    (void)to_send(0);
    const commands::Applied other{
        .entry = {{1}, {9}, 0}, .outcomes = {{}}, .numbered = {{.item = 0, .session = SessionId{12345}, .sequence = 1}}};
    forwarder_.executed(std::vector{other});
    EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace tanist::replica

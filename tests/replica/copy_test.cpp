// SPDX-License-Identifier: Apache-2.0
// Full copies between two memory stores (S25): every piece is verified, asked for again when it is lost, and nothing is installed
// before all of it is there.
#include "replica/copy.h"

#include <gmock/gmock.h>

#include <deque>

#include "base/crc32c.h"
#include "store/memory_store.h"

namespace tanist::replica {
namespace {

using testing::HasSubstr;

constexpr NodeId kDonor{1}, kReceiver{2}, kThird{3};

class Copy : public testing::Test {
protected:
    Copy() {
        // Values of 1 MiB each: the checkpoint needs several pieces.
        std::vector<std::string> texts;
        for (int i = 0; i < 4; ++i) {
            texts.push_back(fmt::format("key{}", i));
            texts.push_back(std::string(1 << 20, static_cast<char>('a' + i)));
        }
        std::vector<store::Change> changes;
        for (std::size_t i = 0; i < texts.size(); i += 2) changes.push_back({texts[i], texts[i + 1]});
        EXPECT_TRUE(source_->apply(changes, position_));
        membership_.cluster = {7};
        membership_.cluster_name = "test";
    }

    /// Answers what the receiver asked for; `spoil` may change or drop (by returning false) a reply on its way.
    std::optional<Result<store::Position>> exchange(const std::function<bool(core::CopyReply&)>& spoil = nullptr) {
        for (int i = 0; i < 100 && !asked_.empty(); ++i) {
            const core::Body body = std::move(asked_.front());
            asked_.pop_front();
            if (const auto* end = std::get_if<core::CopyEnd>(&body)) donor_.end(kReceiver, *end);
            const auto* request = std::get_if<core::CopyRequest>(&body);
            if (request == nullptr) continue;
            core::CopyReply reply = donor_.answer(kReceiver, *request, membership_);
            if (spoil && !spoil(reply)) continue;
            if (auto result = receiver_.take(kDonor, reply)) return result;
        }
        return std::nullopt;
    }

    const store::Position position_{{{3}, {42}, 99}, 1000};
    Membership membership_;
    std::unique_ptr<store::Store> source_ = store::open_memory_store(std::make_shared<store::DurableImage>());
    std::unique_ptr<store::Store> target_ = store::open_memory_store(std::make_shared<store::DurableImage>());
    std::deque<core::Body> asked_;
    CopyDonor donor_{*source_};
    CopyReceiver receiver_{*target_, [this](NodeId, core::Body body) { asked_.push_back(std::move(body)); }};
};

TEST_F(Copy, BringsTheWholeStateAndItsPositionAndMembership) {
    receiver_.start(kDonor);
    const auto result = exchange();
    ASSERT_TRUE(result && *result);
    EXPECT_EQ(**result, position_);
    EXPECT_EQ(receiver_.membership(), membership_);
    EXPECT_EQ(target_->position(), store::Position{});  // nothing is replaced before install()
    ASSERT_TRUE(receiver_.install());
    EXPECT_EQ(target_->position(), position_);
    EXPECT_EQ(*target_->digest(), *source_->digest());
}

TEST_F(Copy, PinsTheDonorsLogUntilTheReceiverIsDone) {
    EXPECT_EQ(donor_.pin(), std::nullopt);
    receiver_.start(kDonor);
    std::optional<Lsn> pinned;
    ASSERT_TRUE(exchange([&](core::CopyReply&) {
        pinned = donor_.pin();
        return true;
    }));
    EXPECT_EQ(pinned, position_.applied.lsn);
    exchange();  // delivers the CopyEnd
    EXPECT_EQ(donor_.pin(), std::nullopt);
}

TEST_F(Copy, IsNotGivenOnByADonorWhoseLogBeganAnewBehindIt) {
    receiver_.start(kDonor);
    bool is_first = true;
    const auto result = exchange([&](core::CopyReply&) {
        if (std::exchange(is_first, false)) donor_.stop();  // as after installing a copy itself
        return true;
    });
    ASSERT_TRUE(result);
    ASSERT_FALSE(*result);
    EXPECT_THAT(result->error().message, HasSubstr("is not running here"));
    EXPECT_EQ(donor_.pin(), std::nullopt);
}

TEST_F(Copy, AsksAgainForALostPiece) {
    receiver_.start(kDonor);
    int replies = 0;
    EXPECT_EQ(exchange([&](core::CopyReply&) { return ++replies != 3; }), std::nullopt);
    for (std::uint32_t i = 0; i < kReceiverRepeatTicks; ++i) EXPECT_EQ(receiver_.tick(), std::nullopt);
    const auto result = exchange();
    ASSERT_TRUE(result && *result);
    ASSERT_TRUE(receiver_.install());
    EXPECT_EQ(*target_->digest(), *source_->digest());
}

TEST_F(Copy, GivesUpOnASilentDonor) {
    receiver_.start(kDonor);
    std::optional<Error> error;
    for (std::uint32_t i = 0; i < kReceiverPatienceTicks && !error; ++i) error = receiver_.tick();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::kTimeout);
    EXPECT_EQ(receiver_.tick(), std::nullopt);  // and is quiet from then on
}

TEST_F(Copy, RefusesAPieceWhoseBytesWereChanged) {
    receiver_.start(kDonor);
    const auto result = exchange([](core::CopyReply& reply) {
        if (!reply.data.empty()) reply.data[reply.data.size() / 2] ^= 1;
        return true;
    });
    ASSERT_TRUE(result && !*result);
    EXPECT_EQ(result->error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(target_->position(), store::Position{});
}

TEST_F(Copy, RefusesACheckpointThatWasRottenBeforeItWasSent) {  // S25: nothing is installed, and the process lives
    receiver_.start(kDonor);
    const auto result = exchange([](core::CopyReply& reply) {
        if (reply.data.empty()) return true;
        reply.data.back() ^= 1;
        reply.checksum = crc32c(as_bytes(reply.data));
        return true;
    });
    ASSERT_TRUE(result && !*result);
    EXPECT_EQ(result->error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(target_->position(), store::Position{});
}

TEST_F(Copy, IgnoresRepliesThatItDidNotAskFor) {
    receiver_.start(kDonor);
    core::CopyReply stray;
    stray.copy = 17;
    stray.data = "x";
    EXPECT_EQ(receiver_.take(kDonor, stray), std::nullopt);
    EXPECT_EQ(receiver_.take(kThird, core::CopyReply{}), std::nullopt);
    const auto result = exchange();
    EXPECT_TRUE(result && *result);
}

TEST_F(Copy, ServesOneReceiverAtATimeAndLetsGoOfOneThatFellSilent) {
    ASSERT_NE(donor_.answer(kReceiver, {}, membership_).copy, 0U);
    const core::CopyReply refused = donor_.answer(kThird, {}, membership_);
    EXPECT_EQ(refused.copy, 0U);
    EXPECT_THAT(refused.error, HasSubstr("busy"));
    for (std::uint32_t i = 0; i <= kDonorPatienceTicks; ++i) donor_.tick();
    EXPECT_NE(donor_.answer(kThird, {}, membership_).copy, 0U);
}

TEST_F(Copy, RefusesRequestsThatNoCheckpointCanAnswer) {
    const core::CopyReply first = donor_.answer(kReceiver, {}, membership_);
    EXPECT_THAT(donor_.answer(kReceiver, {.copy = first.copy + 1}, membership_).error, HasSubstr("not running"));
    EXPECT_THAT(donor_.answer(kReceiver, {.copy = first.copy, .file = 9999}, membership_).error, HasSubstr("file 9999"));
}

}  // namespace
}  // namespace tanist::replica

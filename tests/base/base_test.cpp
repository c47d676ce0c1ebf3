// SPDX-License-Identifier: Apache-2.0
// Numbers, bytes, memberships, errors, random numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <unordered_set>

#include "base/bytes.h"
#include "base/ensure.h"
#include "base/membership.h"
#include "base/random.h"
#include "base/types.h"

namespace tanist {
namespace {

template <class A, class B>
concept Mixes = requires(A a, B b) { a == b; };
static_assert(!Mixes<Lsn, Epoch> && !std::is_convertible_v<Lsn, std::uint64_t> && !std::is_convertible_v<Lsn, Epoch>);

TEST(Number, CountsUpAndDownButNotBelowZero) {
    EXPECT_EQ(Lsn{4}.next(), Lsn{5});
    EXPECT_EQ(Lsn{4}.previous(), Lsn{3});
    EXPECT_EQ(Lsn{0}.previous(), Lsn{0});
    EXPECT_LT(Lsn{4}, Lsn{5});
    EXPECT_EQ((std::unordered_set<Lsn>{Lsn{1}, Lsn{1}}.size()), 1U);
}

TEST(Rank, IsComparedByEpochFirst) {
    EXPECT_LT((Rank{Epoch{1}, Lsn{100}}), (Rank{Epoch{2}, Lsn{1}}));
    EXPECT_LT((Rank{Epoch{2}, Lsn{1}}), (Rank{Epoch{2}, Lsn{2}}));
}

TEST(Bytes, ReadsBackWhatWasWritten) {
    std::string text;
    ByteWriter writer(text);
    writer.u8(7);
    writer.u32(0x01020304);
    writer.u64(~std::uint64_t{0});
    for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, ~std::uint64_t{0}}) writer.varint(v);
    writer.string("hello");
    ByteReader reader(text);
    EXPECT_EQ(reader.u8(), 7);
    EXPECT_EQ(reader.u32(), 0x01020304U);
    EXPECT_EQ(reader.u64(), ~std::uint64_t{0});
    for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, ~std::uint64_t{0}})
        EXPECT_EQ(reader.varint(), v);
    EXPECT_EQ(reader.string(), "hello");
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE(reader.at_end());
}

TEST(Bytes, AReaderNeverReadsPastItsEndAndRemembersThatItWanted) {
    const std::string malformed[] = {"", "\x80", std::string(11, '\xff'), std::string(9, '\xff') + "\x02"};
    for (const std::string& text : malformed) {
        ByteReader reader(text);
        EXPECT_EQ(reader.varint(), 0U);
        EXPECT_FALSE(reader.ok());
        EXPECT_EQ(reader.u64(), 0U);
        EXPECT_EQ(reader.string(), "");
    }
    ByteReader reader(
        std::string_view("\x05"
                         "abc"));
    EXPECT_EQ(reader.string(), "");
    EXPECT_FALSE(reader.ok());
}

TEST(Random, SameSeedSameNumbersWithinTheirBounds) {
    Random a(5), b(5);
    for (int i = 0; i < 1000; ++i) {
        const auto drawn = a.between(3, 9);
        EXPECT_EQ(drawn, b.between(3, 9));
        EXPECT_GE(drawn, 3U);
        EXPECT_LE(drawn, 9U);
    }
    EXPECT_FALSE(a.chance(0, 5));
    EXPECT_TRUE(a.chance(5, 5));
}

Membership two_voters_and_a_spare() {
    Membership membership{.cluster = {42}, .cluster_name = "demo"};
    membership.members.push_back({.id = {{1}, {11}}, .seat = Seat::kVoter, .addresses = {.peer = "a:1", .client = "a:2"}});
    membership.members.push_back({.id = {{2}, {22}}, .seat = Seat::kWitness, .addresses = {.peer = "b:1"}});
    membership.members.push_back({.id = {{7}, {77}}, .seat = Seat::kSpare, .addresses = {.peer = "c:1", .http = "c:3", .sentinel = "c:4"}});
    return membership;
}

TEST(Membership, DecodesToWhatWasEncoded) {
    const Membership membership = two_voters_and_a_spare();
    EXPECT_EQ(decode_membership(encode(membership)).value(), membership);
    EXPECT_EQ(membership.voters(), 2U);
    EXPECT_EQ(membership.quorum(), 2U);
    EXPECT_EQ(membership.find(NodeId{7})->id.incarnation, Incarnation{77});
    EXPECT_EQ(membership.find(MemberId{{7}, {78}}), nullptr);  // another incarnation is another member (S1)
}

TEST(Membership, RefusesEveryTruncation) {
    const std::string good = encode(two_voters_and_a_spare());
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode_membership(good.substr(0, size)).has_value()) << size;
    EXPECT_FALSE(decode_membership(good + "x").has_value());
}

TEST(Membership, RefusesMembersOutOfOrderOrTwice) {
    Membership membership = two_voters_and_a_spare();
    std::swap(membership.members[0], membership.members[1]);
    EXPECT_FALSE(decode_membership(encode(membership)).has_value());
    membership.members[0] = membership.members[1];
    EXPECT_FALSE(decode_membership(encode(membership)).has_value());
}

TEST(EnsureDeath, PrintsTheConditionAndEndsTheProcess) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ENSURE(1 + 1 == 2);
    EXPECT_DEATH(ENSURE(1 + 1 == 3), "this must hold: 1 \\+ 1 == 3");
}

TEST(Result, PassesAFailureOnWithWhatWasBeingDone) {
    const Status inner = fail(ErrorCode::kIo, "disk {}", 3);
    const Status outer = fail(inner.error(), "reading the log");
    EXPECT_EQ(outer.error().code, ErrorCode::kIo);
    EXPECT_EQ(outer.error().message, "reading the log: disk 3");
}

}  // namespace
}  // namespace tanist

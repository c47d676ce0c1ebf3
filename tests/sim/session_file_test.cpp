// SPDX-License-Identifier: Apache-2.0
#include "sim/session_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>

namespace tanist::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

Result<SessionVerdict> check(const std::string& text) {
    std::istringstream in(text);
    return check_sessions(in, "s.tsv");
}

std::optional<std::string> violation(const std::string& text) {
    const auto verdict = check(text);
    return verdict ? verdict->violation : verdict.error().message;
}

TEST(SessionFile, ReadsThatGoForwardAndSeeTheSessionsOwnWritesAreGood) {  // S18
    const auto verdict = check(
        "1\twrite\ta\t5\t=x\n"
        "2\tread\ta\t0\t-\n"
        "1\tread\ta\t5\t=x\n"
        "2\twrite\ta\t7\t=y\n"
        "1\tread\ta\t5\t=x\n"
        "1\tread\ta\t7\t=y\n");
    ASSERT_TRUE(verdict) << verdict.error().message;
    EXPECT_EQ(verdict->violation, std::nullopt);
    EXPECT_EQ(verdict->reads, 4u);
    EXPECT_EQ(verdict->writes, 2u);
    EXPECT_EQ(verdict->sessions, 2u);
}

TEST(SessionFile, AReadThatMissesTheSessionsOwnWriteIsFound) {  // S18
    EXPECT_THAT(violation("1\twrite\ta\t5\t=x\n1\tread\ta\t0\t-\n"),
                Optional(HasSubstr("s.tsv:2: session 1 reads a at version 0, and has written or seen version 5")));
    EXPECT_THAT(violation("1\tweak-write\ta\t5\t=x\n1\tread\ta\t0\t-\n"), Optional(HasSubstr("has written or seen version 5")));
}

TEST(SessionFile, AReadThatGoesBackIsFoundAlsoWhenTheNewerOneWasStale) {  // S18
    EXPECT_THAT(violation("1\tread\ta\t5\t=x\n1\tread\ta\t3\t=w\n"), Optional(HasSubstr("s.tsv:2:")));
    EXPECT_THAT(violation("1\tstale-read\ta\t5\t=x\n1\tread\ta\t3\t=w\n"), Optional(HasSubstr("s.tsv:2:")));
}

TEST(SessionFile, AReadThatGoesBackInAnotherKeyIsFound) {  // S18: a session is as new as all that it has seen
    EXPECT_THAT(violation("2\twrite\tb\t8\t=y\n1\tread\ta\t9\t=x\n1\tread\tb\t0\t-\n"),
                Optional(HasSubstr("session 1, which has seen LSN 9, reads b at version 0, and version 8 was acknowledged")));
    EXPECT_EQ(violation("2\twrite\tb\t10\t=y\n1\tread\ta\t9\t=x\n1\tread\tb\t0\t-\n"), std::nullopt);
    EXPECT_EQ(violation("2\tweak-write\tb\t8\t=y\n1\tread\ta\t9\t=x\n1\tread\tb\t0\t-\n"), std::nullopt) << "others may not count on it";
}

TEST(SessionFile, SeveralChangesInOneEntryComeInTheirOrder) {
    const std::string second = std::to_string(5 + (std::uint64_t{1} << 44));
    EXPECT_EQ(violation("1\tread\ta\t5\t=x\n1\tread\ta\t" + second + "\t=y\n1\tread\ta\t6\t=z\n"), std::nullopt);
    EXPECT_THAT(violation("1\tread\ta\t" + second + "\t=y\n1\tread\ta\t5\t=x\n"), Optional(HasSubstr("written or seen version 5.1")));
    EXPECT_THAT(violation("2\twrite\tb\t" + second + "\t=y\n1\tread\ta\t5\t=x\n1\tread\tb\t0\t-\n"),
                Optional(HasSubstr("version 5.1 was acknowledged")));
}

TEST(SessionFile, ALinearizableReadSeesAllButWeakWrites) {
    EXPECT_EQ(violation("1\tweak-write\ta\t5\t=x\n1\tlinearizable-read\ta\t0\t-\n"), std::nullopt);
    EXPECT_THAT(violation("1\twrite\ta\t5\t=x\n1\tlinearizable-read\ta\t0\t-\n"), Optional(HasSubstr("s.tsv:2:")));
}

TEST(SessionFile, AStaleReadMayBeOldButShowsOnlyWhatWasWritten) {
    EXPECT_EQ(violation("1\twrite\ta\t5\t=x\n1\tstale-read\ta\t0\t-\n"), std::nullopt);
    EXPECT_THAT(violation("1\twrite\ta\t5\t=x\n1\tstale-read\ta\t5\t=y\n"), Optional(HasSubstr("version 5 of a is \"x\" and \"y\"")));
}

TEST(SessionFile, ASessionThatWasToldOfALossBeginsAnew) {
    EXPECT_EQ(violation("1\tweak-write\ta\t5\t=x\n1\tcut\t-\t0\t-\n1\tread\ta\t0\t-\n"), std::nullopt);
}

TEST(SessionFile, WhatCannotBeReadIsNamedByLineAndField) {
    EXPECT_THAT(violation("1\tread\ta\n"), Optional(HasSubstr("s.tsv:1: 3 fields, and a line has 5")));
    EXPECT_THAT(violation("1\tread\ta\t0\t-\t-\n"), Optional(HasSubstr("s.tsv:1: 6 fields")));
    EXPECT_THAT(violation("1\tlook\ta\t0\t-\n"), Optional(HasSubstr("the field kind")));
    EXPECT_THAT(violation("1\tread\ta\tx\t-\n"), Optional(HasSubstr("the field version")));
    EXPECT_THAT(violation("1\tread\ta\t0\tx\n"), Optional(HasSubstr("the field value")));
}

}  // namespace
}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// The first step after a start: what the vote file and the log together call for (S3).
#include <gmock/gmock.h>

#include "tests/core/bench.h"

namespace tanist::core::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A member whose log ends in epoch 5.
StartState found(std::size_t voters = 3) {
    StartState start;
    start.identity = {member(kNode1), membership(voters)};
    start.last = entries({5}).back().id();
    start.mark = {start.last, start.last};
    start.epochs = {{{5}, {1}}};
    start.vote = Vote{{5}, {}};
    return start;
}

Actions first_step(StartState start) {
    Node node({.cluster_name = "test", .configured = {{kNode1, "host:1"}, {kNode2, "host:1"}, {kNode3, "host:1"}}}, std::move(start), 7);
    Actions out;
    node.step(Tick{}, out);
    return out;
}

void expect_new_incarnation(const Actions& out) {
    ASSERT_EQ(all<SaveIdentity>(out).size(), 1U);
    const Identity identity = all<SaveIdentity>(out).front().identity;
    EXPECT_EQ(identity.id.node, kNode1);
    EXPECT_NE(identity.id.incarnation, member(kNode1).incarnation);
    EXPECT_FALSE(identity.founding) << "the cluster must admit it";
    EXPECT_EQ(all<SaveVote>(out).front().vote, (Vote{{5}, {}})) << "the file is made anew, no older than the log";
    EXPECT_LT(position<SaveIdentity>(out), position<SaveVote>(out));
    EXPECT_THAT(all<Stop>(out), IsEmpty());
}

TEST(Start, GoodVoteFileChangesNothing) {
    const Actions out = first_step(found());
    EXPECT_THAT(all<SaveIdentity>(out), IsEmpty());
    EXPECT_THAT(all<SaveVote>(out), IsEmpty());
}

TEST(Start, VoteFileOfAnEpochBelowTheLogsMakesANewIncarnation) {  // S3: it could vote twice in one epoch
    StartState start = found();
    start.vote = Vote{{4}, member(kNode2)};
    expect_new_incarnation(first_step(start));
    start.vote.reset();
    expect_new_incarnation(first_step(start));
}

TEST(Start, VoteFileOfAnEpochBelowTheMarksMakesANewIncarnation) {  // S3, S9
    StartState start = found();
    start.last = {};
    start.epochs.clear();
    start.mark.confirmed = {};
    start.tail = Tail::kInDoubt;
    start.vote = Vote{{4}, {}};
    expect_new_incarnation(first_step(start));
}

TEST(Start, VoteFileThatTellsNothingMakesANewIncarnation) {  // S3
    StartState start = found();
    start.vote.reset();
    start.vote_lost = "data/vote.a: bad checksum";
    const Actions out = first_step(start);
    expect_new_incarnation(out);
    EXPECT_THAT(all<Notice>(out).front().text, HasSubstr("data/vote.a: bad checksum"));
}

TEST(Start, OnlyVoterHasNobodyToWaitFor) {
    Bench b({.log = {1, 1}, .applied = 2, .nodes = 1});
    (void)b.settle(b.tick());
    EXPECT_TRUE(b.view().open);
}

TEST(Start, OnlyVoterWithoutItsVoteFileRefusesToStart) {  // S3: nobody could admit a new incarnation
    StartState start = found(1);
    start.vote = Vote{{4}, {}};
    const Actions out = first_step(start);
    ASSERT_EQ(all<Stop>(out).size(), 1U);
    EXPECT_EQ(all<Stop>(out).front().exit_code, 3);
    EXPECT_THAT(all<Stop>(out).front().reason, HasSubstr("the vote file is lost"));
    EXPECT_THAT(all<SaveIdentity>(out), IsEmpty());
}

}  // namespace
}  // namespace tanist::core::testing

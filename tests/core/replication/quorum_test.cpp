// SPDX-License-Identifier: Apache-2.0
#include "core/replication/quorum.h"

#include <gmock/gmock.h>

#include "base/types.h"

namespace tanist::core {
namespace {

Lsn quorum_of(std::vector<Lsn> values) { return quorum_value(std::span(values)); }

TEST(Quorum, IsWhatAMajorityHasReached) {  // S6
    EXPECT_EQ(quorum_of({{7}}), Lsn{7});
    EXPECT_EQ(quorum_of({{7}, {3}}), Lsn{3});  // both of two
    EXPECT_EQ(quorum_of({{7}, {3}, {5}}), Lsn{5});
    EXPECT_EQ(quorum_of({{7}, {0}, {0}}), Lsn{0});
    EXPECT_EQ(quorum_of({{9}, {1}, {5}, {3}}), Lsn{3});  // three of four
    EXPECT_EQ(quorum_of({{1}, {2}, {3}, {4}, {5}}), Lsn{3});
}

}  // namespace
}  // namespace tanist::core

// SPDX-License-Identifier: Apache-2.0
#include "server/logging.h"

#include <gtest/gtest.h>

namespace tanist::server {
namespace {

TEST(Logging, AJsonLineHasTheSentenceAndTheFieldsOfTheTextLine) {
    EXPECT_EQ(json_members("promoted node=2 epoch=5 why=\"the master is gone\""),
              R"("event":"promoted","node":2,"epoch":5,"why":"the master is gone")");
    EXPECT_EQ(json_members("no fields here"), R"("event":"no fields here")");
    EXPECT_EQ(json_members("a \"quoted\" thing\n"), R"("event":"a \"quoted\" thing\n")");
    EXPECT_EQ(json_members("starting client=127.0.0.1:7401 id=00ab"), R"("event":"starting","client":"127.0.0.1:7401","id":"00ab")");
}

}  // namespace
}  // namespace tanist::server

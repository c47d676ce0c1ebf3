// SPDX-License-Identifier: Apache-2.0
#include "sim/history_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace tanist::sim {
namespace {

using ::testing::HasSubstr;

Result<KeyHistories> read(const std::string& text) {
    std::istringstream in(text);
    return read_histories(in, "h.tsv");
}

TEST(HistoryFile, EachKindOfOperationIsRead) {
    const auto histories = read(
        "k\twrite\t1\t2\t-\t=a\t-\t0\t0\n"
        "k\tcompare\t3\t4\t=a\t=b\t-\t0\t1\n"
        "k\tread\t5\t6\t-\t-\t=b\t0\t0\n"
        "c\tincrement\t1\t-\t-\t-\t-\t1\t0\n"
        "c\tincrement\t2\t3\t-\t-\t=2\t1\t0\n");
    ASSERT_TRUE(histories) << histories.error().message;
    const auto verdict = histories->check(kStepsMax);
    EXPECT_EQ(verdict.operations, 5u);
    EXPECT_EQ(verdict.violation, std::nullopt);
}

TEST(HistoryFile, AReadOfThePastIsFoundAndToldWithItsKey) {
    const auto histories = read("k\twrite\t1\t2\t-\t=a\t-\t0\t0\nk\tread\t3\t4\t-\t-\t-\t0\t0\n");
    ASSERT_TRUE(histories);
    const auto verdict = histories->check(kStepsMax);
    ASSERT_TRUE(verdict.violation);
    EXPECT_THAT(*verdict.violation, HasSubstr("the history of k is not linearizable: no order explains [3, 4] read nothing"));
}

TEST(HistoryFile, WhatCannotBeReadIsNamedByLineAndField) {
    const std::string good = "k\tread\t1\t2\t-\t-\t-\t0\t0\n";
    const std::pair<std::string, std::string> cases[] = {
        {"k\tread\t1\n", "h.tsv:2: 3 fields, and a line has 9"},  {"k\tlook\t1\t2\t-\t-\t-\t0\t0\n", "h.tsv:2: the field kind"},
        {"k\tread\tx\t2\t-\t-\t-\t0\t0\n", "the field begin"},    {"k\tread\t3\t2\t-\t-\t-\t0\t0\n", "the field end"},
        {"k\tread\t1\t2\tx\t-\t-\t0\t0\n", "the field expected"}, {"k\tread\t1\t2\t-\tx\t-\t0\t0\n", "the field value"},
        {"k\tread\t1\t2\t-\t-\tx\t0\t0\n", "the field result"},   {"k\tread\t1\t2\t-\t-\t-\tx\t0\n", "the field by"},
        {"k\tread\t1\t2\t-\t-\t-\t0\t2\n", "the field succeeded"}};
    for (const auto& [line, message] : cases) {
        const auto histories = read(good + line);
        ASSERT_FALSE(histories) << line;
        EXPECT_THAT(histories.error().message, HasSubstr(message));
    }
}

}  // namespace
}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Every safety rule names tests and mutants that exist, and every mutant is named: docs/safety-rules.md cannot go stale.
#include "tests/structure/safety_rules.h"

#include <gmock/gmock.h>

#include <string>

#include "sim/mutants.h"

namespace tanist::structure {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SafetyRules, NameTheTestsAndMutantsThatProveThem) {
    Citations citations;
    for (const SourceFile& file : read_sources(TANIST_SOURCE_DIR, {"tests"})) add_citations(file, citations);
    std::map<std::string, std::string> mutants;
    for (const sim::MutantCase& m : sim::kMutantCases) mutants.emplace(m.name, m.rule);
    ASSERT_EQ(mutants.size(), sim::kMutantCases.size()) << "two mutants have one name";
    const auto rows = read_rule_rows(read_text(std::string(TANIST_SOURCE_DIR) + "/docs/safety-rules.md"));
    EXPECT_THAT(wrong_rule_rows(rows, citations, mutants), IsEmpty());
}

// What the check finds, shown on a made-up table.

std::vector<RuleRow> rows_with(RuleRow changed) {
    std::vector<RuleRow> rows;
    for (const std::string& rule : all_rules()) rows.push_back({.rule = rule, .without_code = true});
    for (RuleRow& row : rows) {
        if (row.rule == changed.rule) row = changed;
    }
    return rows;
}

TEST(SafetyRules, AreReadFromTheTable) {
    const auto rows = read_rule_rows(
        "| rule | says | tests | mutants |\n|---|---|---|---|\n| S3a | x | `A.B`, `C.D` | `m` |\n| S24 | y | no code yet | |\n");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].rule, "S3a");
    EXPECT_THAT(rows[0].tests, ElementsAre("A.B", "C.D"));
    EXPECT_THAT(rows[0].mutants, ElementsAre("m"));
    EXPECT_TRUE(rows[1].without_code);
}

TEST(SafetyRules, NamesOfTestsComeWithTheRulesThatTheyCite) {
    Citations citations;
    add_citations(parse_source("tests/a/b_test.cpp", "TEST(A, B) {  // S3a, S13: why\nTEST_F(C, D) {\n"), citations);
    EXPECT_THAT(citations.at("A.B"), ElementsAre("S13", "S3a"));
    EXPECT_THAT(citations.at("C.D"), IsEmpty());
}

TEST(SafetyRules, MayNotNameWhatIsNotThere) {
    const Citations citations{{"A.B", {"S5"}}, {"C.D", {}}};
    EXPECT_THAT(wrong_rule_rows(rows_with({.rule = "S5", .tests = {"A.B"}, .mutants = {"m"}}), citations, {{"m", "S5"}}), IsEmpty());
    EXPECT_THAT(wrong_rule_rows(rows_with({.rule = "S5"}), citations, {}), ElementsAre("S5: names no test"));
    EXPECT_THAT(wrong_rule_rows(rows_with({.rule = "S5", .tests = {"A.X", "C.D"}}), citations, {}),
                ElementsAre("S5: there is no test A.X", "S5: C.D does not cite it behind its name"));
    EXPECT_THAT(wrong_rule_rows(rows_with({.rule = "S5", .tests = {"A.B"}, .mutants = {"m"}}), citations, {{"m", "S6"}}),
                ElementsAre("S5: the catalogue has no mutant m of it"));
    EXPECT_THAT(wrong_rule_rows(rows_with({.rule = "S5", .tests = {"A.B"}}), citations, {{"m", "S5"}}),
                ElementsAre("S5: does not name the mutant m"));
    EXPECT_THAT(wrong_rule_rows({}, citations, {}), testing::Contains("S27: must have one row"));
}

}  // namespace
}  // namespace tanist::structure

// SPDX-License-Identifier: Apache-2.0
// The table of docs/safety-rules.md: which tests and which mutants prove each safety rule, held against what there is.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/structure/source_file.h"

namespace tanist::structure {

/// A row of the table: | S13 | what it says | `Suite.Test`, `tests/e2e/story.py` | `mutant` |
struct RuleRow {
    std::string rule;
    std::vector<std::string> tests, mutants;
    bool without_code = false;  ///< says "no code yet"
};
[[nodiscard]] std::vector<RuleRow> read_rule_rows(std::string_view text);

using Citations = std::map<std::string, std::set<std::string>, std::less<>>;
/// The rules that each test cites behind its name: TEST(Suite, Name) {  // S13, S3a
void add_citations(const SourceFile& file, Citations& citations);

/// S1 … S27 and S3a.
[[nodiscard]] std::vector<std::string> all_rules();

/// What is wrong with the table. `mutants`: the rule of each one in the catalogue.
[[nodiscard]] std::vector<std::string> wrong_rule_rows(const std::vector<RuleRow>& rows, const Citations& citations,
                                                       const std::map<std::string, std::string>& mutants);

}  // namespace tanist::structure

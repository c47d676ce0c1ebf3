// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/safety_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <sstream>

namespace tanist::structure {
namespace {

constexpr int kRules = 27;

std::vector<std::string> in_backticks(const std::string& cell) {
    static const std::regex kName("`([^`]+)`");
    std::vector<std::string> names;
    for (std::sregex_iterator at(cell.begin(), cell.end(), kName), end; at != end; ++at) names.push_back((*at)[1]);
    return names;
}

}  // namespace

std::vector<RuleRow> read_rule_rows(std::string_view text) {
    static const std::regex kRow(R"(^\| (S\d+a?) \|([^|]*)\|([^|]*)\|([^|]*)\|$)");
    std::vector<RuleRow> rows;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (!std::regex_match(line, match, kRow)) continue;
        rows.push_back({.rule = match[1],
                        .tests = in_backticks(match[3]),
                        .mutants = in_backticks(match[4]),
                        .without_code = match[3].str().find("no code yet") != std::string::npos});
    }
    return rows;
}

void add_citations(const SourceFile& file, Citations& citations) {
    static const std::regex kTest(R"(^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\((\w+), (\w+)\))");
    static const std::regex kRule(R"(\bS\d+a?\b)");
    for (const std::string& line : file.lines) {
        std::smatch match;
        if (!std::regex_search(line, match, kTest)) continue;
        auto& rules = citations[match[1].str() + "." + match[2].str()];
        const auto comment = line.find("// ");
        if (comment == std::string::npos) continue;
        const std::string text = line.substr(comment);
        for (std::sregex_iterator at(text.begin(), text.end(), kRule), end; at != end; ++at) rules.insert(at->str());
    }
}

std::vector<std::string> all_rules() {
    std::vector<std::string> rules;
    for (int i = 1; i <= kRules; ++i) {
        rules.push_back(fmt::format("S{}", i));
        if (i == 3) rules.push_back("S3a");
    }
    return rules;
}

std::vector<std::string> wrong_rule_rows(const std::vector<RuleRow>& rows, const Citations& citations,
                                         const std::map<std::string, std::string>& mutants) {
    std::vector<std::string> wrong;
    for (const std::string& rule : all_rules()) {
        if (std::ranges::count(rows, rule, &RuleRow::rule) != 1) wrong.push_back(fmt::format("{}: must have one row", rule));
    }
    std::set<std::string> named;
    for (const RuleRow& row : rows) {
        if (row.tests.empty() && !row.without_code) wrong.push_back(fmt::format("{}: names no test", row.rule));
        for (const std::string& test : row.tests) {
            const auto found = citations.find(test);
            if (found == citations.end()) {
                wrong.push_back(fmt::format("{}: there is no test {}", row.rule, test));
            } else if (!found->second.contains(row.rule)) {
                wrong.push_back(fmt::format("{}: {} does not cite it behind its name", row.rule, test));
            }
        }
        for (const std::string& mutant : row.mutants) {
            named.insert(mutant);
            const auto found = mutants.find(mutant);
            if (found == mutants.end() || found->second != row.rule)
                wrong.push_back(fmt::format("{}: the catalogue has no mutant {} of it", row.rule, mutant));
        }
    }
    for (const auto& [mutant, rule] : mutants) {
        if (!named.contains(mutant)) wrong.push_back(fmt::format("{}: does not name the mutant {}", rule, mutant));
    }
    return wrong;
}

}  // namespace tanist::structure

// SPDX-License-Identifier: Apache-2.0
// What docs/testing.md says of the mutants that are found is what tests/sim/mutants.txt records.
#include "sim/mutants.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

namespace tanist::sim {
namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(std::string(TANIST_SOURCE_DIR) + "/" + path);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> recorded() {
    std::set<std::string> names;
    std::istringstream lines(text_of("tests/sim/mutants.txt"));
    for (std::string line; std::getline(lines, line);) {
        if (line.front() != '#') names.insert(line.substr(0, line.find(' ')));
    }
    return names;
}

TEST(Mutants, ThatHaveNoRecordedSeedAreNamedInTheDocumentation) {
    const std::string page = text_of("docs/testing.md");
    const std::set<std::string> found = recorded();
    std::size_t in_catalogue = 0;
    for (const MutantCase& m : kMutantCases) {
        const std::string name(m.name);
        in_catalogue += found.count(name);
        const bool is_told = page.find("`" + name + "` (" + std::string(m.rule) + ")") != std::string::npos;
        EXPECT_NE(found.contains(name), is_told)
            << name << ": is recorded in tests/sim/mutants.txt, or docs/testing.md says that it is not";
    }
    EXPECT_EQ(in_catalogue, found.size()) << "tests/sim/mutants.txt records a mutant that the catalogue does not have";
    const std::string count = "has " + std::to_string(found.size()) + " of the " + std::to_string(kMutantCases.size());
    EXPECT_NE(page.find(count), std::string::npos) << "docs/testing.md does not say: " << count;
}

}  // namespace
}  // namespace tanist::sim

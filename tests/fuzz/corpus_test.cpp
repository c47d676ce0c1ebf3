// SPDX-License-Identifier: Apache-2.0
// Each fuzz target over its corpus, which holds what once broke it too, and over random changes of that, in every build.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/random.h"
#include "tests/fuzz/target.h"

namespace tanist::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = TANIST_FUZZ_CORPUS;
const std::vector<Target> kTargets = all_targets();

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::map<fs::path, std::string> inputs_of(const Target& target) {
    std::map<fs::path, std::string> inputs;
    for (const auto& file : fs::directory_iterator(kCorpus / target.name)) inputs[file.path()] = read(file.path());
    return inputs;
}

fs::path seed_path(const Target& target, std::size_t number) { return kCorpus / target.name / fmt::format("seed-{:02}", number); }

TEST(Corpus, HasAFolderForEachTargetAndNoOther) {
    std::set<std::string> folders, names;
    for (const auto& folder : fs::directory_iterator(kCorpus)) folders.insert(folder.path().filename());
    for (const Target& target : kTargets) EXPECT_TRUE(names.emplace(target.name).second) << target.name;
    EXPECT_EQ(folders, names);
}

/// Not that they are the same: a change of a protocol need not rewrite them.
TEST(Corpus, HasAFileForEachSeed) {
    for (const Target& target : kTargets) {
        const auto seeds = target.seeds();
        ASSERT_FALSE(seeds.empty());
        for (std::size_t i = 0; i < seeds.size(); ++i) EXPECT_TRUE(fs::exists(seed_path(target, i))) << seed_path(target, i);
        EXPECT_FALSE(fs::exists(seed_path(target, seeds.size()))) << "fuzz_test --write-seeds rewrites them";
    }
}

class EachTarget : public testing::TestWithParam<std::string> {
protected:
    const Target target_ = *std::ranges::find(kTargets, GetParam(), &Target::name);
};

TEST_P(EachTarget, HoldsOverItsCorpus) {
    for (const auto& [path, input] : inputs_of(target_)) {
        SCOPED_TRACE(path);
        target_.run(as_bytes(input));
    }
    target_.run({});
}

/// A few of the changes that a fuzzer makes, without its guidance.
std::string changed(std::string input, const std::string& other, Random& random) {
    for (std::uint64_t changes = random.between(1, 4); changes > 0; --changes) {
        const std::size_t at = random.below(input.size() + 1), size = random.below(9);
        switch (random.below(5)) {
            case 0: input = input.substr(0, at); break;
            case 1: input.erase(at, size); break;
            case 2: input.insert(at, other.substr(random.below(other.size() + 1), size)); break;
            case 3: input.insert(at, 1, static_cast<char>(random.next())); break;
            default:
                if (at < input.size())
                    input[at] = static_cast<char>(random.chance(1, 2) ? input[at] ^ (1 << random.below(8)) : random.next());
        }
    }
    return input;
}

TEST_P(EachTarget, HoldsOverRandomChangesOfItsCorpus) {
    constexpr int kRuns = 500;
    std::vector<std::string> inputs;
    for (auto& [path, input] : inputs_of(target_)) inputs.push_back(std::move(input));
    Random random(1);
    for (int run = 0; run < kRuns; ++run) {
        const std::string& other = inputs[random.below(inputs.size())];
        target_.run(as_bytes(changed(inputs[random.below(inputs.size())], other, random)));
    }
}

std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const Target& target : all_targets()) names.emplace_back(target.name);
    return names;
}
INSTANTIATE_TEST_SUITE_P(Fuzz, EachTarget, testing::ValuesIn(names()), [](const auto& name) { return name.param; });

void write_seeds() {
    for (const Target& target : kTargets) {
        fs::create_directories(kCorpus / target.name);
        for (std::size_t i = 0; fs::remove(seed_path(target, i)); ++i) {
        }
        const auto seeds = target.seeds();
        for (std::size_t i = 0; i < seeds.size(); ++i) std::ofstream(seed_path(target, i), std::ios::binary) << seeds[i];
    }
}

}  // namespace
}  // namespace tanist::fuzz

int main(int argument_count, char** arguments) {
    testing::InitGoogleTest(&argument_count, arguments);
    if (argument_count == 2 && std::string_view(arguments[1]) == "--write-seeds") {
        tanist::fuzz::write_seeds();
        return 0;
    }
    return RUN_ALL_TESTS();
}

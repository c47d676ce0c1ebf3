// SPDX-License-Identifier: Apache-2.0
// Whole histories: each seed that failed once, a range of others, and the same seed twice.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sim/runner.h"
#include "sim/simulation.h"

namespace tanist::sim {
namespace {

struct KnownSeed {
    std::uint64_t seed;
    std::string why;
};

/// tests/sim/seeds.txt: a seed a line, then why it is there; '#' begins a comment.
std::vector<KnownSeed> known_seeds() {
    std::ifstream file(TANIST_SEEDS);
    EXPECT_TRUE(file) << TANIST_SEEDS;
    std::vector<KnownSeed> seeds;
    for (std::string line; std::getline(file, line);) {
        KnownSeed known{};
        std::istringstream words(line);
        if (line.empty() || line.front() == '#') continue;
        EXPECT_TRUE(words >> known.seed) << line;
        std::getline(words >> std::ws, known.why);
        EXPECT_FALSE(known.why.empty()) << "say why: " << line;
        seeds.push_back(known);
    }
    return seeds;
}

void expect_no_failure(std::uint64_t seed, const std::string& why) {
    SCOPED_TRACE("replay: " + replay_line(seed));  // an ENSURE that ends the process is replayed by running the same test alone
    const Report report = simulate(seed, false);
    EXPECT_EQ(report.failure, std::nullopt) << why;
    EXPECT_GT(report.committed, Lsn{0});
}

TEST(Seeds, ThatFailedOnceFailNoMore) {
    for (const KnownSeed& known : known_seeds()) expect_no_failure(known.seed, known.why);
}

TEST(Seeds, OfARangeKeepEveryRule) {
    for (std::uint64_t seed = 1001; seed <= 1100; ++seed) expect_no_failure(seed, "");
}

TEST(Seeds, GiveTheSameHistoryEachTime) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Report one = simulate(seed, false), other = simulate(seed, false);
        EXPECT_EQ(one.trace_hash, other.trace_hash) << "seed " << seed;
        EXPECT_EQ(one.events, other.events) << "seed " << seed;
    }
    EXPECT_NE(simulate(1, false).trace_hash, simulate(2, false).trace_hash);
}

}  // namespace
}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// What histories have met: each kind of fault, each message, each row of the table of starts, what nodes decided and what clients were
// told. So that a run can name what it has never met, and so has not tested.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/message.h"
#include "core/recovery/start_plan.h"
#include "sim/plan.h"
#include "sim/scenario.h"

namespace tanist::sim {

/// A run of so many seeds from kFirstSeedOfMore on must meet every point that is due.
inline constexpr std::uint64_t kSeedsThatMeetAll = 1000;

/// What the answers among the messages say, in the order of their names in coverage.cpp.
enum class Outcome : std::uint8_t {
    kPreVoteGranted,
    kPreVoteRefused,
    kPreVoteNamesMaster,
    kVoteGranted,
    kVoteRefused,
    kCandidacyOrdered,
    kEntriesSent,
    kPositionSent,
    kAppendRejected,
    kCopyNeeded,
    kReadConfirmed,
    kReadNotConfirmed,
    kFetchEntries,
    kFetchDiverged,
    kFetchRecycled,
    kFetchBusy,
    kInquiryBounded,
    kInquiryUnbounded,
    kHearsMaster,
    kHas,
    kDenies,
    kInDoubtToo,
    kCopyGiven,
    kCopyRefused,
};
inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::kCopyRefused) + 1;

/// Sentences with which nodes tell what they decided; the fields behind them vary.
inline constexpr auto kSentences = std::to_array<std::string_view>({
    "cluster formed",
    "promoted",
    "stepped down",
    "standing for election",
    "following a master",
    "open for writes",
    "the master's process is gone",
    "refusing a node",
    "refused by a node",
    "vote file lost",
    "log is damaged",
    "log repaired",
    "asking all members for entries in doubt",
    "cutting a diverged log tail",
    "writes not known here to be committed were exported",
    "a full copy is needed",
    "copying a checkpoint",
    "checkpoint installed",
    "a copy failed",
    "switching over",
    "switched over",
    "not switched over",
});

class Coverage {
public:
    static constexpr std::size_t kMessages = std::variant_size_v<core::Body>;
    static constexpr std::size_t kStarts = core::kStartCases.size();
    static constexpr std::size_t kPoints = kFaultKinds + kMessages + kOutcomes + kStarts + kSentences.size();

    struct Point {
        std::string_view group;
        std::string name;
        bool due = true;  ///< seeds enough, not of scenarios, have to meet it
    };
    /// All of them, in the order of count().
    [[nodiscard]] static std::vector<Point> points();

    void on_fault(FaultKind kind) { ++hits_[static_cast<std::size_t>(kind)]; }
    void on_sent(const core::Body& body);
    /// A data directory was opened, or refused.
    void on_started(core::VoteFound vote, Tail tail, bool only_voter);
    void on_notice(std::string_view text);

    [[nodiscard]] std::uint64_t count(std::size_t point) const { return hits_[point]; }

private:
    static constexpr std::size_t kFirstMessage = kFaultKinds;
    static constexpr std::size_t kFirstOutcome = kFirstMessage + kMessages;
    static constexpr std::size_t kFirstStart = kFirstOutcome + kOutcomes;
    static constexpr std::size_t kFirstSentence = kFirstStart + kStarts;

    std::array<std::uint64_t, kPoints> hits_{};
};

/// The points that are due, or those that are not, and were met by no history, by name; `counts` in the order of Coverage::points().
[[nodiscard]] std::vector<std::string> missed(const std::vector<std::uint64_t>& counts, bool due = true);
/// Of scenarios nobody expects that: each knows few faults.
[[nodiscard]] constexpr bool must_meet_all(std::uint64_t first_seed, std::uint64_t seeds) {
    if (first_seed >= kFirstScenarioSeed) return false;
    const std::uint64_t end = first_seed + seeds;
    return end >= kFirstSeedOfMore + kSeedsThatMeetAll && end - std::max(first_seed, kFirstSeedOfMore) >= kSeedsThatMeetAll;
}

}  // namespace tanist::sim

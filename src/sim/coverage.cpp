// SPDX-License-Identifier: Apache-2.0
#include "sim/coverage.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/ensure.h"
#include "sim/describe.h"

namespace tanist::sim {
namespace {

constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {"pre_vote_granted",
                                                                   "pre_vote_refused",
                                                                   "pre_vote_names_master",
                                                                   "vote_granted",
                                                                   "vote_refused",
                                                                   "candidacy_ordered",
                                                                   "entries_sent",
                                                                   "position_sent",
                                                                   "append_rejected",
                                                                   "copy_needed",
                                                                   "read_confirmed",
                                                                   "read_not_confirmed",
                                                                   "fetch_entries",
                                                                   "fetch_diverged",
                                                                   "fetch_recycled",
                                                                   "fetch_busy",
                                                                   "inquiry_bounded",
                                                                   "inquiry_unbounded",
                                                                   "hears_master",
                                                                   "has",
                                                                   "denies",
                                                                   "in_doubt_too",
                                                                   "copy_given",
                                                                   "copy_refused"};

std::string_view to_string(Tail tail) {
    switch (tail) {
        case Tail::kClean: return "clean";
        case Tail::kTorn: return "torn";
        case Tail::kInDoubt: return "in_doubt";
        case Tail::kCorrupt: return "corrupt";
        case Tail::kUnbounded: return "unbounded";
    }
    return "?";
}

/// Not what a run of kSeedsThatMeetAll may well miss: an end of a log in doubt, or a vote lost together with most of what can befall a log.
/// And the disk of a cluster's only voter is spoiled in a scenario only (only_log).
bool is_due(const core::StartCase& row) {
    if (row.only_voter) return row.vote == core::VoteFound::kKept && (row.tail == Tail::kClean || row.tail == Tail::kTorn);
    if (row.vote == core::VoteFound::kLost) return row.tail == Tail::kClean;
    return row.tail != Tail::kInDoubt;
}

/// Nor the rarest answers, those about an end in doubt.
bool is_due(Outcome outcome) {
    return outcome != Outcome::kInquiryBounded && outcome != Outcome::kHearsMaster && outcome != Outcome::kInDoubtToo;
}

template <std::size_t... I>
std::vector<std::string> message_names(std::index_sequence<I...>) {
    return {message_name(core::Body(std::in_place_index<I>))...};
}

/// What a message says, of those of one kind that say different things.
struct Saying {
    using Said = std::optional<Outcome>;

    Said operator()(const core::PreVoteReply& m) const {
        if (m.granted) return Outcome::kPreVoteGranted;
        return m.master ? Outcome::kPreVoteNamesMaster : Outcome::kPreVoteRefused;
    }
    Said operator()(const core::VoteReply& m) const { return m.granted ? Outcome::kVoteGranted : Outcome::kVoteRefused; }
    Said operator()(const core::VoteRequest& m) const { return m.switchover_of ? Said(Outcome::kCandidacyOrdered) : std::nullopt; }
    Said operator()(const core::Append& m) const { return m.entries.empty() ? Outcome::kPositionSent : Outcome::kEntriesSent; }
    Said operator()(const core::AppendReject& m) const { return m.needs_copy ? Outcome::kCopyNeeded : Outcome::kAppendRejected; }
    Said operator()(const core::ReadIndexReply& m) const { return m.lsn ? Outcome::kReadConfirmed : Outcome::kReadNotConfirmed; }
    Said operator()(const core::FetchReply& m) const {
        switch (m.status) {
            case core::FetchStatus::kEntries: return Outcome::kFetchEntries;
            case core::FetchStatus::kDiverged: return Outcome::kFetchDiverged;
            case core::FetchStatus::kRecycled: return Outcome::kFetchRecycled;
            case core::FetchStatus::kBusy: return Outcome::kFetchBusy;
        }
        return std::nullopt;
    }
    Said operator()(const core::Inquiry& m) const { return m.through ? Outcome::kInquiryBounded : Outcome::kInquiryUnbounded; }
    Said operator()(const core::InquiryReply& m) const {
        switch (m.answer) {
            case core::InquiryAnswer::kHearsMaster: return Outcome::kHearsMaster;
            case core::InquiryAnswer::kHas: return Outcome::kHas;
            case core::InquiryAnswer::kDenies: return Outcome::kDenies;
            case core::InquiryAnswer::kInDoubtToo: return Outcome::kInDoubtToo;
        }
        return std::nullopt;
    }
    Said operator()(const core::CopyReply& m) const { return m.copy != 0 ? Outcome::kCopyGiven : Outcome::kCopyRefused; }
    template <class Other>
    Said operator()(const Other&) const {
        return std::nullopt;
    }
};

}  // namespace

std::vector<Coverage::Point> Coverage::points() {
    std::vector<Point> points;
    for (std::size_t i = 0; i < kFaultKinds; ++i) points.push_back({"faults", std::string(sim::to_string(static_cast<FaultKind>(i)))});
    for (std::string& name : message_names(std::make_index_sequence<kMessages>())) points.push_back({"messages", std::move(name)});
    for (std::size_t i = 0; i < kOutcomes; ++i)
        points.push_back({"answers", std::string(kOutcomeNames[i]), is_due(static_cast<Outcome>(i))});
    for (const core::StartCase& row : core::kStartCases) {
        std::string name = fmt::format("vote_{}+{}{}", row.vote == core::VoteFound::kLost ? "lost" : "kept", to_string(row.tail),
                                       row.only_voter ? "+only_voter" : "");
        points.push_back({"starts", std::move(name), is_due(row)});
    }
    for (const std::string_view sentence : kSentences) points.push_back({"decisions", fmt::format("\"{}\"", sentence)});
    ENSURE(points.size() == kPoints);
    return points;
}

std::vector<std::string> missed(const std::vector<std::uint64_t>& counts, bool due) {
    const auto points = Coverage::points();
    ENSURE(counts.size() == points.size());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (points[i].due == due && counts[i] == 0) names.push_back(points[i].name);
    }
    return names;
}

void Coverage::on_sent(const core::Body& body) {
    ++hits_[kFirstMessage + body.index()];
    if (const auto said = std::visit(Saying{}, body)) ++hits_[kFirstOutcome + static_cast<std::size_t>(*said)];
}

void Coverage::on_started(core::VoteFound vote, Tail tail, bool only_voter) {
    for (std::size_t i = 0; i < kStarts; ++i) {
        const core::StartCase& row = core::kStartCases[i];
        if (row.vote == vote && row.tail == tail && row.only_voter == only_voter) ++hits_[kFirstStart + i];
    }
}

void Coverage::on_notice(std::string_view text) {
    for (std::size_t i = 0; i < kSentences.size(); ++i) {
        if (text.starts_with(kSentences[i])) ++hits_[kFirstSentence + i];
    }
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
#include "sim/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace tanist::sim {
namespace {

std::string show(Rank rank) { return fmt::format("{}/{}", rank.epoch.value, rank.lsn.value); }
std::string show(const std::vector<Entry>& entries) {
    if (entries.empty()) return "nothing";
    return fmt::format("{}..{}", show(entries.front().rank()), show(entries.back().rank()));
}
std::string show(const std::optional<MemberId>& member) { return member ? fmt::format("{}", member->node.value) : "none"; }

std::string show(const core::Hello& m) { return fmt::format("Hello pristine={} intent={}", m.pristine, show(m.intent)); }
std::string show(const core::FormationProposal& m) { return fmt::format("FormationProposal members={}", m.founding.members.size()); }
std::string show(const core::FormationAccept&) { return "FormationAccept"; }
std::string show(const core::Refusal& m) { return fmt::format("Refusal \"{}\"", m.reason); }
std::string show(const core::HigherEpoch&) { return "HigherEpoch"; }
std::string show(const core::Heartbeat& m) { return fmt::format("Heartbeat commit={} round={}", m.commit.value, m.round); }
std::string show(const core::Append& m) {
    return fmt::format("Append behind {} {} commit={} round={} acknowledged={}", show(m.previous), show(m.entries), m.commit.value, m.round,
                       m.acknowledged.value);
}
std::string show(const core::AppendAck& m) {
    return fmt::format("AppendAck acknowledged={} applied={} intent={} round={}", m.acknowledged.value, m.applied.value, show(m.intent),
                       m.round);
}
std::string show(const core::AppendReject& m) {
    return fmt::format("AppendReject behind {} base={} last={} needs_copy={}", show(m.previous), m.base.value, show(m.last), m.needs_copy);
}
std::string show(const core::ReadIndexRequest& m) { return fmt::format("ReadIndexRequest id={}", m.id); }
std::string show(const core::ReadIndexReply& m) { return fmt::format("ReadIndexReply id={} lsn={}", m.id, m.lsn ? m.lsn->value : 0); }
std::string show(const core::PreVoteRequest& m) {
    return fmt::format("PreVoteRequest proposed={} rank={}", m.proposed.value, show(m.rank));
}
std::string show(const core::PreVoteReply& m) {
    return fmt::format("PreVoteReply proposed={} granted={} master={} rank={}", m.proposed.value, m.granted, show(m.master), show(m.rank));
}
std::string show(const core::VoteRequest& m) { return fmt::format("VoteRequest rank={}", show(m.rank)); }
std::string show(const core::VoteReply& m) { return fmt::format("VoteReply granted={} rank={}", m.granted, show(m.rank)); }
std::string show(const core::StandNow& m) { return fmt::format("StandNow target={}", m.target.node.value); }
std::string show(const core::FetchRequest& m) {
    return fmt::format("FetchRequest id={} behind {} through={}", m.id, show(m.previous), m.through.value);
}
std::string show(const core::FetchReply& m) {
    return fmt::format("FetchReply id={} status={} behind {} {} commit={} last={}", m.id, static_cast<int>(m.status), show(m.previous),
                       show(m.entries), m.commit.value, show(m.last));
}
std::string show(const core::Inquiry& m) {
    return fmt::format("Inquiry id={} from={} through={}", m.id, m.from.value, m.through ? show(m.through->rank()) : "unbounded");
}
std::string show(const core::InquiryReply& m) {
    return fmt::format("InquiryReply id={} answer={} master={} last={}", m.id, static_cast<int>(m.answer), show(m.master), show(m.last));
}
std::string show(const core::CopyRequest& m) { return fmt::format("CopyRequest copy={} file={} offset={}", m.copy, m.file, m.offset); }
std::string show(const core::CopyReply& m) {
    return fmt::format("CopyReply copy={} position={} file={} offset={} bytes={} error=\"{}\"", m.copy, show(m.position.rank()), m.file,
                       m.offset, m.data.size(), m.error);
}
std::string show(const core::SwitchoverAsk& m) { return fmt::format("SwitchoverAsk id={} target={}", m.id, m.target.value); }
std::string show(const core::SwitchoverAnswer& m) {
    return fmt::format("SwitchoverAnswer id={} master={} reason=\"{}\"", m.id, show(m.master), m.refused.reason);
}
std::string show(const core::ForwardedWrites& m) { return fmt::format("ForwardedWrites bytes={}", m.payload.size()); }
std::string show(const core::CopyEnd& m) { return fmt::format("CopyEnd copy={}", m.copy); }

constexpr std::size_t kShownBytesMax = 24;  ///< of a value: its beginning tells whose and which it is
std::string shortened(std::string_view value) { return std::string(value.substr(0, kShownBytesMax)); }

std::string show(const commands::Put& c) { return fmt::format("put {}={}", c.key, shortened(c.value)); }
std::string show(const commands::Delete& c) { return fmt::format("delete {}", c.key); }
std::string show(const commands::Increment& c) { return fmt::format("increment {} by {}", c.key, c.by); }
std::string show(const commands::Get& c) { return fmt::format("get {}", c.key); }
std::string show(const commands::Redis& c) { return fmt::format("{}", fmt::join(c.words, " ")); }

std::string show(const Write& write) {
    constexpr std::array<std::string_view, 3> kLevels = {"master", "quorum", "all"};
    const auto* request = std::get_if<commands::Request>(&write.logged);
    std::string text = request == nullptr ? "register a session" : "";
    if (request != nullptr) {
        for (const auto& command : request->commands) {
            text += fmt::format("{}{}", text.empty() ? "" : "; ", std::visit([](const auto& c) { return show(c); }, command));
        }
        if (!request->conditions.empty()) text += fmt::format(" under {} condition(s)", request->conditions.size());
        if (!request->session.is_zero()) text += fmt::format(", session {} number {}", request->session.value, request->sequence);
    }
    return fmt::format("{}, level {}", text, kLevels[static_cast<std::size_t>(write.level)]);
}

std::string show(const Read& read) {
    constexpr std::array<std::string_view, 3> kLevels = {"stale", "session", "linearizable"};
    const bool is_one = read.end == read.begin + '\0';
    return fmt::format("read {}{}, {}, having seen {}", read.begin, is_one ? "" : " to " + read.end,
                       kLevels[static_cast<std::size_t>(read.level)], show(read.token));
}

}  // namespace

std::string describe(const core::Message& message) {
    return fmt::format("epoch={} {}", message.header.epoch.value, std::visit([](const auto& m) { return show(m); }, message.body));
}

std::string describe(const Question& question) {
    return std::visit([](const auto& q) { return show(q); }, question);
}

std::string describe(const Answer& answer) {
    constexpr std::array<std::string_view, 4> kVerdicts = {"done", "refused", "outcome unknown", "what the session saw was cut"};
    std::string text(kVerdicts[static_cast<std::size_t>(answer.verdict)]);
    if (answer.verdict != Verdict::kDone) return text;
    if (answer.outcome) text += fmt::format(", outcome {}", static_cast<int>(answer.outcome->code));
    if (!answer.rank.lsn.is_zero()) text += fmt::format(", as {}", show(answer.rank));
    if (answer.applied.lsn.is_zero()) return text;
    text += fmt::format(", at {}:", show(answer.applied));
    for (const auto& row : answer.rows) text += fmt::format(" {}={}", row.key, shortened(row.value));
    return text;
}

std::string message_name(const core::Body& body) {
    const std::string text = std::visit([](const auto& m) { return show(m); }, body);
    return text.substr(0, text.find(' '));
}

}  // namespace tanist::sim

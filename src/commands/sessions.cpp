// SPDX-License-Identifier: Apache-2.0
#include "commands/sessions.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/mutant.h"
#include "commands/layout.h"
#include "commands/reply.h"

namespace tanist::commands {
namespace {

/// A session's row, integers as varints:
///   u8 format (1), lifetime_ms, deadline, lowest_unanswered,
///   number of replies, ascending by sequence number, each: sequence - lowest_unanswered, outcome (reply.cpp) length first
/// One row holds all, since most sessions wait for few replies, and a write touches each session's row once.
constexpr std::uint8_t kFormat = 1;

std::string encode(const Session& session) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(kFormat);
    writer.varint(session.lifetime_ms);
    writer.varint(session.deadline);
    writer.varint(session.lowest_unanswered);
    writer.varint(session.replies.size());
    for (const auto& [sequence, reply] : session.replies) {
        writer.varint(sequence - session.lowest_unanswered);
        writer.string(reply);
    }
    return out;
}

std::optional<Session> decode(std::string_view row) {
    ByteReader reader(row);
    if (reader.u8() != kFormat) return std::nullopt;
    Session session;
    session.lifetime_ms = reader.varint();
    session.deadline = reader.varint();
    session.lowest_unanswered = reader.varint();
    for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
        const std::uint64_t sequence = session.lowest_unanswered + reader.varint();
        std::string reply(reader.string());
        if (!decode_outcome(reply)) return std::nullopt;
        session.reply_bytes += reply.size();
        session.replies.emplace_hint(session.replies.end(), sequence, std::move(reply));
    }
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return session;
}

void confirm(Session& session, std::uint64_t lowest_unanswered) {
    if (lowest_unanswered <= session.lowest_unanswered) return;
    session.lowest_unanswered = lowest_unanswered;
    while (!session.replies.empty() && session.replies.begin()->first < lowest_unanswered) {
        session.reply_bytes -= session.replies.begin()->second.size();
        session.replies.erase(session.replies.begin());
    }
}

}  // namespace

Status SessionTable::load(const store::Store& store) {
    sessions_.clear();
    changed_.clear();
    dues_ = {};
    if (mutant(Mutant::kSessionsNotReloaded)) return {};
    store::ScanRequest request{.begin = std::string(1, layout::kSession), .end = layout::behind(layout::kSession)};
    for (bool more = true; more;) {
        auto page = store.scan(request);
        if (!page) return fail(std::move(page.error()));
        for (const auto& [key, value] : page->rows) {
            const auto id = layout::session_of(key);
            auto session = decode(value);
            if (!id || !session) return fail(ErrorCode::kCorrupt, "store: a session's row of {} bytes cannot be decoded", value.size());
            dues_.push({session->deadline, *id});
            sessions_.emplace(*id, std::move(*session));
        }
        more = page->more;
        if (more) request.begin = page->rows.back().first + '\0';
    }
    return {};
}

bool SessionTable::open(SessionId id, std::uint64_t lifetime_ms, std::uint64_t now) {
    if (sessions_.size() >= kSessionsMax) return false;
    const auto [at, is_new] = sessions_.try_emplace(id);
    ENSURE(is_new);
    Session& session = at->second;
    session.lifetime_ms = lifetime_ms == 0 ? kSessionLifetimeMs : std::min(lifetime_ms, kSessionLifetimeMsMax);
    session.deadline = now + session.lifetime_ms;
    dues_.push({session.deadline, id});
    change(id, session);
    return true;
}

Session* SessionTable::keep(SessionId id, std::uint64_t lowest_unanswered, std::uint64_t now) {
    const auto at = sessions_.find(id);
    if (at == sessions_.end()) return nullptr;
    Session& session = at->second;
    session.deadline = now + session.lifetime_ms;
    confirm(session, lowest_unanswered);
    change(id, session);
    return &session;
}

bool SessionTable::close(SessionId id) {
    if (sessions_.erase(id) == 0) return false;
    changed_.push_back(id);
    return true;
}

void SessionTable::change(SessionId id, Session& session) {
    if (session.changed) return;
    session.changed = true;
    changed_.push_back(id);
}

void SessionTable::drop_outdated_dues() const {
    while (!dues_.empty()) {
        const Due first = dues_.top();
        const auto at = sessions_.find(first.id);
        if (at != sessions_.end() && at->second.deadline == first.deadline) return;
        dues_.pop();
        if (at != sessions_.end()) dues_.push({at->second.deadline, first.id});
    }
}

void SessionTable::expire(std::uint64_t now) {
    while (!dues_.empty() && dues_.top().deadline <= now) {
        drop_outdated_dues();
        if (dues_.empty() || dues_.top().deadline > now) return;
        const bool was_open = close(dues_.top().id);
        ENSURE(was_open);
        dues_.pop();
    }
}

std::uint64_t SessionTable::next_due() const {
    drop_outdated_dues();
    return dues_.empty() ? 0 : dues_.top().deadline;
}

void SessionTable::take_changes(std::vector<store::Change>& out) {
    taken_.clear();
    for (const SessionId id : changed_) {
        const auto at = sessions_.find(id);
        if (at == sessions_.end()) {
            const std::string& key = taken_.emplace_back(layout::session_key(id));
            out.push_back({key, std::nullopt});
        } else if (at->second.changed) {
            at->second.changed = false;
            const std::string& key = taken_.emplace_back(layout::session_key(id));
            const std::string& row = taken_.emplace_back(encode(at->second));
            out.push_back({key, row});
        }
    }
    changed_.clear();
}

Known look_up(const Session& session, std::uint64_t sequence) {
    if (sequence < session.lowest_unanswered) return mutant(Mutant::kConfirmedExecutedAgain) ? Known::kNew : Known::kForgotten;
    if (mutant(Mutant::kRetryExecutedTwice)) return Known::kNew;
    if (session.replies.contains(sequence)) return Known::kAnswered;
    if (sequence - session.lowest_unanswered >= kSessionWindow) return Known::kTooFar;
    return Known::kNew;
}

void keep_reply(Session& session, std::uint64_t sequence, const Outcome& outcome, Lsn lsn) {
    const std::size_t room = kKeptRepliesBytesMax - std::min(kKeptRepliesBytesMax, session.reply_bytes);
    const std::size_t bytes_max = std::min(room, kKeptReplyBytesMax);
    auto reply = encode_outcome(outcome, bytes_max);
    if (!reply && outcome.code != OutcomeCode::kDone) {
        Outcome without_value = outcome;
        without_value.value.reset();
        reply = encode_outcome(without_value, store::kNoBound);
    }
    if (!reply) reply = encode_outcome({.code = OutcomeCode::kAnswerForgotten, .version = lsn}, store::kNoBound);
    session.reply_bytes += reply->size();
    session.replies.insert_or_assign(sequence, std::move(*reply));
}

Outcome kept_reply(const Session& session, std::uint64_t sequence) {
    auto outcome = decode_outcome(session.replies.at(sequence));
    ENSURE(outcome.has_value());  // was encoded here, or checked when it was loaded
    outcome->replayed = true;
    return std::move(*outcome);
}

}  // namespace tanist::commands

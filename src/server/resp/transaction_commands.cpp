// SPDX-License-Identifier: Apache-2.0
// MULTI EXEC DISCARD WATCH UNWATCH. A transaction is one request in the log: its commands about data run together when it is applied,
// on the condition that what was watched has its version still. What the others answer is told in between.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "commands/redis/table.h"
#include "server/resp/data.h"
#include "server/resp/failure.h"
#include "server/resp/replies.h"
#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

using commands::OutcomeCode;
using protocol::RespEncoder;

constexpr std::size_t kWatchedMax = 4096;  ///< keys of a connection: each is compared with all others, and checked at EXEC

void multi(RespSession& session, Arguments) {
    Transaction& transaction = session.transaction();
    if (transaction.is_open) return session.reply_error("ERR MULTI calls can not be nested");
    transaction.is_open = true;
    session.reply_ok();
}

void discard(RespSession& session, Arguments) {
    if (!session.transaction().is_open) return session.reply_error("ERR DISCARD without MULTI");
    session.transaction() = {};
    session.reply_ok();
}

/// One of each key; zero where there is none. Values are looked at in portions: there may be many, and large ones.
Result<std::vector<commands::Version>> versions_of(RespSession& session, std::span<const std::string_view> keys) {
    constexpr std::size_t kLookBytesMax = 16 * limits::kMiB;
    std::vector<commands::Version> versions;
    while (versions.size() < keys.size()) {
        const auto values = session.services().state.get_many(keys.subspan(versions.size()), kLookBytesMax);
        if (!values) return fail(values.error());
        for (const auto& value : *values) versions.push_back(value ? value->version : commands::Version{});
    }
    return versions;
}

Status note_versions(RespSession& session, RespEncoder& to, Arguments arguments) {
    const Arguments keys = arguments.subspan(1);
    const auto versions = versions_of(session, keys);
    if (!versions) return fail(versions.error());
    auto& watched = session.transaction().watched;
    if (watched.size() + keys.size() > kWatchedMax) {
        to.error(fmt::format("ERR too many watched keys: {} are allowed", kWatchedMax));
        return {};
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (std::ranges::find(watched, keys[i], &commands::VersionEquals::key) != watched.end()) continue;
        watched.push_back({std::string(keys[i]), (*versions)[i]});
    }
    to.ok();
    return {};
}

void watch(RespSession& session, Arguments arguments) {
    if (session.transaction().is_open) return session.reply_error("ERR WATCH inside MULTI is not allowed");
    session.read(arguments, note_versions);
}

void unwatch(RespSession& session, Arguments) {
    session.transaction().watched.clear();
    session.reply_ok();
}

/// A queued command.
struct Part {
    const CommandTable::Row* row;
    std::optional<std::string> answer;   ///< encoded, of one that is not about data; nullopt: the next of the outcome's results is it
    protocol::RespVersion version;       ///< which a HELLO before it may have changed
    std::vector<std::string> read = {};  ///< its words, where its keys are to be remembered
};
using Parts = std::vector<Part>;

void answer_exec(RespSession& session, RespEncoder& to, const commands::Outcome& outcome, const Parts& parts) {
    if (outcome.code == OutcomeCode::kConditionFailed) return to.null_array();
    to.array(parts.size());
    auto result = outcome.results.begin();
    for (const Part& part : parts) {
        if (part.answer) {
            to.encoded(*part.answer);
            continue;
        }
        std::string text;
        RespEncoder answer(text, part.version);
        encode(answer, *(result++)->reply, session.services().cursors);
        session.count_executed(*part.row, text);
        session.remember(*part.row, std::vector<std::string_view>(part.read.begin(), part.read.end()));
        to.encoded(text);
    }
}

/// All of them at one moment of the state.
Status answer_exec_from_state(RespSession& session, RespEncoder& to, const Transaction& transaction, bool remembers) {
    std::vector<std::string_view> keys;
    for (const auto& watched : transaction.watched) keys.push_back(watched.key);
    const auto versions = versions_of(session, keys);
    if (!versions) return fail(versions.error());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (transaction.watched[i].version != (*versions)[i]) {
            to.null_array();
            return {};
        }
    }
    std::string text;
    for (const Transaction::Queued& queued : transaction.queued) {
        const std::vector<std::string_view> words(queued.words.begin(), queued.words.end());
        RespEncoder answers(text, session.version());  // which a HELLO among them may have changed
        if (commands::redis::find(queued.command->name) == nullptr) {
            answers.encoded(session.capture(words));
        } else {
            const std::size_t begin = text.size();
            if (const Status answered = answer_from_state(session, answers, words); !answered) return answered;
            const CommandTable::Row& row = *session.services().port.commands.find(words);
            session.count_executed(row, std::string_view(text).substr(begin));
            if (remembers) session.remember(row, words);
        }
        if (text.size() > commands::kResultBytesPerRequestMax) {  // as where it is logged
            to.error(*error_of(commands::Outcome{.code = OutcomeCode::kTooLarge}));
            return {};
        }
    }
    to.array(transaction.queued.size());
    to.encoded(text);
    return {};
}

bool reads(const Transaction& transaction) {
    return !transaction.watched.empty() ||
           std::ranges::any_of(transaction.queued, [](const auto& each) { return commands::redis::find(each.command->name) != nullptr; });
}

void exec(RespSession& session, Arguments arguments) {
    if (!session.transaction().is_open) return session.reply_error("ERR EXEC without MULTI");
    if (session.waits_for_reads(arguments)) return;  // a WATCH among them
    const bool remembers = session.remembers();
    const bool is_read = !session.transaction().is_refused && !session.transaction().writes && reads(session.transaction());
    for (const Transaction::Queued& queued : session.transaction().queued) {  // rules may have changed since
        if (session.transaction().is_refused) break;
        const std::vector<std::string_view> words(queued.words.begin(), queued.words.end());
        const auto denied = session.denied_in_transaction(*session.services().port.commands.find(words), words);
        if (!denied) continue;
        session.transaction() = {};
        return session.reply_error("EXECABORT Transaction discarded because of: " + *denied);
    }
    if (is_read) {
        if (session.waits_for_its_writes(arguments)) return;
        const auto transaction = std::make_shared<Transaction>(std::exchange(session.transaction(), {}));
        return session.read(arguments, [transaction, remembers](RespSession& on, RespEncoder& to, Arguments) {
            return answer_exec_from_state(on, to, *transaction, remembers);
        });
    }
    const Transaction transaction = std::exchange(session.transaction(), {});
    if (transaction.is_refused) return session.reply_error("EXECABORT Transaction discarded because of previous errors.");
    commands::Request request;
    request.conditions.assign(transaction.watched.begin(), transaction.watched.end());
    const auto parts = std::make_shared<Parts>();
    for (const Transaction::Queued& queued : transaction.queued) {
        const std::vector<std::string_view> words(queued.words.begin(), queued.words.end());
        const CommandTable::Row* row = session.services().port.commands.find(words);
        if (commands::redis::find(queued.command->name) != nullptr) {
            request.commands.emplace_back(to_logged(queued.command->name, words, session.services().cursors));
            parts->push_back({row, std::nullopt, session.version()});
            if (remembers && row->has(kReadOnly)) parts->back().read = queued.words;
        } else {
            parts->push_back({row, session.capture(words), session.version()});
        }
    }
    if (request.commands.empty() && request.conditions.empty()) {
        return session.reply([&](RespEncoder& to) { answer_exec(session, to, {}, *parts); });
    }
    session.write(std::move(request),
                  [parts](RespSession& on, RespEncoder& to, const commands::Outcome& outcome) { answer_exec(on, to, outcome, *parts); });
}

constexpr std::uint32_t kAnyTime = kNoScript | kLoading | kStale | kFast | kAllowBusy;
constexpr std::array kCommands = {
    Command{"MULTI", 1, RequestKind::kOther, multi, kAnyTime, {}, Group::kTransactions},
    Command{"EXEC", 1, RequestKind::kBatch, exec, kNoScript | kLoading | kStale | kSkipSlowlog, {}, Group::kTransactions},
    Command{"DISCARD", 1, RequestKind::kOther, discard, kAnyTime, {}, Group::kTransactions},
    Command{"WATCH", -2, RequestKind::kOther, watch, kAnyTime, {1, -1, 1}, Group::kTransactions},
    Command{"UNWATCH", 1, RequestKind::kOther, unwatch, kAnyTime, {}, Group::kTransactions},
};

}  // namespace

bool runs_at_once(const CommandTable::Row& row) {
    constexpr std::array<std::string_view, 6> kNames{"EXEC", "DISCARD", "MULTI", "WATCH", "QUIT", "RESET"};
    return std::ranges::find(kNames, row.command->name) != kNames.end();
}

std::string refuse_to_queue(const Transaction& transaction, const CommandTable::Row& row, Arguments arguments) {
    const bool is_data = commands::redis::find(row.command->name) != nullptr;
    // What answers later, or for good, has no place in the array of answers; other writes are requests of their own.
    const bool is_alone = row.has(kNoMulti) || row.has(kPubSub) || row.has(kBlocking) || (row.has(kWrite) && !is_data);
    if (is_alone) return "ERR Command not allowed inside a transaction";
    std::size_t bytes = transaction.bytes;
    for (const std::string_view word : arguments) bytes += word.size();
    if (transaction.queued.size() == commands::kPartsPerRequestMax || bytes > limits::kRequestBytesMax) {
        return fmt::format("ERR a transaction has at most {} commands and {} bytes", commands::kPartsPerRequestMax,
                           limits::kRequestBytesMax);
    }
    return {};
}

std::span<const Command> transaction_commands() { return kCommands; }

}  // namespace tanist::server::resp

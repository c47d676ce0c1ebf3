// SPDX-License-Identifier: Apache-2.0
#include "sim/model.h"

#include <algorithm>
#include <charconv>

#include "base/ensure.h"

namespace tanist::sim {

using commands::Outcome;
using commands::OutcomeCode;
using commands::Version;

namespace {

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

std::optional<std::int64_t> parse(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || std::to_string(number) != text) return std::nullopt;
    return number;
}

Version version_of(const Model::Cell* cell) { return cell != nullptr && cell->value ? cell->version : Version{}; }

}  // namespace

const std::string& key_of(const commands::Condition& condition) {
    return std::visit([](const auto& c) -> const std::string& { return c.key; }, condition);
}

const Model::Cell* Model::at(std::string_view key, Lsn lsn) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return nullptr;
    const auto& cells = found->second;
    const auto behind = std::ranges::upper_bound(cells, lsn, {}, &Cell::since);
    return behind == cells.begin() || !std::prev(behind)->value ? nullptr : &*std::prev(behind);
}

std::vector<std::pair<std::string_view, const Model::Cell*>> Model::range(std::string_view begin, std::string_view end, Lsn lsn) const {
    std::vector<std::pair<std::string_view, const Cell*>> out;
    for (auto key = keys_.lower_bound(begin); key != keys_.end() && (end.empty() || key->first < end); ++key) {
        if (const Cell* cell = at(key->first, lsn)) out.emplace_back(key->first, cell);
    }
    return out;
}

const Model::Cell* Model::latest(std::string_view key) const {
    const auto found = keys_.find(key);
    return found == keys_.end() || !found->second.back().value ? nullptr : &found->second.back();
}

void Model::apply(const Entry& entry) {
    ENSURE(entry.lsn() == applied().next());
    lsn_ = entry.lsn();
    now_ = std::max(now_, entry.timestamp());
    registrations_ = 0;
    changed_by_.clear();
    std::erase_if(sessions_, [this](const auto& session) { return session.second.deadline <= now_; });
    remove_what_is_due();
    std::vector<Outcome> outcomes;
    if (entry.kind() == EntryKind::kCommands) {
        const auto items = commands::decode_payload(entry.payload());
        ENSURE(items.has_value());  // the simulator's own clients wrote it
        for (const commands::Logged& item : *items) outcomes.push_back(run(item));
    }
    outcomes_.push_back(std::move(outcomes));
}

Outcome Model::run(const commands::Logged& logged) {
    const Outcome expired{.code = OutcomeCode::kSessionExpired};
    return std::visit(
        Overloaded{[&](const commands::Request& r) { return r.session.is_zero() ? evaluate(r) : run_in_session(r); },
                   [&](const commands::RegisterSession& r) {
                       const SessionId id{lsn_.value + registrations_++ * commands::kOrdinalStep};
                       const std::uint64_t lifetime = r.lifetime_ms == 0 ? commands::kSessionLifetimeMs : r.lifetime_ms;
                       sessions_[id] = Session{.lifetime_ms = lifetime, .deadline = now_ + lifetime};
                       return Outcome{.version = {id.value}};
                   },
                   [&](const commands::KeepSession& k) {
                       const auto at = sessions_.find(k.session);
                       if (at == sessions_.end()) return expired;
                       at->second.deadline = now_ + at->second.lifetime_ms;
                       at->second.lowest_unanswered = std::max(at->second.lowest_unanswered, k.lowest_unanswered);
                       return Outcome{.version = lsn_};
                   },
                   [&](const commands::CloseSession& c) { return sessions_.erase(c.session) == 0 ? expired : Outcome{.version = lsn_}; },
                   [&](const commands::ChangeUsers& c) {
                       if (c.expected != users_.changed) return Outcome{.code = OutcomeCode::kConditionFailed, .version = users_.changed};
                       if (c.replaces_all) users_.lines.clear();
                       for (const auto& user : c.users) {
                           users_.lines.erase(user.name);
                           if (user.line) users_.lines.emplace(user.name, *user.line);
                       }
                       users_.changed = lsn_;
                       return Outcome{.version = lsn_};
                   }},
        logged);
}

Outcome Model::run_in_session(const commands::Request& request) {
    const auto at = sessions_.find(request.session);
    if (at == sessions_.end()) return {.code = OutcomeCode::kSessionExpired};
    Session& session = at->second;
    session.deadline = now_ + session.lifetime_ms;
    session.lowest_unanswered = std::max(session.lowest_unanswered, request.lowest_unanswered);
    if (request.sequence < session.lowest_unanswered) return {.code = OutcomeCode::kAnswerForgotten};
    if (const auto before = session.executed.find(request.sequence); before != session.executed.end()) {
        Outcome outcome = before->second;
        // Of Redis's words only that they were executed is kept.
        if (std::ranges::any_of(outcome.results, [](const auto& result) { return result.reply != nullptr; })) {
            outcome = {.code = OutcomeCode::kAnswerForgotten, .version = outcome.version};
        }
        outcome.replayed = true;
        return outcome;
    }
    return session.executed[request.sequence] = evaluate(request);
}

bool Model::holds(const commands::Condition& condition) const {
    const Cell* cell = latest(key_of(condition));
    return std::visit(
        Overloaded{[&](const commands::KeyExists&) { return cell != nullptr; }, [&](const commands::KeyAbsent&) { return cell == nullptr; },
                   [&](const commands::ValueEquals& c) { return cell != nullptr && *cell->value == c.value; },
                   [&](const commands::VersionEquals& c) { return version_of(cell) == c.version; }},
        condition);
}

Outcome Model::evaluate(const commands::Request& request) {
    for (std::size_t i = 0; i < request.conditions.size(); ++i) {
        if (holds(request.conditions[i])) continue;
        const Cell* cell = latest(key_of(request.conditions[i]));
        Outcome outcome{
            .code = OutcomeCode::kConditionFailed, .failed_condition = static_cast<std::uint32_t>(i), .version = version_of(cell)};
        if (cell != nullptr) outcome.value = cell->value;
        return outcome;
    }
    ++request_;
    undo_.clear();
    Outcome outcome{.version = lsn_};
    for (const commands::Command& command : request.commands) {
        const auto key = [](const auto& c) -> std::string_view {
            if constexpr (requires { c.key; }) return c.key;
            return {};
        };
        const Cell* cell = latest(std::visit(key, command));
        commands::CommandResult result{.version = version_of(cell), .found = cell != nullptr};
        OutcomeCode code = OutcomeCode::kDone;
        std::visit(Overloaded{[&](const commands::Put& c) {
                                  result.found = false;
                                  result.version = change(c.key, c.value);
                              },
                              [&](const commands::Delete& c) {
                                  result.version = {};
                                  if (cell != nullptr) change(c.key, std::nullopt);
                              },
                              [&](const commands::Increment& c) {
                                  const auto number = cell == nullptr ? 0 : parse(*cell->value);
                                  std::int64_t sum = 0;
                                  if (!number) {
                                      code = OutcomeCode::kNotAnInteger;
                                  } else if (__builtin_add_overflow(*number, c.by, &sum)) {
                                      code = OutcomeCode::kOverflow;
                                  } else {
                                      result.value = std::to_string(sum);
                                      result.version = change(c.key, result.value, deadline_of(c.key));
                                  }
                              },
                              [&](const commands::Get&) {
                                  if (cell != nullptr) result.value = cell->value;
                              },
                              [&](const commands::Redis& c) {
                                  result = {.version = lsn_, .reply = std::make_shared<const commands::Reply>(run_words(c.words))};
                              }},
                   command);
        if (code != OutcomeCode::kDone) {
            take_back();
            return {.code = code};
        }
        outcome.results.push_back(std::move(result));
    }
    return outcome;
}

commands::Reply Model::run_words(const std::vector<std::string>& words) {
    using commands::Reply;
    const std::string &name = words.at(0), &key = words.at(1);
    const Cell* cell = latest(key);
    if (name == "SET") {
        change(key, words.at(2), now_ + std::stoull(words.at(4)));
        return Reply::ok();
    }
    if (name == "GET") return cell == nullptr ? Reply::nil() : Reply::bulk(*cell->value);
    const std::string value = cell == nullptr ? "0" : *cell->value;
    if (name == "PERSIST") {
        const bool had_deadline = deadline_of(key) != 0;
        if (had_deadline) change(key, value);
        return Reply::yes_or_no(had_deadline);
    }
    ENSURE(name == "INCRBY");
    const auto number = parse(value);
    if (!number) return Reply::error("ERR value is not an integer or out of range");
    const std::int64_t sum = *number + std::stoll(words.at(2));
    change(key, std::to_string(sum), deadline_of(key));
    return Reply::number(sum);
}

std::uint64_t Model::deadline_of(std::string_view key) const {
    const auto found = deadlines_.find(key);
    return found == deadlines_.end() ? 0 : found->second;
}

void Model::remove_what_is_due() {
    ++request_;
    const auto deadlines = deadlines_;
    for (const auto& [key, deadline] : deadlines) {
        if (deadline <= now_) change(key, std::nullopt);
    }
}

Version Model::change(const std::string& key, std::optional<std::string> value, std::uint64_t deadline) {
    auto& cells = keys_[key];
    Version version = lsn_;
    Undo& undo = undo_.emplace_back(Undo{.key = key, .deadline = deadline_of(key)});
    set_deadline(key, deadline);
    if (!cells.empty() && cells.back().since == lsn_) {  // changed before in this entry: by another request it gets the next version
        version = cells.back().version;
        undo.by = changed_by_[key];
        if (undo.by != request_) version.value += commands::kOrdinalStep;
        undo.cell = std::move(cells.back());
        cells.pop_back();
    }
    changed_by_[key] = request_;
    cells.push_back({.since = lsn_, .value = std::move(value), .version = version});
    return version;
}

void Model::set_deadline(const std::string& key, std::uint64_t deadline) {
    if (deadline == 0) {
        deadlines_.erase(key);
    } else {
        deadlines_[key] = deadline;
    }
}

void Model::take_back() {
    for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
        auto& cells = keys_[undo->key];
        cells.pop_back();
        set_deadline(undo->key, undo->deadline);
        if (undo->cell) {
            cells.push_back(std::move(*undo->cell));
            changed_by_[undo->key] = undo->by;
        } else if (cells.empty()) {
            keys_.erase(undo->key);
        }
    }
}

}  // namespace tanist::sim

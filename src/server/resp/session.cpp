// SPDX-License-Identifier: Apache-2.0
#include "server/resp/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ensure.h"
#include "server/resp/failure.h"

namespace tanist::server {

using protocol::RespEncoder;

namespace {

constexpr std::string_view kGet = "GET", kExec = "EXEC";
constexpr std::size_t kGetsPerLook = 64;
constexpr std::size_t kLookBytesMax = limits::kMiB;

std::vector<std::string> copies(resp::Arguments arguments) { return {arguments.begin(), arguments.end()}; }
std::vector<std::string_view> views(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

void encode_value(RespEncoder& to, const std::optional<commands::StoredValue>& value) { value ? to.bulk(value->value) : to.null(); }

Status answer_get(RespSession& session, RespEncoder& to, resp::Arguments arguments) {
    auto value = session.services().state.get(arguments[1]);
    if (!value) return fail(value.error());
    encode_value(to, *value);
    return {};
}

const resp::LoggedRead kLoggedGet{
    .request = [](RespSession&,
                  resp::Arguments arguments) { return commands::Request{.commands = {commands::Get{std::string(arguments[1])}}}; },
    .answer =
        [](RespSession&, RespEncoder& to, const commands::Outcome& outcome) {
            const auto& value = outcome.results.at(0).value;
            value ? to.bulk(*value) : to.null();
        },
};

}  // namespace

RespSession::RespSession(tcp::socket socket, ClientServices& services, std::uint64_t id)
    : ClientConnection(std::move(socket), services.connections),
      services_(services),
      id_(id),
      decoder_(protocol::RespLimits{.bulk_bytes_max = services.settings.limits.request_bytes_max,
                                    .request_bytes_max = services.settings.limits.request_bytes_max}) {
    set_speaks_resp();
}

// -- commands -----------------------------------------------------------------------------------------------------------------------

bool RespSession::take_input(protocol::ReadBuffer& input) {
    if (!answer_gets()) return true;
    if (!held_.empty()) {
        if (must_hold()) return true;
        const auto held = std::exchange(held_, {});
        dispatch(views(held));
    }
    while (!quitting_ && !is_full()) {
        const auto command = decoder_.next(input);
        if (!command) {
            if (!answer_gets()) break;  // said once there is room: the decoder fails again
            reply_error("ERR " + command.error().message);
            quitting_ = true;
        } else if (!*command) {
            break;
        } else {
            dispatch(**command);
        }
    }
    static_cast<void>(answer_gets());
    return !quitting_;
}

void RespSession::dispatch(resp::Arguments arguments) {
    if (arguments[0] != last_name_) {
        last_row_ = services_.commands.find(arguments[0]);
        last_name_ = last_row_ == nullptr ? std::string() : std::string(arguments[0]);
    }
    if ((last_row_ == nullptr || last_row_->command->name != kGet) && !answer_gets()) {
        held_ = copies(arguments);
        return;
    }
    services_.counters.count(last_row_ == nullptr ? RequestKind::kOther : last_row_->command->kind);
    if (last_row_ == nullptr) return refuse(nullptr, resp::unknown_command(arguments));
    const resp::CommandTable::Row* row = last_row_;
    if (!row->subcommands.empty() && arguments.size() > 1) {
        row = resp::CommandTable::find(*row, arguments[1]);
        if (row == nullptr && last_row_->command->handler == nullptr) return refuse(last_row_, resp::unknown_subcommand(arguments));
        if (row == nullptr) row = last_row_;
    }
    run(*row, arguments);
}

void RespSession::run(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    if (!resp::takes(*row.command, arguments.size())) return refuse(&row, resp::wrong_arity(row.name));
    if (const auto refused = why_not(row)) return refuse(&row, *refused);
    if (transaction_.is_open && capture_ == nullptr && !resp::runs_at_once(row)) return queue(row, arguments);
    row.command->handler(*this, arguments);
}

void RespSession::refuse(const resp::CommandTable::Row* row, std::string_view error) {
    transaction_.is_refused |= transaction_.is_open;
    if (row == nullptr || row->command->name != kExec) return reply_error(error);
    transaction_ = {};
    constexpr std::string_view kCode = "ERR ";
    error.remove_prefix(error.starts_with(kCode) ? kCode.size() : 0);
    reply_error(fmt::format("EXECABORT Transaction discarded because of: {}", error));
}

void RespSession::queue(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    if (const std::string error = resp::refuse_to_queue(transaction_, row, arguments); !error.empty()) return refuse(&row, error);
    if (const auto failure = services_.routing.refuse_write(); failure && row.has(resp::kWrite)) {
        transaction_.is_refused = true;
        return reply_failure(*failure);
    }
    for (const std::string_view word : arguments) transaction_.bytes += word.size();
    transaction_.queued.push_back({last_row_->command, copies(arguments)});
    reply([](RespEncoder& to) { to.simple("QUEUED"); });
}

std::string RespSession::capture(resp::Arguments arguments) {
    std::string answer;
    capture_ = &answer;
    dispatch(arguments);
    capture_ = nullptr;
    return answer;
}

bool RespSession::waits_for_reads(resp::Arguments arguments) {
    if (reads_waiting_ > 0) held_ = copies(arguments);
    return reads_waiting_ > 0;
}

std::optional<std::string> RespSession::why_not(const resp::CommandTable::Row& row) const {
    // In RESP2 nothing but the order tells an answer from a message.
    constexpr std::array<std::string_view, 7> kWhileSubscribed{"SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE",
                                                               "PING",      "QUIT",       "RESET"};
    if (version_ == protocol::RespVersion::k2 && subscriptions() > 0 &&
        std::ranges::find(kWhileSubscribed, row.command->name) == kWhileSubscribed.end()) {
        return fmt::format(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context", row.name);
    }
    return std::nullopt;
}

void RespSession::take_message(std::string_view pattern, std::string_view channel, std::string_view message) {
    push([&](RespEncoder& to) {
        to.push(pattern.empty() ? 3 : 4);
        to.bulk(pattern.empty() ? "message" : "pmessage");
        if (!pattern.empty()) to.bulk(pattern);
        to.bulk(channel);
        to.bulk(message);
    });
}

void RespSession::quit() {
    reply_ok();
    quitting_ = true;
}

// -- writes ---------------------------------------------------------------------------------------------------------------------------

void RespSession::write(commands::Request request, resp::WriteAnswer answer, bool says_nothing_of_state) {
    const commands::Logged logged(std::move(request));
    const auto& limits = services_.settings.limits;
    if (const auto refused = resp::refuse_size(std::get<commands::Request>(logged), limits)) return reply_error(*refused);
    const WriteLevel level = write_level_.value_or(services_.settings.write_level);
    Slot& slot = open_slot();
    slot.write_answer = std::move(answer);
    slot.wants_all = level == WriteLevel::kAll;
    ++writes_pending_;
    const WriteTerms terms{
        .level = level, .deadline_ms = shared().now_ms + kDefaultDeadlineMs, .says_nothing_of_state = says_nothing_of_state};
    services_.writes.submit(shared_from_this(), first_ticket_ + slots_.size() - 1, logged, terms);
}

void RespSession::on_written(std::uint64_t ticket, const WriteResult& result) {
    token_ = std::max(token_, result.rank);
    const Slot& slot = slots_[ticket - first_ticket_];
    const resp::WriteAnswer answer = slot.write_answer;  // filling may let go of the slot
    --writes_pending_;
    const bool falls_short = slot.wants_all && result.reached != WriteLevel::kAll;
    const auto refused = falls_short ? resp::not_on_all() : resp::error_of(result.outcome);
    fill(ticket, [&](RespEncoder& to) { refused ? to.error(*refused) : answer(*this, to, result.outcome); });
}

// -- reads ----------------------------------------------------------------------------------------------------------------------------

ReadGate::Admission RespSession::admit(Failure& failure) {
    const ReadTerms terms{.level = read_level_.value_or(services_.settings.read_level),
                          .token = token_,
                          .max_lag_ms = services_.settings.max_lag_ms,
                          .deadline_ms = shared().now_ms + kDefaultDeadlineMs};
    return services_.reads.admit(shared_from_this(), first_ticket_ + slots_.size(), terms, failure);
}

void RespSession::read(resp::Arguments arguments, resp::ReadAnswer answer, const resp::LoggedRead* logged) {
    if (writes_pending_ > 0) {
        if (logged != nullptr) return read_through_log(arguments, answer, *logged);
        held_ = copies(arguments);
        return;
    }
    Failure failure;
    switch (admit(failure)) {
        case ReadGate::Admission::kNow: return reply([&](RespEncoder& to) { run_read(to, answer, arguments); });
        case ReadGate::Admission::kRefused: return reply_failure(failure);
        case ReadGate::Admission::kWaiting: {
            Slot& slot = open_slot();
            slot.read_answer = answer;
            slot.arguments = copies(arguments);
            ++reads_waiting_;
        }
    }
}

void RespSession::read_through_log(resp::Arguments arguments, resp::ReadAnswer answer, const resp::LoggedRead& logged) {
    Slot& slot = open_slot();
    slot.write_answer = logged.answer;
    slot.read_answer = answer;
    slot.arguments = copies(arguments);
    ++writes_pending_;
    const WriteTerms terms{.level = WriteLevel::kQuorum, .deadline_ms = shared().now_ms + kDefaultDeadlineMs};
    services_.writes.submit(shared_from_this(), first_ticket_ + slots_.size() - 1, logged.request(*this, arguments), terms);
}

void RespSession::get(resp::Arguments arguments) {
    if (slots_.empty()) {
        Failure failure;
        const auto admission =
            get_ends_.empty() ? admit(failure) : ReadGate::Admission::kNow;  // its neighbours were admitted in this very moment
        if (admission == ReadGate::Admission::kNow) {
            get_keys_ += arguments[1];
            get_ends_.push_back(get_keys_.size());
            if (get_ends_.size() == kGetsPerLook) static_cast<void>(answer_gets());
            return;
        }
        if (admission == ReadGate::Admission::kRefused) return reply_failure(failure);
        Slot& slot = open_slot();
        slot.read_answer = answer_get;
        slot.arguments = copies(arguments);
        ++reads_waiting_;
        return;
    }
    read(arguments, answer_get, &kLoggedGet);
}

bool RespSession::answer_gets() {
    if (get_ends_.empty()) return true;
    std::vector<std::string_view> keys;
    keys.reserve(get_ends_.size() - gets_answered_);
    for (std::size_t i = gets_answered_; i < get_ends_.size(); ++i) {
        const std::size_t begin = i == 0 ? 0 : get_ends_[i - 1];
        keys.push_back(std::string_view(get_keys_).substr(begin, get_ends_[i] - begin));
    }
    RespEncoder to(output(), version_);
    std::size_t done = 0;
    while (done < keys.size() && !output_is_full()) {
        const auto values = services_.state.get_many(std::span(keys).subspan(done), kLookBytesMax);
        if (!values) {
            services_.storage_failed(values.error());
            return false;
        }
        for (const auto& value : *values) encode_value(to, value);
        done += values->size();
    }
    token_ = std::max(token_, services_.applied());
    replied();
    gets_answered_ += done;
    if (gets_answered_ < get_ends_.size()) return false;
    get_keys_.clear();
    get_ends_.clear();
    gets_answered_ = 0;
    return true;
}

void RespSession::run_read(RespEncoder& to, resp::ReadAnswer answer, resp::Arguments arguments) {
    const Status answered = answer(*this, to, arguments);
    if (!answered) return services_.storage_failed(answered.error());
    token_ = std::max(token_, services_.applied());
}

void RespSession::answer_read(std::uint64_t ticket) {
    Slot& slot = slots_[ticket - first_ticket_];
    const auto arguments = std::exchange(slot.arguments, {});
    const resp::ReadAnswer answer = slot.read_answer;
    fill(ticket, [&](RespEncoder& to) { run_read(to, answer, views(arguments)); });
}

void RespSession::on_read_ready(std::uint64_t ticket) {
    --reads_waiting_;
    answer_read(ticket);
}

// -- answers in order -------------------------------------------------------------------------------------------------------------------

void RespSession::on_failed(std::uint64_t ticket, const Failure& failure) {
    const Slot& slot = slots_[ticket - first_ticket_];
    const bool was_logged = slot.write_answer != nullptr, is_read = slot.read_answer != nullptr;
    was_logged ? --writes_pending_ : --reads_waiting_;
    const bool may_be_stale = read_level_.value_or(services_.settings.read_level) != ReadLevel::kLinearizable;
    // A read that could not be logged among the writes before it is not their failure.
    if (was_logged && is_read && may_be_stale && services_.routing.serves_reads()) return answer_read(ticket);
    services_.counters.count(failure.code);
    if (failure.code == FailureCode::kStaleToken) token_ = {};
    fill(ticket, [&](RespEncoder& to) { to.error(resp::error_of(failure)); });
}

void RespSession::reply_failure(const Failure& failure) {
    services_.counters.count(failure.code);
    if (failure.code == FailureCode::kStaleToken) token_ = {};
    reply_error(resp::error_of(failure));
}

template <class Encode>
void RespSession::fill(std::uint64_t ticket, Encode&& encode) {
    const bool is_next = ticket == first_ticket_;
    Slot& slot = slots_[ticket - first_ticket_];
    ENSURE(!slot.ready);
    slot.ready = true;
    RespEncoder to(is_next && is_open() ? output() : slot.reply, slot.version);
    encode(to);
    if (!is_next) return;
    slots_.pop_front();
    ++first_ticket_;
    while (!slots_.empty() && slots_.front().ready) {
        if (is_open()) output() += slots_.front().reply;
        slots_.pop_front();
        ++first_ticket_;
    }
    replied();
}

}  // namespace tanist::server

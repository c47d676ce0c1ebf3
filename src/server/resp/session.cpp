// SPDX-License-Identifier: Apache-2.0
#include "server/resp/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/ensure.h"
#include "server/clock.h"
#include "server/resp/client_info.h"
#include "server/resp/failure.h"
#include "server/resp/words.h"

namespace tanist::server {

using protocol::RespEncoder;

namespace {

constexpr std::string_view kGet = "GET", kExec = "EXEC", kPublish = "PUBLISH";
constexpr std::size_t kGetsPerLook = 64;
constexpr std::size_t kUserNameBytesMax = 256;  ///< of what somebody said, in the log of denials
constexpr std::size_t kLookBytesMax = limits::kMiB;

std::vector<std::string> copies(resp::Arguments arguments) { return {arguments.begin(), arguments.end()}; }
std::vector<std::string_view> views(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

Status answer_get(RespSession& session, RespEncoder& to, resp::Arguments arguments) {
    const std::string_view key = arguments[1];
    const auto looked = session.services().state.visit_many(
        {&key, 1}, kLookBytesMax, [&](std::optional<std::string_view> value) { value ? to.bulk(*value) : to.null(); });
    return looked ? Status{} : fail(looked.error());
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
      user_(services.acl.default_user()),
      authenticated_(services.acl.is_open()),
      decoder_(protocol::RespLimits{.bulk_bytes_max = services.settings.limits.request_bytes_max,
                                    .request_bytes_max = services.settings.limits.request_bytes_max,
                                    .authenticated = authenticated_}) {
    set_speaks_resp();
}

// -- commands -----------------------------------------------------------------------------------------------------------------------

bool RespSession::take_input(protocol::ReadBuffer& input) {
    if (!answer_gets()) return true;
    clock_us_ = monotonic_us();
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
        last_row_ = services_.port.commands.find_command(arguments[0]);
        last_name_ = last_row_ == nullptr ? std::string() : std::string(arguments[0]);
    }
    if ((last_row_ == nullptr || last_row_->command->name != kGet) && !answer_gets()) return hold(arguments);
    is_silent_ = is_off_ || std::exchange(skips_next_, false);
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
    const auto refused = resp::takes(*row.command, arguments.size()) ? why_not(row, arguments) : Refusal{resp::wrong_arity(row.name), {}};
    if (refused) {
        if (waits_for_gets(arguments)) return;
        if (refused->denial) note_denial(*refused->denial, transaction_.is_open);
        if (tracking_) end_caching(row);
        return reject(row, refused->error);
    }
    if (transaction_.is_open && capture_ == nullptr && !resp::runs_at_once(row)) return queue(row, arguments);
    if (is_paused(row)) return hold(arguments);
    ran_ = &row;
    const auto* const outer = std::exchange(running_, &row);
    if (services_.port.records.monitors().empty() || capture_ != nullptr) {
        row.command->handler(*this, arguments);
    } else {
        run_monitored(row, arguments);
    }
    running_ = outer;
    if (!held_.empty()) return;
    if (tracking_) end_caching(row);
    record(row, arguments);
}

/// What administrators do is not shown, as in Redis; what EXEC does is, before it.
void RespSession::run_monitored(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    const auto queued = row.command->name == kExec && !transaction_.is_refused ? transaction_.queued : decltype(transaction_.queued){};
    row.command->handler(*this, arguments);
    if (!held_.empty() || row.has(resp::kSecret) || row.has(resp::kAdmin)) return;
    for (const auto& each : queued) show_to_monitors(views(each.words));
    show_to_monitors(arguments);
}

void RespSession::reject(const resp::CommandTable::Row& row, std::string_view error) {
    services_.port.records.count_rejected(row);
    refuse(&row, error);
}

void RespSession::reply_error(std::string_view text) {
    reply([&](RespEncoder& to) { to.error(text); });
}

void RespSession::note_answer(const resp::CommandTable::Row* row, std::string_view answer) {
    if (!answer.starts_with('-')) return;
    services_.port.records.count_error(answer.substr(1, answer.find('\r') - 1));
    if (row != nullptr) services_.port.records.count_failed(*row);
}

void RespSession::count_executed(const resp::CommandTable::Row& row, std::string_view answer) {
    services_.port.records.count_call(row);
    note_answer(&row, answer);
}

void RespSession::hold(resp::Arguments arguments) {
    held_ = copies(arguments);
    skips_next_ = is_silent_ && !is_off_;
}

/// GETs are looked up together, later: their time is counted there.
void RespSession::record(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    resp::Records& records = services_.port.records;
    records.count_call(row);
    if (!get_ends_.empty()) return;
    const std::uint64_t now_us = monotonic_us();
    const std::uint64_t took_us = now_us - std::exchange(clock_us_, now_us);
    records.count_time(row, took_us);
    record_slow(row, arguments, took_us);
}

void RespSession::record_slow(const resp::CommandTable::Row& row, resp::Arguments arguments, std::uint64_t microseconds) {
    resp::Records& records = services_.port.records;
    if (records.latency_threshold_ms > 0) records.note_latency(row, wall_us() / 1'000'000, microseconds);
    if (!records.is_slow(microseconds) || row.has(resp::kSecret)) return;
    records.keep_slow({.unix_seconds = wall_us() / 1'000'000, .microseconds = microseconds, .address = remote(), .client_name = name},
                      arguments);
}

bool RespSession::is_paused() const { return services_.port.pause.until_ms > services_.connections.now_ms; }

bool RespSession::is_paused(const resp::CommandTable::Row& row) const {
    if (!is_paused() || row.has(resp::kAdmin)) return false;  // whoever paused must be able to end it
    if (!services_.port.pause.only_writes) return true;
    if (row.command->name != kExec) return row.has(resp::kWrite) || row.command->name == kPublish;
    return transaction_.writes || std::ranges::any_of(transaction_.queued, [](const auto& each) { return each.command->name == kPublish; });
}

void RespSession::show_to_monitors(resp::Arguments arguments) {
    const std::uint64_t now_us = wall_us();
    std::string line = fmt::format("{}.{:06} [0 {}]", now_us / 1'000'000, now_us % 1'000'000, remote());
    for (const std::string_view word : arguments) line += " " + resp::quoted(word);
    for (RespSession* monitor : services_.port.records.monitors()) {
        monitor->push([&](RespEncoder& to) { to.simple(line); });
    }
}

void RespSession::on_closed() {
    services_.port.pubsub.unsubscribe_all(*this);
    services_.port.records.remove_monitor(*this);
    track(std::nullopt);
}

void RespSession::set_replies(Replies replies) {
    is_off_ = replies == Replies::kOff || (is_off_ && replies == Replies::kSkipNext);
    skips_next_ = replies == Replies::kSkipNext;
    is_silent_ = replies != Replies::kOn;
}

bool RespSession::waits_for_its_writes(resp::Arguments arguments) {
    if (writes_pending_ == 0) return false;
    hold(arguments);
    return true;
}

void RespSession::block() {
    static_cast<void>(open_slot());
    blocked_ = first_ticket_ + slots_.size() - 1;
}

void RespSession::unblock(const std::function<void(RespEncoder&)>& encode) {
    if (blocked_) fill(*std::exchange(blocked_, std::nullopt), encode);
}

bool RespSession::authenticate(std::string_view user, std::string_view password) {
    auto known = services_.acl.authenticate(user, password);
    if (!known) {
        services_.port.records.acl_log.add({.reason = "auth",
                                            .context = transaction_.is_open ? "multi" : "toplevel",
                                            .object = "AUTH",
                                            .user = std::string(user.substr(0, kUserNameBytesMax)),
                                            .client = resp::describe_client(*this, shared().now_ms),
                                            .at_ms = shared().now_ms});
        return false;
    }
    user_ = std::move(known);
    authenticated_ = has_said_password_ = true;
    decoder_.set_authenticated(true);
    return true;
}

void RespSession::reset() {
    on_closed();
    user_ = services_.acl.default_user();
    authenticated_ = services_.acl.is_open();
    has_said_password_ = false;
    transaction_ = {};
    is_monitor = false;
    name.clear();
    version_ = protocol::RespVersion::k2;
    read_level_.reset();
    write_level_.reset();
    set_replies(Replies::kOn);
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
    if (const std::string error = resp::refuse_to_queue(transaction_, row, arguments); !error.empty()) return reject(row, error);
    if (const auto failure = services_.routing.refuse_write(); failure && row.has(resp::kWrite)) {
        services_.port.records.count_rejected(row);
        transaction_.is_refused = true;
        return reply_failure(*failure);
    }
    for (const std::string_view word : arguments) transaction_.bytes += word.size();
    transaction_.writes |= row.has(resp::kWrite);
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

bool RespSession::waits_for_gets(resp::Arguments arguments) {
    if (answer_gets()) return false;
    hold(arguments);
    return true;
}

bool RespSession::waits_for_reads(resp::Arguments arguments) {
    if (reads_waiting_ > 0) hold(arguments);
    return reads_waiting_ > 0;
}

void RespSession::note_denial(const resp::Denial& denial, bool in_transaction) {
    services_.port.records.acl_log.add({.reason = std::string(denial.reason()),
                                        .context = in_transaction ? "multi" : "toplevel",
                                        .object = denial.object,
                                        .user = user_->name,
                                        .client = resp::describe_client(*this, shared().now_ms),
                                        .at_ms = shared().now_ms});
}

std::optional<std::string> RespSession::denied_in_transaction(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    const auto denial = user_->deny(row, arguments);
    if (!denial) return std::nullopt;
    note_denial(*denial, true);
    return denial->error();
}

void RespSession::users_changed(bool anew) {
    if (!is_open()) return;
    if (user_->is_gone) {  // whoever has done that to itself is answered first
        outstanding() > 0 ? end_after_replies() : drop();
        return;
    }
    if (anew && !has_said_password_) {
        authenticated_ = services_.acl.is_open();
        decoder_.set_authenticated(authenticated_);
    }
    const auto may_use = [&](const auto& names, bool are_patterns) {
        return std::ranges::all_of(names, [&](const auto& each) { return user_->may_use_channel(each, are_patterns); });
    };
    const bool may_listen = may_use(channels(), false) && may_use(patterns(), true) && may_use(shard_channels(), false);
    if (!may_listen) drop();
}

std::optional<RespSession::Refusal> RespSession::why_not(const resp::CommandTable::Row& row, resp::Arguments arguments) const {
    if (needs_authentication() && !row.has(resp::kNoAuth)) return Refusal{"NOAUTH Authentication required.", {}};
    if (auto denial = user_->deny(row, arguments)) return Refusal{denial->error(), std::move(denial)};
    // In RESP2 nothing but the order tells an answer from a message.
    constexpr std::array<std::string_view, 9> kWhileSubscribed{"SUBSCRIBE",    "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE",
                                                               "SUNSUBSCRIBE", "PING",       "QUIT",        "RESET"};
    if (version_ == protocol::RespVersion::k2 && listens() &&
        std::ranges::find(kWhileSubscribed, row.command->name) == kWhileSubscribed.end()) {
        return Refusal{
            fmt::format("ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
                        "context",
                        row.name),
            {}};
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

void RespSession::take_shard_message(std::string_view channel, std::string_view message) {
    push([&](RespEncoder& to) {
        to.push(3);
        to.bulk("smessage");
        to.bulk(channel);
        to.bulk(message);
    });
}

// -- writes ---------------------------------------------------------------------------------------------------------------------------

void RespSession::write(commands::Request request, resp::WriteAnswer answer, bool says_nothing_of_state) {
    if (const auto refused = resp::refuse_size(request, services_.settings.limits)) return reply_error(*refused);
    const commands::Logged logged(std::move(request));
    submit_write(std::move(answer), says_nothing_of_state, [&](std::string& payload) { commands::append_to(payload, logged); });
}

void RespSession::write(const commands::CommandView& command, resp::WriteAnswer answer, bool says_nothing_of_state) {
    if (const auto refused = resp::refuse_size(command.key, command.value, services_.settings.limits)) return reply_error(*refused);
    submit_write(std::move(answer), says_nothing_of_state, [&](std::string& payload) { commands::append_request(payload, command); });
}

template <class Append>
void RespSession::submit_write(resp::WriteAnswer answer, bool says_nothing_of_state, const Append& append) {
    const WriteLevel level = write_level_.value_or(services_.settings.write_level);
    Slot& slot = open_slot();
    slot.write_answer = std::move(answer);
    slot.wants_all = level == WriteLevel::kAll;
    ++writes_pending_;
    const WriteTerms terms{
        .level = level, .deadline_ms = shared().now_ms + kDefaultDeadlineMs, .says_nothing_of_state = says_nothing_of_state};
    services_.writes.submit_encoded(shared_from_this(), first_ticket_ + slots_.size() - 1, terms, append);
}

void RespSession::on_written(std::uint64_t ticket, const WriteResult& result) {
    token_ = std::max(token_, result.rank);
    last_write_ = std::max(last_write_, result.rank);
    Slot& slot = slots_[ticket - first_ticket_];
    const resp::WriteAnswer answer = std::move(slot.write_answer);  // filling may let go of the slot
    --writes_pending_;
    if (slot.remembers && slot.row != nullptr) remember(*slot.row, views(slot.arguments));
    const bool falls_short = slot.wants_all && result.reached != WriteLevel::kAll;
    const auto refused = falls_short ? resp::not_on_all() : resp::error_of(result.outcome);
    // What was read in it may have changed since it was executed: the client is told so at once.
    std::set<std::string> read_late;
    read_late_ = slot.wants_all ? &read_late : nullptr;
    fill(ticket, [&](RespEncoder& to) { refused ? to.error(*refused) : answer(*this, to, result.outcome); });
    read_late_ = nullptr;
    if (!read_late.empty() && tracking_) services_.port.tracking.tell(*this, read_late);
}

// -- reads ----------------------------------------------------------------------------------------------------------------------------

ReadGate::Admission RespSession::admit(Failure& failure) {
    const ReadTerms terms{.level = read_level_.value_or(services_.settings.read_level),
                          .token = token_,
                          .max_lag_ms = services_.settings.max_lag_ms,
                          .deadline_ms = shared().now_ms + kDefaultDeadlineMs};
    return services_.reads.admit(shared_from_this(), first_ticket_ + slots_.size(), terms, failure);
}

void RespSession::read(resp::Arguments arguments, const resp::ReadAnswer& answer, const resp::LoggedRead* logged) {
    if (writes_pending_ > 0) {
        if (logged != nullptr) return read_through_log(arguments, answer, *logged);
        return hold(arguments);
    }
    Failure failure;
    switch (admit(failure)) {
        case ReadGate::Admission::kNow:
            reply([&](RespEncoder& to) { run_read(to, answer, arguments); });
            if (remembers() && running_ != nullptr) remember(*running_, arguments);
            return;
        case ReadGate::Admission::kRefused: return reply_failure(failure);
        case ReadGate::Admission::kWaiting: {
            Slot& slot = open_slot();
            slot.read_answer = answer;
            slot.arguments = copies(arguments);
            slot.remembers = remembers();
            ++reads_waiting_;
        }
    }
}

void RespSession::read_for_long(resp::Arguments arguments, const Start& start) {
    if (waits_for_its_writes(arguments)) return;
    Failure failure;
    const auto admission = admit(failure);
    if (admission == ReadGate::Admission::kRefused) return reply_failure(failure);
    block();
    if (admission == ReadGate::Admission::kNow) return start(*this);
    slots_[slots_.size() - 1].start = start;
    ++reads_waiting_;
}

void RespSession::note_state_seen() { token_ = std::max(token_, services_.applied()); }

void RespSession::read_through_log(resp::Arguments arguments, const resp::ReadAnswer& answer, const resp::LoggedRead& logged) {
    Slot& slot = open_slot();
    slot.write_answer = logged.answer;
    slot.read_answer = answer;
    slot.arguments = copies(arguments);
    slot.remembers = remembers();
    ++writes_pending_;
    const WriteTerms terms{.level = WriteLevel::kQuorum, .deadline_ms = shared().now_ms + kDefaultDeadlineMs};
    services_.writes.submit(shared_from_this(), first_ticket_ + slots_.size() - 1, logged.request(*this, arguments), terms);
}

void RespSession::get(resp::Arguments arguments) {
    if (slots_.empty() && !is_silent_ && !tracking_) {
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
        const auto answered =
            services_.state.visit_many(std::span(keys).subspan(done), kLookBytesMax,
                                       [&](std::optional<std::string_view> value) { value ? to.bulk(*value) : to.null(); });
        if (!answered) {
            services_.storage_failed(answered.error());
            return false;
        }
        done += *answered;
    }
    note_state_seen();
    replied();
    gets_answered_ += done;
    if (gets_answered_ < get_ends_.size()) return false;
    get_keys_.clear();
    get_ends_.clear();
    gets_answered_ = 0;
    const std::uint64_t now_us = monotonic_us();
    services_.port.records.count_time(*services_.port.commands.find(kGet), now_us - std::exchange(clock_us_, now_us), keys.size());
    return true;
}

void RespSession::run_read(RespEncoder& to, const resp::ReadAnswer& answer, resp::Arguments arguments) {
    const Status answered = answer(*this, to, arguments);
    if (!answered) return services_.storage_failed(answered.error());
    note_state_seen();
}

void RespSession::answer_read(std::uint64_t ticket) {
    Slot& slot = slots_[ticket - first_ticket_];
    const auto arguments = std::exchange(slot.arguments, {});
    const resp::ReadAnswer answer = slot.read_answer;
    if (slot.remembers && slot.row != nullptr) remember(*slot.row, views(arguments));
    fill(ticket, [&](RespEncoder& to) { run_read(to, answer, views(arguments)); });
}

void RespSession::on_read_ready(std::uint64_t ticket) {
    --reads_waiting_;
    if (const auto start = std::exchange(slots_[ticket - first_ticket_].start, nullptr)) return start(*this);
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
    if (slot.start) blocked_.reset();
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
    const std::size_t place = ticket - first_ticket_;
    const auto [version, is_silent, row] = std::tuple(slots_[place].version, slots_[place].is_silent, slots_[place].row);
    ENSURE(!slots_[place].ready);
    slots_[place].ready = true;
    const bool goes_out = place == 0 && is_open() && !is_silent;
    std::string kept;
    std::string& out = goes_out ? output() : kept;
    const std::size_t begin = out.size();
    RespEncoder to(out, version);
    encode(to);
    note_answer(row, std::string_view(out).substr(begin));
    if (place > 0) {
        if (!is_silent) slots_[place].reply = std::move(kept);
        kept_back_ += sizeof slots_[place] + slots_[place].reply.size();
        return;
    }
    slots_.pop_front();
    ++first_ticket_;
    while (!slots_.empty() && slots_.front().ready) {
        if (is_open()) output() += slots_.front().reply;
        kept_back_ -= sizeof slots_.front() + slots_.front().reply.size();
        slots_.pop_front();
        ++first_ticket_;
    }
    replied();
}

}  // namespace tanist::server

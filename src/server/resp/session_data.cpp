// SPDX-License-Identifier: Apache-2.0
// A session's writes, which are logged, and its reads, of the state as it is once the writes before them are answered.
#include "server/clock.h"
#include "server/resp/failure.h"
#include "server/resp/session.h"
#include "server/resp/words.h"

namespace tanist::server {

using protocol::RespEncoder;

namespace {

constexpr std::string_view kGet = "GET";
constexpr std::size_t kLookBytesMax = limits::kMiB;

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

bool RespSession::waits_for_its_writes(resp::Arguments arguments) {
    if (writes_pending_ == 0) return false;
    hold(arguments);
    return true;
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
    if (slot.remembers && slot.row != nullptr) remember(*slot.row, resp::views(slot.arguments));
    const bool falls_short = slot.wants_all && result.reached != WriteLevel::kAll;
    const auto refused = falls_short ? resp::not_on_all() : resp::error_of(result.outcome);
    // What was read in it may have changed since it was executed: the client is told so at once.
    std::set<std::string> read_late;
    read_late_ = slot.wants_all ? &read_late : nullptr;
    fill(ticket, [&](RespEncoder& to) { refused ? to.error(*refused) : answer(*this, to, result.outcome); });
    read_late_ = nullptr;
    if (!read_late.empty() && tracking_) services_.port.tracking.tell(*this, read_late);
}

ReadTerms RespSession::read_terms() const {
    return {.level = read_level_.value_or(services_.settings.read_level),
            .token = token_,
            .max_lag_ms = services_.settings.max_lag_ms,
            .deadline_ms = shared().now_ms + kDefaultDeadlineMs};
}

ReadGate::Admission RespSession::admit(Failure& failure) {
    return services_.reads.admit(shared_from_this(), first_ticket_ + slots_.size(), read_terms(), failure);
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
            slot.arguments = resp::copies(arguments);
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
    is_timed_later_ = true;
    if (admission == ReadGate::Admission::kNow) return start(*this);
    slots_[slots_.size() - 1].start = start;
    ++reads_waiting_;
}

void RespSession::note_state_seen() { token_ = std::max(token_, services_.applied()); }

void RespSession::read_through_log(resp::Arguments arguments, const resp::ReadAnswer& answer, const resp::LoggedRead& logged) {
    Slot& slot = open_slot();
    slot.write_answer = logged.answer;
    slot.read_answer = answer;
    slot.arguments = resp::copies(arguments);
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
            gather_get(arguments[1]);
            if (get_ends_.size() == kGetsPerLook) static_cast<void>(answer_gets());
            return;
        }
        if (admission == ReadGate::Admission::kRefused) return reply_failure(failure);
        Slot& slot = open_slot();
        slot.read_answer = answer_get;
        slot.arguments = resp::copies(arguments);
        ++reads_waiting_;
        return;
    }
    read(arguments, answer_get, &kLoggedGet);
}

void RespSession::gather_get(std::string_view key) {
    get_keys_ += key;
    get_ends_.push_back(get_keys_.size());
}

bool RespSession::answer_gets() {
    if (get_ends_.empty()) return true;
    const Result<std::size_t> answered = look_up_gets();
    if (!answered) {
        services_.storage_failed(answered.error());
        return false;
    }
    replied();
    if (gets_answered_ < get_ends_.size()) return false;
    services_.port.records.count_time(*services_.port.commands.find(kGet), forget_gets(), *answered);
    return true;
}

Result<std::size_t> RespSession::look_up_gets() {
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
        if (!answered) return answered;
        done += *answered;
    }
    note_state_seen();
    gets_answered_ += done;
    return done;
}

std::uint64_t RespSession::forget_gets() {
    get_keys_.clear();
    get_ends_.clear();
    gets_answered_ = 0;
    return take_time();
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
    if (slot.remembers && slot.row != nullptr) remember(*slot.row, resp::views(arguments));
    fill(ticket, [&](RespEncoder& to) { run_read(to, answer, resp::views(arguments)); });
}

void RespSession::on_read_ready(std::uint64_t ticket) {
    --reads_waiting_;
    if (const auto start = std::exchange(slots_[ticket - first_ticket_].start, nullptr)) return start(*this);
    answer_read(ticket);
}

}  // namespace tanist::server

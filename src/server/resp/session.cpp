// SPDX-License-Identifier: Apache-2.0
#include "server/resp/session.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/clock.h"
#include "server/resp/failure.h"
#include "server/resp/words.h"

namespace tanist::server {

using protocol::RespEncoder;

namespace {

constexpr std::string_view kGet = "GET", kExec = "EXEC", kPublish = "PUBLISH";

/// What a browser sends that was led here by somebody's page: behind these lines there may be commands.
bool is_http(std::string_view command) { return resp::is_word(command, "POST") || resp::is_word(command, "HOST:"); }

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
    if (services.sentinel == nullptr) services.forwarding.expect_clients();
}

bool RespSession::take_input(protocol::ReadBuffer& input) {
    if (!answer_gets()) return true;
    clock_us_ = monotonic_us();
    if (!held_.empty()) {
        if (must_hold() && !left_to_loop_) return true;
        left_to_loop_ = false;
        const auto held = std::exchange(held_, {});
        dispatch(resp::views(held));
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
            ++taken_;
            dispatch(**command);
        }
    }
    static_cast<void>(answer_gets());
    return !quitting_;
}

void RespSession::dispatch(resp::Arguments arguments) {
    const resp::CommandTable::Row* row = find_row(arguments);
    if ((last_row_ == nullptr || last_row_->command->name != kGet) && !answer_gets()) return hold(arguments);
    is_silent_ = is_off_ || std::exchange(skips_next_, false);
    services_.counters.count(last_row_ == nullptr ? RequestKind::kOther : last_row_->command->kind);
    if (last_row_ == nullptr) return is_http(arguments[0]) ? end_at_once() : refuse(nullptr, resp::unknown_command(arguments));
    if (row == nullptr) return refuse(last_row_, resp::unknown_subcommand(arguments));
    run(*row, arguments);
}

const resp::CommandTable::Row* RespSession::find_row(resp::Arguments arguments) {
    if (arguments[0] != last_name_) {
        last_row_ = services_.port.commands.find_command(arguments[0]);
        last_name_ = last_row_ == nullptr ? std::string() : std::string(arguments[0]);
    }
    if (last_row_ == nullptr || last_row_->subcommands.empty() || arguments.size() == 1) return last_row_;
    const auto* const subcommand = resp::CommandTable::find(*last_row_, arguments[1]);
    return subcommand == nullptr && last_row_->command->handler != nullptr ? last_row_ : subcommand;
}

void RespSession::end_at_once() {
    spdlog::warn("client dropped: it speaks HTTP, and may have been led here to run commands from={}", remote());
    quitting_ = true;
    drop();
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

void RespSession::reject(const resp::CommandTable::Row& row, std::string_view error) {
    services_.port.records.count_rejected(row);
    refuse(&row, error);
}

void RespSession::hold(resp::Arguments arguments) {
    held_ = resp::copies(arguments);
    skips_next_ = is_silent_ && !is_off_;
}

bool RespSession::is_paused() const { return services_.port.pause.until_ms > services_.connections.now_ms; }

bool RespSession::is_paused(const resp::CommandTable::Row& row) const {
    if (!is_paused() || row.has(resp::kAdmin)) return false;  // whoever paused must be able to end it
    if (!services_.port.pause.only_writes) return true;
    if (row.command->name != kExec) return row.has(resp::kWrite) || row.command->name == kPublish;
    return transaction_.writes || std::ranges::any_of(transaction_.queued, [](const auto& each) { return each.command->name == kPublish; });
}

void RespSession::on_closed() {
    if (shared_fault_) services_.storage_failed(*shared_fault_);
    leave_port();
    services_.port.tracking.forget(*this);
}

void RespSession::leave_port() {
    services_.port.pubsub.unsubscribe_all(*this);
    services_.port.records.remove_monitor(*this);
    track(std::nullopt);
}

void RespSession::set_replies(Replies replies) {
    is_off_ = replies == Replies::kOff || (is_off_ && replies == Replies::kSkipNext);
    skips_next_ = replies == Replies::kSkipNext;
    is_silent_ = replies != Replies::kOn;
}

void RespSession::reset() {
    leave_port();
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
    if (const auto failure = services_.writes.refusal(*this); failure && row.has(resp::kWrite)) {
        services_.port.records.count_rejected(row);
        transaction_.is_refused = true;
        return reply_failure(*failure);
    }
    for (const std::string_view word : arguments) transaction_.bytes += word.size();
    transaction_.writes |= row.has(resp::kWrite);
    transaction_.queued.push_back({last_row_->command, resp::copies(arguments)});
    reply([](RespEncoder& to) { to.simple("QUEUED"); });
}

std::string RespSession::capture(resp::Arguments arguments) {
    std::string answer;
    capture_ = &answer;
    dispatch(arguments);
    capture_ = nullptr;
    return answer;
}

}  // namespace tanist::server

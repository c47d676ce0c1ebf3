// SPDX-License-Identifier: Apache-2.0
// What a session does beside answering: what is counted and shown of its commands, CLIENT TRACKING, and the limits at which it ends.
#include <fmt/format.h>

#include <algorithm>

#include "server/clock.h"
#include "server/resp/session.h"
#include "server/resp/words.h"

namespace tanist::server {

using protocol::RespEncoder;

namespace {

constexpr std::string_view kExec = "EXEC";
constexpr std::size_t kStrangersOutputBytesMax = 64 * limits::kKiB;  ///< of who has not said a password: errors that nobody reads

}  // namespace

/// What administrators do is not shown, as in Redis; what EXEC does is, before it.
void RespSession::run_monitored(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    const auto queued = row.command->name == kExec && !transaction_.is_refused ? transaction_.queued : decltype(transaction_.queued){};
    row.command->handler(*this, arguments);
    if (!held_.empty() || row.has(resp::kSecret) || row.has(resp::kAdmin)) return;
    for (const auto& each : queued) show_to_monitors(resp::views(each.words));
    show_to_monitors(arguments);
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

/// GETs are looked up together, later: their time is counted there.
void RespSession::record(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    resp::Records& records = services_.port.records;
    records.count_call(row);
    if (!get_ends_.empty()) return;
    const std::uint64_t took_us = take_time();
    if (!std::exchange(is_timed_later_, false)) record_time(row, arguments, took_us);
}

std::uint64_t RespSession::take_time() {
    const std::uint64_t now_us = monotonic_us();
    return now_us - std::exchange(clock_us_, now_us);
}

void RespSession::record_time(const resp::CommandTable::Row& row, resp::Arguments arguments, std::uint64_t microseconds) {
    services_.port.records.count_time(row, microseconds);
    record_slow(row, arguments, microseconds);
}

void RespSession::record_slow(const resp::CommandTable::Row& row, resp::Arguments arguments, std::uint64_t microseconds) {
    resp::Records& records = services_.port.records;
    if (records.latency_threshold_ms > 0) records.note_latency(row, wall_us() / 1'000'000, microseconds);
    if (!records.is_slow(microseconds) || row.has(resp::kSecret)) return;
    records.keep_slow({.unix_seconds = wall_us() / 1'000'000, .microseconds = microseconds, .address = remote(), .client_name = name},
                      arguments);
}

void RespSession::show_to_monitors(resp::Arguments arguments) {
    const std::uint64_t now_us = wall_us();
    std::string line = fmt::format("{}.{:06} [0 {}]", now_us / 1'000'000, now_us % 1'000'000, remote());
    for (const std::string_view word : arguments) line += " " + resp::quoted(word);
    for (RespSession* monitor : services_.port.records.monitors()) {
        monitor->push([&](RespEncoder& to) { to.simple(line); });
    }
}

void RespSession::track(std::optional<resp::TrackingMode> mode) {
    if (!tracking_ && !mode) return;
    if (!mode) services_.port.tracking.stop(*this);
    tracking_ = std::move(mode);
    if (tracking_) services_.port.tracking.start(*this);
    services_.port.keys.update();
}

void RespSession::remember(const resp::CommandTable::Row& row, resp::Arguments arguments) {
    if (!tracking_ || !row.has(resp::kReadOnly)) return;
    for (const std::string_view key : resp::keys_of(*row.command, arguments)) {
        read_late_ != nullptr ? void(read_late_->emplace(key)) : services_.port.tracking.remember(*this, key);
    }
}

/// CLIENT CACHING is about the next command, or all of the next transaction.
void RespSession::end_caching(const resp::CommandTable::Row& row) {
    if (!transaction_.is_open && !row.name.starts_with("client")) tracking_->is_caching_said = false;
}

const config::OutputLimits::Limit& RespSession::output_limit() const {
    return listens() ? services_.port.output_limits.pubsub : services_.port.output_limits.normal;
}

std::size_t RespSession::output_bytes_max() const {
    if (needs_authentication()) return kStrangersOutputBytesMax;
    const std::size_t hard = output_limit().hard, of_all = ClientConnection::output_bytes_max();
    return hard == 0 ? of_all : std::min(hard, of_all);
}

void RespSession::tick() {
    ClientConnection::tick();
    if (!is_open()) return;
    const std::uint64_t now_ms = shared().now_ms, idle_max = services_.port.idle_seconds_max;
    const auto& limit = output_limit();
    if (limit.soft == 0 || unsent() <= limit.soft)
        softly_full_ms_ = 0;
    else if (softly_full_ms_ == 0)
        softly_full_ms_ = now_ms;
    const bool reads_too_little = softly_full_ms_ != 0 && now_ms - softly_full_ms_ > limit.soft_seconds * 1000;
    const bool may_be_idle = idle_max == 0 || listens() || is_monitor || outstanding() > 0 || now_ms - heard_ms() <= idle_max * 1000;
    if (reads_too_little || !may_be_idle) drop();
}

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
// What a session does beside answering: CLIENT TRACKING of what it reads, and the limits at which it ends.
#include <algorithm>

#include "server/resp/session.h"

namespace tanist::server {

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

const resp::OutputLimits::Limit& RespSession::output_limit() const {
    return listens() ? services_.port.output_limits.pubsub : services_.port.output_limits.normal;
}

std::size_t RespSession::output_bytes_max() const {
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

// SPDX-License-Identifier: Apache-2.0
// Who a session's client is, and what it may do.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "server/resp/client_info.h"
#include "server/resp/session.h"

namespace tanist::server {

namespace {

constexpr std::size_t kUserNameBytesMax = 256;  ///< of what somebody said, in the log of denials

}  // namespace

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

}  // namespace tanist::server

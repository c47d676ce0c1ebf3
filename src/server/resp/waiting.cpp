// SPDX-License-Identifier: Apache-2.0
#include "server/resp/waiting.h"

#include <algorithm>
#include <utility>

#include "server/resp/session.h"

namespace tanist::server::resp {

void Waiting::add(const std::shared_ptr<RespSession>& session, std::uint64_t deadline_ms, Settle settle) {
    session->block();
    keep(session, deadline_ms, std::move(settle));
}

void Waiting::keep(const std::shared_ptr<RespSession>& session, std::uint64_t deadline_ms, Settle settle) {
    entries_.push_back({session, deadline_ms, std::move(settle)});
}

void Waiting::look(std::uint64_t now_ms) {
    may_look_long_ = true;
    std::erase_if(entries_, [&](Entry& entry) {
        const auto session = entry.session.lock();
        return !session || !session->is_open() || entry.settle(*session, entry.deadline_ms <= now_ms);
    });
}

bool Waiting::end(std::uint64_t session_id) {
    return std::erase_if(entries_, [&](Entry& entry) {
               const auto session = entry.session.lock();
               return session && session->id() == session_id && entry.settle(*session, true);
           }) > 0;
}

bool Waiting::end(std::uint64_t session_id, std::string_view error) {
    return std::erase_if(entries_, [&](Entry& entry) {
               const auto session = entry.session.lock();
               if (!session || session->id() != session_id) return false;
               session->unblock([&](protocol::RespEncoder& to) { to.error(error); });
               return true;
           }) > 0;
}

}  // namespace tanist::server::resp

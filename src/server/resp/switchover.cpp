// SPDX-License-Identifier: Apache-2.0
#include "server/resp/switchover.h"

#include <fmt/format.h>

#include "server/resp/session.h"

namespace tanist::server::resp {
namespace {

std::string_view code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kUnavailable:
        case ErrorCode::kRefused: return "NOGOODSLAVE";
        case ErrorCode::kOverloaded: return "INPROG";
        case ErrorCode::kOutcomeUnknown: return "UNKNOWN";
        default: return "ERR";
    }
}

}  // namespace

void switch_over(RespSession& session, std::optional<NodeId> target) {
    session.block();
    session.services().switchovers.ask(target, [asker = session.shared_session()](const Result<MemberId>& master) {
        asker->unblock([&](protocol::RespEncoder& to) {
            master ? to.ok() : to.error(fmt::format("{} {}", code_of(master.error().code), master.error().message));
        });
    });
}

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// One request on its way through the client, and what has been tried so far to get it answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/link.h"
#include "client/session.h"
#include "client/timers.h"
#include "tanist/error.h"
#include "tanist/requests.h"

namespace tanist::client {

enum class Kind : std::uint8_t {
    kRead,
    kWrite,
    kStatus,
    kOperation,  ///< of the cluster: to the master, and never sent twice
    kSession,    ///< registers or keeps a session: to the master, and harmless to repeat
};

struct Call {
    // What the caller asks for.
    Kind kind = Kind::kRead;
    std::string_view name;    ///< "put", for messages
    native::Request request;  ///< body and levels; the rest is filled in at each sending
    std::size_t bytes = 0;    ///< of keys and values
    std::chrono::milliseconds allowed{0};
    SessionToken token;  ///< besides the client's own
    Clock::time_point deadline;
    std::function<void(Result<native::Reply>)> done;

    // How far it has come. It waits for a session, is parked, waits for `link` to become ready, or is under way on it.
    CallId id = 0;
    Timers::Id deadline_timer;
    Link* link = nullptr;
    bool under_way = false;
    std::shared_ptr<Session> session;  ///< writes, once they have a sequence number in it, request.sequence
    unsigned open_sendings = 0;        ///< sent, and not answered by a promise that nothing was executed
    unsigned redirects = 0;            ///< in a row
    unsigned sessions_expired = 0;
    bool prefer_master = false;  ///< reads: a slave was not fresh enough, or too slow to become so
    std::vector<Link*> avoid;    ///< reads: did not answer, or not well enough; until all others have been tried too
    std::vector<Link*> sent_to;
    std::map<const Link*, std::string> said;  ///< each node's last refusal
    ErrorCode refused_as = ErrorCode::kUnavailable;
    SessionToken token_sent, token_wanted;  ///< of session reads; what is wanted is higher while an older token is in doubt

    [[nodiscard]] bool may_have_been_executed() const { return (kind == Kind::kWrite || kind == Kind::kOperation) && open_sendings > 0; }
    /// Sent again, it is not executed again.
    [[nodiscard]] bool is_repeatable() const { return session != nullptr || (kind != Kind::kWrite && kind != Kind::kOperation); }
};

}  // namespace tanist::client

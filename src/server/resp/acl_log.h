// SPDX-License-Identifier: Apache-2.0
// What was denied lately, and whom: ACL LOG.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace tanist::server::resp {

struct AclEvent {
    std::string reason;   ///< "command", "key", "channel", "auth"
    std::string context;  ///< "toplevel", "multi"
    std::string object;   ///< the command, key or channel
    std::string user;
    std::string client;  ///< as CLIENT INFO tells it
    std::uint64_t at_ms = 0;
    std::uint64_t count = 1;  ///< the same again within a minute counts here
};

class AclLog {
public:
    void add(AclEvent event);
    void clear() { events_.clear(); }
    /// The newest first.
    [[nodiscard]] const std::deque<AclEvent>& events() const { return events_; }

    std::size_t events_max = 128;

private:
    std::deque<AclEvent> events_;
};

}  // namespace tanist::server::resp

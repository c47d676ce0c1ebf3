// SPDX-License-Identifier: Apache-2.0
// What the RESP sessions of one port share: what they may say, and what one of them does that others notice.
#pragma once

#include <cstdint>

#include "config/config.h"
#include "server/resp/command.h"
#include "server/resp/key_watch.h"
#include "server/resp/pubsub.h"
#include "server/resp/records.h"
#include "server/resp/tracking.h"
#include "server/resp/waiting.h"

namespace tanist::server::resp {

struct Port {
    explicit Port(const CommandTable& served) : commands(served), records(served) { take({}); }
    Port(const Port&) = delete;  // its parts refer to each other
    Port& operator=(const Port&) = delete;

    /// When the configuration is read, and when it has changed.
    void take(const config::RedisConfig& config);

    const CommandTable& commands;
    PubSub pubsub;
    Tracking tracking;
    KeyWatch keys{pubsub, tracking};
    Records records;
    Waiting waiting;
    Pause pause;
    config::OutputLimits output_limits;
    std::uint64_t idle_seconds_max = 0;  ///< 0: none
};

}  // namespace tanist::server::resp

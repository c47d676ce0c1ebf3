// SPDX-License-Identifier: Apache-2.0
// What the RESP sessions of one port share: what they may say, and what one of them does that others notice.
#pragma once

#include "server/resp/command.h"
#include "server/resp/pubsub.h"
#include "server/resp/records.h"
#include "server/resp/waiting.h"

namespace tanist::server::resp {

struct Port {
    explicit Port(const CommandTable& served) : commands(served), records(served) {}

    const CommandTable& commands;
    PubSub pubsub;
    Records records;
    Waiting waiting;
    Pause pause;
};

}  // namespace tanist::server::resp

// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT shut a server down, SIGHUP reloads its configuration.
#pragma once

#include <asio/signal_set.hpp>

#include "config/load.h"
#include "server/server.h"

namespace tanist::server {

class Signals {
public:
    /// `load` is what the configuration was made of at start.
    Signals(Server& server, config::LoadRequest load);

private:
    void wait();

    Server& server_;
    const config::LoadRequest load_;
    asio::signal_set signals_;
};

}  // namespace tanist::server

// SPDX-License-Identifier: Apache-2.0
#include "server/signals.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace tanist::server {

Signals::Signals(Server& server, config::LoadRequest load)
    : server_(server), load_(std::move(load)), signals_(server.io(), SIGTERM, SIGINT, SIGHUP) {
    ::signal(SIGPIPE, SIG_IGN);
    wait();
}

void Signals::wait() {
    signals_.async_wait([this](const asio::error_code& error, int signal) {
        if (error) return;
        if (signal == SIGHUP) {
            const auto config = config::load_config(load_);
            config ? server_.reload(*config)
                   : spdlog::error("configuration not reloaded: the old one stays reason=\"{}\"", config.error().message);
        } else {
            server_.shut_down();
        }
        wait();
    });
}

}  // namespace tanist::server
